//! A disk that is full at a byte, fails to sync, or writes little at a time.

use std::env;

use crate::child::Program;
use crate::outputs::{Outcome, outcome};

const STEPS: &str = "total:12";

fn undisturbed() -> Outcome {
    let program = Program::new();
    program.finish(STEPS);
    outcome(&program)
}

/// Runs with a fault, and then without. Says whether it has struck.
fn survives(fault: &str, expected: &Outcome) -> bool {
    let program = Program::new();
    let ended = program.run(STEPS, &[("PATHWAY_IO_DISK", fault)]);
    let struck = !ended.status.success();
    if struck {
        assert_eq!(ended.status.code(), Some(1), "{fault}: {}", ended.error);
        let directory = program.path("");
        let names = ended.error.contains(directory.to_str().expect("a path of text"));
        assert!(names, "{fault}: `{}` names the file", ended.error);
        let operation = if fault.starts_with("write") { "at byte" } else { "sync" };
        assert!(ended.error.contains(operation), "{fault}: `{}` says where", ended.error);
    }
    program.finish(STEPS);
    assert_eq!(outcome(&program).difference(expected), None, "after {fault}");
    struck
}

#[test]
fn full_at_any_byte_it_says_so_and_goes_on_when_there_is_room() {
    let expected = undisturbed();
    let step = env::var("PATHWAY_IO_DISK_STEP").map_or(211, |step| step.parse().expect("a number"));
    let mut at = 0;
    while survives(&format!("write:{at}"), &expected) {
        at += step;
    }
    assert!(at > 3_000, "the disk was full at {at} bytes at last");
    eprintln!("full at each {step}th byte up to {at}");
}

#[test]
fn a_sync_that_fails_is_an_error_and_the_next_start_goes_on() {
    let expected = undisturbed();
    let mut at = 1;
    while survives(&format!("sync:{at}"), &expected) && at < 20 {
        at += 1;
    }
    // Of each output, of the log, of directories; how many checkpoints there are depends on how commits come together.
    assert!(at > 5, "{at} syncs");
}

#[test]
fn short_writes_and_interruptions_change_nothing() {
    let expected = undisturbed();
    assert!(!survives("short", &expected));
}
