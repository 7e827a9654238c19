//! [`Table`]: what a source feeds and sinks are attached to, while a pipeline is being laid out.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
#[cfg(feature = "differential")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Receiver;

use crate::batch::Pool;
use crate::commit::{Commit, Update};
use crate::control::Control;
use crate::dataflow::Workers;
#[cfg(feature = "differential")]
use crate::dataflow::{Computation, Feeds, Outlets, Parted, PartedTable};
use crate::pending::AnyPool;
use crate::persist::rows::{self, RowWriter};
use crate::persist::{self, AskedKind, AskedSink, Start};
use crate::schema::{Schema, TableSchema};
#[cfg(feature = "differential")]
use crate::sequencer::Outlet;
use crate::sequencer::{Keeping, Stage, TableStage};
use crate::sink::file::FileSink;
use crate::sink::{AnySink, Channel, CommitCallback, Sink, SinkSpec, Target, UpdateCallback, thread};
use crate::upsert::{self, Upsert};

/// A table is asked for by who knows its row type.
pub(crate) const OWN_TYPE: &str = "a table is made of its own row type";

/// A table of a pipeline that has not been started. Clones are the same table.
///
/// Sinks are attached to it; one without sinks is counted and dropped.
pub struct Table<S> {
    source: Arc<str>,
    /// An `Inner<S>`. It is here without its type, and `S` without a bound, so that a struct that is no sound schema
    /// is one error, at its definition, and not another at every table of it.
    inner: Arc<dyn AnyTable>,
    rows: PhantomData<fn() -> S>,
}

struct Inner<S: Schema> {
    #[cfg(feature = "differential")]
    name: Arc<str>,
    pool: Arc<Pool<S>>,
    /// What a state directory has of it.
    restored: Mutex<Restored<S>>,
    /// `None` once the pipeline has been started.
    sinks: Mutex<Option<Vec<SinkSpec<S>>>>,
    #[cfg(feature = "differential")]
    computed: Computed<S>,
}

/// Makes a worker's own sink, and its path.
#[cfg(feature = "differential")]
type Spread<S> = Box<dyn Fn(usize) -> (PathBuf, Box<dyn FileSink<S>>) + Send>;

/// What a table has to do with computations.
#[cfg(feature = "differential")]
struct Computed<S: Schema> {
    /// It is itself the result of one.
    derived: bool,
    /// Those that read it.
    computations: Mutex<Vec<Arc<dyn Computation>>>,
    /// Sinks of which each worker has one, with the path that they are called by.
    spread: Mutex<Vec<(PathBuf, Spread<S>)>>,
    /// In this run, its commits are made in several processes.
    parted: AtomicBool,
    /// Of a run, until the sequencer has taken them.
    feeds: Mutex<Vec<Feeds<S>>>,
}

/// A table as it was at a checkpoint.
struct Restored<S: Schema> {
    upsert: Option<Upsert<S>>,
    /// Commits that a sink may miss which keeps its own time.
    held: Vec<Commit<S>>,
}

impl<S: Schema> Inner<S> {
    fn restored(&self) -> MutexGuard<'_, Restored<S>> {
        self.restored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sinks(&self) -> MutexGuard<'_, Option<Vec<SinkSpec<S>>>> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(feature = "differential")]
    fn spread(&self) -> MutexGuard<'_, Vec<(PathBuf, Spread<S>)>> {
        self.computed.spread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the sinks of each worker of this process; none at all if the table has no such sinks.
    #[cfg(feature = "differential")]
    fn start_spread(&self, control: &Arc<Control>, workers: &Workers) -> Vec<Vec<Outlet<S>>> {
        let spread = std::mem::take(&mut *self.spread());
        if spread.is_empty() {
            return Vec::new();
        }
        let first = workers.process * workers.threads;
        let of_worker = |worker: usize| {
            let sinks = spread.iter().map(|(_, spread)| spread(first + worker));
            let specs = sinks.map(|(path, sink)| SinkSpec {
                name: path.display().to_string().into(),
                target: Some(Target::file(path)),
                sink: AnySink::File(sink),
            });
            specs.map(|spec| thread::spawn(spec, thread::Part::None, control)).collect()
        };
        (0..workers.threads).map(of_worker).collect()
    }

