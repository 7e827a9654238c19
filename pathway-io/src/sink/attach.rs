//! Attaching sinks to a table: the methods of [`Table`] for it, and the list that they fill ([`TableSinks`]).

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::Sink;
use super::options::SinkOptions;
use super::spec::{AnySink, SinkSpec, Target};
use crate::rows::check::RowCheck;
use crate::rows::commit::{Commit, Update};
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::{Error, Result, RunResult};
use crate::run::guard::guarded;
use crate::run::lock::Lock;
use crate::run::quarantine::BadRows;

pub(crate) struct TableSinks<S: Schema>(Lock<Attached<S>>);

struct Attached<S: Schema> {
    sinks: Vec<SinkSpec<S>>,
    /// The sinks that have one instance per worker.
    per_worker: Vec<Box<MakeSink<S>>>,
    /// Whether the pipeline has started, so that no sink can be added.
    taken: bool,
}

/// A function that makes the sink of a worker, with its path.
type MakeSink<S> = dyn Fn(usize) -> (PathBuf, Box<dyn AnySink<S>>) + Send;

impl<S: Schema> Default for TableSinks<S> {
    fn default() -> Self {
        TableSinks(Lock::new(Attached { sinks: Vec::new(), per_worker: Vec::new(), taken: false }))
    }
}

impl<S: Schema> TableSinks<S> {
    /// Asks each sink whether it is transactional, and returns the checks of rows. Both call the user's code.
    ///
    /// # Errors
    ///
    /// Returns an error if that code panics.
    pub(crate) fn check(&self) -> Result<Vec<RowCheck<S>>> {
        // The lock is not held during the calls, because that code may use the table. It cannot attach a sink.
        let was_taken = self.is_taken();
        let mut sinks = self.take();
        let checks = sinks.iter_mut().map(check).collect::<Result<Vec<_>>>();
        let mut attached = self.0.lock();
        (attached.sinks, attached.taken) = (sinks, was_taken);
        Ok(checks?.into_iter().flatten().collect())
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.0.lock().taken
    }

    /// Takes the sinks for the whole table. After this, no sink can be attached.
    pub(crate) fn take(&self) -> Vec<SinkSpec<S>> {
        let mut attached = self.0.lock();
        attached.taken = true;
        std::mem::take(&mut attached.sinks)
    }

    /// Takes the sinks of each of the workers `workers`. Returns an empty list if there are none.
    pub(crate) fn take_of_workers(&self, workers: Range<usize>) -> Vec<Vec<SinkSpec<S>>> {
        let per_worker = std::mem::take(&mut self.0.lock().per_worker);
        if per_worker.is_empty() {
            return Vec::new();
        }
        let of_worker = |worker| {
            let specs = per_worker.iter().map(|sink| sink(worker));
            specs.map(|(path, sink)| SinkSpec::file(path, sink)).collect()
        };
        workers.map(of_worker).collect()
    }
}

fn check<S: Schema>(spec: &mut SinkSpec<S>) -> Result<Option<RowCheck<S>>> {
    let named = |kind| Error::sink(&spec.name, kind);
    let sink = &spec.sink;
    spec.is_transactional = guarded("is_transactional", || sink.is_transactional()).map_err(named)?;
    guarded("row_check", || sink.row_check()).map_err(named)
}

/// The sinks of a table of any type.
pub(crate) trait AnySinks {
    /// Returns the files, directories and database tables that the sinks write, with the files of the workers
    /// `workers`, and the format of each file.
    fn outputs(&self, workers: Range<usize>) -> Vec<(Target, Option<&'static str>)>;
    /// Returns the same outputs, and the files of refused rows.
    fn targets(&self, workers: Range<usize>) -> Vec<Target>;
    /// Returns the number of transactional sinks.
    fn transactional(&self) -> usize;
    /// Returns whether there are sinks for the whole table, and whether there are sinks with one instance per worker.
    fn kinds(&self) -> (bool, bool);
    /// Drops all sinks, because another process makes the commits of the table.
    fn leave(&self);
}

impl<S: Schema> AnySinks for TableSinks<S> {
    fn outputs(&self, workers: Range<usize>) -> Vec<(Target, Option<&'static str>)> {
        let attached = self.0.lock();
        let output = |spec: &SinkSpec<S>| Some((spec.target.clone()?, spec.sink.format()));
        let per_worker = workers.flat_map(|worker| attached.per_worker.iter().map(move |make| make(worker)));
        let per_worker = per_worker.map(|(path, sink)| (Target::file(path), sink.format()));
        attached.sinks.iter().filter_map(output).chain(per_worker).collect()
    }

    fn targets(&self, workers: Range<usize>) -> Vec<Target> {
        let outputs = self.outputs(workers).into_iter().map(|(target, _)| target);
        let quarantine = |spec: &SinkSpec<S>| match &spec.options.refused_rows {
            BadRows::Quarantine(path) => Some(Target::file(path.clone())),
            BadRows::Fail | BadRows::Skip => None,
        };
        outputs.chain(self.0.lock().sinks.iter().filter_map(quarantine)).collect()
    }

    fn transactional(&self) -> usize {
        self.0.lock().sinks.iter().filter(|spec| spec.is_transactional).count()
    }

    fn kinds(&self) -> (bool, bool) {
        let attached = self.0.lock();
        (!attached.sinks.is_empty(), !attached.per_worker.is_empty())
    }

