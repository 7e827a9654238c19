//! The way from the sequencer to computations: [`Feed`] for the rows of one table, [`Downstream`] for the clock.
//!
//! The engine implements both. They are called once for each commit, and never for each row.

use std::sync::Arc;

use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::source::intake::Credit;

/// Takes the commits of one table.
pub(crate) trait Feed<S: Schema>: Send {
    /// Sends a commit; `partition` is the worker whose part of a partitioned source it is.
    fn send(&mut self, commit: &Commit<S>, partition: Option<usize>);
}

/// Learns how far the commits are.
pub(crate) trait Downstream: Send + Sync {
    /// A commit of that time was sent. `credit` is held until its results were taken.
    fn committed(&self, time: u64, credit: &Arc<Credit>);

    /// No commit can have a time before `frontier` any more.
    fn advance(&self, frontier: u64);

    /// No commit will follow.
    fn finish(&self);
}
