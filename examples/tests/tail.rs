//! Runs `tail` on a file that grows, is rotated and is emptied, until Ctrl-C.
//!
//! The test runs on Unix only, because it sends SIGINT, and a rotated file is recognized by its inode.
#![cfg(unix)]

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use support::{Program, fresh_dir, records, wait_for_text};

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the test's own file");
    file.write_all(text.as_bytes()).expect("the test's own file");
}

fn wait_for_line(tail: &mut Program, number: u64, text: &str) {
    let line = tail.wait_for(|line| line.trim_start().starts_with(&format!("{number} ")));
    assert_eq!(line, format!("{number:>6}  {text}"));
}

#[test]
fn follows_growth_rotation_and_truncation() {
    let dir = fresh_dir("tail");
    let log = dir.join("server.log");
    append(&log, "one\r\ntw");
    let mut tail = Program::start("tail", [&log]);
    wait_for_line(&mut tail, 1, "one");
    append(&log, "o\n\nth");
    wait_for_line(&mut tail, 2, "two");
    wait_for_line(&mut tail, 3, "");
    append(&log, "ree");
    append(&log, "\n");
    wait_for_line(&mut tail, 4, "three");

    // Rotation: the last lines of the old file are not lost, although the last one has no line end.
    append(&log, "four\nfi");
    fs::rename(&log, dir.join("server.log.1")).expect("a rename");
    append(&dir.join("server.log.1"), "ve");
    append(&log, "six\n");
    wait_for_line(&mut tail, 5, "four");
    wait_for_line(&mut tail, 6, "five");
    wait_for_line(&mut tail, 7, "six");

    // For a while the path leads to no file, and the writer still has the old file open.
    fs::rename(&log, dir.join("server.log.2")).expect("a rename");
    append(&dir.join("server.log.2"), "seven\n");
    wait_for_line(&mut tail, 8, "seven");
    append(&log, "eight\n");
    wait_for_line(&mut tail, 9, "eight");

    // Truncation, as by `copytruncate` of logrotate.
    append(&log, "par");
    File::create(&log).expect("a truncation");
    append(&log, "n\n");
    let line = tail.wait_for(|line| line.ends_with("  n"));
    assert!(line.trim_start().starts_with("10 ") || line.trim_start().starts_with("11 "), "{line}");

    let burst: String = (0..10_000).map(|n| format!("burst {n}\n")).collect();
    append(&log, &burst);
    tail.wait_for(|line| line.ends_with("burst 9999"));
    append(&log, "never ended");
    tail.interrupt();
    let end = tail.end().succeeded();
    assert!(end.stderr.contains("stopped by SIGINT"), "{end:#?}");
    assert!(!end.stdout.contains("never ended"));
    assert_eq!(end.stdout.matches("burst").count(), 10_000);
}

#[test]
fn lines_go_into_a_file() {
    let dir = fresh_dir("tail-output");
    let (log, output) = (dir.join("server.log"), dir.join("lines.csv"));
    append(&log, "one\ntwo\n");
    let tail = Program::start("tail", [&log, &output]);
    wait_for_text(&output, "two");
    tail.interrupt();
    let end = tail.end().succeeded();
    assert_eq!(records(&output), ["number,text,diff", "1,one,1", "2,two,1"]);
    assert!(end.stderr.contains("Tail: 2 rows in 1 commit"), "{end:#?}");
}

#[test]
fn a_mistyped_path_is_named() {
    let dir = fresh_dir("tail-mistyped");
    let end = Program::start("tail", [dir.join("sever.log")]).end().failed();
    assert!(end.stderr.contains("connector `Tail`") && end.stderr.contains("sever.log"), "{end:#?}");
}

#[test]
fn a_file_that_is_also_the_output_is_rejected_and_kept() {
    let log = fresh_dir("tail-same").join("server.log");
    fs::write(&log, "a line\n").unwrap();
    let end = Program::start("tail", [&log, &log]).end().failed();
    assert!(end.stderr.contains("usage: tail"), "{end:#?}");
    assert_eq!(fs::read_to_string(&log).unwrap(), "a line\n");
}
