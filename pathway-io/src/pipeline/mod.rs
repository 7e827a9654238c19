//! [`Pipeline`]: the public type that collects sources, tables and sinks, and then runs them.

pub(crate) mod any_table;
pub(crate) mod extensions;
pub mod monitor;
mod overdue;
pub(crate) mod plan;
pub mod progress;
pub(crate) mod running;
pub(crate) mod signals;
mod start;
mod stop_handle;
pub(crate) mod supervisor;
pub(crate) mod table;
pub mod testing;
mod watchdog;
pub(crate) mod workers;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::warn;

use self::any_table::AnyTable;
use self::extensions::Persistence;
use self::monitor::Monitor;
use self::plan::{Launcher, Plan, SourcePlan, Spawn};
use self::running::Running;
pub use self::stop_handle::StopHandle;
use self::workers::Workers;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::control::{Control, PartId};
use crate::run::error::{Error, Result};
use crate::run::guard::guarded;
use crate::run::lock::Lock;
use crate::run::summary::Summary;
use crate::run::threads;
use crate::run::time::Time;
use crate::source::connector::{Connector, Subjects};
use crate::source::declare::Declare;
use crate::source::intake::pending::AnyPool;
use crate::source::options::ReadOptions;
use crate::source::partition::Partition;
use crate::source::run_loop;
use crate::source::shared::Source;

/// Runs sources and sinks together.
///
/// The methods that configure a pipeline take `&self`; those that start it take `self`.
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
///     fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::RunResult {
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
#[must_use = "a pipeline does nothing until it is run or started"]
pub struct Pipeline {
    plan: Lock<Plan>,
    control: Arc<Control>,
    /// The monitor is created at its first use, or at the start.
    monitor: OnceLock<Monitor>,
    persistence: Option<Arc<dyn Persistence>>,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self::new()
    }
}

impl Pipeline {
    /// Returns a pipeline without sources.
    pub fn new() -> Self {
        Self::with_persistence(None)
    }

    pub(crate) fn with_persistence(persistence: Option<Arc<dyn Persistence>>) -> Self {
        Pipeline { plan: Lock::default(), control: Arc::default(), monitor: OnceLock::new(), persistence }
    }

    /// Makes the pipeline follow another clock.
    ///
    /// # Panics
    ///
    /// Panics if a stop handle or a monitor was taken, because these belong to the pipeline with the old clock.
    #[track_caller]
    pub(crate) fn with_time(mut self, time: Time) -> Self {
        let Some(watched) = Arc::get_mut(&mut self.control) else {
            panic!("set the clock of a pipeline before you take its stop handle or its monitor")
        };
        watched.time = time;
        self
    }

    pub(crate) fn persistence(&self) -> Option<&dyn Persistence> {
        self.persistence.as_deref()
    }

    /// Adds a source with the options of its connector.
    ///
    /// Returns its table, or a tuple of its tables.
    pub fn read<C: Connector>(&self, source: C) -> C::Tables {
        self.read_with(source, ReadOptions::new())
    }

    /// Adds a source with options that override the options of its connector.
    ///
    /// ```
    /// # use pathway_io::{connector, Pipeline, ReadOptions, Schema, Subject};
    /// # #[derive(Schema)] struct Tick { n: u64 }
    /// # struct Clock;
    /// # #[connector] impl Clock { fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::RunResult { Ok(ticks.next(Tick { n: 1 })?) } }
    /// let pipeline = Pipeline::new();
    /// let ticks = pipeline.read_with(Clock, ReadOptions::new().name("ticks").backlog(100));
    /// # drop(ticks);
    /// assert!(pipeline.run()?.source("ticks").is_some());
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    pub fn read_with<C: Connector>(&self, connector: C, options: ReadOptions) -> C::Tables {
        let options = options.or(C::options());
        let mut plan = self.plan.lock();
        let name = plan.unique_name(options.name.as_deref().unwrap_or_else(|| short_type_name::<C>()));
        let mut declared = Declared { name: Arc::clone(&name), tables: Vec::new() };
        let handles = <C::Subjects as Subjects>::declare(&mut declared);
        let tables = declared.tables;
        let pools: Vec<AnyPool> = tables.iter().map(|table| table.pool()).collect();
        let launch = if connector.partition().is_some() {
            Launcher::Partitioned(Box::new(move |partition| {
                let copy = connector.partition().expect("`partition` returned `Some` before");
                spawn(copy, pools.clone(), Some(partition))
            }))
        } else {
            Launcher::Whole(Some(spawn(connector, pools, None)))
        };
        let offset_type = <C::Subjects as Subjects>::offset_type();
        plan.sources.push(SourcePlan { name, options, tables, offset_type, launch });
        handles
    }

