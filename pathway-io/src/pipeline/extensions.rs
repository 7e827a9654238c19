//! What persistence and the engine do in a run. The pipeline knows them by these traits alone.

use std::any::Any;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_channel::Sender;

use super::any_table::{AnyTable, TableState};
use super::plan::SourcePlan;
use super::workers::Workers;
use crate::run::control::Control;
use crate::run::error::Result;
use crate::sequencer::Message;
use crate::sequencer::feed::Downstream;
use crate::sequencer::journal::CheckpointMessage;
use crate::sink::start::CheckpointedSink;
use crate::source::offset::Offsets;
use crate::source::options::BadRows;
use crate::source::shared::Source;

/// What makes a pipeline persistent.
pub(crate) trait Persistence: Any + Send + Sync {
    /// Returns the directory of the state, in which no output may be.
    fn directory(&self) -> &Path;

    /// Checks the pipeline against the state of the run before, and reads its tables back.
    ///
    /// # Errors
    ///
    /// If the pipeline cannot continue from the state. Nothing on disk has been changed then.
    fn prepare(
        self: Arc<Self>,
        sources: &[SourcePlan],
        derived: &[Arc<dyn AnyTable>],
        workers: &Workers,
    ) -> Result<Box<dyn Prepared>>;
}

/// What a persistent pipeline starts from.
pub(crate) trait Prepared: Send {
    /// Returns the time of the checkpoint; 0 before the first one.
    fn time(&self) -> u64;

    /// Returns the state of a source's table.
    fn table(&self, source: &str, table: usize) -> TableState;

    /// Returns the state of a computed table, by its number among those.
    fn derived(&self, number: usize) -> TableState;

    /// Returns the offsets that a source resumes from.
    fn take_offsets(&mut self, source: usize) -> Offsets;

    /// Adds the next source, which the checkpointer will know by its number.
    fn add_source(&mut self, source: &Arc<Source>, bad_rows: BadRows);

    /// Returns the way to the checkpointer, and the checkpointer, which is started later. `sinks` are the sinks that a
    /// checkpoint waits for, with the numbers of their source and table; those of derived tables have none.
    fn begin(
        self: Box<Self>,
        sinks: Vec<(Option<(usize, usize)>, CheckpointedSink)>,
        messages: &Sender<Message>,
        control: &Arc<Control>,
    ) -> (Sender<CheckpointMessage>, Box<dyn Checkpointing>);
}

/// The checkpointer of a run.
pub(crate) trait Checkpointing: Send {
    /// Starts the checkpointer, which makes a first checkpoint. Until then, its part of the run is opening.
    fn start(&mut self);

    /// The run has failed before the checkpointer was started: lets go of the sinks, which end by that.
    fn give_up(&mut self);

    /// Ends the run's hold on the state. If some part was abandoned, it may still write, and the state stays locked.
    fn leave(self: Box<Self>, abandoned: bool);
}

/// Finds all computations on some tables.
pub(crate) type FindEngine = fn(&[Arc<dyn AnyTable>]) -> Result<Box<dyn Engine>>;

/// The engine that a command line asked for, with the engine's own options.
pub(crate) struct EngineChoice {
    pub(crate) find: FindEngine,
    pub(crate) options: Box<dyn Any + Send + Sync>,
}

/// Notes with a table that it is computed on, and what runs the computations.
#[derive(Default)]
pub(crate) struct ComputedOn(pub(crate) OnceLock<FindEngine>);

/// What runs the computations of a pipeline.
pub(crate) trait Engine: Send {
    /// Returns the tables that are computed.
    fn tables(&self) -> Vec<Arc<dyn AnyTable>>;

    /// Starts the computations; `None` if there is nothing to compute, or if a stop came first.
    ///
    /// # Errors
    ///
    /// If the other processes do not fit, or a thread cannot be started.
    fn start(self: Box<Self>, run: &EngineRun<'_>) -> Result<Option<StartedEngine>>;
}

/// The run that starts an engine.
pub(crate) struct EngineRun<'a> {
    pub(crate) workers: &'a Workers,
    /// The tables of partitioned sources.
    pub(crate) partitioned: Vec<Arc<dyn AnyTable>>,
    pub(crate) prepared: Option<&'a dyn Prepared>,
    pub(crate) control: &'a Arc<Control>,
    pub(crate) messages: &'a Sender<Message>,
    pub(crate) grace_period: Duration,
}

/// A started engine.
pub(crate) struct StartedEngine {
    pub(crate) downstream: Arc<dyn Downstream>,
    pub(crate) running: Box<dyn RunningEngine>,
    /// The sinks of derived tables that a checkpoint waits for.
    pub(crate) sinks: Vec<CheckpointedSink>,
}

/// The threads of an engine.
pub(crate) trait RunningEngine: Send {
    /// Ends the wait for other processes, which are told so.
    fn cut_short(&self);

    /// Waits for the threads, at most for the grace period. After a failure, some may never end.
    fn leave(self: Box<Self>, drained: bool, grace_period: Duration);
}
