//! Checks that the counts do not depend on the number of workers.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use support::{End, Program, fresh_dir, hosts, records};

fn logs(options: &str, directory: &Path, output: &Path) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logs"));
    Program::spawn(command.args(options.split_whitespace()).arg("--").arg(directory).arg(output))
}

/// Writes seven files, one of them empty, and a subdirectory.
fn write_logs(directory: &Path) {
    std::fs::create_dir_all(directory.join("old")).expect("a directory");
    for file in 0..7 {
        let lines = (0..file * 100).map(|n| match n % 4 {
            0 => format!("2026-11-26T12:00:00Z  INFO service: {n} of \"ERROR\" handled\n"),
            1 => format!("[WARN] slow: {n} ms\n   at line {n}\n"),
            2 => format!("ERROR, since {n} is gone\n"),
            _ => "informal\n".to_owned(),
        });
        std::fs::write(directory.join(format!("{file}.log")), lines.collect::<String>()).expect("a file");
    }
}

/// Adds up the updates of a file.
fn table(path: &Path) -> BTreeMap<String, i64> {
    let mut rows = BTreeMap::new();
    for record in &records(path)[1..] {
        let (row, diff) = record.rsplit_once(',').expect("a diff");
        *rows.entry(row.to_owned()).or_default() += diff.parse::<i64>().expect("a number");
    }
    rows.retain(|_, n| *n != 0);
    rows
}

#[test]
fn the_counts_are_the_same_for_any_number_of_workers() {
    let dir = fresh_dir("logs");
    let directory = dir.join("logs");
    write_logs(&directory);
    let one = dir.join("one.csv");
    let end = logs("", &directory, &one).end().succeeded();
    assert!(end.stdout.contains("1575 rows"), "{end:#?}");
    let expected = table(&one);
    let levels: Vec<&str> = expected.keys().map(|row| &row[..row.rfind(",").expect("bytes")]).collect();
    assert_eq!(levels, ["ERROR,525", "INFO,525", "WARN,525"]);
    assert!(expected.values().all(|n| *n == 1));

    let threads = dir.join("threads.csv");
    let end = logs("-w 3", &directory, &threads).end().succeeded();
    assert!((0..3).all(|part| end.stdout.contains(&format!("Logs[{part}]"))), "{end:#?}");
    assert_eq!(table(&threads), expected);

    let (hosts, cluster) = (hosts(&dir), dir.join("cluster.csv"));
    let process = |p| logs(&format!("-w 2 -n 2 -p {p} -h {}", hosts.display()), &directory, &cluster);
    let processes = [process(0), process(1)];
    let ends: Vec<End> = processes.into_iter().map(|process| process.end().succeeded()).collect();
    assert_eq!(table(&cluster), expected);
    assert!((2..4).all(|part| ends[1].stdout.contains(&format!("Logs[{part}]"))), "{ends:#?}");
}

#[test]
fn a_missing_directory_is_named() {
    let dir = fresh_dir("logs-missing");
    let end = logs("", &dir.join("missing"), &dir.join("levels.csv")).end().failed();
    assert!(end.stderr.contains("missing: ") && end.stderr.contains("connector `Logs` failed"), "{end:#?}");
}

#[cfg(unix)]
#[test]
fn paths_and_lines_can_have_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let dir = fresh_dir("logs-bytes");
    let directory = dir.join(OsStr::from_bytes(b"logs\xff"));
    std::fs::create_dir(&directory).expect("a directory");
    std::fs::write(directory.join("a.log"), b"ERROR: caf\xe9\n").expect("a file");
    let output = dir.join("levels.csv");
    logs("", &directory, &output).end().succeeded();
    assert_eq!(table(&output).into_keys().collect::<Vec<_>>(), ["ERROR,1,13"]);

    let mut command = Command::new(env!("CARGO_BIN_EXE_logs"));
    let end = Program::spawn(command.arg(OsStr::from_bytes(b"-w\xff")).arg("--").arg(&directory).arg(&output)).end();
    let end = end.failed();
    assert!(end.stderr.contains("usage: logs"), "{end:#?}");
}
