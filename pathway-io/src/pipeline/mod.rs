//! [`Pipeline`]: sources, their tables and the sinks of these, laid out and then run.

pub(crate) mod any_table;
mod blame;
pub(crate) mod extensions;
pub(crate) mod plan;
pub mod progress;
pub(crate) mod running;
pub(crate) mod signals;
mod start;
pub(crate) mod supervisor;
pub(crate) mod table;
pub mod testing;
pub(crate) mod workers;

use std::fmt;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use self::any_table::AnyTable;
use self::extensions::Persistence;
use self::plan::{Launcher, Plan, SourcePlan, Spawn};
use self::running::Running;
use self::table::PipelineTable;
use self::workers::Workers;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::control::{Control, PartId};
use crate::run::error::Result;
use crate::run::lock::Lock;
use crate::run::summary::{Stop, Summary};
use crate::run::threads;
use crate::source::connector::{Connector, Subjects};
use crate::source::declare::Declare;
use crate::source::intake::pending::AnyPool;
use crate::source::life;
use crate::source::options::ReadOptions;
use crate::source::partition::Partition;
use crate::source::shared::Source;

/// How long sources, and then sinks, have after a stop.
const DEFAULT_GRACE_PERIOD: Duration = Duration::from_secs(10);

/// Sources and sinks, to be run together.
///
/// ```
/// use pathway_io::{connector, Pipeline, Schema, Subject};
///
/// #[derive(Schema)]
/// struct Tick { n: u64 }
///
/// struct Clock;
///
/// #[connector]
/// impl Clock {
///     fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::Result<()> {
///         for n in 0..3 {
///             ticks.next(Tick { n })?;
///         }
///         Ok(())
///     }
/// }
///
/// let pipeline = Pipeline::new();
/// let ticks = pipeline.read(Clock);
/// ticks.subscribe(|update| println!("{}", update.row.n));
/// let summary = pipeline.run()?;
/// assert_eq!(summary.sources[0].rows, 3);
/// # Ok::<(), pathway_io::Error>(())
/// ```
pub struct Pipeline {
    plan: Lock<Plan>,
    control: Arc<Control>,
    persistence: Option<Arc<dyn Persistence>>,
}

/// Stops a pipeline from anywhere; see [`Pipeline::stop_handle`].
#[derive(Clone)]
pub struct StopHandle(Arc<Control>);

impl StopHandle {
    /// Asks the pipeline to stop, and returns at once. Before the pipeline has started, no source will be entered;
    /// after it has ended, nothing happens.
    pub fn stop(&self) {
        self.0.stop(Stop::Handle);
    }
}

impl fmt::Debug for StopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopHandle").finish_non_exhaustive()
    }
}

impl Default for Pipeline {
    fn default() -> Self {
        Self::new()
    }
}

impl Pipeline {
    /// A pipeline without sources.
    #[must_use]
    pub fn new() -> Self {
        Self::with_persistence(None)
    }

    pub(crate) fn with_persistence(persistence: Option<Arc<dyn Persistence>>) -> Self {
        let plan =
            Plan { sources: Vec::new(), grace_period: DEFAULT_GRACE_PERIOD, handle_signals: true, progress: false };
        Pipeline { plan: Lock::new(plan), control: Arc::default(), persistence }
    }

    pub(crate) fn persistence(&self) -> Option<&dyn Persistence> {
        self.persistence.as_deref()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock()
    }

    /// Adds a source with the options that its connector has; gives its table, or a tuple of its tables.
    pub fn read<C: Connector>(&self, source: C) -> C::Tables {
        self.read_with(source, ReadOptions::new())
    }

