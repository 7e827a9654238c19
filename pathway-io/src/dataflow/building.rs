//! What the engine knows of a computation ([`Computation`]), and a worker's dataflow while it is built ([`Building`]).

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use timely::dataflow::{Scope, Stream};

use super::export::Exported;
use super::flow::Flow;
use super::region::Busy;
use crate::pipeline::any_table::{AnyTable, TableRun};
use crate::rows::table::Extensions;
use crate::sink::start::CheckpointedSink;

/// A computation with its types erased.
pub trait Computation: Send + Sync {
    /// Its place among all computations of the program: each comes after those whose tables it reads.
    fn number(&self) -> u64;
    fn name(&self) -> &Arc<str>;
    fn inputs(&self) -> Vec<Weak<Extensions>>;
    fn output(&self) -> Arc<dyn AnyTable>;
    /// A run begins: starts the sinks of the output that are in this process, and makes the queues between the
    /// sequencer and the workers. Adds the sinks that a checkpoint waits for.
    fn start(&self, run: &TableRun<'_>, checkpointed: &mut Vec<CheckpointedSink>);
    /// Builds it on one worker.
    fn build(&self, building: &mut Building<'_>);
    /// A run has failed: lets go of what no worker has taken, so that the sinks end.
    fn abandon(&self);
}

/// A worker's dataflow while it is being built.
pub struct Building<'scope> {
    pub(crate) scope: Scope<'scope, u64>,
    pub(crate) flow: Arc<Flow>,
    /// The number of the worker in this process.
    pub(crate) worker: usize,
    /// The number of the computation that is being built.
    pub(crate) computation: usize,
    pub(crate) busy: Busy,
    /// The collections of derived tables.
    pub(crate) derived: HashMap<usize, Exported>,
    /// For each derived table, how far its results were taken.
    pub(crate) taken: Vec<Stream<'scope, u64, Vec<()>>>,
    /// The addresses of the operators that take something in.
    pub(crate) inlets: Vec<Vec<usize>>,
}

/// What tells a table from all others, as long as somebody holds on to it.
pub(crate) fn identity(table: &Weak<Extensions>) -> usize {
    table.as_ptr() as usize
}