    /// Sets how long the sources, and then the sinks, have to end after a stop. The default is 10 s.
    ///
    /// A stop can therefore take twice this time. A source or sink that is still busy after its period is abandoned,
    /// and the error names it. Without a stop, the sinks have no deadline.
    ///
    /// ```
    /// # use pathway_io::Pipeline;
    /// let pipeline = Pipeline::new();
    /// pipeline.grace_period(std::time::Duration::from_secs(2));
    /// # pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    pub fn grace_period(&self, grace_period: Duration) -> &Self {
        self.plan.lock().grace_period = grace_period;
        self
    }

    /// Sets whether SIGINT, SIGTERM and SIGHUP (Ctrl-C on Windows) stop the running pipeline. The default is true.
    ///
    /// On Linux, a SIGHUP that was ignored when the first pipeline started, as under `nohup`, stays ignored.
    ///
    /// A second signal ends the process immediately. On Unix, the library cannot remove its handlers once a pipeline
    /// has installed them. While no pipeline runs, it therefore carries out the default action of a signal itself. If
    /// your program installs its own signal handlers, call `handle_signals(false)` and stop the pipeline by a
    /// [`StopHandle`].
    ///
    /// ```
    /// # use pathway_io::Pipeline;
    /// let pipeline = Pipeline::new();
    /// pipeline.handle_signals(false);
    /// let stop = pipeline.stop_handle();
    /// stop.stop(); // in your own handler
    /// # pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    pub fn handle_signals(&self, handle: bool) -> &Self {
        self.plan.lock().handle_signals = handle;
        self
    }

    /// Sets whether the pipeline shows its progress on the terminal.
    ///
    /// On standard error, it draws a line for each source and sink, and a summary at the end; see
    /// [`progress`](crate::progress). If standard error is not a terminal, it writes a line for each failed attempt of
    /// a source or a sink that is tried again, and a line that names the parts for which a stop waits.
    ///
    /// Without the feature `progress`, a call does not compile.
    ///
    /// ```
    /// # use pathway_io::Pipeline;
    /// let pipeline = Pipeline::new();
    /// pipeline.progress(true);
    /// # pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    #[cfg(feature = "progress")]
    pub fn progress(&self, progress: bool) -> &Self {
        self.plan.lock().progress = progress;
        self
    }

    /// Returns a handle that stops the pipeline from anywhere, even before it runs.
    ///
    /// ```
    /// # use pathway_io::{connector, Pipeline, ReadOptions, Schema, Subject};
    /// # #[derive(Schema)] struct Tick { n: u64 }
    /// # struct Clock;
    /// # #[connector] impl Clock { fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::RunResult { Ok(ticks.next(Tick { n: 1 })?) } }
    /// let pipeline = Pipeline::new();
    /// let ticks = pipeline.read(Clock);
    /// let stop = pipeline.stop_handle();
    /// ticks.subscribe(move |update| if update.row.n == 1 { stop.stop() });
    /// pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(Arc::clone(&self.control))
    }

    /// Returns a handle that takes snapshots of the pipeline from any thread. See [`monitor`](crate::monitor).
    ///
    /// ```
    /// # use pathway_io::Pipeline;
    /// let pipeline = Pipeline::new();
    /// let monitor = pipeline.monitor();
    /// pipeline.run()?;
    /// assert!(monitor.snapshot().sources.is_empty());
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        self.monitor.get_or_init(|| Monitor::new(&self.control)).clone()
    }

    /// Runs the pipeline until every source has ended or a stop occurs, and until all rows are in the sinks.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`start`](Self::start), or the first failure of a source, sink or computation.
    /// [`Error::others`](crate::Error::others) returns the later failures, and
    /// [`Error::summary`](crate::Error::summary) the counts. A stop by handle or signal is not an error.
    pub fn run(self) -> Result<Summary> {
        self.start()?.join()
    }

    /// Runs the pipeline on several workers, or in several processes. [`run`](Self::run) has one worker.
    ///
    /// ```
    /// # use pathway_io::{connector, Pipeline, ReadOptions, Schema, Subject};
    /// # #[derive(Schema)] struct Tick { n: u64 }
    /// # struct Clock;
    /// # #[connector] impl Clock { fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::RunResult { Ok(ticks.next(Tick { n: 1 })?) } }
    /// use pathway_io::dataflow::Workers;
    ///
    /// let pipeline = Pipeline::new();
    /// let _ticks = pipeline.read(Clock);
    /// pipeline.run_on(Workers::threads(2))?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`run`](Self::run).
    pub fn run_on(self, workers: Workers) -> Result<Summary> {
        self.start_on(workers)?.join()
    }

    /// Starts the pipeline, and returns while it runs.
    ///
    /// ```
    /// # use pathway_io::{connector, Pipeline, ReadOptions, Schema, Subject};
    /// # #[derive(Schema)] struct Tick { n: u64 }
    /// # struct Clock;
    /// # #[connector] impl Clock { fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::RunResult { Ok(ticks.next(Tick { n: 1 })?) } }
    /// let pipeline = Pipeline::new();
    /// let ticks = pipeline.read(Clock).commits(8);
    /// let running = pipeline.start()?;
    /// for commit in ticks {
    ///     println!("{} rows", commit.len()); // ends with the run
    /// }
    /// let summary = running.join()?;
    /// # assert_eq!(summary.rows(), 1);
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if a sink cannot be opened, two sinks write to one path, the state of a persistent pipeline
    /// does not fit, or the system refuses a thread. In these cases, no source has run.
    pub fn start(self) -> Result<Running> {
        self.start_on(Workers::threads(1))
    }

    /// Starts the pipeline on several workers, or in several processes. See [`start`](Self::start).
    ///
    /// ```
    /// # use pathway_io::{dataflow::Workers, Pipeline};
    /// let running = Pipeline::new().start_on(Workers::threads(2))?;
    /// running.join()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`start`](Self::start).
    pub fn start_on(self, workers: Workers) -> Result<Running> {
        let (monitor, control, persistence) = (self.monitor(), Arc::clone(&self.control), self.persistence.clone());
        let plan = std::mem::take(&mut *self.plan.lock());
        // The dropped value has no sources any more, so it does not warn.
        drop(self);
        // The user's code runs and is dropped during the start. A panic in it must not leave this call.
        let stop = Arc::clone(&control);
        guarded("its start", || start::start(plan, control, monitor, persistence, &workers)).unwrap_or_else(|kind| {
            // The threads that were started already must end.
            stop.fail(Error::pipeline("its start failed"));
            Err(Error::pipeline_failure(kind))
        })
    }
}

