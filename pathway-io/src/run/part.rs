//! [`Part`]: something that a run waits for.

use std::any::Any;

use crate::run::error::Error;

/// A part of a run, as [`Control`](crate::run::control::Control) knows it: a source, the sequencer, a sink, the
/// checkpointer, a worker of the engine, the other processes.
pub(crate) trait Part: Any + Send + Sync {
    fn role(&self) -> Role;

    /// Reacts to the request for a stop. It is called once.
    fn interrupt(&self) {}

    /// Wakes the threads that wait for the manual clock, after it was set.
    fn time_passed(&self) {}

    /// Returns whether no file may be touched before this part has opened.
    fn opens_first(&self) -> bool {
        false
    }

    /// Returns whether other threads still run the user's code for this part.
    fn has_helpers(&self) -> bool {
        false
    }

    /// Returns the errors to report if the part has not ended within the grace period, each with the evidence for it.
    fn overdue(&self) -> Vec<(Evidence, Error)> {
        Vec::new()
    }
}

/// The phase of the end in which a run waits for a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The part pushes rows, and ends first.
    Source,
    /// The part processes the rows of the sources.
    Downstream,
    /// The part is another process, which ends after all its parts.
    Process,
}

/// The phase of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Opening,
    Running,
    Ended,
}

/// The evidence that a part is the cause of a run that does not end, the strongest first. Parts wait for each other,
/// so only the strongest evidence is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Evidence {
    /// The part has work to do, and is not waiting for another part.
    Busy,
    /// The part writes the state, which waits for the sinks.
    Checkpointing,
    /// The part is another process.
    OtherProcess,
    /// The part is a worker that may be between two steps of its work.
    BetweenSteps,
    /// The part waits for messages that do not come.
    Idle,
}
