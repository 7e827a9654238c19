//! Checks the trends of events from a test server, with and without a terminal.

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../../jetstream/tests/server/mod.rs"]
mod server;

use std::path::Path;
use std::process::Command;

use server::{Connection, POSTS, commit, next, post, send, serve};
use support::{Program, fresh_dir, records};

/// Times in the server's microseconds: 01:00 and 01:01 of the first day.
const FIRST: u64 = 3_600_000_000;
const SECOND: u64 = 3_660_000_000;

fn say(connection: &mut Connection, time_us: u64, rkey: &str, text: &str) {
    send(connection, &commit(time_us, "create", POSTS, rkey, post(text)));
}

fn unsay(connection: &mut Connection, time_us: u64, rkey: &str) {
    send(connection, &commit(time_us, "delete", POSTS, rkey, None));
}

fn start(dir: &Path, url: &str, more: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trending"));
    Program::spawn(command.current_dir(dir).args(["--url", url]).args(more).arg("trends.csv"))
}

/// Applies all updates and returns the remaining rows. Each retraction must match a row.
fn last_state(records: &[String]) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for record in records {
        let (row, diff) = record.rsplit_once(',').expect("a diff");
        match diff {
            "1" => rows.push(row.to_owned()),
            _ => {
                let place = rows.iter().position(|other| other == row);
                rows.remove(place.unwrap_or_else(|| panic!("{record} retracts nothing")));
            }
        }
    }
    rows.sort_unstable_by_key(|row| row.split(',').take(2).map(|n| n.parse().unwrap_or(0)).collect::<Vec<u64>>());
    rows
}

#[test]
fn added_and_removed_posts_change_the_ranks_of_their_minute() {
    for threads in ["1", "2"] {
        let dir = fresh_dir(&format!("trending-{threads}"));
        let (url, connections) = serve();
        let mut program = start(&dir, &url, &["--events", "17", "--threads", threads]);
        let (_, mut connection) = next(&connections);
        say(&mut connection, FIRST, "p1", "#cats and #dogs");
        say(&mut connection, FIRST + 1, "p2", "#Cats! no tag here: a#b");
        program.wait_for(|line| line == "+1 01:00 1 #cats 2");
        say(&mut connection, SECOND, "p3", "#dogs");
        say(&mut connection, SECOND + 1, "p4", "nothing to say");
        // Each row must be visible before the next change, so that the retraction is not merged with it.
        program.wait_for(|line| line == "+1 01:01 1 #dogs 1");
        unsay(&mut connection, SECOND + 2, "p1");
        program.wait_for(|line| line == "-1 01:00 1 #cats 2");
        // An edited post.
        send(&mut connection, &commit(SECOND + 3, "update", POSTS, "p2", post("#birds")));
        for n in 0..11 {
            say(&mut connection, SECOND + 4, &format!("q{n}"), &format!("#t{n:02}"));
        }
        let end = program.end().succeeded();
        assert!(end.stdout.contains("-1 01:00 2 #dogs 1"), "{end:#?}");
        assert!(end.stdout.contains("Jetstream: 17 rows in "), "{end:#?}");

        let trends = records(&dir.join("trends.csv"));
        assert_eq!(trends[0], "minute,rank,tag,posts,diff");
        let ranked = ["birds", "dogs", "t00", "t01", "t02", "t03", "t04", "t05", "t06", "t07"];
        let expected = ranked.iter().zip(1..).map(|(tag, rank)| format!("61,{rank},{tag},1"));
        assert_eq!(last_state(&trends[1..]), expected.collect::<Vec<_>>());
        let printed = end.stdout.lines().filter(|line| line.starts_with(['+', '-'])).count();
        assert_eq!(printed, trends.len() - 1);
    }
}

/// `script` runs the program on a terminal.
#[cfg(target_os = "linux")]
#[test]
fn the_table_is_drawn_on_a_terminal() {
    let dir = fresh_dir("trending-terminal");
    let (url, connections) = serve();
    let command = format!("TERM=xterm '{}' --url '{url}' --events 3", env!("CARGO_BIN_EXE_trending"));
    let mut program = Program::spawn(Command::new("script").args(["-qec", &command, "/dev/null"]).current_dir(&dir));
    let (_, mut connection) = next(&connections);
    say(&mut connection, FIRST, "p1", "#cats and #dogs");
    program.wait_for(|line| line.contains("    2  #dogs"));
    unsay(&mut connection, FIRST + 1, "p1");
    program.wait_for(|line| line.contains("4 updates, 2 of them retractions"));
    say(&mut connection, SECOND, "p2", "#birds");
    let end = program.end().succeeded();
    assert!(end.stdout.contains("\x1b[H01:01"), "the last minute is shown: {end:#?}");
}

#[test]
fn an_unknown_option_is_refused() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trending"));
    let end = Program::spawn(command.arg("--minutes")).end().failed();
    assert!(end.stderr.contains("usage: trending"), "{end:#?}");
}

#[test]
fn the_demo_needs_no_network() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trending"));
    let end = Program::spawn(command.args(["--demo", "--events", "100"])).end().succeeded();
    assert!(end.stdout.contains(" 1 #"), "a first rank: {end:#?}");
    assert!(end.stdout.contains("Jetstream: 100 rows in "), "{end:#?}");
}

/// The stream never ends by itself.
#[cfg(unix)]
#[test]
fn ends_when_its_output_is_closed() {
    let pipe = format!("'{}' --demo | head -2; echo \"status ${{PIPESTATUS[0]}}\"", env!("CARGO_BIN_EXE_trending"));
    let end = Program::spawn(Command::new("bash").args(["-c", &pipe])).end().succeeded();
    assert_eq!(end.stdout.lines().last(), Some("status 0"), "{end:#?}");
    assert_eq!((end.stdout.lines().count(), end.stderr.as_str()), (3, ""), "{end:#?}");
}
