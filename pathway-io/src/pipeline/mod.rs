//! [`Pipeline`]: sources, their tables and the sinks of these, laid out and then run.

pub(crate) mod any_table;
mod plan;
pub mod progress;
pub(crate) mod running;
pub(crate) mod signals;
mod start;
pub(crate) mod supervisor;
pub(crate) mod table;
pub mod testing;
pub(crate) mod workers;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use self::plan::SourcePlan;
use self::plan::{Launcher, Plan, Spawn};
use crate::persist::Durability;
use crate::persist::directory::StateDirectory;
use crate::pipeline::running::Running;
use crate::pipeline::workers::Workers;
use crate::run::control::Control;
use crate::run::error::Result;
use crate::run::summary::{Stop, Summary};
use crate::run::threads;
use crate::source::connector::{Connector, Subjects};
use crate::source::intake::pending::AnyPool;
use crate::source::options::ReadOptions;
use crate::source::partition::Partition;
use crate::source::shared::{self, Source};

/// How long sources, and then sinks, have after a stop.
const DEFAULT_GRACE: Duration = Duration::from_secs(10);

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
    plan: Mutex<Plan>,
    control: Arc<Control>,
    /// Of a persistent pipeline.
    state: Option<Arc<StateDirectory>>,
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
        Self::with_state(None)
    }

    fn with_state(state: Option<Arc<StateDirectory>>) -> Self {
        let plan = Plan {
            sources: Vec::new(),
            grace: DEFAULT_GRACE,
            handle_signals: true,
            progress: false,
            durability: Durability::default(),
        };
        Pipeline { plan: Mutex::new(plan), control: Arc::default(), state }
    }

    /// A pipeline that goes on where it was when it was last run, however that ended, and whose output files have each row
    /// once: the offsets of its sources, the tables with a primary key and the lengths of the files are kept in
    /// `directory`, a directory of its own, which is made if it is not there.
    ///
    /// Every source needs a name of its own, and either offsets ([`Subject::next_at`](crate::Subject::next_at)) or
    /// [`ReadOptions::full_snapshot`]. A source that had come to its end runs again, with [`Subject::resume`](crate::Subject::resume)
    /// where it was. Callbacks, receivers and sinks of your own see each commit at least once, unless the sink [keeps its
    /// time](crate::Sink::is_transactional). What is computed from tables is computed anew, and its files go on too; a table
    /// without a key that is computed on keeps its distinct rows for that. What cannot be gone on with (another schema, an output that is shorter than it was, a
    /// state of a newer version) fails the start, before anything is touched.
    ///
    /// # Errors
    ///
    /// If the directory cannot be made, holds something else, or is in use by another pipeline.
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
    ///     fn run(&mut self, orders: Subject<Order, u64>) -> pathway_io::Result<()> {
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
    pub fn persistent(directory: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::with_state(Some(Arc::new(StateDirectory::open(directory.as_ref())?))))
    }

    /// When the commits of a [persistent](Self::persistent) pipeline become durable; of another it changes nothing.
    pub fn durability(&self, durability: Durability) -> &Self {
        self.plan().durability = durability;
        self
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut tables = Vec::new();
        let declared = <C::Subjects as Subjects>::declare(&name, &mut tables);
        let pools: Vec<AnyPool> = tables.iter().map(|table| table.pool()).collect();
        let launch = if connector.partition().is_some() {
            Launcher::InParts(Box::new(move |part| {
                let copy = connector.partition().expect("a source is in parts, or it is not");
                spawn(copy, pools.clone(), Some(part))
            }))
        } else {
            Launcher::Whole(spawn(connector, pools, None))
        };
        let offset_type = <C::Subjects as Subjects>::offset_type();
        plan.sources.push(SourcePlan { name, options, tables, offset_type, launch });
        declared
    }

    /// How long the sources, and then the sinks, have after a stop; 10 s unless set. What is still busy then is left
    /// behind and named in the error.
    pub fn grace_period(&self, grace: Duration) -> &Self {
        self.plan().grace = grace;
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
        let Pipeline { plan, control, state } = self;
        let plan = plan.into_inner().unwrap_or_else(PoisonError::into_inner);
        start::start(plan, control, state, &workers)
    }
}

/// What runs a connector on a thread of its own.
fn spawn<C: Connector>(connector: C, pools: Vec<AnyPool>, part: Option<Partition>) -> Spawn {
    Box::new(move |source: Arc<Source>, index: usize| {
        let name = source.name.to_string();
        threads::spawn(&name, move || shared::run(connector, &pools, part, &source, index)).map(drop)
    })
}

/// The name of a type without its path and its parameters.
fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}
