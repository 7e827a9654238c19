//! The program on a disk on which one call fails.

use pathway_io::faults::{Fault, Mount};
use pathway_io::{Durability, Pipeline};

use crate::bytes::step;
use crate::child::Program;
use crate::outputs::outcome;
use crate::program::{self, To};

/// Runs the program in this process, since it is not killed here.
fn run(program: &Program) -> pathway_io::Result<()> {
    program::run(&program.path(""), [To::Total(12); 2], Durability::EveryCommit)
}

#[test]
fn a_failing_call_is_an_error_and_the_next_start_continues() {
    let undisturbed = Program::new();
    let disk = Mount::new(&undisturbed.path(""), Fault::None);
    run(&undisturbed).expect("a run without faults succeeds");
    let expected = outcome(&undisturbed);
    let calls = disk.calls();
    let mut strikes = 0;
    for call in calls.iter().step_by(usize::try_from(step()).expect("the step fits")) {
        let program = Program::new();
        let mut call = call.clone();
        call.path =
            program.path("").join(call.path.strip_prefix(undisturbed.path("")).expect("the path is in the directory"));
        let disk = Mount::new(&program.path(""), Fault::Call(call.clone()));
        let result = run(&program);
        // The number of checkpoints depends on how commits are grouped, so a planned fault may not occur.
        let struck = disk.struck().is_some();
        assert_eq!(result.is_err(), struck, "{call:?}: {result:?}");
        strikes += usize::from(struck);
        drop(disk);
        let _disk = Mount::new(&program.path(""), Fault::None);
        run(&program).unwrap_or_else(|error| panic!("after {call:?}: {error}"));
        assert_eq!(outcome(&program).difference(&expected), None, "after {call:?}");
    }
    println!("{strikes} of {} calls have failed", calls.len());
    assert!(strikes > 2);
}

#[test]
fn a_state_directory_is_made_with_those_above_it_and_their_names_are_durable() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let disk = Mount::new(directory.path(), Fault::None);
    let made = ["a/b/state", "a/b", "a"].map(|path| directory.path().join(path));
    drop(Pipeline::persistent(&made[0]).expect("the state can be made"));
    let synced = disk.calls().into_iter().filter(|call| call.operation == "sync").map(|call| call.path);
    assert!(synced.eq(made.iter().map(|path| path.parent().expect("it has a parent"))), "{:?}", disk.calls());
}