crate::rows::bounds::without! {
    "progress": WithProgress,
    "`Pipeline::progress` needs the feature `progress` of `pathway-io`",
    "the feature `progress` is off",
    "turn it on: `cargo add pathway-io --features progress`";
    impl Pipeline {
        /// Fails to compile: the feature `progress` is off.
        pub fn progress(&self, _: bool) -> &Self
        where
            for<'a> Pipeline: WithProgress,
        {
            self
        }
    }
}

/// Warns if the pipeline has sources that were never started.
impl Drop for Pipeline {
    fn drop(&mut self) {
        let plan = std::mem::take(&mut *self.plan.lock());
        if plan.sources.is_empty() {
            return;
        }
        let names: Vec<String> = plan.sources.iter().map(|source| format!("`{}`", source.name)).collect();
        let sources = names.join(", ");
        warn!(sources, "dropped without a run: the sources {sources} have not been read; help: call `run` or `start`");
        let (unstarted, _) = start::find_tables(&plan.sources, &Workers::threads(1));
        drop(unstarted);
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
        self.tables.push(Arc::new(table.clone()));
        table
    }
}

/// Returns a function that runs a connector on its own thread.
fn spawn<C: Connector>(connector: C, pools: Vec<AnyPool>, partition: Option<Partition>) -> Spawn {
    Box::new(move |source: Arc<Source>, id: PartId| {
        let name = source.name.to_string();
        threads::spawn(&name, move || run_loop::run(connector, &pools, partition, &source, id)).map(drop)
    })
}

/// Returns the name of a type without its path and its parameters.
pub(crate) fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}
