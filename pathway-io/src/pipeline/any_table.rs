//! The type-erased table of a pipeline: [`AnyTable`].

use std::ops::Range;
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::rows::description::TableSchema;
use crate::rows::table::Extensions;
use crate::run::control::Control;
use crate::run::error::Result;
use crate::sequencer::journal::ComputedRecord;
use crate::sequencer::stage::Stage;
use crate::sink::attach::AnySinks;
use crate::sink::resume::Resume;
use crate::sink::start::CheckpointedSink;
use crate::source::intake::pending::AnyPool;

/// A type-erased table.
pub(crate) trait AnyTable: EngineTable + Send + Sync {
    fn schema(&self) -> &'static TableSchema;
    fn extensions(&self) -> &Arc<Extensions>;
    fn pool(&self) -> AnyPool;
    fn sinks(&self) -> Arc<dyn AnySinks>;
    /// Asks each sink whether it is transactional, and for its check of rows. Both call the user's code.
    ///
    /// # Errors
    ///
    /// Returns an error if that code panics.
    fn check_sinks(&self) -> Result<()>;
    /// Keeps a count of each row, for a table without a key that computations read.
    fn keep_rows(&self);
    /// Restores rows from the log.
    ///
    /// # Errors
    ///
    /// Returns an error if the rows cannot be decoded. The text describes the cause.
    fn restore(&self, rows: &[u8], restored: RestoredAs) -> Result<(), String>;
    /// Starts the sinks, and returns the table's stage of the sequencer.
    fn start(&self, run: &TableRun<'_>) -> StartedTable;
}

/// Operations of the engine that need the row type of a table. Without the feature `dataflow` the trait is empty.
pub(crate) trait EngineTable {
    /// Prepares the table for a run in which several processes make its commits. Only the engine knows the returned
    /// type.
    #[cfg(feature = "dataflow")]
    fn partition(&self, run: &TableRun<'_>) -> Box<dyn std::any::Any>;
}

#[cfg(not(feature = "dataflow"))]
impl<T> EngineTable for T {}

/// The meaning of rows from the log: a part of the state, a commit that a sink may lack, or both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RestoredAs {
    /// The rows belong to the current rows.
    pub(crate) state: bool,
    /// The rows are a commit of this time that a transactional sink may have missed.
    pub(crate) held: Option<u64>,
}

/// A run, as a table sees it at the start.
pub(crate) struct TableRun<'a> {
    pub(crate) control: &'a Arc<Control>,
    /// The workers of this process, numbered over all processes.
    pub(crate) workers: Range<usize>,
    /// `None` in a pipeline that is not persistent.
    pub(crate) state: Option<TableState>,
}

/// The part of the state of a persistent pipeline that belongs to one table.
pub(crate) struct TableState {
    pub(crate) resume: Arc<Resume>,
    /// The identifier of the table in a checkpoint.
    pub(crate) id: String,
    /// The number of a derived table in the log, and the channel to it. Set if the log holds the table's commits for
    /// transactional sinks.
    pub(crate) results: Option<(u32, Sender<ComputedRecord>)>,
}

pub(crate) struct StartedTable {
    pub(crate) stage: Box<dyn Stage>,
    /// The sinks that take part in checkpoints.
    pub(crate) sinks: Vec<CheckpointedSink>,
}
