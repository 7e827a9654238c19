//! The exit of results from the dataflow: the operator [`gather`] at the end of a derived table.
//!
//! The updates of all workers are sent to the first worker. They are kept by time until the frontier shows that no more
//! updates of that time can arrive. Then they are consolidated into one commit, which goes to the sinks of the table.
//! The operator holds its output frontier at the oldest commit that a sink has not taken. From this frontier, all
//! processes learn the progress of the sinks.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;
use differential_dataflow::consolidation::consolidate;
use differential_dataflow::{ExchangeData, Hashable};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::{Exchange, ParallelizationContract, Pipeline};
use timely::dataflow::channels::pushers::Tee;
use timely::dataflow::operators::Operator;
use timely::scheduling::SyncActivator;

use super::Collection;
use super::export::{AlsoTo, Exported};
use super::row::ResultRow;
use super::sync_requests::ServedSyncs;
use crate::rows::batch::{Batch, Batches, Pool};
use crate::rows::commit::Commit;
use crate::rows::fields::Columns;
use crate::rows::schema::{KeyOf, Schema, is_key};
use crate::sequencer::journal::{ComputedRecord, Journal};
use crate::sink::outlet::Outlet;

/// The worker that gathers results, numbered over all processes.
const FIRST_WORKER: u64 = 0;

/// A row of `S` in the form in which it leaves the dataflow.
pub(crate) trait Gatherable<S: Schema>: ExchangeData + Hash {
    fn give_to(self, diff: i64, batch: &mut Batch<S>);
}

impl<S: ResultRow> Gatherable<S> for S {
    fn give_to(self, diff: i64, batch: &mut Batch<S>) {
        batch.push_times(self.into_fields(), diff);
    }
}

/// The worker at which results are gathered.
pub(crate) enum Gather {
    /// The first worker.
    First,
    /// The worker that produced the result. All updates that can cancel each other are already there.
    Here,
    /// The worker that the hash of the row selects.
    Each,
}

/// The destinations of the commits of a derived table.
pub(crate) struct Outlets<S: Schema> {
    pub(crate) outlets: Vec<Outlet<S>>,
    pub(crate) logged: Option<Logged<S>>,
    pub(crate) pool: Arc<Pool<S>>,
    /// The last time whose results an earlier run has made durable in the outputs.
    pub(crate) durable: Option<u64>,
    pub(crate) syncs: ServedSyncs,
}

impl<S: Schema> Outlets<S> {
    /// Returns whether the results of a time must be delivered.
    fn want(&self, time: u64) -> bool {
        (!self.outlets.is_empty() || self.logged.is_some()) && self.durable.is_none_or(|durable| time > durable)
    }
}

/// The path to transactional sinks through the checkpointer. They receive a commit only once it is durable.
pub(crate) struct Logged<S: Schema> {
    pub(crate) journal: Journal<S>,
    /// The number of the table in the write-ahead log.
    pub(crate) table: u32,
    pub(crate) results: Sender<ComputedRecord>,
}

impl<S: Schema> Logged<S> {
    fn send(&self, commit: Commit<S>, receipt: Arc<dyn Send + Sync>) {
        let time = commit.time();
        let journaled = self.journal.record(commit, receipt);
        // This fails only if the checkpointer has ended, and the checkpointer has then reported its own error.
        let _ = self.results.send(ComputedRecord { table: self.table, time, journaled });
    }
}

type Updates<S> = Vec<(S, u64, isize)>;

/// Gathers the results of a computation, and exports them if another computation reads them.
///
/// The worker that gathers passes `outlets`. The returned stream is always empty: its frontier is the time before which
/// the sinks have taken all results.
pub(crate) fn gather<'scope, S: Schema, R: Gatherable<S>>(
    name: &str,
    results: Collection<'scope, R>,
    place: Gather,
    outlets: Option<Outlets<S>>,
    is_read: bool,
) -> (Stream<'scope, u64, Vec<()>>, Option<Exported>) {
    let stream = results.inner;
    let (exported, tee) = is_read.then(|| Exported::new(&stream)).unzip();
    let taken = match place {
        Gather::First if stream.scope().peers() > 1 => {
            gather_by(name, stream, Exchange::new(|_: &(R, u64, isize)| FIRST_WORKER), tee, outlets)
        }
        Gather::Each if stream.scope().peers() > 1 => {
            gather_by(name, stream, Exchange::new(|(row, ..): &(R, u64, isize)| row.hashed()), tee, outlets)
        }
        _ => gather_by(name, stream, Pipeline, tee, outlets),
    };
    (taken, exported)
}