    /// Adds a source with options that win over those of its connector.
    pub fn read_with<C: Connector>(&self, connector: C, options: ReadOptions) -> C::Tables {
        let options = options.or(C::options());
        let mut plan = self.plan();
        let name = plan.unique_name(options.given_name().unwrap_or_else(|| short_type_name::<C>()));
        let mut declared = Declared { name: Arc::clone(&name), tables: Vec::new() };
        let handles = <C::Subjects as Subjects>::declare(&mut declared);
        let tables = declared.tables;
        let pools: Vec<AnyPool> = tables.iter().map(|table| table.pool()).collect();
        let launch = if connector.partition().is_some() {
            Launcher::Partitioned(Box::new(move |partition| {
                let copy = connector.partition().expect("a source is partitioned, or it is not");
                spawn(copy, pools.clone(), Some(partition))
            }))
        } else {
            Launcher::Whole(spawn(connector, pools, None))
        };
        let offset_type = <C::Subjects as Subjects>::offset_type();
        plan.sources.push(SourcePlan { name, options, tables, offset_type, launch });
        handles
    }

    /// How long the sources, and then the sinks, have after a stop; 10 s unless set. What is still busy then is left
    /// behind and named in the error.
    pub fn grace_period(&self, grace_period: Duration) -> &Self {
        self.plan().grace_period = grace_period;
        self
    }

    /// Whether SIGINT and SIGTERM (Ctrl-C on Windows) stop the pipeline while it runs; they do unless told otherwise.
    /// A second signal ends the process at once.
    ///
    /// Once a pipeline has handled signals they cannot be given back to the system on Unix; while none runs, the default
    /// action is carried out in its place. A program with signal handlers of its own turns this off, and stops the
    /// pipeline by a [`StopHandle`].
    pub fn handle_signals(&self, handle: bool) -> &Self {
        self.plan().handle_signals = handle;
        self
    }

    /// Whether a person sees the run: on a terminal, a line on standard error for each source and sink, and a summary
    /// at the end; see [`progress`](crate::pipeline::progress). Without the feature `progress`, and where standard error is no
    /// terminal, nothing is written.
    pub fn progress(&self, progress: bool) -> &Self {
        self.plan().progress = progress;
        self
    }

    /// A handle that stops the pipeline from anywhere, also before it runs.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(Arc::clone(&self.control))
    }

    /// Runs until every source has ended or a stop, and all rows are in the sinks.
    ///
    /// # Errors
    ///
    /// The first failure of a source or a sink, with the others in [`Error::others`](crate::Error::others) and what was done in
    /// [`Error::summary`](crate::Error::summary). A stop by handle or signal is no error.
    pub fn run(self) -> Result<Summary> {
        self.start()?.join()
    }

    /// [`run`](Self::run) on several workers, or in several processes; `run` has one worker.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_on(self, workers: Workers) -> Result<Summary> {
        self.start_on(workers)?.join()
    }

    /// Starts the pipeline, for a program that goes on beside it.
    ///
    /// # Errors
    ///
    /// If a sink cannot be opened, two of them write to one path, or the system refuses them a thread. No source has been
    /// entered then.
    pub fn start(self) -> Result<Running> {
        self.start_on(Workers::threads(1))
    }

    /// [`start`](Self::start) on several workers, or in several processes.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_on(self, workers: Workers) -> Result<Running> {
        let Pipeline { plan, control, persistence } = self;
        start::start(plan.into_inner(), control, persistence, &workers)
    }
}

/// The tables that a connector declares.
struct Declared {
    name: Arc<str>,
    tables: Vec<Arc<dyn AnyTable>>,
}

impl Declare for Declared {
    fn table<S: Schema>(&mut self) -> Table<S> {
        let table = Table::new(Arc::clone(&self.name));
        self.tables.push(PipelineTable::of(&table));
        table
    }
}

/// Returns what runs a connector on its own thread.
fn spawn<C: Connector>(connector: C, pools: Vec<AnyPool>, partition: Option<Partition>) -> Spawn {
    Box::new(move |source: Arc<Source>, id: PartId| {
        let name = source.name.to_string();
        threads::spawn(&name, move || life::run(connector, &pools, partition, &source, id)).map(drop)
    })
}

/// The name of a type without its path and its parameters.
fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}
