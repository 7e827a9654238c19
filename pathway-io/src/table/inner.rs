//! What a table is behind its handles: [`Inner`], by its row type, and [`AnyTable`] without it.
//!
//! While a pipeline is laid out it gathers sinks. When the pipeline is started they are started too, and what the table
//! is in the run is made of it: a stage of the sequencer, or, of a derived table, the end of a dataflow.

use std::any::Any;
use std::path::PathBuf;
#[cfg(feature = "differential")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(feature = "differential")]
use super::OWN_TYPE;
use crate::batch::Pool;
use crate::commit::Commit;
use crate::control::Control;
use crate::dataflow::Workers;
#[cfg(feature = "differential")]
use crate::dataflow::{Asks, Behind, Computation, Feeds, Outlets, Parted, PartedTable, Served};
use crate::pending::AnyPool;
use crate::persist::rows::{self, RowWriter};
use crate::persist::{self, AskedKind, AskedSink, Start};
use crate::schema::{Schema, TableSchema};
use crate::sequencer::{Keeping, Outlet, Stage, TableStage};
#[cfg(feature = "differential")]
use crate::sink::file::FileSink;
use crate::sink::{AnySink, Ask, SinkSpec, Target, thread};
use crate::tally::Tally;
use crate::upsert::{self, Upsert};

pub(super) struct Inner<S: Schema> {
    #[cfg(feature = "differential")]
    name: Arc<str>,
    pub(super) pool: Arc<Pool<S>>,
    /// What a state directory has of it.
    restored: Mutex<Restored<S>>,
    /// `None` once the pipeline has been started.
    sinks: Mutex<Option<Vec<SinkSpec<S>>>>,
    #[cfg(feature = "differential")]
    computed: Computed<S>,
}

/// Makes a worker's own sink, and its path.
#[cfg(feature = "differential")]
pub(super) type Spread<S> = Box<dyn Fn(usize) -> (PathBuf, Box<dyn FileSink<S>>) + Send>;

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
    /// Where it has no current rows, and computations read it all the same.
    tally: Option<Tally<S>>,
    /// Commits that a sink may miss which keeps its own time.
    held: Vec<Commit<S>>,
}

/// Sinks that run.
struct Started<S: Schema> {
    outlets: Vec<Outlet<S>>,
    /// Those that are handed a commit only once it is durable.
    later: Vec<Outlet<S>>,
    asked: Vec<AskedSink>,
}

/// Which way a sink is asked by the checkpointer.
type Route<'a> = &'a dyn Fn(Arc<dyn Ask>) -> Arc<dyn Ask>;

impl<S: Schema> Inner<S> {
    #[cfg_attr(not(feature = "differential"), expect(unused_variables, reason = "no table is derived"))]
    pub(super) fn new(name: &Arc<str>, derived: bool) -> Self {
        let upsert = upsert::applies::<S>().then(Upsert::default);
        Inner {
            #[cfg(feature = "differential")]
            name: Arc::clone(name),
            pool: Pool::new(),
            restored: Mutex::new(Restored { upsert, tally: None, held: Vec::new() }),
            sinks: Mutex::new(Some(Vec::new())),
            #[cfg(feature = "differential")]
            computed: Computed {
                derived,
                computations: Mutex::default(),
                spread: Mutex::default(),
                parted: AtomicBool::new(false),
                feeds: Mutex::default(),
            },
        }
    }

