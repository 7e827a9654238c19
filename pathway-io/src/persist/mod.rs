//! Persistent pipelines: the state on disk, and how a restart uses it. `docs/durability.md` explains it on one page.
//!
//! | module | what it does |
//! |---|---|
//! | `directory` | the state directory and its lock |
//! | `frame`, `record` | the frames of the log and their contents |
//! | `log` | writes the log |
//! | `checkpointer` | the thread that makes commits durable |
//! | `recover` | reads the log, and checks that the pipeline fits |

pub(crate) mod checkpointer;
pub(crate) mod directory;
mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod log;
pub(crate) mod prepare;
mod record;
pub(crate) mod recover;

use std::any::Any;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use self::directory::StateDirectory;
use self::prepare::PreparedState;
use crate::pipeline::Pipeline;
use crate::pipeline::any_table::AnyTable;
use crate::pipeline::extensions::{Persistence, Prepared};
use crate::pipeline::plan::SourcePlan;
use crate::pipeline::workers::Workers;
use crate::run::error::{Error, Result};
use crate::run::lock::Lock;

/// The time at which the commits of a [persistent](crate::Pipeline::persistent) pipeline become durable.
///
/// The choice decides how much a power cut can lose. If only the process is killed, nothing is lost with any choice,
/// and every row is written once.
///
/// ```no_run
/// use std::time::Duration;
/// use pathway_io::{Durability, Pipeline};
///
/// let pipeline = Pipeline::persistent("state")?;
/// pipeline.durability(Durability::Interval(Duration::from_millis(100)));
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Makes each commit durable as soon as possible. Commits that arrive during a checkpoint share the next one. This
    /// is the default.
    #[default]
    EveryCommit,
    /// Makes a checkpoint at this interval. After a power cut, the sources read the rows of at most one interval
    /// again.
    Interval(Duration),
    /// Like `EveryCommit`, but without syncing files. The operating system decides what a power cut leaves on disk. If
    /// the state is damaged, the next start refuses it.
    NoSync,
}

impl Durability {
    pub(crate) fn syncs(self) -> bool {
        self != Durability::NoSync
    }
}

/// The state of a persistent pipeline.
struct PersistentState {
    directory: Arc<StateDirectory>,
    durability: Lock<Durability>,
}

impl Persistence for PersistentState {
    fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn prepare(
        self: Arc<Self>,
        sources: &[SourcePlan],
        derived: &[Arc<dyn AnyTable>],
        workers: &Workers,
    ) -> Result<Box<dyn Prepared>> {
        let durability = *self.durability.lock();
        match PreparedState::new(Arc::clone(&self.directory), durability, sources, derived, workers) {
            Ok(prepared) => Ok(Box::new(prepared)),
            Err(error) => Err(error.downcast::<Error>().map_or_else(
                |error| {
                    let path = self.directory.path().display();
                    Error::pipeline(format!("cannot continue from the state in `{path}`: {error}"))
                },
                |error| *error,
            )),
        }
    }
}

impl Pipeline {
    /// Returns a pipeline that continues where its last run ended, even if it was killed, and writes each row once.
    ///
    /// `directory` holds the offsets of the sources, the rows of tables with a primary key, and the lengths of the
    /// output files. It must contain nothing else, and is created if it is missing.
    ///
    /// Each source must have an explicit name. It must have either offsets
    /// ([`Subject::next_at`](crate::Subject::next_at)) or [`full_snapshot`](crate::ReadOptions::full_snapshot). A
    /// source that had ended runs again, and [`Subject::resume`](crate::Subject::resume) returns its last offset.
    /// Callbacks, receivers and your own sinks receive each commit at least once, unless the sink [is
    /// transactional](crate::Sink::is_transactional). Computed tables are recomputed from the current rows. For this,
    /// the state also contains the distinct rows of each table without a key that a computation reads.
    ///
    /// If the state does not fit (another schema, an output that is shorter than it was, the format of another
    /// version), the start fails before any file is changed. A persistent pipeline runs in one process, and on one
    /// worker if a source is read in partitions.
    ///
    /// ```
    /// use pathway_io::{Pipeline, Schema, Subject, connector, csv};
    ///
    /// #[derive(Schema)]
    /// struct Order { id: u64 }
    ///
    /// struct Orders;
    ///
    /// #[connector(name = "orders")]
    /// impl Orders {
    ///     fn run(&mut self, orders: Subject<Order, u64>) -> pathway_io::RunResult {
    ///         for id in orders.resume().unwrap_or(0)..3 {
    ///             orders.next_at(id + 1, Order { id })?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let (state, output) = (directory.path().join("state"), directory.path().join("orders.csv"));
    /// for _ in 0..2 {
    ///     let pipeline = Pipeline::persistent(&state)?;
    ///     csv::write(&pipeline.read(Orders), &output);
    ///     pipeline.run()?;
    /// }
    /// // The second run had nothing to do.
    /// assert_eq!(std::fs::read_to_string(&output)?.lines().count(), 4);
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the directory cannot be created, contains other files, or is in use by another pipeline.
    pub fn persistent(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = Arc::new(StateDirectory::open(directory.as_ref())?);
        Ok(Self::with_persistence(Some(Arc::new(PersistentState { directory, durability: Lock::default() }))))
    }

    /// Sets when the commits of a [persistent](Self::persistent) pipeline become durable. It has no effect on other
    /// pipelines.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pathway_io::{Durability, Pipeline};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let state = directory.path().join("state");
    /// let pipeline = Pipeline::persistent(&state)?;
    /// pipeline.durability(Durability::Interval(Duration::from_secs(1)));
    /// # pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    pub fn durability(&self, durability: Durability) -> &Self {
        let state =
            self.persistence().and_then(|persistence| (persistence as &dyn Any).downcast_ref::<PersistentState>());
        if let Some(state) = state {
            *state.durability.lock() = durability;
        }
        self
    }
}

/// Returns the name of a source's table in a checkpoint.
fn table_id(source: &str, table: usize) -> String {
    format!("{source}/{table}")
}

/// Returns the name of a computed table in a checkpoint. The number counts the computed tables with the same name. No
/// source can have a table with this name.
fn computed_id(name: &str, number: usize) -> String {
    format!("{name}/{number}/computed")
}
