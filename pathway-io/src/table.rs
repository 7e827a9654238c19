//! [`Table`]: what a source feeds and sinks are attached to, while a pipeline is being laid out.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Receiver;

use crate::batch::Pool;
use crate::commit::{Commit, Update};
use crate::control::Control;
#[cfg(feature = "differential")]
use crate::dataflow::{Computation, Feeds, Outlets};
use crate::pending::AnyPool;
use crate::schema::Schema;
use crate::sequencer::{Outlet, Stage, TableStage};
use crate::sink::{Channel, CommitCallback, Sink, SinkSpec, Target, UpdateCallback, thread};

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
    pool: Arc<Pool<S>>,
    /// `None` once the pipeline has been started.
    sinks: Mutex<Option<Vec<SinkSpec<S>>>>,
    #[cfg(feature = "differential")]
    computed: Computed<S>,
}

/// What a table has to do with computations.
#[cfg(feature = "differential")]
struct Computed<S: Schema> {
    /// It is itself the result of one.
    derived: bool,
    /// Those that read it.
    computations: Mutex<Vec<Arc<dyn Computation>>>,
    /// Of a run, until the sequencer has taken them.
    feeds: Mutex<Vec<Feeds<S>>>,
}

impl<S: Schema> Inner<S> {
    fn sinks(&self) -> MutexGuard<'_, Option<Vec<SinkSpec<S>>>> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_sinks(&self, control: &Arc<Control>) -> Vec<Outlet<S>> {
        let specs = self.sinks().take().unwrap_or_default();
        specs.into_iter().map(|spec| thread::spawn(spec, control)).collect()
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
    fn targets(&self) -> Vec<Target>;
    #[doc(hidden)]
    fn start(&self, control: &StartedBy) -> StartedTable;
    #[cfg(feature = "differential")]
    #[doc(hidden)]
    fn is_derived(&self) -> bool;
    /// Whether its commits are made in this process.
    #[cfg(feature = "differential")]
    #[doc(hidden)]
    fn comes_here(&self) -> bool;
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

/// The run that a table is started by.
#[doc(hidden)]
pub struct StartedBy(pub(crate) Arc<Control>);

/// A table that runs.
#[doc(hidden)]
pub struct StartedTable(pub(crate) Box<dyn Stage>);

impl<S: Schema> AnyTable for Inner<S> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn pool(&self) -> AnyPool {
        Arc::clone(&self.pool) as AnyPool
    }

    fn targets(&self) -> Vec<Target> {
        self.sinks().iter().flatten().filter_map(|spec| spec.target.clone()).collect()
    }

    fn start(&self, control: &StartedBy) -> StartedTable {
        #[cfg_attr(not(feature = "differential"), expect(unused_mut, reason = "nothing feeds on it"))]
        let mut stage = TableStage::new(Arc::clone(&self.pool), self.start_sinks(&control.0));
        #[cfg(feature = "differential")]
        {
            stage.feeds = std::mem::take(&mut *self.computed.feeds.lock().unwrap_or_else(PoisonError::into_inner));
        }
        StartedTable(Box::new(stage))
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
    fn leave_to_others(&self) {
        let sinks = self.sinks().take();
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
            pool: Pool::new(),
            sinks: Mutex::new(Some(Vec::new())),
            #[cfg(feature = "differential")]
            computed: Computed { derived, computations: Mutex::default(), feeds: Mutex::default() },
        };
        Table { source, inner: Arc::new(inner), rows: PhantomData }
    }

    #[cfg(feature = "differential")]
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.source
    }

    /// Starts the sinks of a derived table where its commits will come, and drops them elsewhere.
    #[cfg(feature = "differential")]
    pub(crate) fn start_derived(&self, control: &Arc<Control>, comes: bool) -> Outlets<S>
    where
        S: crate::dataflow::ResultRow,
    {
        let inner = self.inner();
        if !comes {
            inner.sinks().take();
        }
        Outlets { outlets: inner.start_sinks(control), pool: Arc::clone(&inner.pool) }
    }

    pub(crate) fn any(&self) -> Arc<dyn AnyTable> {
        Arc::clone(&self.inner)
    }

    fn inner(&self) -> &Inner<S> {
        self.inner.as_any().downcast_ref().expect(OWN_TYPE)
    }

    fn add_sink(&self, name: Arc<str>, target: Option<Target>, sink: Box<dyn Sink<S>>) {
        match &mut *self.inner().sinks() {
            Some(sinks) => sinks.push(SinkSpec { name, target, sink }),
            None => panic!("a sink is attached to `{name}` before its pipeline is started"),
        }
    }

    /// Adds a sink that writes a part of a file, such as a table of a database.
    #[cfg(feature = "sqlite")]
    pub(crate) fn add_part_sink(&self, path: &Path, part: String, sink: Box<dyn Sink<S>>) {
        let target = Target { path: path.to_owned(), part: Some(part) };
        self.add_sink(path.display().to_string().into(), Some(target), sink);
    }

    pub(crate) fn add_file_sink(&self, path: &Path, sink: Box<dyn Sink<S>>) {
        self.add_sink(path.display().to_string().into(), Some(Target::file(path.to_owned())), sink);
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
        self.add_sink(Arc::clone(&self.source), None, Box::new(sink));
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
    pub fn subscribe(&self, callback: impl FnMut(&Update<S>) + Send + 'static)
    where
        S: Schema,
    {
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
    pub fn subscribe_commits(&self, callback: impl FnMut(&Commit<S>) + Send + 'static)
    where
        S: Schema,
    {
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