    fn restored(&self) -> MutexGuard<'_, Restored<S>> {
        self.restored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sinks(&self) -> MutexGuard<'_, Option<Vec<SinkSpec<S>>>> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(feature = "differential")]
    pub(super) fn spread(&self) -> MutexGuard<'_, Vec<(PathBuf, Spread<S>)>> {
        self.computed.spread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts sinks. In a persistent pipeline, those that keep their own time may miss what is `held`.
    fn start_sinks(
        specs: Vec<SinkSpec<S>>,
        started_by: &StartedBy,
        held: &[Commit<S>],
        route: Route<'_>,
    ) -> Started<S> {
        let mut started = Started { outlets: Vec::new(), later: Vec::new(), asked: Vec::new() };
        for mut spec in specs {
            let Some(Place { start, source, table }) = &started_by.place else {
                started.outlets.push(thread::spawn(spec, thread::Part::None, &started_by.control));
                continue;
            };
            let path = spec.target.as_ref().map(|target| target.path.display().to_string());
            if let (Some(path), Some(file)) = (path, spec.sink.file()) {
                file.persist(start.persisted(&path));
                let outlet = thread::spawn(spec, thread::Part::File, &started_by.control);
                started.asked.push(AskedSink::new(AskedKind::File { path }, &outlet, route));
                started.outlets.push(outlet);
            } else if spec.sink.keeps_time() {
                let id = persist::sink_id(source, *table, started.later.len());
                let known = start.sink_time(&id);
                let part = thread::Part::KeepsTime { checkpoint: start.time(), known, held: held.to_vec() };
                let outlet = thread::spawn(spec, part, &started_by.control);
                started.asked.push(AskedSink::new(AskedKind::Timed { id }, &outlet, route));
                started.later.push(outlet);
            } else {
                started.outlets.push(thread::spawn(spec, thread::Part::None, &started_by.control));
            }
        }
        started
    }

    /// The sinks of one worker, counted among those of all processes, of those of which each has its own.
    #[cfg(feature = "differential")]
    fn spread_specs(&self, worker: usize) -> Vec<SinkSpec<S>> {
        let spec = |(path, sink): (PathBuf, Box<dyn FileSink<S>>)| SinkSpec {
            name: path.display().to_string().into(),
            target: Some(Target::file(path)),
            sink: AnySink::File(sink),
        };
        self.spread().iter().map(|(_, spread)| spec(spread(worker))).collect()
    }

    /// Starts the sinks of each worker of this process; none at all if the table has no such sinks.
    #[cfg(feature = "differential")]
    fn start_spread(&self, started_by: &StartedBy, workers: &Workers, route: Route<'_>) -> Vec<Started<S>> {
        if self.spread().is_empty() {
            return Vec::new();
        }
        let first = workers.process * workers.threads;
        let started = (first..first + workers.threads)
            .map(|worker| Self::start_sinks(self.spread_specs(worker), started_by, &[], route))
            .collect();
        self.spread().clear();
        started
    }

    /// Those of a table whose commits come out of the dataflow here.
    #[cfg(feature = "differential")]
    fn start_gathered(&self, started_by: &StartedBy, asked: &mut Vec<AskedSink>) -> Outlets<S> {
        let specs = self.sinks().take().unwrap_or_default();
        let asks = Arc::default();
        let started = Self::start_sinks(specs, started_by, &[], &|sink| behind(&asks, sink));
        self.gathered(started, asks, started_by, asked)
    }

    /// The same where each worker has its own.
    #[cfg(feature = "differential")]
    fn start_gathered_spread(
        &self,
        started_by: &StartedBy,
        workers: &Workers,
        asked: &mut Vec<AskedSink>,
    ) -> Vec<Option<Outlets<S>>> {
        // One worker may be ahead of another, and each answers for its own files.
        let asks: Vec<Arc<Asks>> = (0..workers.threads).map(|_| Arc::default()).collect();
        let first = workers.process * workers.threads;
        if self.spread().is_empty() {
            return Vec::new();
        }
        let started = (0..workers.threads).map(|worker| {
            let route: Route<'_> = &|sink| behind(&asks[worker], sink);
            let started = Self::start_sinks(self.spread_specs(first + worker), started_by, &[], route);
            Some(self.gathered(started, Arc::clone(&asks[worker]), started_by, asked))
        });
        let started = started.collect();
        self.spread().clear();
        started
    }

    #[cfg(feature = "differential")]
    fn gathered(
        &self,
        started: Started<S>,
        asks: Arc<Asks>,
        started_by: &StartedBy,
        asked: &mut Vec<AskedSink>,
    ) -> Outlets<S> {
        asked.extend(started.asked);
        let durable = started_by.place.as_ref().map_or(0, |place| place.start.time());
        Outlets { outlets: started.outlets, pool: Arc::clone(&self.pool), durable, asks: Served(asks) }
    }

