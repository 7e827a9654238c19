//! The type-erased computation that the engine runs ([`Computation`]), and a worker's dataflow while it is being built
//! ([`Building`]).

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use timely::dataflow::{Scope, Stream};

use super::export::Exported;
use super::flow::Flow;
use super::region::Busy;
use crate::pipeline::any_table::{AnyTable, TableRun};
use crate::rows::table::Extensions;
use crate::sink::start::CheckpointedSink;

/// A type-erased computation.
pub trait Computation: Send + Sync {
    /// Returns the position of the computation in the program. A computation comes after those whose results it reads.
    fn number(&self) -> u64;
    fn name(&self) -> &Arc<str>;
    fn inputs(&self) -> Vec<Weak<Extensions>>;
    fn output(&self) -> Arc<dyn AnyTable>;
    /// Starts the sinks of the output that belong to this process, and makes the queues between the sequencer and the
    /// workers. Adds the sinks that take part in checkpoints to `checkpointed`.
    fn start(&self, run: &TableRun<'_>, checkpointed: &mut Vec<CheckpointedSink>);
    /// Builds the computation on one worker.
    fn build(&self, building: &mut Building<'_>);
    /// Drops the parts that no worker has taken, so that the sinks end after a failed run.
    fn abandon(&self);
}

/// A worker's dataflow while it is being built.
pub struct Building<'scope> {
    pub(crate) scope: Scope<'scope, u64>,
    pub(crate) flow: Arc<Flow>,
    /// The number of the worker within this process.
    pub(crate) worker: usize,
    /// The number of the computation that is being built.
    pub(crate) computation: usize,
    pub(crate) busy: Busy,
    /// The collections of derived tables.
    pub(crate) derived: HashMap<usize, Exported>,
    /// One empty stream per derived table. Its frontier is the time before which the sinks have taken all results.
    pub(crate) taken: Vec<Stream<'scope, u64, Vec<()>>>,
    /// The addresses of the operators that bring commits into the dataflow.
    pub(crate) inlets: Vec<Vec<usize>>,
}

/// Returns a number that identifies the table for as long as the caller keeps the [`Weak`].
pub(crate) fn identity(table: &Weak<Extensions>) -> usize {
    table.as_ptr() as usize
}
