//! What a table is behind its handles: [`Inner`], by its row type.
//!
//! While a pipeline is laid out it gathers sinks. When the pipeline is started they are started too, and what the table
//! is in the run is made of it: a stage of the sequencer, or, of a derived table, the end of a dataflow.

use std::any::Any;
use std::path::PathBuf;
#[cfg(feature = "dataflow")]
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::any_table::{AnyTable, Place, Restoring, StartedBy, StartedTable};
#[cfg(feature = "dataflow")]
use crate::dataflow::table::Computed;
#[cfg(feature = "dataflow")]
use crate::dataflow::{Computation, Feeds, Parted, PartedTable};
use crate::persist::{self, AskedKind, AskedSink};
use crate::pipeline::workers::Workers;
use crate::rows::batch::Pool;
use crate::rows::commit::Commit;
use crate::rows::encode::{self, RowWriter};
use crate::rows::schema::{Schema, TableSchema};
use crate::sequencer::multiset::Tally;
use crate::sequencer::upsert::{self, Upsert};
use crate::sequencer::{Keeping, Outlet, TableStage};
use crate::sink::{AnySink, Ask, SinkSpec, Target, thread};
use crate::source::intake::pending::AnyPool;

pub(crate) struct Inner<S: Schema> {
    #[cfg(feature = "dataflow")]
    name: Arc<str>,
    pub(crate) pool: Arc<Pool<S>>,
    /// What a state directory has of it.
    restored: Mutex<Restored<S>>,
    /// `None` once the pipeline has been started.
    sinks: Mutex<Option<Vec<SinkSpec<S>>>>,
    #[cfg(feature = "dataflow")]
    pub(crate) computed: Computed<S>,
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
pub(crate) struct Started<S: Schema> {
    pub(crate) outlets: Vec<Outlet<S>>,
    /// Those that are handed a commit only once it is durable.
    pub(crate) later: Vec<Outlet<S>>,
    pub(crate) asked: Vec<AskedSink>,
}

/// Which way a sink is asked by the checkpointer.
pub(crate) type Route<'a> = &'a dyn Fn(Arc<dyn Ask>) -> Arc<dyn Ask>;

impl<S: Schema> Inner<S> {
    #[cfg_attr(not(feature = "dataflow"), expect(unused_variables, reason = "no table is derived"))]
    pub(crate) fn new(name: &Arc<str>, derived: bool) -> Self {
        let upsert = upsert::applies::<S>().then(Upsert::default);
        Inner {
            #[cfg(feature = "dataflow")]
            name: Arc::clone(name),
            pool: Pool::new(),
            restored: Mutex::new(Restored { upsert, tally: None, held: Vec::new() }),
            sinks: Mutex::new(Some(Vec::new())),
            #[cfg(feature = "dataflow")]
            computed: Computed::new(derived),
        }
    }

    /// Commits that its sinks may miss.
    #[cfg(feature = "dataflow")]
    pub(crate) fn take_held(&self) -> Vec<Commit<S>> {
        std::mem::take(&mut self.restored().held)
    }

    fn restored(&self) -> MutexGuard<'_, Restored<S>> {
        self.restored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sinks(&self) -> MutexGuard<'_, Option<Vec<SinkSpec<S>>>> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts sinks. In a persistent pipeline, those that keep their own time may miss what is `held`.
    pub(crate) fn start_sinks(
        specs: Vec<SinkSpec<S>>,
        started_by: &StartedBy,
        held: &[Commit<S>],
        route: Route<'_>,
    ) -> Started<S> {
        let mut started = Started { outlets: Vec::new(), later: Vec::new(), asked: Vec::new() };
        for mut spec in specs {
            let Some(Place { start, id, .. }) = &started_by.place else {
                started.outlets.push(thread::spawn(spec, thread::Part::None, &started_by.control));
                continue;
            };
            let path = spec.target.as_ref().map(|target| target.path.display().to_string());
            if let (Some(path), Some(file)) = (path, spec.sink.file()) {
                file.persist(start.persisted(&path));
                let outlet = thread::spawn(spec, thread::Part::File, &started_by.control);
                started.asked.push(AskedSink::new(AskedKind::File { path }, &outlet, route));
                started.outlets.push(outlet);
            } else if spec.sink.is_transactional() {
                let id = persist::sink_id(id, started.later.len());
                let known = start.sink_time(&id);
                let part = thread::Part::KeepsTime { checkpoint: start.time(), known, held: held.to_vec() };
                let outlet = thread::spawn(spec, part, &started_by.control);
                // Whatever it was handed was durable, and came from the checkpointer itself.
                started.asked.push(AskedSink::new(AskedKind::Timed { id }, &outlet, &|sink| sink));
                started.later.push(outlet);
            } else {
                let outlet = thread::spawn(spec, thread::Part::None, &started_by.control);
                started.asked.push(AskedSink::new(AskedKind::Plain, &outlet, route));
                started.outlets.push(outlet);
            }
        }
        started
    }
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
        #[cfg(feature = "dataflow")]
        let targets =
            targets.into_iter().chain(self.spread().iter().map(|(path, _)| Target::file(path.clone()))).collect();
        targets
    }

