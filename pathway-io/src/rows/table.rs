//! [`Table`]: what a source feeds and sinks are attached to, while a pipeline is being laid out.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
#[cfg(feature = "dataflow")]
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Receiver;

#[cfg(feature = "dataflow")]
use crate::dataflow::table::Derived;
#[cfg(feature = "dataflow")]
use crate::persist::AskedSink;
use crate::pipeline::any_table::AnyTable;
#[cfg(feature = "dataflow")]
use crate::pipeline::any_table::StartedBy;
use crate::pipeline::table::Inner;
#[cfg(feature = "dataflow")]
use crate::pipeline::workers::Workers;
use crate::rows::commit::{Commit, Update};
use crate::rows::schema::Schema;
use crate::sink::file::FileSink;
use crate::sink::{AnySink, Channel, CommitCallback, Sink, SinkSpec, Target, UpdateCallback};

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

impl<S: Schema> Table<S> {
    pub(crate) fn new(source: Arc<str>) -> Self {
        Self::make(source, false)
    }

    /// The table that a computation gives.
    #[cfg(feature = "dataflow")]
    pub(crate) fn derived(name: Arc<str>) -> Self {
        Self::make(name, true)
    }

    fn make(source: Arc<str>, derived: bool) -> Self {
        let inner = Arc::new(Inner::<S>::new(&source, derived));
        Table { source, inner, rows: PhantomData }
    }

    #[cfg(feature = "dataflow")]
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.source
    }

    /// Starts the sinks of a derived table.
    #[cfg(feature = "dataflow")]
    pub(crate) fn start_derived(
        &self,
        started_by: &StartedBy,
        workers: &Workers,
        asked: &mut Vec<AskedSink>,
    ) -> Derived<S> {
        self.inner().start_derived(started_by, workers, asked)
    }

    /// Adds a sink of which each worker has one of its own.
    ///
    /// # Panics
    ///
    /// If the pipeline has been started.
    #[cfg(feature = "dataflow")]
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
    /// let commits = pipeline.read(Cats).commits(16);
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
    pub fn commits(&self, capacity: usize) -> Receiver<Commit<S>>
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
