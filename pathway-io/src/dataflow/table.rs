//! What a table has to do with computations: those that read it, and the sinks of one whose commits come out of the
//! dataflow.
//!
//! Such sinks are asked by the checkpointer by way of the worker that gathers the commits ([`Asks`]), and where each worker
//! has its own they are made when the run starts, since only then the workers are known.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::dataflow::{Asks, Behind, Computation, Feeds, Later, Outlets, Served};
use crate::persist::AskedSink;
use crate::pipeline::any_table::{AnyTable, StartedBy};
use crate::pipeline::table::{Inner, Started};
use crate::pipeline::workers::Workers;
use crate::rows::commit::Commit;
use crate::rows::encode::RowWriter;
use crate::rows::schema::Schema;
use crate::rows::table::OWN_TYPE;
use crate::sequencer::Keeping;
use crate::sink::file::FileSink;
use crate::sink::{AnySink, Ask, SinkSpec, Target};

/// Makes a worker's own sink, and its path.
pub(crate) type Spread<S> = Box<dyn Fn(usize) -> (PathBuf, Box<dyn FileSink<S>>) + Send>;

/// What a table has to do with computations.
pub(crate) struct Computed<S: Schema> {
    /// It is itself the result of one.
    pub(crate) derived: bool,
    /// Those that read it.
    pub(crate) computations: Mutex<Vec<Arc<dyn Computation>>>,
    /// Sinks of which each worker has one, with the path that they are called by.
    pub(crate) spread: Mutex<Vec<(PathBuf, Spread<S>)>>,
    /// In this run, its commits are made in several processes.
    pub(crate) parted: AtomicBool,
    /// Of a run, until the sequencer has taken them.
    pub(crate) feeds: Mutex<Vec<Feeds<S>>>,
}

/// Where the commits of a derived table go: at the first worker, and at each.
pub(crate) struct Derived<S: Schema> {
    pub(crate) outlets: Option<Outlets<S>>,
    pub(crate) spread: Vec<Option<Outlets<S>>>,
}

impl<S: Schema> Computed<S> {
    pub(crate) fn new(derived: bool) -> Self {
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
    pub(crate) fn spread(&self) -> MutexGuard<'_, Vec<(PathBuf, Spread<S>)>> {
        self.computed.spread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where each worker has sinks of its own: those of each worker of this process.
    pub(crate) fn spread_specs(&self, workers: &Workers) -> Vec<Vec<SinkSpec<S>>> {
        let spread = self.spread();
        if spread.is_empty() {
            return Vec::new();
        }
        let spec = |(path, sink): (PathBuf, Box<dyn FileSink<S>>)| SinkSpec {
            name: path.display().to_string().into(),
            target: Some(Target::file(path)),
            sink: AnySink::File(sink),
        };
        // They are counted among those of all processes.
        let first = workers.process * workers.threads;
        let of_worker = |worker| spread.iter().map(|(_, spread)| spec(spread(worker))).collect();
        (first..first + workers.threads).map(of_worker).collect()
    }

    /// Starts the sinks of a table whose commits come out of the dataflow here.
    pub(crate) fn start_gathered(&self, started_by: &StartedBy, asked: &mut Vec<AskedSink>) -> Outlets<S> {
        let specs = self.sinks().take().unwrap_or_default();
        self.gathered(specs, &self.take_held(), started_by, asked)
    }

    /// The same where each worker has its own.
    pub(crate) fn start_gathered_spread(
        &self,
        started_by: &StartedBy,
        workers: &Workers,
        asked: &mut Vec<AskedSink>,
    ) -> Vec<Option<Outlets<S>>> {
        let specs = self.spread_specs(workers).into_iter();
        specs.map(|specs| Some(self.gathered(specs, &[], started_by, asked))).collect()
    }

    fn gathered(
        &self,
        specs: Vec<SinkSpec<S>>,
        held: &[Commit<S>],
        started_by: &StartedBy,
        asked: &mut Vec<AskedSink>,
    ) -> Outlets<S> {
        // One worker may be ahead of another, and each answers for its own files.
        let asks: Arc<Asks> = Arc::default();
        let behind = |sink| -> Arc<dyn Ask> { Arc::new(Behind { asks: Arc::clone(&asks), sink }) };
        let Started { outlets, later, asked: sinks } = Self::start_sinks(specs, started_by, held, &behind);
        asked.extend(sinks);
        let place = started_by.place.as_ref();
        let later = place.and_then(|place| {
            let table = place.results.filter(|_| !later.is_empty())?;
            asked.push(AskedSink::results(&behind));
            let keeping = Keeping { writer: Arc::new(RowWriter::new::<S>()), later: later.into() };
            Some(Later { keeping, table, results: place.start.results.clone() })
        });
        let durable = place.and_then(|place| place.start.found.as_ref()).map(|found| found.time);
        Outlets { outlets, later, pool: Arc::clone(&self.pool), durable, asks: Served(asks) }
    }

    /// Starts the sinks of a derived table where its commits will come, and drops them elsewhere.
    pub(crate) fn start_derived(
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

/// Has the sequencer hand the commits of a table to a computation, too.
pub(crate) fn add_feeds<S: Schema>(table: &dyn AnyTable, feeds: Feeds<S>) {
    let inner: &Inner<S> = table.as_any().downcast_ref().expect(OWN_TYPE);
    inner.computed.feeds.lock().unwrap_or_else(PoisonError::into_inner).push(feeds);
}
