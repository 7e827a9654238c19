//! Runs `cats` as a user would: its rows, their order, and an error for each mistake.

mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::{Program, fresh_dir, records, wait_for_text};

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the test's own file");
}

fn cats(input: &Path, output: &Path) -> Program {
    Program::start("cats", [Path::new("--fast"), input, output])
}

fn three_cats() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cats.jsonl")
}

const THREE_CATS: [&str; 4] = ["key,genus,epithet,diff", "1,otocolobus,manul,1", "2,felis,catus,1", "3,lynx,lynx,1"];

#[test]
fn three_rows_arrive_one_a_second_and_are_seen_on_the_way() {
    let dir = fresh_dir("cats-slow");
    let started = Instant::now();
    let program = Program::spawn(std::process::Command::new(support::executable("cats")).current_dir(&dir));
    let output = dir.join("output.csv");
    // The second row is written before the third row is read.
    wait_for_text(&output, "felis");
    assert!(
        !std::fs::read_to_string(&output).expect("it is there").contains("lynx"),
        "each row is seen before the next"
    );
    let end = program.end().succeeded();
    assert!(started.elapsed() >= Duration::from_secs(3), "the rows come one a second");
    assert_eq!(records(&output), THREE_CATS);
    assert!(end.stdout.contains("FileStream: 3 rows in 3 commits"), "{end:#?}");
    assert!(end.stdout.contains("output.csv"), "{end:#?}");
}

#[test]
fn fast_leaves_out_the_pause() {
    let output = fresh_dir("cats-fast").join("out.csv");
    let end = cats(&three_cats(), &output).end().succeeded();
    assert_eq!(records(&output), THREE_CATS);
    assert!(end.stdout.contains(&output.display().to_string()), "{end:#?}");
    assert_eq!(end.stderr, "", "progress is for terminals");
}

/// Standard output is one stream for the sink and for `println!`, wherever it was redirected to.
#[cfg(unix)]
#[test]
fn the_output_can_be_the_standard_output() {
    use std::io::Read;
    use std::os::unix::net::UnixStream;
    use std::process::{Command, Stdio};

    let ends_with_the_summary = |text: &str| {
        let (header, rest) = text.split_once('\n').expect("several lines");
        assert_eq!(header, "key,genus,epithet,time,diff", "{text}");
        let places = ["1,otocolobus,", "2,felis,", "3,lynx,", "FileStream: 3 rows", "the updates are in /dev/stdout\n"]
            .map(|part| rest.find(part).unwrap_or_else(|| panic!("no {part:?} in {text}")));
        assert!(places.is_sorted(), "{text}");
    };
    let run = |stdout: Stdio| {
        let mut command = Command::new(support::executable("cats"));
        let status = command.arg("--fast").arg(three_cats()).arg("/dev/stdout").stdout(stdout).status();
        assert!(status.expect("it starts").success());
    };

    let path = fresh_dir("cats-stdout").join("out");
    run(std::fs::File::create(&path).expect("the test's own file").into());
    ends_with_the_summary(&std::fs::read_to_string(&path).expect("it is there"));

    write(&path, "earlier\n");
    run(std::fs::File::options().append(true).open(&path).expect("the test's own file").into());
    let text = std::fs::read_to_string(&path).expect("it is there");
    ends_with_the_summary(text.strip_prefix("earlier\n").unwrap_or_else(|| panic!("it was emptied: {text}")));

    // A service manager redirects to a socket, which has no path that can be opened.
    let (mut ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    run(std::os::fd::OwnedFd::from(theirs).into());
    let mut text = String::new();
    ours.read_to_string(&mut text).expect("it is UTF-8");
    ends_with_the_summary(&text);
}

#[test]
fn a_repeated_key_is_an_upsert() {
    let dir = fresh_dir("cats-upsert");
    let input = dir.join("cats.jsonl");
    write(
        &input,
        "{\"key\": 1, \"genus\": \"felis\", \"epithet\": \"catus\"}\n {\"epithet\": \"manul\", \"key\": 1, \"genus\": \"otocolobus\", \"more\": []}",
    );
    let output = dir.join("out.csv");
    cats(&input, &output).end().succeeded();
    assert_eq!(records(&output), ["key,genus,epithet,diff", "1,otocolobus,manul,1"]);
}

#[test]
fn a_malformed_line_is_named_and_the_rows_before_it_are_there() {
    let dir = fresh_dir("cats-malformed");
    let input = dir.join("cats.jsonl");
    let output = dir.join("out.csv");
    let good = std::fs::read_to_string(three_cats()).expect("the example's file");
    for (line, says) in [
        (r#"{"key": 4, "genus": 5, "epithet": "catus"}"#, &["row 4", "column `genus`", "number 5"][..]),
        (r#"{"key": 4, "genus": "felis"}"#, &["row 4", "column `epithet`", "missing"]),
        (r#"{"key": 4, "genus": "felis", "epi"#, &["row 4"]),
        ("", &["row 4"]),
    ] {
        write(&input, &format!("{good}{line}\n{good}"));
        let end = cats(&input, &output).end().failed();
        assert_eq!(end.stderr.lines().count(), 1, "{end:#?}");
        for part in says.iter().chain(&["connector `FileStream`", &input.display().to_string()]) {
            assert!(end.stderr.contains(part), "no {part} in {end:#?}");
        }
        assert_eq!(records(&output), THREE_CATS);
    }
}

#[test]
fn a_mistyped_path_is_named() {
    let dir = fresh_dir("cats-mistyped");
    let end = cats(&dir.join("dogs.jsonl"), &dir.join("out.csv")).end().failed();
    assert_eq!(end.stderr.lines().count(), 1, "{end:#?}");
    assert!(end.stderr.contains("connector `FileStream`") && end.stderr.contains("dogs.jsonl"), "{end:#?}");
    assert_eq!(records(&dir.join("out.csv")), ["key,genus,epithet,diff"]);
}

#[test]
fn an_unwritable_output_is_named_before_anything_is_read() {
    let dir = fresh_dir("cats-unwritable");
    let output = dir.join("missing").join("out.csv");
    let end = cats(&three_cats(), &output).end().failed();
    assert_eq!(end.stderr.lines().count(), 1, "{end:#?}");
    assert!(end.stderr.contains(&output.display().to_string()), "{end:#?}");
}

#[test]
fn the_input_is_not_overwritten() {
    let dir = fresh_dir("cats-same");
    let input = dir.join("cats.jsonl");
    write(&input, "{}\n");
    cats(&input, &dir.join(".").join("cats.jsonl")).end().failed();
    assert_eq!(std::fs::read_to_string(&input).expect("it is there"), "{}\n");
}

#[test]
fn an_unknown_option_is_refused() {
    let end = Program::start("cats", ["--slow", "in.jsonl", "out.csv"]).end().failed();
    assert!(end.stderr.contains("--slow") && end.stderr.contains("usage:"), "{end:#?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_the_rows_so_far() {
    let dir = fresh_dir("cats-interrupt");
    let input = dir.join("cats.jsonl");
    let row = |key: u32| format!("{{\"key\": {key}, \"genus\": \"felis\", \"epithet\": \"catus\"}}\n");
    write(&input, &(0..1000).map(row).collect::<String>());
    let output = dir.join("out.csv");
    let program = Program::start("cats", [&input, &output]);
    wait_for_text(&output, "key");
    program.interrupt();
    let end = program.end().succeeded();
    assert!(end.stdout.contains("stopped by SIGINT"), "{end:#?}");
    assert!(records(&output).len() < 100);
}
