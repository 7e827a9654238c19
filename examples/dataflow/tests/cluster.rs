//! Runs the script that compares two processes with one.
#![cfg(unix)]

#[path = "../../tests/support/mod.rs"]
mod support;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use support::{Program, fresh_dir, hosts};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cluster");

#[test]
fn two_processes_write_the_same_as_one() {
    for threads in ["1", "2"] {
        let dir = fresh_dir(&format!("cluster-{threads}"));
        let text = dir.join("text.txt");
        let lines = (0..200).map(|n| format!("line {n} of 200, as one of {} and of {}\n", n % 7, n % 3));
        std::fs::write(&text, lines.collect::<String>()).expect("a file");
        let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/cluster.sh"));
        script.arg(&text).env("PROGRAM", PROGRAM).env("HOSTS", hosts(&dir)).env("THREADS", threads);
        let end = Program::spawn(&mut script).end().succeeded();
        let last = end.stdout.lines().last().expect("a line");
        let updates = last.strip_prefix("the same ").and_then(|rest| rest.split_once(' ')).expect("the result");
        assert!(updates.0.parse::<u32>().expect("a number") > 2_000, "{end:#?}");
    }
}

#[test]
fn invalid_arguments_are_rejected() {
    let end = Program::spawn(Command::new(PROGRAM).args(["-w", "2", "README.md"])).end().failed();
    assert!(end.stderr.contains("usage: cluster"), "{end:#?}");
    let end = Program::spawn(Command::new(PROGRAM).args(["-n", "2", "-p", "2", "--", "a.txt", "b.csv"])).end().failed();
    assert!(end.stderr.contains("`-p 2` is out of range: with 2 processes"), "{end:#?}");
    let option = OsStr::from_bytes(b"-w\xff");
    let end = Program::spawn(Command::new(PROGRAM).arg(option).args(["--", "a.txt", "b.csv"])).end().failed();
    assert!(end.stderr.contains("usage: cluster"), "{end:#?}");
    let text = fresh_dir("cluster-same").join("text.txt");
    std::fs::write(&text, "a line\n").expect("a file");
    let end = Program::spawn(Command::new(PROGRAM).arg("--").args([&text, &text])).end().failed();
    assert!(end.stderr.contains("usage: cluster"), "{end:#?}");
    assert_eq!(std::fs::read_to_string(&text).expect("it is kept"), "a line\n");
}