    fn leave(&self) {
        let sinks = self.take();
        let per_worker = std::mem::take(&mut self.0.lock().per_worker);
        // The lock is not held here, because their `Drop` is the user's code.
        drop((sinks, per_worker));
    }
}

impl<S: Schema> Table<S> {
    pub(crate) fn sinks(&self) -> Arc<TableSinks<S>> {
        self.extensions().get()
    }

    fn attach(&self, name: &str, attach: impl FnOnce(&mut Attached<S>)) {
        let sinks = self.sinks();
        let mut attached = sinks.0.lock();
        assert!(
            !attached.taken,
            "cannot attach the sink `{name}`: the pipeline of its table has been started or dropped"
        );
        attach(&mut attached);
    }

    pub(crate) fn add_sink(&self, sink: SinkSpec<S>) {
        let name = Arc::clone(&sink.name);
        self.attach(&name, |attached| attached.sinks.push(sink));
    }

    /// Adds a sink that has one instance per worker.
    pub(crate) fn add_worker_sink(
        &self,
        path: &Path,
        make: impl Fn(usize) -> (PathBuf, Box<dyn AnySink<S>>) + Send + 'static,
    ) {
        self.attach(&path.display().to_string(), |attached| attached.per_worker.push(Box::new(make)));
    }
}

/// A sink that calls a closure with each commit.
struct Callback<F>(F);

impl<S: Schema, F: FnMut(&Commit<S>) + Send> Sink<S> for Callback<F> {
    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        (self.0)(commit);
        Ok(())
    }
}

// The bounds are on the methods. With a bound on the impl, rustc would not report that the type is not a schema.
impl<S> Table<S> {
    /// Sends the updates to your own sink.
    ///
    /// ```
    /// # use pathway_io::{connector, Commit, Pipeline, RunResult, Schema, Sink, Subject, Update};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64 }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, cats: Subject<Cat>) -> RunResult { Ok(cats.next(Cat { key: 1 })?) } }
    /// struct Count(usize);
    ///
    /// impl Sink<Cat> for Count {
    ///     fn write(&mut self, commit: &Commit<Cat>) -> RunResult {
    ///         self.0 += commit.len();
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let pipeline = Pipeline::new();
    /// pipeline.read(Cats).write_to(Count(0));
    /// pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the pipeline has been started or dropped.
    pub fn write_to(&self, sink: impl Sink<S> + 'static)
    where
        S: Schema,
    {
        self.write_to_with(sink, SinkOptions::new());
    }

    /// Sends the updates to your own sink, with options.
    ///
    /// ```
    /// # use pathway_io::{connector, Commit, Pipeline, RunResult, Schema, Sink, SinkOptions, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64 }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, cats: Subject<Cat>) -> RunResult { Ok(cats.next(Cat { key: 1 })?) } }
    /// # struct Count(usize);
    /// # impl Sink<Cat> for Count { fn write(&mut self, commit: &Commit<Cat>) -> RunResult { self.0 += commit.len(); Ok(()) } }
    /// let pipeline = Pipeline::new();
    /// pipeline.read(Cats).write_to_with(Count(0), SinkOptions::new().inline(true));
    /// pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the pipeline has been started or dropped.
    pub fn write_to_with(&self, sink: impl Sink<S> + 'static, options: SinkOptions)
    where
        S: Schema,
    {
        self.add_sink(SinkSpec::new(Arc::clone(self.name()), None, sink, options));
    }

    /// Calls `callback` with each update, in order, on its own thread.
    ///
    /// A panic in `callback` fails the pipeline. After a restart of a persistent pipeline, `callback` receives the
    /// updates since the last checkpoint again.
    ///
    /// # Panics
    ///
    /// Panics if the pipeline has been started or dropped.
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
    pub fn subscribe(&self, mut callback: impl FnMut(&Update<S>) + Send + 'static)
    where
        S: Schema,
    {
        self.subscribe_commits(move |commit| commit.iter().for_each(|update| callback(&update)));
    }

    /// Calls `callback` with each commit, in order, on its own thread.
    ///
    /// A panic in `callback` fails the pipeline. After a restart of a persistent pipeline, `callback` receives the
    /// commits since the last checkpoint again.
    ///
    /// # Panics
    ///
    /// Panics if the pipeline has been started or dropped.
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
        self.write_to(Callback(callback));
    }

    /// Returns a channel of the table's commits that holds at most `capacity` of them.
    ///
    /// If the channel stays full, the source waits once its backlog is full. If you drop the receiver, its subscription
    /// ends. The channel is disconnected when the pipeline has ended, even if it could not start or was dropped. After
    /// a restart of a persistent pipeline, the channel receives the commits since the last checkpoint again.
    ///
    /// To read the receiver on the thread that runs the pipeline, use [`Pipeline::start`](crate::Pipeline::start).
    ///
    /// # Panics
    ///
    /// Panics if the pipeline has been started or dropped.
    ///
    /// ```
    /// # use pathway_io::{connector, Pipeline, Schema, Subject};
    /// # #[derive(Schema)] struct Cat { key: i64 }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, cats: Subject<Cat>) -> pathway_io::RunResult {
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
        // If the receiver was dropped, its subscription has ended.
        self.subscribe_commits(move |commit| drop(sender.send(commit.clone())));
        receiver
    }
}