    #[cfg_attr(not(feature = "dataflow"), expect(unused_variables, reason = "no sink is a worker's own"))]
    fn files(&self, workers: &Workers) -> Vec<PathBuf> {
        let path = |spec: &SinkSpec<S>| match spec.sink {
            AnySink::File(_) => Some(spec.target.as_ref()?.path.clone()),
            AnySink::Plain(_) => None,
        };
        let files: Vec<PathBuf> = self.sinks().iter().flatten().filter_map(path).collect();
        #[cfg(feature = "dataflow")]
        let files = files.into_iter().chain(self.spread_specs(workers).iter().flatten().filter_map(path)).collect();
        files
    }

    fn keep_rows(&self) -> bool {
        #[cfg(feature = "dataflow")]
        if !upsert::applies::<S>() && !self.computations().is_empty() {
            self.restored().tally.get_or_insert_default();
            return true;
        }
        false
    }

    fn timed_sinks(&self) -> Vec<Arc<str>> {
        let sinks = self.sinks();
        let timed = sinks.iter().flatten().filter(|spec| spec.sink.is_transactional());
        timed.map(|spec| Arc::clone(&spec.name)).collect()
    }

    fn restore(&self, rows: &[u8], restoring: Restoring) -> Result<(), String> {
        let batches = encode::read::<S>(rows, &self.pool)?;
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

    #[cfg_attr(not(feature = "dataflow"), expect(unused_variables, reason = "no sink is a worker's own"))]
    fn start(&self, started_by: &StartedBy, workers: &Workers) -> StartedTable {
        let specs = self.sinks().take().unwrap_or_default();
        let mut restored = self.restored();
        let held = std::mem::take(&mut restored.held);
        let directly: Route<'_> = &|sink| sink;
        let started = Self::start_sinks(specs, started_by, &held, directly);
        let sinks = started.asked;
        #[cfg(feature = "dataflow")]
        let (spread, sinks) = {
            let (mut spread, mut sinks) = (Vec::new(), sinks);
            // In parts they are behind the dataflow, and started already.
            let specs = if self.is_parted() { Vec::new() } else { self.spread_specs(workers) };
            for specs in specs {
                let of_worker = Self::start_sinks(specs, started_by, &[], directly);
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
            #[cfg(feature = "dataflow")]
            feeds: std::mem::take(&mut *self.computed.feeds.lock().unwrap_or_else(PoisonError::into_inner)),
            #[cfg(feature = "dataflow")]
            spread,
            #[cfg(feature = "dataflow")]
            worker: 0,
            #[cfg(feature = "dataflow")]
            is_parted: self.computed.parted.load(Ordering::Relaxed),
        };
        StartedTable { stage: Box::new(stage), sinks }
    }

    #[cfg(feature = "dataflow")]
    fn is_derived(&self) -> bool {
        self.computed.derived
    }

    #[cfg(feature = "dataflow")]
    fn comes_here(&self) -> bool {
        self.sinks().is_some()
    }

    #[cfg(feature = "dataflow")]
    fn is_parted(&self) -> bool {
        self.computed.parted.load(Ordering::Relaxed)
    }

    #[cfg(feature = "dataflow")]
    fn has_sinks(&self) -> (bool, bool) {
        (self.sinks().as_ref().is_some_and(|sinks| !sinks.is_empty()), !self.spread().is_empty())
    }

    #[cfg(feature = "dataflow")]
    fn make_parted(&self, started_by: &StartedBy, identity: usize, workers: &Workers) -> Arc<dyn Parted> {
        self.computed.parted.store(true, Ordering::Relaxed);
        let (feeds, queues) = Feeds::new(workers.threads);
        self.computed.feeds.lock().unwrap_or_else(PoisonError::into_inner).push(feeds);
        let (has_sinks, _) = self.has_sinks();
        // In several processes nothing is persistent, and nobody asks.
        let asked = &mut Vec::new();
        let spread = self.start_gathered_spread(started_by, workers, asked);
        let outlets = if workers.process == 0 {
            Some(self.start_gathered(started_by, asked))
        } else {
            let sinks = self.sinks().replace(Vec::new());
            // Outside the lock: they are the user's code.
            drop(sinks);
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

    #[cfg(feature = "dataflow")]
    fn leave_to_others(&self) {
        let sinks = (self.sinks().take(), std::mem::take(&mut *self.spread()));
        // Outside the lock: they are the user's code.
        drop(sinks);
    }

    #[cfg(feature = "dataflow")]
    fn add_computation(&self, computation: &Arc<dyn Computation>) {
        assert!(self.sinks().is_some(), "`{}` is computed before its pipeline is started", computation.name());
        let mut computations = self.computed.computations.lock().unwrap_or_else(PoisonError::into_inner);
        computations.push(Arc::clone(computation));
    }

    #[cfg(feature = "dataflow")]
    fn computations(&self) -> Vec<Arc<dyn Computation>> {
        self.computed.computations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
