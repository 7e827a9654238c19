//! [`AnyTable`]: a table with its row type forgotten, as a source and a run know it, and what it is told of the run.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "dataflow")]
use crate::dataflow::{Computation, Parted};
use crate::persist::{AskedSink, Start};
use crate::pipeline::workers::Workers;
use crate::rows::schema::TableSchema;
use crate::run::control::Control;
use crate::sequencer::Stage;
use crate::sink::Target;
use crate::source::intake::pending::AnyPool;

/// A table with its row type forgotten.
#[doc(hidden)]
pub trait AnyTable: Send + Sync {
    #[doc(hidden)]
    fn as_any(&self) -> &dyn Any;
    #[doc(hidden)]
    fn pool(&self) -> AnyPool;
    #[doc(hidden)]
    fn schema(&self) -> &'static TableSchema;
    /// What its sinks write.
    #[doc(hidden)]
    fn targets(&self) -> Vec<Target>;
    /// The files whose lengths belong to a checkpoint.
    #[doc(hidden)]
    fn files(&self, workers: &Workers) -> Vec<PathBuf>;
    /// Whether all its rows are to be kept, since computations read it, and it has no current ones. If so, they are.
    #[doc(hidden)]
    fn keep_rows(&self) -> bool;
    /// The names of its sinks that keep their own time.
    #[doc(hidden)]
    fn timed_sinks(&self) -> Vec<Arc<str>>;
    /// Takes rows of a log: of the state, or of a commit that a sink may miss. Says what is wrong with them.
    #[doc(hidden)]
    fn restore(&self, rows: &[u8], restoring: Restoring) -> Result<(), String>;
    #[doc(hidden)]
    fn start(&self, started_by: &StartedBy, workers: &Workers) -> StartedTable;
    #[cfg(feature = "dataflow")]
    #[doc(hidden)]
    fn is_derived(&self) -> bool;
    /// Whether its commits are made in this process.
    #[cfg(feature = "dataflow")]
    #[doc(hidden)]
    fn comes_here(&self) -> bool;
    /// Whether its commits are made in several processes.
    #[cfg(feature = "dataflow")]
    #[doc(hidden)]
    fn is_parted(&self) -> bool;
    /// What its part of a dataflow depends on besides those that read it: whether it has sinks, and whether it has some
    /// of which each worker has one.
    #[cfg(feature = "dataflow")]
    #[doc(hidden)]
    fn has_sinks(&self) -> (bool, bool);
    /// A run begins in which they are: the sinks are started where results are gathered.
    #[cfg(feature = "dataflow")]
    #[doc(hidden)]
    fn make_parted(&self, started_by: &StartedBy, identity: usize, workers: &Workers) -> Arc<dyn Parted>;
    /// They are made in another process: its sinks are that one's, too.
    #[cfg(feature = "dataflow")]
    #[doc(hidden)]
    fn leave_to_others(&self);
    #[cfg(feature = "dataflow")]
    #[doc(hidden)]
    fn add_computation(&self, computation: &Arc<dyn Computation>);
    #[cfg(feature = "dataflow")]
    #[doc(hidden)]
    fn computations(&self) -> Vec<Arc<dyn Computation>>;
}

/// What rows of a log are for.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Restoring {
    pub(crate) state: bool,
    /// They are a commit of this time, and a sink may miss it.
    pub(crate) held: Option<u64>,
}

/// The run that a table is started by.
#[doc(hidden)]
pub struct StartedBy {
    pub(crate) control: Arc<Control>,
    /// In a persistent pipeline.
    pub(crate) place: Option<Place>,
}

/// A table's place in a persistent pipeline.
pub(crate) struct Place {
    pub(crate) start: Arc<Start>,
    /// What it is called in a checkpoint.
    pub(crate) id: String,
    /// Its number in the log, if its results are to be held there for sinks that keep their own time.
    #[cfg(feature = "dataflow")]
    pub(crate) results: Option<u32>,
}

/// A table that runs.
#[doc(hidden)]
pub struct StartedTable {
    pub(crate) stage: Box<dyn Stage>,
    /// Its sinks, as far as the checkpointer has to do with them.
    pub(crate) sinks: Vec<AskedSink>,
}