    /// Starts the sinks of a derived table where its commits will come, and drops them elsewhere.
    #[cfg(feature = "differential")]
    pub(super) fn start_derived(
        &self,
        started_by: &StartedBy,
        workers: &Workers,
        asked: &mut Vec<AskedSink>,
    ) -> Derived<S> {
        let comes = workers.process == 0;
        if !comes {
            // Outside the lock: they are the user's code.
            let sinks = self.sinks().take();
            drop(sinks);
        }
        let spread = self.start_gathered_spread(started_by, workers, asked);
        Derived { outlets: comes.then(|| self.start_gathered(started_by, asked)), spread }
    }
}

/// Where the commits of a derived table go: at the first worker, and at each.
#[cfg(feature = "differential")]
pub(crate) struct Derived<S: Schema> {
    pub(crate) outlets: Option<Outlets<S>>,
    pub(crate) spread: Vec<Option<Outlets<S>>>,
}

#[cfg(feature = "differential")]
fn behind(asks: &Arc<Asks>, sink: Arc<dyn Ask>) -> Arc<dyn Ask> {
    Arc::new(Behind { asks: Arc::clone(asks), sink })
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
    fn files(&self, workers: &Workers) -> Vec<PathBuf>;
    /// Whether all its rows are to be kept, since computations read it, and it has no current ones. If so, they are.
    #[doc(hidden)]
    fn keep_rows(&self) -> bool;
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

    #[cfg_attr(not(feature = "differential"), expect(unused_variables, reason = "no sink is a worker's own"))]
    fn files(&self, workers: &Workers) -> Vec<PathBuf> {
        let path = |spec: &SinkSpec<S>| match spec.sink {
            AnySink::File(_) => Some(spec.target.as_ref()?.path.clone()),
            AnySink::Plain(_) => None,
        };
        let files: Vec<PathBuf> = self.sinks().iter().flatten().filter_map(path).collect();
        #[cfg(feature = "differential")]
        let files = {
            let first = workers.process * workers.threads;
            let spread = (first..first + workers.threads).flat_map(|worker| self.spread_specs(worker));
            files.into_iter().chain(spread.filter_map(|spec| path(&spec))).collect()
        };
        files
    }

    fn keep_rows(&self) -> bool {
        #[cfg(feature = "differential")]
        if !upsert::applies::<S>() && !self.computations().is_empty() {
            self.restored().tally.get_or_insert_default();
            return true;
        }
        false
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
            for batch in upsert.apply(&batches, &self.pool, false) {
                self.pool.put(batch);
            }
        }
        if restoring.state
            && let Some(tally) = &mut restored.tally
        {
            batches.iter().for_each(|batch| tally.add(batch));
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
        let directly: Route<'_> = &|sink| sink;
        let started = Self::start_sinks(specs, started_by, &held, directly);
        let sinks = started.asked;
        #[cfg(feature = "differential")]
        let (spread, sinks) = {
            let (mut spread, mut sinks) = (Vec::new(), sinks);
            for of_worker in self.start_spread(started_by, workers, directly) {
                spread.push(of_worker.outlets);
                sinks.extend(of_worker.asked);
            }
            (spread, sinks)
        };
        let later = started.later.into();
        let keeping = started_by.place.as_ref().map(|_| Keeping { writer: Arc::new(RowWriter::new::<S>()), later });
        let stage = TableStage {
            upsert: restored.upsert.take(),
            tally: restored.tally.take(),
            pool: Arc::clone(&self.pool),
            outlets: started.outlets,
            keeping,
            #[cfg(feature = "differential")]
            feeds: std::mem::take(&mut *self.computed.feeds.lock().unwrap_or_else(PoisonError::into_inner)),
            #[cfg(feature = "differential")]
            spread,
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
        // In several processes nothing is persistent, and nobody asks.
        let asked = &mut Vec::new();
        let spread = self.start_gathered_spread(started_by, workers, asked);
        let outlets = if workers.process == 0 {
            Some(self.start_gathered(started_by, asked))
        } else {
            drop(self.sinks().replace(Vec::new()));
            None
        };
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
