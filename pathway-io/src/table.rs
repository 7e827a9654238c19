//! [`Table`]: what a source feeds and sinks are attached to, while a pipeline is being laid out.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Receiver;

use crate::batch::Pool;
use crate::commit::{Commit, Update};
use crate::control::Control;
use crate::pending::AnyPool;
use crate::persist::rows::{self, RowWriter};
use crate::persist::{self, AskedKind, AskedSink, Start};
use crate::schema::{Schema, TableSchema};
use crate::sequencer::{Keeping, Stage, TableStage};
use crate::sink::file::FileSink;
use crate::sink::{AnySink, Channel, CommitCallback, Sink, SinkSpec, UpdateCallback, thread};
use crate::upsert::{self, Upsert};

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
    pool: Arc<Pool<S>>,
    /// What a state directory has of it.
    restored: Mutex<Restored<S>>,
    /// `None` once the pipeline has been started.
    sinks: Mutex<Option<Vec<SinkSpec<S>>>>,
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
    /// The files that its sinks write.
    #[doc(hidden)]
    fn paths(&self) -> Vec<PathBuf>;
    /// The names of its sinks that keep their own time.
    #[doc(hidden)]
    fn timed_sinks(&self) -> Vec<Arc<str>>;
    /// Takes rows of a log: of the state, or of a commit that a sink may miss. Says what is wrong with them.
    #[doc(hidden)]
    fn restore(&self, rows: &[u8], restoring: Restoring) -> Result<(), String>;
    #[doc(hidden)]
    fn start(&self, started_by: &StartedBy) -> StartedTable;
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
    /// What there was at the start of a persistent pipeline.
    pub(crate) persist: Option<Arc<Start>>,
    /// The source's name, and the number of the table.
    pub(crate) source: Arc<str>,
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

    fn paths(&self) -> Vec<PathBuf> {
        self.sinks().iter().flatten().filter_map(|spec| spec.sink.path().map(Path::to_owned)).collect()
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

    fn start(&self, started_by: &StartedBy) -> StartedTable {
        let specs = self.sinks().take().unwrap_or_default();
        let mut restored = self.restored();
        let held = std::mem::take(&mut restored.held);
        let (mut outlets, mut later, mut sinks) = (Vec::new(), Vec::new(), Vec::new());
        for mut spec in specs {
            let Some(start) = &started_by.persist else {
                outlets.push(thread::spawn(spec, thread::Part::None, &started_by.control));
                continue;
            };
            let path = spec.sink.path().map(|path| path.display().to_string());
            if let (Some(path), Some(file)) = (path, spec.sink.file()) {
                file.persist(start.persisted(&path));
                let outlet = thread::spawn(spec, thread::Part::File, &started_by.control);
                sinks.push(AskedSink::new(AskedKind::File { path }, &outlet));
                outlets.push(outlet);
            } else if spec.sink.keeps_time() {
                let id = persist::sink_id(&started_by.source, started_by.table, later.len());
                let known = start.sink_time(&id);
                let part = thread::Part::KeepsTime { checkpoint: start.time(), known, held: held.clone() };
                let outlet = thread::spawn(spec, part, &started_by.control);
                sinks.push(AskedSink::new(AskedKind::Timed { id }, &outlet));
                later.push(outlet);
            } else {
                outlets.push(thread::spawn(spec, thread::Part::None, &started_by.control));
            }
        }
        let keeping = started_by
            .persist
            .as_ref()
            .map(|_| Keeping { writer: Arc::new(RowWriter::new::<S>()), later: later.into() });
        let stage = TableStage { upsert: restored.upsert.take(), pool: Arc::clone(&self.pool), outlets, keeping };
        StartedTable { stage: Box::new(stage), sinks }
    }
}

impl<S: Schema> Table<S> {
    pub(crate) fn new(source: Arc<str>) -> Self {
        let restored = Restored { upsert: upsert::applies::<S>().then(Upsert::default), held: Vec::new() };
        let inner = Arc::new(Inner::<S> {
            pool: Pool::new(),
            restored: Mutex::new(restored),
            sinks: Mutex::new(Some(Vec::new())),
        });
        Table { source, inner, rows: PhantomData }
    }

    pub(crate) fn any(&self) -> Arc<dyn AnyTable> {
        Arc::clone(&self.inner)
    }

    fn inner(&self) -> &Inner<S> {
        self.inner.as_any().downcast_ref().expect("a table is made of its own row type")
    }

    fn add_sink(&self, name: Arc<str>, sink: AnySink<S>) {
        match &mut *self.inner().sinks() {
            Some(sinks) => sinks.push(SinkSpec { name, sink }),
            None => panic!("a sink is attached to `{name}` before its pipeline is started"),
        }
    }

    pub(crate) fn add_file_sink(&self, path: &Path, sink: Box<dyn FileSink<S>>) {
        self.add_sink(path.display().to_string().into(), AnySink::File(path.to_owned(), sink));
    }

    /// Sends the updates to a sink of your own.
    ///
    /// # Panics
    ///
    /// If the pipeline has been started.
    pub fn write_to(&self, sink: impl Sink<S> + 'static) {
        self.add_sink(Arc::clone(&self.source), AnySink::Plain(Box::new(sink)));
    }

    /// Calls `callback` with each update, in order, on a thread of its own. A panic in it fails the pipeline.
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
    pub fn subscribe(&self, callback: impl FnMut(&Update<S>) + Send + 'static) {
        self.write_to(UpdateCallback(callback));
    }

    /// Calls `callback` with each commit, in order, on a thread of its own. A panic in it fails the pipeline.
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
    pub fn subscribe_commits(&self, callback: impl FnMut(&Commit<S>) + Send + 'static) {
        self.write_to(CommitCallback(callback));
    }

    /// A channel of the table's commits, of which it holds `capacity` at most. A full channel holds up the source once
    /// its backlog is full; a receiver that is dropped ends its subscription. The channel is disconnected when the
    /// pipeline has ended.
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
    pub fn updates(&self, capacity: usize) -> Receiver<Commit<S>> {
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
