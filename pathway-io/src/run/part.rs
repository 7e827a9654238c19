//! [`Part`]: something that a run waits for.

use std::any::Any;

use crate::run::error::Error;

/// A part of a run, as [`Control`](crate::run::control::Control) knows it: a source, the sequencer, a sink, the
/// checkpointer, a worker of the engine, the other processes.
pub(crate) trait Part: Any + Send + Sync {
    fn role(&self) -> Role;

    /// Called once when a stop is requested.
    fn interrupt(&self) {}

    /// Called when the manual clock of the run was set: wakes whoever waits for it.
    fn time_passed(&self) {}

    /// Returns whether no file may be touched before this part has opened.
    fn opens_first(&self) -> bool {
        false
    }

    /// Returns what to report if the grace period is over and the part has not ended, and how much speaks for it.
    fn blame(&self) -> Vec<(Suspicion, Error)> {
        Vec::new()
    }
}

/// In which phase of the end a part is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It pushes rows, and ends first.
    Source,
    /// It processes what the sources have pushed.
    Downstream,
    /// Another process, which ends when all of its parts have.
    Process,
}

/// The phase of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Opening,
    Running,
    Ended,
}

/// The evidence that a part is the cause of a run that does not end, the strongest first. Parts wait for each other, so
/// that only the strongest is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Suspicion {
    /// It has work to do, and is not waiting for another part.
    Busy,
    /// It writes the state, which waits for the sinks.
    Checkpointing,
    /// It is another process.
    OtherProcess,
    /// It is a worker that may be between two steps of its work.
    BetweenSteps,
    /// It waits for messages that do not come.
    Idle,
}