    /// Those of a table that has no part in a checkpoint.
    #[cfg(feature = "differential")]
    fn start_sinks(&self, control: &Arc<Control>) -> Vec<Outlet<S>> {
        let specs = self.sinks().take().unwrap_or_default();
        specs.into_iter().map(|spec| thread::spawn(spec, thread::Part::None, control)).collect()
    }
}

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
    fn files(&self) -> Vec<PathBuf>;
    /// The names of its sinks that keep their own time.
    #[doc(hidden)]
    fn timed_sinks(&self) -> Vec<Arc<str>>;
    /// Takes rows of a log: of the state, or of a commit that a sink may miss. Says what is wrong with them.
    #[doc(hidden)]
    fn restore(&self, rows: &[u8], restoring: Restoring) -> Result<(), String>;
    #[doc(hidden)]
    fn start(&self, started_by: &StartedBy, workers: &Workers) -> StartedTable;
    #[cfg(feature = "differential")]
    #[doc(hidden)]
    fn is_derived(&self) -> bool;
    /// Whether its commits are made in this process.
    #[cfg(feature = "differential")]
    #[doc(hidden)]
    fn comes_here(&self) -> bool;
    /// Whether its commits are made in several processes.
    #[cfg(feature = "differential")]
    #[doc(hidden)]
    fn is_parted(&self) -> bool;
    /// A run begins in which they are: the sinks are started where results are gathered.
    #[cfg(feature = "differential")]
    #[doc(hidden)]
    fn make_parted(&self, started_by: &StartedBy, identity: usize, workers: &Workers) -> Arc<dyn Parted>;
    /// They are made in another process: its sinks are that one's, too.
    #[cfg(feature = "differential")]
    #[doc(hidden)]
    fn leave_to_others(&self);
    #[cfg(feature = "differential")]
    #[doc(hidden)]
    fn add_computation(&self, computation: &Arc<dyn Computation>);
    #[cfg(feature = "differential")]
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
    pub(crate) source: Arc<str>,
    /// The number of the table among those of its source.
    pub(crate) table: usize,
}

/// A table that runs.
#[doc(hidden)]
pub struct StartedTable {
    pub(crate) stage: Box<dyn Stage>,
    /// Its sinks, as far as the checkpointer has to do with them.
    pub(crate) sinks: Vec<AskedSink>,
}

