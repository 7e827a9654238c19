//! [`Pipeline`]: sources, their tables and the sinks of these, laid out and then run.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::unbounded;

use crate::bad_rows::BadRowPolicy;
use crate::clock::Clock;
use crate::connector::{Connector, Subjects};
use crate::control::{Control, SourceState};
#[cfg(feature = "differential")]
use crate::dataflow::Engine;
use crate::dataflow::{Partition, Workers};
use crate::durable::Durables;
use crate::error::{Error, FailureKind, Result};
use crate::hook::Hooks;
use crate::intake::{Cuts, Gathering, Intake};
use crate::offset::OffsetType;
use crate::options::{BadRows, ReadOptions};
use crate::pending::AnyPool;
use crate::persist::checkpointer;
use crate::persist::directory::StateDirectory;
use crate::persist::prepare::{self, Prepared};
use crate::persist::{AskedSink, Durability, Start};
use crate::restart::Attempts;
use crate::running::Running;
use crate::sequencer::{self, Sequencer, SharedStage, Stage};
use crate::signals::Signals;
use crate::sink::Target;
use crate::source::{self, Source};
use crate::storage::Disk;
use crate::summary::{Stop, Summary};
use crate::supervisor::{State, Supervisor};
use crate::table::{AnyTable, StartedBy};
use crate::threads;

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

struct Plan {
    sources: Vec<SourcePlan>,
    grace: Duration,
    handle_signals: bool,
    progress: bool,
    durability: Durability,
}

/// A source that was read and does not run yet.
pub(crate) struct SourcePlan {
    pub(crate) name: Arc<str>,
    pub(crate) options: ReadOptions,
    pub(crate) tables: Vec<Arc<dyn AnyTable>>,
    pub(crate) offset_type: OffsetType,
    launch: Launcher,
}

/// What starts a source's thread.
type Spawn = Box<dyn FnOnce(Arc<Source>, usize) -> std::io::Result<()> + Send>;

