//! The engine's data about a table: the computations that read it, and its sinks if its commits come out of the
//! dataflow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Collection;
use super::building::{Building, Computation};
use super::export::Exported;
use super::results::{Gather, Gatherable, Logged, Outlets, gather};
use super::sync_requests::{PendingSyncs, ResultsLogged, RoutedSink, ServedSyncs};
use crate::pipeline::any_table::TableRun;
use crate::pipeline::table::TableData;
use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::rows::table::Extensions;
use crate::run::lock::Lock;
use crate::sequencer::journal::Journal;
use crate::sink::attach::{AnySinks, TableSinks};
use crate::sink::outlet::{Progress, SyncTarget};
use crate::sink::spec::SinkSpec;
use crate::sink::start::{self, CheckpointedKind, CheckpointedSink, ResumeTable};

/// The engine's data about a table, stored in the table's [`Extensions`].
#[derive(Default)]
pub(super) struct DataflowTable {
    /// The dataflow makes the commits of the table, because it is the result of a computation, or because several
    /// processes read it in this run.
    is_from_dataflow: AtomicBool,
    computations: Lock<Vec<Arc<dyn Computation>>>,
}

impl DataflowTable {
    pub(super) fn set_from_dataflow(&self) {
        self.is_from_dataflow.store(true, Ordering::Relaxed);
    }

    /// Returns whether all commits of the table come from the sequencer of this process.
    pub(super) fn is_sequenced(&self) -> bool {
        !self.is_from_dataflow.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, computation: &Arc<dyn Computation>) {
        self.computations.lock().push(Arc::clone(computation));
    }

    /// Returns the computations that read the table.
    pub(super) fn computations(&self) -> Vec<Arc<dyn Computation>> {
        self.computations.lock().clone()
    }
}

/// The destinations of the commits that come out of the dataflow.
pub(super) struct GatheredOutlets<S: Schema> {
    /// The outlets of the worker that gathers, until it takes them. `None` in the other processes.
    pub(super) whole: Lock<Option<Outlets<S>>>,
    /// The outlets of each worker, until it takes them.
    pub(super) of_workers: Lock<Vec<Option<Outlets<S>>>>,
    /// Set if sinks receive the whole table, in any process of the run.
    is_gathered: AtomicBool,
}

impl<S: Schema> Default for GatheredOutlets<S> {
    fn default() -> Self {
        GatheredOutlets { whole: Lock::default(), of_workers: Lock::default(), is_gathered: AtomicBool::new(false) }
    }
}

impl<S: Schema> GatheredOutlets<S> {
    /// Starts the sinks of the table that belong to this process, and drops the other sinks.
    pub(super) fn start(&self, table: &Extensions, run: &TableRun<'_>, checkpointed: &mut Vec<CheckpointedSink>) {
        let (sinks, rows) = (table.get::<TableSinks<S>>(), table.get::<TableData<S>>());
        self.is_gathered.store(sinks.kinds().0, Ordering::Relaxed);
        let of_workers = sinks.take_of_workers(run.workers.clone());
        *self.of_workers.lock() =
            of_workers.into_iter().map(|specs| Some(gathered(specs, &[], &rows, run, checkpointed))).collect();
        let whole = sinks.take();
        // The first worker gathers the results.
        if run.workers.start == 0 {
            *self.whole.lock() = Some(gathered(whole, &rows.take_held(), &rows, run, checkpointed));
        }
    }

    /// Ends a table on one worker: passes its rows to the sinks, and to the computations that read `table`. `of_worker`
    /// is the worker whose own sinks receive a row.
    pub(super) fn gather<'scope, R: Gatherable<S>>(
        &self,
        building: &mut Building<'scope>,
        (name, table): (&str, usize),
        rows: Collection<'scope, R>,
        of_worker: Gather,
        is_read: bool,
    ) {
        // A process has one set of outlets for the whole table, which its first worker takes.
        let whole = if building.worker == 0 { self.whole.lock().take() } else { None };
        let outlets = self.of_workers.lock().get_mut(building.worker).and_then(Option::take);
        if outlets.is_some() {
            let (taken, _) = gather(name, rows.clone(), of_worker, outlets, false);
            building.taken.push(taken);
        }
        let (taken, exported) = if self.is_gathered.load(Ordering::Relaxed) {
            gather(name, rows, Gather::First, whole, is_read)
        } else {
            Exported::of(rows.inner, is_read)
        };
        building.taken.push(taken);
        building.derived.extend(exported.map(|exported| (table, exported)));
    }

    /// Drops the outlets that no worker has taken, so that the sinks end.
    pub(super) fn abandon(&self) {
        drop(self.whole.lock().take());
        self.of_workers.lock().clear();
    }
}

fn gathered<S: Schema>(
    specs: Vec<SinkSpec<S>>,
    held: &[Commit<S>],
    rows: &TableData<S>,
    run: &TableRun<'_>,
    checkpointed: &mut Vec<CheckpointedSink>,
) -> Outlets<S> {
    // Each worker has its own pending requests, because one worker may be ahead of another.
    let pending: Arc<PendingSyncs> = Arc::default();
    let route = |sink| -> Arc<dyn SyncTarget> { Arc::new(RoutedSink { pending: Arc::clone(&pending), sink }) };
    let resume = run.state.as_ref().map(|state| ResumeTable { resume: &state.resume, id: &state.id, held });
    let started = start::start(specs, run.control, resume.as_ref(), &route);
    checkpointed.extend(started.checkpointed);
    let results = run.state.as_ref().and_then(|state| state.results.as_ref());
    let logged = results.filter(|_| !started.transactional.is_empty()).map(|(table, sender)| {
        checkpointed.push(CheckpointedSink {
            kind: CheckpointedKind::Output(None),
            target: route(Arc::new(ResultsLogged)),
            progress: Arc::<Progress>::default(),
        });
        Logged { journal: Journal::new(started.transactional), table: *table, results: sender.clone() }
    });
    Outlets {
        outlets: started.outlets,
        logged,
        pool: Arc::clone(&rows.pool),
        durable: run.state.as_ref().and_then(|state| state.resume.checkpoint),
        syncs: ServedSyncs(pending),
    }
}
