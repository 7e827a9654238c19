//! The part of the sequencer that serves one table: [`Stage`] turns pushes into updates and passes them on.

use std::any::Any;
use std::sync::Arc;

use super::feed::Feed;
use super::journal::{Journal, Journaled};
use super::multiset::Multiset;
use super::upsert::Upsert;
use crate::rows::batch::{Batch, Batches, Pool};
use crate::rows::commit::Commit;
use crate::rows::encode::Pieces;
use crate::rows::schema::{ColumnsOf, Schema};
use crate::sink::outlet::Outlet;
use crate::source::intake::Credit;

/// A type-erased stage.
pub(crate) trait Stage: Send {
    /// Processes one commit. `batches` is a `Vec<Batch<S>>`, or `None` if the commit has no rows for this table.
    fn sequence(&mut self, batches: Option<Box<dyn Any + Send>>, commit: &StageCommit<'_>) -> Sequenced;

    /// Emits the current rows in the format of the log, in pieces. Emits nothing for a table without state.
    fn snapshot(&self, emit: &mut dyn FnMut(Vec<u8>));

    /// Returns whether computations read the table.
    fn is_computed_on(&self) -> bool;

    /// Returns whether a commit takes time for each of its rows, because the table has state.
    fn has_state(&self) -> bool;

    /// Returns whether a commit calls a sink, instead of sending to its thread.
    fn calls_sinks(&self) -> bool;

    /// Sends the current rows to the computations that read the table, as one commit.
    fn feed_all(&mut self, time: u64);
}

/// A commit, as each of its stages sees it.
pub(crate) struct StageCommit<'a> {
    pub(crate) time: u64,
    /// Whether the rows are the whole table, so that every other row is removed.
    pub(crate) whole: bool,
    /// The worker that owns the partition, for a partitioned source.
    pub(crate) partition: Option<usize>,
    pub(crate) credit: &'a Arc<Credit>,
}

/// The result of a commit for one table.
#[derive(Default)]
pub(crate) struct Sequenced {
    /// Whether the commit changed the table.
    pub(crate) delivered: bool,
    /// The changes for the log, if it stores any for this table.
    pub(crate) journaled: Option<Box<dyn Journaled>>,
}

/// The state of one table, and its sinks.
pub(crate) struct TableStage<S: Schema> {
    /// The current row of each key. It is `None` for a table without a key, for an append-only table, and for a table
    /// whose pushes become updates in the dataflow.
    pub(crate) upsert: Option<Upsert<S>>,
    /// The count of each row of a table without a key, if the pipeline is persistent and computations read the table.
    pub(crate) multiset: Option<Multiset<S>>,
    pub(crate) pool: Arc<Pool<S>>,
    pub(crate) outlets: Vec<Outlet<S>>,
    /// The sinks of each worker, if each worker has its own.
    pub(crate) worker_outlets: Vec<Vec<Outlet<S>>>,
    /// `None` in a pipeline that is not persistent.
    pub(crate) journal: Option<Journal<S>>,
    /// The computations that read the table.
    pub(crate) feeds: Vec<Box<dyn Feed<S>>>,
}

impl<S: Schema> TableStage<S> {
    /// Calls `show` with each row of the state and its count.
    fn for_each(&self, mut show: impl FnMut(&ColumnsOf<S>, usize, i64)) {
        if let Some(upsert) = &self.upsert {
            upsert.for_each(|columns, row| show(columns, row, 1));
        }
        if let Some(multiset) = &self.multiset {
            multiset.for_each(show);
        }
    }
}

impl<S: Schema> Stage for TableStage<S> {
    fn sequence(&mut self, batches: Option<Box<dyn Any + Send>>, of: &StageCommit<'_>) -> Sequenced {
        let batches = match batches.map(<Box<dyn Any + Send>>::downcast::<Vec<Batch<S>>>) {
            None => Vec::new(),
            Some(Ok(batches)) => *batches,
            Some(Err(_)) => unreachable!("the batches have the row type of their table"),
        };
        let batches = match &mut self.upsert {
            None => batches,
            Some(upsert) => match upsert.apply(&batches, &self.pool, of.whole) {
                None => batches,
                Some(updates) => {
                    batches.into_iter().for_each(|batch| self.pool.put(batch));
                    updates
                }
            },
        };
        if batches.is_empty() {
            return Sequenced::default();
        }
        if let Some(multiset) = &mut self.multiset {
            batches.iter().for_each(|batch| multiset.add(batch));
        }
        let commit = Commit::new(of.time, batches, Arc::clone(&self.pool));
        let receipt: Arc<dyn Send + Sync> = Arc::clone(of.credit) as _;
        let of_worker = self.worker_outlets.get(of.partition.unwrap_or(0));
        for outlet in self.outlets.iter().chain(of_worker.into_iter().flatten()) {
            outlet.deliver(&commit, &receipt);
        }
        for feed in &mut self.feeds {
            feed.send(&commit, of.partition);
        }
        let has_state = self.has_state();
        let journal = self.journal.as_ref().filter(|journal| has_state || !journal.transactional.is_empty());
        Sequenced { delivered: true, journaled: journal.map(|journal| journal.record(commit, receipt)) }
    }

    fn snapshot(&self, emit: &mut dyn FnMut(Vec<u8>)) {
        let Some(journal) = &self.journal else { return };
        let mut pieces = Pieces::new(&journal.writer, emit);
        self.for_each(|columns, row, times| pieces.row::<S>(columns, row, times));
        pieces.finish();
    }

    fn is_computed_on(&self) -> bool {
        !self.feeds.is_empty()
    }

    fn has_state(&self) -> bool {
        self.upsert.is_some() || self.multiset.is_some()
    }

    fn calls_sinks(&self) -> bool {
        self.outlets.iter().chain(self.worker_outlets.iter().flatten()).any(Outlet::is_inline)
    }

    fn feed_all(&mut self, time: u64) {
        if self.feeds.is_empty() {
            return;
        }
        let mut rows = Batches::new(Arc::clone(&self.pool));
        self.for_each(|columns, row, times| rows.current().push_from(columns, row, times));
        let rows = rows.finish();
        if !rows.is_empty() {
            let commit = Commit::new(time, rows, Arc::clone(&self.pool));
            self.feeds.iter_mut().for_each(|feed| feed.send(&commit, None));
        }
    }
}
