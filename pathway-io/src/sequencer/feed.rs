//! The path from the sequencer to computations: [`Feed`] for the rows of one table, [`Downstream`] for the clock.
//!
//! The engine implements both. The sequencer calls them once per commit, never once per row.

use std::sync::Arc;

use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::source::intake::Credit;

/// A receiver of the commits of one table.
pub(crate) trait Feed<S: Schema>: Send {
    /// Sends a commit. For a partitioned source, `partition` is the worker that owns the partition.
    fn send(&mut self, commit: &Commit<S>, partition: Option<usize>);
}

/// A receiver of the progress of all commits.
pub(crate) trait Downstream: Send + Sync {
    /// Reports that the commit of `time` was sent. The receiver must hold `credit` until the sinks have taken the
    /// results.
    fn committed(&self, time: u64, credit: &Arc<Credit>);

    /// Reports that no later commit has a time before `frontier`.
    fn advance(&self, frontier: u64);

    /// Reports that no more commits follow.
    fn finish(&self);
}
