//! [`AnyTable`]: a table with its row type erased, as a pipeline knows it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::rows::schema::TableSchema;
use crate::rows::table::Extensions;
use crate::run::control::Control;
use crate::sequencer::journal::ComputedRecord;
use crate::sequencer::stage::Stage;
use crate::sink::resume::Resume;
use crate::sink::spec::Target;
use crate::sink::start::CheckpointedSink;
use crate::source::intake::pending::AnyPool;

/// A table with its row type erased.
pub(crate) trait AnyTable: EngineTable + Send + Sync {
    fn schema(&self) -> &'static TableSchema;
    fn extensions(&self) -> &Arc<Extensions>;
    fn pool(&self) -> AnyPool;
    /// Returns what the sinks write.
    fn targets(&self) -> Vec<Target>;
    /// Returns the files whose lengths belong to a checkpoint.
    fn files(&self, workers: Range<usize>) -> Vec<PathBuf>;
    /// Returns the number of transactional sinks.
    fn transactional_sinks(&self) -> usize;
    /// Returns whether there are sinks for the whole table, and whether there are sinks of which each worker has one.
    fn sink_kinds(&self) -> (bool, bool);
    /// Keeps all rows of a table without current rows.
    fn keep_rows(&self);
    /// Takes rows from the log.
    ///
    /// # Errors
    ///
    /// If the rows cannot be read; the text says what is wrong with them.
    fn restore(&self, rows: &[u8], restored: Restored) -> Result<(), String>;
    /// Starts the sinks, and returns the table's stage of the sequencer.
    fn start(&self, run: &TableRun<'_>) -> StartedTable;
    /// Drops the sinks: the commits are made in another process.
    fn leave(&self);
}

/// What the engine does with a table by its row type. The engine implements it; a build without it has nothing to do.
pub(crate) trait EngineTable {
    /// Makes the table one that several processes feed, in the run that starts. The engine knows what it returns.
    #[cfg(feature = "dataflow")]
    fn partition(&self, run: &TableRun<'_>) -> Box<dyn std::any::Any>;
}

#[cfg(not(feature = "dataflow"))]
impl<T> EngineTable for T {}

/// What rows from the log are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Restored {
    /// They belong to the current rows.
    pub(crate) state: bool,
    /// They are a commit of this time that a transactional sink may have missed.
    pub(crate) held: Option<u64>,
}

/// The run that starts a table.
pub(crate) struct TableRun<'a> {
    pub(crate) control: &'a Arc<Control>,
    /// The workers of this process, by their numbers among those of all processes.
    pub(crate) workers: Range<usize>,
    /// `None` in a pipeline that is not persistent.
    pub(crate) state: Option<TableState>,
}

/// A table's place in the state of a persistent pipeline.
pub(crate) struct TableState {
    pub(crate) resume: Arc<Resume>,
    /// The name of the table in a checkpoint.
    pub(crate) id: String,
    /// The number of a computed table in the log, and the way there, if the log holds its commits for transactional sinks.
    pub(crate) results: Option<(u32, Sender<ComputedRecord>)>,
}

/// A table that runs.
pub(crate) struct StartedTable {
    pub(crate) stage: Box<dyn Stage>,
    /// Its sinks, as far as a checkpoint waits for them.
    pub(crate) sinks: Vec<CheckpointedSink>,
}