/// How a source is started.
enum Launcher {
    Whole(Spawn),
    InParts(Box<dyn Fn(Partition) -> Spawn + Send>),
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
    /// [`ReadOptions::replay`]. A source that had come to its end runs again, with [`Subject::resume`](crate::Subject::resume)
    /// where it was. Callbacks, receivers and sinks of your own see each commit at least once, unless the sink [keeps its
    /// time](crate::Sink::keeps_time). What is computed from tables is computed anew, and its files go on too; a table
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
        let launch = if connector.part().is_some() {
            Launcher::InParts(Box::new(move |part| {
                let copy = connector.part().expect("a source is in parts, or it is not");
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
    pub fn grace(&self, grace: Duration) -> &Self {
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
    /// at the end; see [`progress`](crate::progress). Without the feature `progress`, and where standard error is no
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
    /// The first failure of a source or a sink, with the others in [`Error::others`] and what was done in
    /// [`Error::summary`]. A stop by handle or signal is no error.
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
        #[cfg_attr(not(feature = "differential"), expect(unused_mut, reason = "there is one process"))]
        let mut plan = plan.into_inner().unwrap_or_else(PoisonError::into_inner);
        #[cfg(feature = "differential")]
        let engine = Engine::of(plan.sources.iter().flat_map(|source| &source.tables))?;
        #[cfg(feature = "differential")]
        let derived: Vec<_> = engine.tables().collect();
        #[cfg(not(feature = "differential"))]
        let derived = Vec::new();
        plan.check_paths(&derived, state.as_deref().map(StateDirectory::path))?;
        if state.is_some() {
            prepare::check_workers(&workers, plan.sources.iter().any(SourcePlan::is_in_parts))?;
        }
        #[cfg(feature = "differential")]
        if workers.process > 0 {
            plan.leave_to_others();
        }
        #[cfg(feature = "differential")]
        if workers.processes() > 1 {
            plan.number_quarantines(workers.process);
        }
        let mut prepared = state
            .map(|directory| Prepared::new(directory, plan.durability, &plan.sources, &derived, &workers))
            .transpose()?;
        let persistent = prepared.is_some();
        let policies: Vec<BadRowPolicy> = plan
            .sources
            .iter()
            .map(|source| BadRowPolicy::open(source.options.bad_row_policy(), persistent))
            .collect::<Result<_>>()?;
        let (messages, received) = unbounded();
        let signals = if plan.handle_signals { Some(Signals::install(&control)?) } else { None };
        control.update(|run| run.checking = persistent);
        let (mut sources, mut launches) = (Vec::new(), Vec::new());
        let (mut persisted, mut sinks) = (Vec::new(), Vec::new());
        #[cfg(feature = "differential")]
        let (flow, guards) = {
            let parted = plan.sources.iter().filter(|source| source.is_in_parts());
            let parted = parted.flat_map(|source| &source.tables);
            let start = prepared.as_ref().map(|prepared| &prepared.start);
            let started = engine.start(&workers, parted, start, &control, &messages, plan.grace)?;
            let started = started.map(|started| {
                sinks.extend(started.sinks.into_iter().map(|sink| (None, sink)));
                (started.flow, started.guards)
            });
            started.unzip()
        };
        for (plan, bad_rows) in plan.sources.into_iter().zip(policies) {
            let (options, bad_rows) = (plan.options.clone(), Arc::new(bad_rows));
            let start = prepared.as_ref().map(|prepared| &prepared.start);
            for Part { name, stages, asked, spawn } in plan.parts(&workers, &control, start) {
                let index = sources.len();
                let gathering = Gathering {
                    backlog: options.backlog_rows(),
                    autocommit: options.autocommit_interval(),
                    eager: options.is_eager(),
                    offsets: prepared.as_mut().map(|prepared| prepared.take_offsets(index)).unwrap_or_default(),
                    cuts: if persistent { prepare::cuts(&options) } else { Cuts::Anywhere },
                };
                let intake = Intake::new(index, stages.len(), gathering, messages.clone());
                let hooks = Hooks::new(index, Arc::clone(&name), Arc::clone(&control));
                let source = Arc::new(Source {
                    name,
                    intake,
                    hooks,
                    durables: Durables::default(),
                    bad_rows: Arc::clone(&bad_rows),
                    persistent,
                    bad_rows_limit: options.bad_row_limit(),
                    restart: options.restart_policy(),
                    attempts: Attempts::default(),
                    control: Arc::clone(&control),
                });
                sinks.extend(asked.into_iter().map(|(table, sink)| (Some((index, table)), sink)));
                if let Some(prepared) = &mut prepared {
                    persisted.push(prepared.source(index, &source, options.bad_row_policy()));
                }
                sources.push(sequencer::Source::new(&source, stages));
                control.update(|run| run.sources.push(SourceState::new(&source)));
                launches.push((source, spawn));
            }
        }
        let time = prepared.as_ref().map_or(0, |prepared| prepared.start.time());
        let (checkpointer, state) = match prepared {
            None => (None, None),
            Some(prepared) => {
                // Bounded by the backlogs of the sources: each entry holds credit.
                let (entries, received) = unbounded();
                let plan = checkpointer::Plan {
                    directory: Arc::clone(&prepared.directory),
                    storage: Disk::shared(),
                    durability: prepared.durability,
                    first_log: prepared.first_log(),
                    header: prepared.header,
                    time,
                    sources: persisted,
                    sinks,
                    entries: received,
                    results: prepared.results,
                    messages: messages.clone(),
                    control: Arc::clone(&control),
                };
                (Some(entries), Some(State { checkpointer: Some(plan), directory: prepared.directory }))
            }
        };
        let supervisor = Supervisor {
            control,
            messages,
            grace: plan.grace,
            signals,
            progress: plan.progress,
            state,
            #[cfg(feature = "differential")]
            workers: guards,
        };
        let sequencer = Sequencer {
            messages: received,
            clock: Clock::after(time),
            sources,
            checkpointer,
            #[cfg(feature = "differential")]
            flow,
        };
        supervisor.start(sequencer, launches)
    }
}

/// What runs a connector on a thread of its own.
fn spawn<C: Connector>(connector: C, pools: Vec<AnyPool>, part: Option<Partition>) -> Spawn {
    Box::new(move |source: Arc<Source>, index: usize| {
        let name = source.name.to_string();
        threads::spawn(&name, move || source::run(connector, &pools, part, &source, index)).map(drop)
    })
}

/// A source, or a part of one, that is to be started.
struct Part {
    name: Arc<str>,
    stages: Vec<Box<dyn Stage>>,
    /// The sinks that a checkpoint waits for, with the number of their table.
    asked: Vec<(usize, AskedSink)>,
    spawn: Spawn,
}

impl SourcePlan {
    pub(crate) fn is_in_parts(&self) -> bool {
        matches!(self.launch, Launcher::InParts(_))
    }

    /// What is to be started of the source in this process. Parts feed the same tables.
    fn parts(self, workers: &Workers, control: &Arc<Control>, start: Option<&Arc<Start>>) -> Vec<Part> {
        let (mut stages, mut asked) = (Vec::new(), Vec::new());
        for (number, table) in self.tables.iter().enumerate() {
            let place = start.map(|start| start.place_of(&self.name, number));
            let started = table.start(&StartedBy { control: Arc::clone(control), place }, workers);
            stages.push(started.stage);
            asked.extend(started.sinks.into_iter().map(|sink| (number, sink)));
        }
        let launch = match self.launch {
            Launcher::Whole(spawn) => return vec![Part { name: self.name, stages, asked, spawn }],
            Launcher::InParts(launch) => launch,
        };
        let shared: Vec<SharedStage> = stages.into_iter().map(SharedStage::new).collect();
        let parts = (0..workers.threads).map(|worker| {
            let part = Partition::of(workers, worker);
            let name =
                if part.count > 1 { format!("{}[{}]", self.name, part.index).into() } else { Arc::clone(&self.name) };
            let stages = shared.iter().map(|stage| Box::new(stage.of_worker(worker)) as Box<dyn Stage>).collect();
            Part { name, stages, asked: std::mem::take(&mut asked), spawn: launch(part) }
        });
        parts.collect()
    }
}

impl Plan {
    /// Sources run in process 0, and this is another; only those in parts run in each.
    #[cfg(feature = "differential")]
    fn leave_to_others(&mut self) {
        self.sources.retain(|source| {
            let runs = matches!(source.launch, Launcher::InParts(_));
            if !runs {
                source.tables.iter().for_each(|table| table.leave_to_others());
            }
            runs
        });
    }

    /// What runs in each process has a quarantine in each: on one machine they would write into each other's.
    #[cfg(feature = "differential")]
    fn number_quarantines(&mut self, process: usize) {
        for source in self.sources.iter_mut().filter(|source| source.is_in_parts()) {
            if let BadRows::Quarantine(path) = source.options.bad_row_policy() {
                let path = crate::sink::file::numbered(&path, process);
                source.options = std::mem::take(&mut source.options).bad_rows(BadRows::Quarantine(path));
            }
        }
    }

    /// A second source of one name gets `-2` behind it, a third `-3`.
    fn unique_name(&mut self, name: &str) -> Arc<str> {
        let mut unique = name.to_owned();
        let mut number = 1;
        while self.sources.iter().any(|source| *source.name == *unique) {
            number += 1;
            unique = format!("{name}-{number}");
        }
        unique.into()
    }

    /// Two sinks on one path would write into each other's rows, and in the directory of a state the next start finds
    /// nothing else.
    fn check_paths(&self, derived: &[Arc<dyn AnyTable>], state: Option<&Path>) -> Result<()> {
        let state = state.map(resolve);
        let mut seen: HashMap<PathBuf, Vec<Target>> = HashMap::new();
        let tables = self.sources.iter().flat_map(|source| &source.tables).chain(derived);
        let mut targets: Vec<Target> = tables.flat_map(|table| table.targets()).collect();
        for source in &self.sources {
            if let BadRows::Quarantine(path) = source.options.bad_row_policy() {
                targets.push(Target::file(path));
            }
        }
        for target in targets {
            let path = resolve(&target.path);
            if state.as_deref().is_some_and(|state| path.parent() == Some(state)) {
                let message = "it is in the state directory, and a state wants a directory of its own";
                return Err(Error::sink(&target.path.display().to_string(), FailureKind::Failed(message.into())));
            }
            let others = seen.entry(path).or_default();
            // The tables of a database may stand beside each other.
            let apart = |other: &Target| match (&other.part, &target.part) {
                (Some(other), Some(part)) => !other.eq_ignore_ascii_case(part),
                _ => false,
            };
            if let Some(other) = others.iter().find(|other| !apart(other)) {
                return Err(written_twice(other, &target));
            }
            others.push(target);
        }
        Ok(())
    }
}

fn written_twice(one: &Target, other: &Target) -> Error {
    let message = match (&one.part, &other.part) {
        (Some(_), Some(part)) => format!("two sinks write to its table `{part}`"),
        _ => format!("two sinks write to one file, as `{}` and `{}`", one.path.display(), other.path.display()),
    };
    Error::sink(&other.path.display().to_string(), FailureKind::Failed(message.into()))
}

/// One spelling of a path, whether the file exists or not.
fn resolve(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match (parent.canonicalize(), path.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

/// The name of a type without its path and its parameters.
fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}
