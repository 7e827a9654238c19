//! Kills at each named point.

use pathway_io::faults::Point;

use crate::child::Program;
use crate::outputs::{Outcome, outcome};

const STEPS: &str = "total:60";
/// Makes logs so small that a new one starts every few checkpoints.
const TINY_LOGS: (&str, &str) = ("PATHWAY_IO_TINY_LOGS", "1");

fn undisturbed() -> Outcome {
    let program = Program::new();
    program.finish(STEPS);
    outcome(&program)
}

/// Kills the program when it reaches a point for the `count`th time, and checks its files after a restart. Returns
/// whether the point was reached.
fn dies_at(point: Point, count: u32, started_before: bool, expected: &Outcome) -> bool {
    let program = Program::new();
    if started_before {
        let crash = program.run(STEPS, &[("PATHWAY_IO_CRASH", "CheckpointSynced:2"), TINY_LOGS]);
        assert!(crash.has_crashed(), "{}: {}", crash.status, crash.error);
    }
    let at = format!("{point:?}:{count}");
    let ended = program.run(STEPS, &[("PATHWAY_IO_CRASH", &at), TINY_LOGS]);
    let died = ended.has_crashed();
    assert!(died || ended.status.success(), "{point:?}: {}", ended.error);
    program.finish(STEPS);
    let difference = outcome(&program).difference(expected);
    assert_eq!(difference, None, "after a kill at {at}, started before: {started_before}");
    died
}

// Contract 9.3
#[test]
fn a_kill_at_any_point_loses_and_duplicates_nothing() {
    let expected = undisturbed();
    let of_parts = [Point::PartWritten, Point::PartSynced, Point::PartNamed];
    for &point in Point::ALL.iter().filter(|point| cfg!(feature = "parquet") || !of_parts.contains(point)) {
        let mut deaths = 0;
        for started_before in [false, true] {
            for count in [1, 2, 5] {
                deaths += u32::from(dies_at(point, count, started_before, &expected));
            }
        }
        assert!(deaths > 0, "{point:?} was never reached");
    }
}

#[test]
fn repeated_kills_at_the_same_point_lose_and_duplicate_nothing() {
    let expected = undisturbed();
    for point in [Point::CheckpointTorn, Point::OutputsSynced, Point::HandedOver, Point::CheckpointAppended] {
        let program = Program::new();
        for _ in 0..6 {
            program.run(STEPS, &[("PATHWAY_IO_CRASH", &format!("{point:?}:2")), TINY_LOGS]);
        }
        program.finish(STEPS);
        assert_eq!(outcome(&program).difference(&expected), None, "{point:?}");
    }
}
