//! A table as the sequencer has it: [`Stage`], which turns pushes into updates and passes them on.

use std::any::Any;
use std::sync::Arc;

use super::feed::Feed;
use super::journal::{Journal, Journaled};
use super::multiset::Multiset;
use super::upsert::Upsert;
use crate::rows::batch::{Batch, Batches, Pool};
use crate::rows::commit::Commit;
use crate::rows::encode::Pieces;
use crate::rows::fields::ColumnsOf;
use crate::rows::schema::Schema;
use crate::sink::outlet::Outlet;
use crate::source::intake::Credit;

/// A table as the sequencer has it, with the row type erased.
pub(crate) trait Stage: Send {
    /// Takes a `Vec<Batch<S>>`, or nothing.
    fn sequence(&mut self, batches: Option<Box<dyn Any + Send>>, commit: &StageCommit<'_>) -> Sequenced;

    /// Emits the current rows, in pieces as the log has them; nothing for a table without state.
    fn snapshot(&self, emit: &mut dyn FnMut(Vec<u8>));

    /// Whether computations read the table.
    fn is_computed_on(&self) -> bool;

    /// Sends the current rows to the computations that read the table, as one commit.
    fn feed_all(&mut self, time: u64);
}

/// The commit that a stage takes part in.
pub(crate) struct StageCommit<'a> {
    pub(crate) time: u64,
    /// The rows are the whole table: a row that is not among them is removed.
    pub(crate) whole: bool,
    /// The worker whose part of a partitioned source they are.
    pub(crate) partition: Option<usize>,
    pub(crate) credit: &'a Arc<Credit>,
}

/// What has become of the rows of a commit in one table.
#[derive(Default)]
pub(crate) struct Sequenced {
    /// There was something to deliver.
    pub(crate) delivered: bool,
    /// What the log needs of it.
    pub(crate) journaled: Option<Box<dyn Journaled>>,
}

/// The state of one table, and its sinks.
pub(crate) struct TableStage<S: Schema> {
    /// The current row of each key; `None` for a table without a key, for one that is only appended to, and for one whose
    /// pushes become updates in the dataflow.
    pub(crate) upsert: Option<Upsert<S>>,
    /// All rows of a table without a key, if computations read it and the pipeline is persistent.
    pub(crate) multiset: Option<Multiset<S>>,
    pub(crate) pool: Arc<Pool<S>>,
    pub(crate) outlets: Vec<Outlet<S>>,
    /// The sinks of each worker, if each has its own.
    pub(crate) worker_outlets: Vec<Vec<Outlet<S>>>,
    /// `None` in a pipeline that is not persistent.
    pub(crate) journal: Option<Journal<S>>,
    /// The computations that read the table.
    pub(crate) feeds: Vec<Box<dyn Feed<S>>>,
}

impl<S: Schema> TableStage<S> {
    /// Shows the rows that are kept, and how often each is there.
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
            Some(Err(_)) => unreachable!("a table's index stands for its own row type"),
        };
        let batches = match &mut self.upsert {
            None => batches,
            Some(upsert) => {
                let updates = upsert.apply(&batches, &self.pool, of.whole);
                for batch in batches {
                    self.pool.put(batch);
                }
                updates
            }
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
        let has_state = self.upsert.is_some() || self.multiset.is_some();
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

    fn feed_all(&mut self, time: u64) {
        if self.feeds.is_empty() {
            return;
        }
        let mut rows = Batches::new(Arc::clone(&self.pool));
        self.for_each(|columns, row, times| rows.current().push_from(columns, row, times));
        let rows = rows.take();
        if !rows.is_empty() {
            let commit = Commit::new(time, rows, Arc::clone(&self.pool));
            self.feeds.iter_mut().for_each(|feed| feed.send(&commit, None));
        }
    }
}
