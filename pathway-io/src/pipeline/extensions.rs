//! The traits through which the pipeline calls persistence and the engine. It knows neither of them directly.

use std::any::Any;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::any_table::{AnyTable, TableState};
use super::plan::SourcePlan;
use super::workers::Workers;
use crate::run::control::Control;
use crate::run::error::{Error, Result};
use crate::run::lock::Lock;
use crate::run::part::{Evidence, Part, Role};
use crate::run::quarantine::BadRows;
use crate::sequencer::feed::Downstream;
use crate::sequencer::inbox::Inbox;
use crate::sequencer::journal::CheckpointMessage;
use crate::sink::start::CheckpointedSink;
use crate::source::intake::Cuts;
use crate::source::offset::Offsets;
use crate::source::options::ReadOptions;
use crate::source::shared::Source;

pub(crate) trait Persistence: Any + Send + Sync {
    /// Returns the state directory, which must not contain outputs.
    fn directory(&self) -> &Path;

    /// Checks the pipeline against the state of the previous run, and restores the tables.
    ///
    /// # Errors
    ///
    /// Returns an error if the pipeline cannot continue from the state. In that case nothing on disk has changed.
    fn prepare(
        self: Arc<Self>,
        sources: &[SourcePlan],
        derived: &[Arc<dyn AnyTable>],
        workers: &Workers,
    ) -> Result<Box<dyn Prepared>>;
}

/// The restored state that a persistent pipeline continues from.
pub(crate) trait Prepared: Send {
    /// Returns whether a later run resumes from the commits of this run.
    fn is_resumed(&self) -> bool {
        true
    }

    /// Returns the places at which the rows of a source may be cut into commits.
    fn cuts(&self, options: &ReadOptions) -> Cuts {
        if options.full_snapshot { Cuts::AtEnd } else { Cuts::AtOffsets }
    }

    /// Returns the time of the checkpoint, or 0 before the first checkpoint.
    fn time(&self) -> u64;

    /// Returns the state of a table of a source.
    fn table(&self, source: &str, table: usize) -> TableState;

    /// Returns the state of a derived table. Derived tables are numbered separately from other tables.
    fn derived(&self, number: usize) -> TableState;

    /// Returns the offsets that a source resumes from.
    fn take_offsets(&mut self, source: usize) -> Offsets;

    /// Adds the next source. The checkpointer identifies sources by the order of these calls.
    fn add_source(&mut self, source: &Arc<Source>, bad_rows: BadRows);

    /// Returns the channel to the checkpointer, and the checkpointer, which is started later. `sinks` are the sinks
    /// that take part in checkpoints, with the numbers of their source and table. Sinks of derived tables have no such
    /// numbers.
    fn begin(
        self: Box<Self>,
        sinks: Vec<(Option<(usize, usize)>, CheckpointedSink)>,
        inbox: &Arc<Inbox>,
        control: &Arc<Control>,
    ) -> (Sender<CheckpointMessage>, Box<dyn Checkpointing>);
}

/// The checkpointer as a part of the run that has to end.
#[derive(Default)]
pub(crate) struct CheckpointerPart {
    pub(crate) last: Lock<Option<LastCheckpoint>>,
}

/// The last checkpoint of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastCheckpoint {
    /// The time of the last commit in the checkpoint.
    pub(crate) time: u64,
    pub(crate) made: Instant,
    pub(crate) duration: Duration,
    pub(crate) log_bytes: u64,
}

impl Part for CheckpointerPart {
    fn role(&self) -> Role {
        Role::Downstream
    }

    fn overdue(&self) -> Vec<(Evidence, Error)> {
        let error = Error::pipeline("its state was still being written when the grace period was over");
        vec![(Evidence::Checkpointing, error)]
    }
}

/// The checkpointer of a run.
pub(crate) trait Checkpointing: Send {
    /// Starts the checkpointer, which makes a first checkpoint. Its part of the run is in the phase `Opening` until
    /// then.
    fn start(&mut self);

    /// Drops the sinks so that they end, if the run failed before the checkpointer was started.
    fn give_up(&mut self);

    /// Releases the state directory. If a part was abandoned, the directory stays locked, since that part may still
    /// write.
    fn release(self: Box<Self>, abandoned: bool);
}

/// A function that finds all computations that read the given tables.
pub(crate) type FindEngine = fn(&[Arc<dyn AnyTable>]) -> Result<Box<dyn Engine>>;

/// The engine that a command line selects, with the options of the engine.
pub(crate) struct EngineChoice {
    pub(crate) find: FindEngine,
    pub(crate) options: Box<dyn Any + Send + Sync>,
}

/// Marks a table that computations read, and stores the function that finds them.
#[derive(Default)]
pub(crate) struct ComputedOn(pub(crate) OnceLock<FindEngine>);

/// The engine that runs the computations of a pipeline.
pub(crate) trait Engine: Send {
    /// Returns the derived tables.
    fn tables(&self) -> Vec<Arc<dyn AnyTable>>;

    /// Starts the computations. Returns `None` if there are none, or if the pipeline was stopped before the start.
    ///
    /// # Errors
    ///
    /// Returns an error if the other processes run a different program, or if a thread cannot be started.
    fn start(self: Box<Self>, run: &EngineRun<'_>) -> Result<Option<StartedEngine>>;
}

/// A run, as an engine sees it at the start.
pub(crate) struct EngineRun<'a> {
    pub(crate) workers: &'a Workers,
    /// The tables of partitioned sources.
    pub(crate) partitioned: Vec<Arc<dyn AnyTable>>,
    pub(crate) prepared: Option<&'a dyn Prepared>,
    pub(crate) control: &'a Arc<Control>,
    pub(crate) inbox: &'a Arc<Inbox>,
    pub(crate) grace_period: Duration,
}

pub(crate) struct StartedEngine {
    pub(crate) downstream: Arc<dyn Downstream>,
    pub(crate) running: Box<dyn RunningEngine>,
    /// The sinks of derived tables that take part in checkpoints.
    pub(crate) sinks: Vec<CheckpointedSink>,
}

/// The threads of an engine.
pub(crate) trait RunningEngine: Send {
    /// Ends the wait for other processes, and notifies them.
    fn cut_short(&self);

    /// Waits for the threads, at most for the grace period. After a failure, some threads may never end.
    fn join(self: Box<Self>, drained: bool, grace_period: Duration);
}