fn gather_by<'scope, S: Schema, R: Gatherable<S>>(
    name: &str,
    stream: Stream<'scope, u64, Updates<R>>,
    pact: impl ParallelizationContract<u64, Updates<R>>,
    tee: Option<Tee<u64, Updates<R>>>,
    outlets: Option<Outlets<S>>,
) -> Stream<'scope, u64, Vec<()>> {
    let worker = stream.scope().worker();
    stream.unary_frontier::<timely::container::CapacityContainerBuilder<Vec<()>>, _, _, _>(
        AlsoTo { pact, tee },
        name,
        |capability, info| {
            let activator = worker.sync_activator_for(info.address.to_vec());
            let mut capability = outlets.is_some().then_some(capability);
            let mut gathered = Gathered { waiting: BTreeMap::new(), untaken: VecDeque::new(), outlets, activator };
            move |(input, frontier), _output| {
                input.for_each(|_, updates| gathered.add(updates));
                let frontier = frontier.frontier().first().copied();
                gathered.deliver(frontier);
                if let Some(outlets) = &gathered.outlets {
                    outlets.syncs.0.reach(frontier);
                }
                let held = gathered.untaken().or(frontier);
                match (&mut capability, held) {
                    (Some(capability), Some(held)) => capability.downgrade(&held),
                    (capability, _) => *capability = None,
                }
            }
        },
    )
}

struct Gathered<S: Schema, R> {
    waiting: BTreeMap<u64, Vec<(R, isize)>>,
    /// The delivered commits that may not have been taken: the time, and a flag that is set when all sinks have taken
    /// it.
    untaken: VecDeque<(u64, Arc<AtomicBool>)>,
    outlets: Option<Outlets<S>>,
    activator: SyncActivator,
}

/// A token that is dropped when all sinks have taken a commit.
struct Receipt {
    taken: Arc<AtomicBool>,
    activator: SyncActivator,
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.taken.store(true, Ordering::Release);
        // This fails only if the worker has ended, and then it does not need the news.
        let _ = self.activator.activate();
    }
}

impl<S: Schema, R: Gatherable<S>> Gathered<S, R> {
    fn add(&mut self, updates: &mut Updates<R>) {
        let want = |time| self.outlets.as_ref().is_some_and(|outlets| outlets.want(time));
        let mut updates = updates.drain(..).filter(|(_, time, _)| want(*time)).peekable();
        // Most updates of a batch have the same time, so the map is searched once per run of equal times.
        while let Some((row, time, diff)) = updates.next() {
            let waiting = self.waiting.entry(time).or_default();
            waiting.push((row, diff));
            while let Some((row, _, diff)) = updates.next_if(|(_, other, _)| *other == time) {
                waiting.push((row, diff));
            }
        }
    }

    /// Delivers all times before `frontier`.
    fn deliver(&mut self, frontier: Option<u64>) {
        let Some(Outlets { outlets, logged, pool, .. }) = &self.outlets else { return };
        while let Some(entry) = self.waiting.first_entry()
            && frontier.is_none_or(|frontier| *entry.key() < frontier)
        {
            let (time, mut rows) = entry.remove_entry();
            consolidate(&mut rows);
            if rows.is_empty() {
                continue;
            }
            let commit = Commit::new(time, batches::<S, R>(rows, pool), Arc::clone(pool));
            let taken = Arc::new(AtomicBool::new(false));
            self.untaken.push_back((time, Arc::clone(&taken)));
            let receipt: Arc<dyn Send + Sync> = Arc::new(Receipt { taken, activator: self.activator.clone() });
            for outlet in outlets {
                outlet.deliver(&commit, &receipt);
            }
            if let Some(logged) = logged {
                logged.send(commit, receipt);
            }
        }
    }

    /// Returns the time of the oldest commit that a sink has not taken.
    fn untaken(&mut self) -> Option<u64> {
        while self.untaken.front().is_some_and(|(_, taken)| taken.load(Ordering::Acquire)) {
            self.untaken.pop_front();
        }
        self.untaken.front().map(|(time, _)| *time)
    }
}

/// Builds the batches of a commit. Keeps the order of `rows`, except that updates of the same key become adjacent,
/// retractions first.
fn batches<S: Schema, R: Gatherable<S>>(rows: Vec<(R, isize)>, pool: &Arc<Pool<S>>) -> Vec<Batch<S>> {
    let mut batches = Batches::new(Arc::clone(pool));
    if !S::SCHEMA.has_key() || rows.iter().all(|(_, diff)| *diff > 0) {
        for (row, diff) in rows {
            row.give_to(diff as i64, batches.current());
        }
        return batches.finish();
    }
    let mut all = Batch::<S>::default();
    let mut order: Vec<(usize, bool, usize)> = Vec::with_capacity(rows.len());
    let (hasher, mut keys) = (RandomState::default(), HashTable::<usize>::new());
    for (at, (row, diff)) in rows.into_iter().enumerate() {
        row.give_to(diff as i64, &mut all);
        let columns = &all.columns;
        let hash = |at: usize| hasher.hash_one(KeyOf::<S> { columns, row: at });
        let same = |&other: &usize| columns.key_equal(at, columns, other, is_key::<S>, 0);
        let first = *keys.entry(hash(at), same, |&other| hash(other)).or_insert(at).get();
        order.push((first, diff > 0, at));
    }
    order.sort_unstable();
    for (_, _, at) in order {
        batches.current().push_from(&all.columns, at, all.diff(at));
    }
    batches.finish()
}
