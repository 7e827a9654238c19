//! What a table has to do with computations: those that read it, and the sinks of one whose commits come out of the
//! dataflow.
//!
//! Such sinks are asked by the checkpointer by way of the worker that gathers the commits ([`Asks`]), and where each worker
//! has its own they are made when the run starts, since only then the workers are known.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::OWN_TYPE;
use super::any::{AnyTable, StartedBy};
use super::inner::{Inner, Route, Started};
use crate::dataflow::{Asks, Behind, Computation, Feeds, Outlets, Served, Workers};
use crate::persist::AskedSink;
use crate::schema::Schema;
use crate::sink::file::FileSink;
use crate::sink::{AnySink, Ask, SinkSpec, Target};

/// Makes a worker's own sink, and its path.
pub(super) type Spread<S> = Box<dyn Fn(usize) -> (PathBuf, Box<dyn FileSink<S>>) + Send>;

/// What a table has to do with computations.
pub(super) struct Computed<S: Schema> {
    /// It is itself the result of one.
    pub(super) derived: bool,
    /// Those that read it.
    pub(super) computations: Mutex<Vec<Arc<dyn Computation>>>,
    /// Sinks of which each worker has one, with the path that they are called by.
    pub(super) spread: Mutex<Vec<(PathBuf, Spread<S>)>>,
    /// In this run, its commits are made in several processes.
    pub(super) parted: AtomicBool,
    /// Of a run, until the sequencer has taken them.
    pub(super) feeds: Mutex<Vec<Feeds<S>>>,
}

/// Where the commits of a derived table go: at the first worker, and at each.
pub(crate) struct Derived<S: Schema> {
    pub(crate) outlets: Option<Outlets<S>>,
    pub(crate) spread: Vec<Option<Outlets<S>>>,
}

impl<S: Schema> Computed<S> {
    pub(super) fn new(derived: bool) -> Self {
        Computed {
            derived,
            computations: Mutex::default(),
            spread: Mutex::default(),
            parted: AtomicBool::new(false),
            feeds: Mutex::default(),
        }
    }
}

impl<S: Schema> Inner<S> {
    pub(super) fn spread(&self) -> MutexGuard<'_, Vec<(PathBuf, Spread<S>)>> {
        self.computed.spread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sinks of one worker, counted among those of all processes, of those of which each has its own.
    pub(super) fn spread_specs(&self, worker: usize) -> Vec<SinkSpec<S>> {
        let spec = |(path, sink): (PathBuf, Box<dyn FileSink<S>>)| SinkSpec {
            name: path.display().to_string().into(),
            target: Some(Target::file(path)),
            sink: AnySink::File(sink),
        };
        self.spread().iter().map(|(_, spread)| spec(spread(worker))).collect()
    }

    /// Starts the sinks of each worker of this process; none at all if the table has no such sinks.
    pub(super) fn start_spread(&self, started_by: &StartedBy, workers: &Workers, route: Route<'_>) -> Vec<Started<S>> {
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
    pub(super) fn start_gathered(&self, started_by: &StartedBy, asked: &mut Vec<AskedSink>) -> Outlets<S> {
        let specs = self.sinks().take().unwrap_or_default();
        let asks = Arc::default();
        let started = Self::start_sinks(specs, started_by, &[], &|sink| behind(&asks, sink));
        self.gathered(started, asks, started_by, asked)
    }

    /// The same where each worker has its own.
    pub(super) fn start_gathered_spread(
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

fn behind(asks: &Arc<Asks>, sink: Arc<dyn Ask>) -> Arc<dyn Ask> {
    Arc::new(Behind { asks: Arc::clone(asks), sink })
}

/// Has the sequencer hand the commits of a table to a computation, too.
pub(crate) fn add_feeds<S: Schema>(table: &dyn AnyTable, feeds: Feeds<S>) {
    let inner: &Inner<S> = table.as_any().downcast_ref().expect(OWN_TYPE);
    inner.computed.feeds.lock().unwrap_or_else(PoisonError::into_inner).push(feeds);
}
