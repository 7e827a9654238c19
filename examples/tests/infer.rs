//! Runs `infer` as a user would.

mod support;

use std::process::Command;

use support::{Program, executable, fresh_dir};

#[test]
fn the_struct_is_named_after_the_file() {
    let mut command = Command::new(executable("infer"));
    command.arg("cats.jsonl").current_dir(env!("CARGO_MANIFEST_DIR"));
    let end = Program::spawn(&mut command).end().succeeded();
    assert!(end.stdout.contains("#[schema(sample = \"cats.jsonl\")]\nstruct Cat {\n"), "{end:#?}");
    assert!(end.stdout.contains("    epithet: String,\n"), "{end:#?}");
}

#[test]
fn an_unreadable_file_is_one_sentence() {
    let directory = fresh_dir("infer");
    let sample = directory.join("bad.jsonl");
    std::fs::write(&sample, "{\"key\": 1}\n{\"key\" 2}\n").expect("the test's own file");
    let end = Program::start("infer", [&sample]).end();
    assert_eq!(end.stderr, format!("{}: line 2 column 8: expected `:`\n", sample.display()));
    assert!(!end.status.success() && end.stdout.is_empty(), "{end:#?}");
    let end = Program::start("infer", [directory.join("none.jsonl")]).end();
    assert!(!end.status.success() && end.stderr.contains("none.jsonl: "), "{end:#?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_cannot_be_written_is_one_sentence() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("a device of Linux");
    let mut command = Command::new(executable("infer"));
    command.arg("cats.jsonl").current_dir(env!("CARGO_MANIFEST_DIR")).stdout(full);
    let end = command.output().expect("the example");
    let said = String::from_utf8_lossy(&end.stderr);
    assert!(said.starts_with("standard output: ") && said.lines().count() == 1, "{said}");
}
