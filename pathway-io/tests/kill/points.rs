//! Death at each named point.

use pathway_io::faults::Point;

use crate::child::Program;
use crate::outputs::{Outcome, outcome};

const STEPS: &str = "total:60";
/// So that there is a new log every few checkpoints.
const TINY_LOGS: (&str, &str) = ("PATHWAY_IO_TINY_LOGS", "1");

fn undisturbed() -> Outcome {
    let program = Program::new();
    program.finish(STEPS);
    outcome(&program)
}

/// Whether the program dies at the `count`th time that it comes to a point; in the end its files must be right.
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
    assert_eq!(difference, None, "after a death at {at}, started before: {started_before}");
    died
}

// Contract 9.3
#[test]
fn a_death_at_any_point_loses_and_doubles_nothing_and_every_point_is_reached() {
    let expected = undisturbed();
    for &point in Point::ALL {
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
fn a_death_at_the_same_point_over_and_over_is_survived() {
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
