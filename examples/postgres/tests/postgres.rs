//! The table equals the file, also after a kill of the program and a restart of the server.

#[path = "../../../pathway-io/tests/common/server.rs"]
mod server;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

fn program(directory: &Path, config: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-postgres"));
    command.current_dir(directory).args(["--fast", config, "cats.jsonl"]);
    command
}

/// Counts the rows of the table. Before the table exists, the count is 0.
fn count(client: &mut Client) -> i64 {
    client.query_one("SELECT count(*) FROM cats", &[]).map_or(0, |row| row.get(0))
}

#[test]
fn killed_and_started_again_it_continues() {
    let Some(server) = server::start() else { return };
    let config = server.database("zoo");
    let directory = tempfile::tempdir().unwrap();
    let rows = 200_000;
    let line = |key: i64| format!("{{\"key\": {key}, \"genus\": \"felis\", \"epithet\": \"e{key}\"}}\n");
    fs::write(directory.path().join("cats.jsonl"), (0..rows).map(line).collect::<String>()).unwrap();
    let mut running = program(directory.path(), &config).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let mut client = Client::connect(&config, NoTls).unwrap();
    while count(&mut client) == 0 {
        assert!(Instant::now() < until, "no rows");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    drop(client);
    server.down();
    let mut waiting = program(directory.path(), &config).spawn().unwrap();
    server.up();
    assert!(waiting.wait().unwrap().success());
    let mut client = Client::connect(&config, NoTls).unwrap();
    assert_eq!(count(&mut client), rows);
    let wrong = "SELECT count(*) FROM cats WHERE epithet <> 'e' || key";
    assert_eq!(client.query_one(wrong, &[]).unwrap().get::<_, i64>(0), 0);
}

#[test]
fn an_input_that_cannot_be_read_is_named() {
    let Some(server) = server::start() else { return };
    let config = server.database("zoo");
    let directory = tempfile::tempdir().unwrap();
    let failed = || {
        let output = program(directory.path(), &config).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let missing = failed();
    assert!(missing.contains("`cats` failed: cats.jsonl: "), "{missing}");
    fs::write(directory.path().join("cats.jsonl"), "no cat\n").unwrap();
    let wrong = failed();
    assert!(wrong.contains("`cats` failed: cats.jsonl, row 1"), "{wrong}");
}

#[test]
fn without_a_connection_it_says_how_it_is_called() {
    let output = Command::new(env!("CARGO_BIN_EXE_example-postgres")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("usage: example-postgres"));
}

#[cfg(unix)]
#[test]
fn a_connection_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStrExt;

    let connection = std::ffi::OsStr::from_bytes(b"host=\xff");
    let output = Command::new(env!("CARGO_BIN_EXE_example-postgres")).arg(connection).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("usage: example-postgres"));
}
