//! The program on a disk that fails at one call.

use pathway_io::Durability;
use pathway_io::faults::{Fault, Mount};

use crate::bytes::step;
use crate::child::Program;
use crate::outputs::outcome;
use crate::program::{self, To};

/// Runs it in this process, since there is no need to kill it.
fn run(program: &Program) -> pathway_io::Result<()> {
    program::run(&program.path(""), [To::Total(12); 2], Durability::EveryCommit)
}

#[test]
fn a_call_that_fails_is_an_error_and_the_next_start_goes_on() {
    let undisturbed = Program::new();
    let disk = Mount::new(&undisturbed.path(""), Fault::None);
    run(&undisturbed).expect("nothing is in its way");
    let expected = outcome(&undisturbed);
    let calls = disk.calls();
    let mut strikes = 0;
    for call in calls.iter().step_by(usize::try_from(step()).expect("a step is small")) {
        let program = Program::new();
        let mut call = call.clone();
        call.path = program.path("").join(call.path.strip_prefix(undisturbed.path("")).expect("it is below"));
        let disk = Mount::new(&program.path(""), Fault::Call(call.clone()));
        let result = run(&program);
        // How many checkpoints there are depends on how commits come together, and so what is in each.
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