impl<S: Schema> AnyTable for Inner<S> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn pool(&self) -> AnyPool {
        Arc::clone(&self.pool) as AnyPool
    }

    fn schema(&self) -> &'static TableSchema {
        S::SCHEMA
    }

    fn targets(&self) -> Vec<Target> {
        let targets: Vec<Target> = self.sinks().iter().flatten().filter_map(|spec| spec.target.clone()).collect();
        #[cfg(feature = "differential")]
        let targets =
            targets.into_iter().chain(self.spread().iter().map(|(path, _)| Target::file(path.clone()))).collect();
        targets
    }

    fn files(&self) -> Vec<PathBuf> {
        let sinks = self.sinks();
        let files = sinks.iter().flatten().filter(|spec| matches!(spec.sink, AnySink::File(_)));
        files.filter_map(|spec| Some(spec.target.as_ref()?.path.clone())).collect()
    }

    fn timed_sinks(&self) -> Vec<Arc<str>> {
        let sinks = self.sinks();
        let timed = sinks.iter().flatten().filter(|spec| spec.sink.keeps_time());
        timed.map(|spec| Arc::clone(&spec.name)).collect()
    }

    fn restore(&self, rows: &[u8], restoring: Restoring) -> Result<(), String> {
        let batches = rows::read::<S>(rows, &self.pool)?;
        let mut restored = self.restored();
        if restoring.state
            && let Some(upsert) = &mut restored.upsert
        {
            for batch in upsert.apply(&batches, &self.pool) {
                self.pool.put(batch);
            }
        }
        match restoring.held {
            Some(time) => restored.held.push(Commit::new(time, batches, Arc::clone(&self.pool))),
            None => batches.into_iter().for_each(|batch| self.pool.put(batch)),
        }
        Ok(())
    }

    #[cfg_attr(not(feature = "differential"), expect(unused_variables, reason = "no sink is a worker's own"))]
    fn start(&self, started_by: &StartedBy, workers: &Workers) -> StartedTable {
        let specs = self.sinks().take().unwrap_or_default();
        let mut restored = self.restored();
        let held = std::mem::take(&mut restored.held);
        let (mut outlets, mut later, mut sinks) = (Vec::new(), Vec::new(), Vec::new());
        for mut spec in specs {
            let Some(Place { start, source, table }) = &started_by.place else {
                outlets.push(thread::spawn(spec, thread::Part::None, &started_by.control));
                continue;
            };
            let path = spec.target.as_ref().map(|target| target.path.display().to_string());
            if let (Some(path), Some(file)) = (path, spec.sink.file()) {
                file.persist(start.persisted(&path));
                let outlet = thread::spawn(spec, thread::Part::File, &started_by.control);
                sinks.push(AskedSink::new(AskedKind::File { path }, &outlet));
                outlets.push(outlet);
            } else if spec.sink.keeps_time() {
                let id = persist::sink_id(source, *table, later.len());
                let known = start.sink_time(&id);
                let part = thread::Part::KeepsTime { checkpoint: start.time(), known, held: held.clone() };
                let outlet = thread::spawn(spec, part, &started_by.control);
                sinks.push(AskedSink::new(AskedKind::Timed { id }, &outlet));
                later.push(outlet);
            } else {
                outlets.push(thread::spawn(spec, thread::Part::None, &started_by.control));
            }
        }
        let keeping =
            started_by.place.as_ref().map(|_| Keeping { writer: Arc::new(RowWriter::new::<S>()), later: later.into() });
        let stage = TableStage {
            upsert: restored.upsert.take(),
            pool: Arc::clone(&self.pool),
            outlets,
            keeping,
            #[cfg(feature = "differential")]
            feeds: std::mem::take(&mut *self.computed.feeds.lock().unwrap_or_else(PoisonError::into_inner)),
            #[cfg(feature = "differential")]
            spread: self.start_spread(&started_by.control, workers),
            #[cfg(feature = "differential")]
            worker: 0,
            #[cfg(feature = "differential")]
            is_parted: self.computed.parted.load(Ordering::Relaxed),
        };
        StartedTable { stage: Box::new(stage), sinks }
    }

    #[cfg(feature = "differential")]
    fn is_derived(&self) -> bool {
        self.computed.derived
    }

    #[cfg(feature = "differential")]
    fn comes_here(&self) -> bool {
        self.sinks().is_some()
    }

    #[cfg(feature = "differential")]
    fn is_parted(&self) -> bool {
        self.computed.parted.load(Ordering::Relaxed)
    }

    #[cfg(feature = "differential")]
    fn make_parted(&self, started_by: &StartedBy, identity: usize, workers: &Workers) -> Arc<dyn Parted> {
        self.computed.parted.store(true, Ordering::Relaxed);
        let (feeds, queues) = Feeds::new(workers.threads);
        self.computed.feeds.lock().unwrap_or_else(PoisonError::into_inner).push(feeds);
        let has_sinks = self.sinks().as_ref().is_some_and(|sinks| !sinks.is_empty());
        let outlets = if workers.process == 0 {
            Some(Outlets { outlets: self.start_sinks(&started_by.control), pool: Arc::clone(&self.pool) })
        } else {
            drop(self.sinks().replace(Vec::new()));
            None
        };
        let spread = self.start_spread(&started_by.control, workers).into_iter();
        let spread = spread.map(|outlets| Some(Outlets { outlets, pool: Arc::clone(&self.pool) })).collect();
        Arc::new(PartedTable {
            name: Arc::clone(&self.name),
            identity,
            first_part: workers.process * workers.threads,
            queues: Mutex::new(queues.into_iter().map(Some).collect()),
            has_sinks,
            outlets: Mutex::new(outlets),
            spread: Mutex::new(spread),
        })
    }

    #[cfg(feature = "differential")]
    fn leave_to_others(&self) {
        let sinks = (self.sinks().take(), std::mem::take(&mut *self.spread()));
        // Outside the lock: they are the user's code.
        drop(sinks);
    }

    #[cfg(feature = "differential")]
    fn add_computation(&self, computation: &Arc<dyn Computation>) {
        assert!(self.sinks().is_some(), "`{}` is computed before its pipeline is started", computation.name());
        let mut computations = self.computed.computations.lock().unwrap_or_else(PoisonError::into_inner);
        computations.push(Arc::clone(computation));
    }

    #[cfg(feature = "differential")]
    fn computations(&self) -> Vec<Arc<dyn Computation>> {
        self.computed.computations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Has the sequencer hand the commits of a table to a computation, too.
#[cfg(feature = "differential")]
pub(crate) fn add_feeds<S: Schema>(table: &dyn AnyTable, feeds: Feeds<S>) {
    let inner: &Inner<S> = table.as_any().downcast_ref().expect(OWN_TYPE);
    inner.computed.feeds.lock().unwrap_or_else(PoisonError::into_inner).push(feeds);
}

impl<S: Schema> Table<S> {
    pub(crate) fn new(source: Arc<str>) -> Self {
        Self::make(source, false)
    }

    /// The table that a computation gives.
    #[cfg(feature = "differential")]
    pub(crate) fn derived(name: Arc<str>) -> Self {
        Self::make(name, true)
    }

    #[cfg_attr(not(feature = "differential"), expect(unused_variables, reason = "no table is derived"))]
    fn make(source: Arc<str>, derived: bool) -> Self {
        let inner = Inner::<S> {
            #[cfg(feature = "differential")]
            name: Arc::clone(&source),
            pool: Pool::new(),
            restored: Mutex::new(Restored { upsert: upsert::applies::<S>().then(Upsert::default), held: Vec::new() }),
            sinks: Mutex::new(Some(Vec::new())),
            #[cfg(feature = "differential")]
            computed: Computed {
                derived,
                computations: Mutex::default(),
                spread: Mutex::default(),
                parted: AtomicBool::new(false),
                feeds: Mutex::default(),
            },
        };
        Table { source, inner: Arc::new(inner), rows: PhantomData }
    }

    #[cfg(feature = "differential")]
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.source
    }

    /// Starts the sinks of a derived table where its commits will come, and drops them elsewhere.
    #[cfg(feature = "differential")]
    pub(crate) fn start_derived(&self, control: &Arc<Control>, comes: bool) -> Outlets<S> {
        let inner = self.inner();
        if !comes {
            inner.sinks().take();
        }
        Outlets { outlets: inner.start_sinks(control), pool: Arc::clone(&inner.pool) }
    }

    /// Starts those of each worker's own.
    #[cfg(feature = "differential")]
    pub(crate) fn start_derived_spread(&self, control: &Arc<Control>, workers: &Workers) -> Vec<Option<Outlets<S>>> {
        let inner = self.inner();
        let spread = inner.start_spread(control, workers).into_iter();
        spread.map(|outlets| Some(Outlets { outlets, pool: Arc::clone(&inner.pool) })).collect()
    }

    /// Adds a sink of which each worker has one of its own.
    ///
    /// # Panics
    ///
    /// If the pipeline has been started.
    #[cfg(feature = "differential")]
    pub(crate) fn add_spread_sink(
        &self,
        path: &Path,
        of_worker: impl Fn(usize) -> (PathBuf, Box<dyn FileSink<S>>) + Send + 'static,
    ) {
        let inner = self.inner();
        assert!(inner.sinks().is_some(), "a sink is attached to `{}` before its pipeline is started", path.display());
        inner.spread().push((path.to_owned(), Box::new(of_worker)));
    }

    pub(crate) fn any(&self) -> Arc<dyn AnyTable> {
        Arc::clone(&self.inner)
    }

    fn inner(&self) -> &Inner<S> {
        self.inner.as_any().downcast_ref().expect(OWN_TYPE)
    }

    fn add_sink(&self, name: Arc<str>, target: Option<Target>, sink: AnySink<S>) {
        match &mut *self.inner().sinks() {
            Some(sinks) => sinks.push(SinkSpec { name, target, sink }),
            None => panic!("a sink is attached to `{name}` before its pipeline is started"),
        }
    }

    /// Adds a sink that writes a part of a file, such as a table of a database.
    #[cfg(feature = "sqlite")]
    pub(crate) fn add_part_sink(&self, path: &Path, part: String, sink: Box<dyn Sink<S>>) {
        let target = Target { path: path.to_owned(), part: Some(part) };
        self.add_sink(path.display().to_string().into(), Some(target), AnySink::Plain(sink));
    }

    pub(crate) fn add_file_sink(&self, path: &Path, sink: Box<dyn FileSink<S>>) {
        let target = Target::file(path.to_owned());
        self.add_sink(path.display().to_string().into(), Some(target), AnySink::File(sink));
    }
}

/// The bounds are on the methods: for one on the impl rustc would not say that the type is no schema.
impl<S> Table<S> {
    /// Sends the updates to a sink of your own.
    ///
    /// # Panics
    ///
    /// If the pipeline has been started.
    pub fn write_to(&self, sink: impl Sink<S> + 'static)
    where
        S: Schema,
    {
        self.add_sink(Arc::clone(&self.source), None, AnySink::Plain(Box::new(sink)));
    }

    /// Calls `callback` with each update, in order, on a thread of its own. A panic in it fails the pipeline. After a
    /// restart of a persistent pipeline it sees the updates since the last checkpoint again.
    ///
    /// # Panics
    ///
    /// If the pipeline has been started.
    ///
    /// ```
    /// # use pathway_io::{connector, Pipeline, Schema, Subject, Update};
    /// # #[derive(Schema)] struct Cat { key: i64 }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
    /// let pipeline = Pipeline::new();
    /// let cats = pipeline.read(Cats);
    /// cats.subscribe(|update: &Update<Cat>| println!("{} {:+}", update.row.key, update.diff));
    /// # pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    pub fn subscribe(&self, callback: impl FnMut(&Update<S>) + Send + 'static)
    where
        S: Schema,
    {
        self.write_to(UpdateCallback(callback));
    }

    /// Calls `callback` with each commit, in order, on a thread of its own. A panic in it fails the pipeline. After a
    /// restart of a persistent pipeline it sees the commits since the last checkpoint again.
    ///
    /// # Panics
    ///
    /// If the pipeline has been started.
    ///
    /// ```
    /// # use pathway_io::{connector, Commit, Pipeline, Schema, Subject};
    /// # #[derive(Schema)] struct Cat { key: i64 }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
    /// let pipeline = Pipeline::new();
    /// let cats = pipeline.read(Cats);
    /// cats.subscribe_commits(|commit: &Commit<Cat>| println!("{} updates at {}", commit.len(), commit.time()));
    /// # pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    pub fn subscribe_commits(&self, callback: impl FnMut(&Commit<S>) + Send + 'static)
    where
        S: Schema,
    {
        self.write_to(CommitCallback(callback));
    }

    /// A channel of the table's commits, of which it holds `capacity` at most. A full channel holds up the source once
    /// its backlog is full; a receiver that is dropped ends its subscription. The channel is disconnected when the
    /// pipeline has ended. After a restart of a persistent pipeline the commits since the last checkpoint come again.
    ///
    /// A receiver that is read on the thread that runs the pipeline wants [`Pipeline::start`](crate::Pipeline::start).
    ///
    /// # Panics
    ///
    /// If the pipeline has been started.
    ///
    /// ```
    /// # use pathway_io::{connector, Pipeline, Schema, Subject};
    /// # #[derive(Schema)] struct Cat { key: i64 }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, cats: Subject<Cat>) -> pathway_io::Result<()> {
    /// #     Ok(cats.next(Cat { key: 1 })?)
    /// # } }
    /// let pipeline = Pipeline::new();
    /// let commits = pipeline.read(Cats).updates(16);
    /// let running = pipeline.start()?;
    /// let mut keys = Vec::new();
    /// for commit in &commits {
    ///     keys.extend(commit.iter().map(|update| update.row.key));
    /// }
    /// running.join()?;
    /// assert_eq!(keys, [1]);
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    #[must_use]
    pub fn updates(&self, capacity: usize) -> Receiver<Commit<S>>
    where
        S: Schema,
    {
        let (sender, receiver) = crossbeam_channel::bounded(capacity);
        self.write_to(Channel(sender));
        receiver
    }
}

impl<S> Clone for Table<S> {
    fn clone(&self) -> Self {
        Table { source: Arc::clone(&self.source), inner: Arc::clone(&self.inner), rows: PhantomData }
    }
}

impl<S: Schema> fmt::Debug for Table<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("connector", &self.source)
            .field("schema", &S::SCHEMA.name)
            .finish_non_exhaustive()
    }
}
