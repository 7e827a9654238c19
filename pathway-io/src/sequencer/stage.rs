//! A table as the sequencer has it: [`Stage`], which makes updates of pushes and hands them on.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;

#[cfg(feature = "dataflow")]
use crate::rows::batch::Batches;
use crate::rows::batch::{Batch, Pool};
use crate::rows::commit::Commit;
use crate::rows::encode::{Pieces, RowWriter};
use crate::rows::fields::ColumnsOf;
use crate::rows::schema::Schema;
use crate::sequencer::journal::{Durable, Held};
use crate::sequencer::multiset::Tally;
use crate::sequencer::upsert::Upsert;
use crate::sink::{Delivery, Progress, Told};
use crate::source::intake::Credit;

/// A table as the sequencer has it, with the row type forgotten.
pub(crate) trait Stage: Send {
    /// Takes a `Vec<Batch<S>>`, or nothing. If it is the `whole` table, what is not in it is removed.
    fn sequence(
        &mut self,
        time: u64,
        batches: Option<Box<dyn Any + Send>>,
        whole: bool,
        credit: &Arc<Credit>,
    ) -> Sequenced;

    /// Gives the current rows, in pieces as the log has them; nothing for a table without state.
    fn snapshot(&self, give: &mut dyn FnMut(Vec<u8>));

    /// The next commit is of the part that this worker reads, and stays with it.
    fn belong_to(&mut self, worker: usize);

    /// Whether computations read it.
    #[cfg(feature = "dataflow")]
    fn is_computed_on(&self) -> bool;

    /// Hands the rows that it has to the computations that read it, as one commit.
    #[cfg(feature = "dataflow")]
    fn feed_all(&mut self, time: u64);
}

/// What has become of the rows of a commit in one table.
#[derive(Default)]
pub(crate) struct Sequenced {
    /// There was something to deliver.
    pub(crate) delivered: bool,
    /// What the log wants of it.
    pub(crate) durable: Option<Box<dyn Durable>>,
}

/// The stage of a table that several parts of a source feed.
#[derive(Clone)]
pub(crate) struct SharedStage {
    /// Only the sequencer's thread ever takes it.
    stage: Arc<Mutex<Box<dyn Stage>>>,
    worker: usize,
}

impl SharedStage {
    pub(crate) fn new(stage: Box<dyn Stage>) -> Self {
        SharedStage { stage: Arc::new(Mutex::new(stage)), worker: 0 }
    }

    /// The same for the part that this worker reads.
    pub(crate) fn of_worker(&self, worker: usize) -> Self {
        SharedStage { stage: Arc::clone(&self.stage), worker }
    }

    fn lock(&self) -> MutexGuard<'_, Box<dyn Stage>> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stage for SharedStage {
    fn sequence(
        &mut self,
        time: u64,
        batches: Option<Box<dyn Any + Send>>,
        whole: bool,
        credit: &Arc<Credit>,
    ) -> Sequenced {
        let mut stage = self.lock();
        stage.belong_to(self.worker);
        stage.sequence(time, batches, whole, credit)
    }

    fn snapshot(&self, give: &mut dyn FnMut(Vec<u8>)) {
        self.lock().snapshot(give);
    }

    fn belong_to(&mut self, worker: usize) {
        self.worker = worker;
    }

    #[cfg(feature = "dataflow")]
    fn is_computed_on(&self) -> bool {
        self.lock().is_computed_on()
    }

    #[cfg(feature = "dataflow")]
    fn feed_all(&mut self, time: u64) {
        self.lock().feed_all(time);
    }
}

/// The end of a sink's channel that the sequencer writes to.
pub(crate) struct Outlet<S: Schema> {
    pub(crate) told: Sender<Told<S>>,
    pub(crate) progress: Arc<Progress>,
}

impl<S: Schema> Outlet<S> {
    pub(crate) fn deliver(&self, commit: &Commit<S>, receipt: &Arc<dyn Send + Sync>) {
        self.progress.queued(commit.len());
        // A sink that has failed or ended has dropped its receiver: it is no longer served.
        let _ = self.told.send(Told::Commit(Delivery { commit: commit.clone(), _receipt: Arc::clone(receipt) }));
    }
}

/// What a table has in a persistent pipeline.
pub(crate) struct Keeping<S: Schema> {
    pub(crate) writer: Arc<RowWriter>,
    /// The sinks that are handed a commit only once it is durable.
    pub(crate) later: Arc<[Outlet<S>]>,
}

/// The state of one table, and its sinks.
pub(crate) struct TableStage<S: Schema> {
    /// The current row of each key; `None` for a table without one, or one that is only appended to.
    pub(crate) upsert: Option<Upsert<S>>,
    /// All rows of such a table, where computations read it and the pipeline is persistent.
    pub(crate) tally: Option<Tally<S>>,
    pub(crate) pool: Arc<Pool<S>>,
    pub(crate) outlets: Vec<Outlet<S>>,
    /// `None` in a pipeline that is not persistent.
    pub(crate) keeping: Option<Keeping<S>>,
    /// The computations that read the table.
    #[cfg(feature = "dataflow")]
    pub(crate) feeds: Vec<crate::dataflow::Feeds<S>>,
    /// The sinks of each worker, where each has its own.
    #[cfg(feature = "dataflow")]
    pub(crate) spread: Vec<Vec<Outlet<S>>>,
    /// The worker whose part of the source the commit is of.
    #[cfg(feature = "dataflow")]
    pub(crate) worker: usize,
    /// What the pushes make of the table is found in the dataflow.
    #[cfg(feature = "dataflow")]
    pub(crate) is_parted: bool,
}

impl<S: Schema> TableStage<S> {
    /// Shows the rows that are kept, and how often each is there.
    fn for_each(&self, mut show: impl FnMut(&ColumnsOf<S>, usize, i64)) {
        if let Some(upsert) = &self.upsert {
            upsert.for_each(|columns, row| show(columns, row, 1));
        }
        if let Some(tally) = &self.tally {
            tally.for_each(show);
        }
    }
}

impl<S: Schema> Stage for TableStage<S> {
    fn sequence(
        &mut self,
        time: u64,
        batches: Option<Box<dyn Any + Send>>,
        whole: bool,
        credit: &Arc<Credit>,
    ) -> Sequenced {
        let batches = match batches.map(<Box<dyn Any + Send>>::downcast::<Vec<Batch<S>>>) {
            None => Vec::new(),
            Some(Ok(batches)) => *batches,
            Some(Err(_)) => unreachable!("a table's index stands for its own row type"),
        };
        #[cfg(feature = "dataflow")]
        let upsert = self.upsert.as_mut().filter(|_| !self.is_parted);
        #[cfg(not(feature = "dataflow"))]
        let upsert = self.upsert.as_mut();
        let batches = match upsert {
            None => batches,
            Some(upsert) => {
                let updates = upsert.apply(&batches, &self.pool, whole);
                for batch in batches {
                    self.pool.put(batch);
                }
                updates
            }
        };
        if batches.is_empty() {
            return Sequenced::default();
        }
        if let Some(tally) = &mut self.tally {
            batches.iter().for_each(|batch| tally.add(batch));
        }
        let commit = Commit::new(time, batches, Arc::clone(&self.pool));
        let receipt: Arc<dyn Send + Sync> = Arc::clone(credit) as _;
        let outlets = self.outlets.iter();
        #[cfg(feature = "dataflow")]
        let outlets = outlets.chain(self.spread.get(self.worker).filter(|_| !self.is_parted).into_iter().flatten());
        for outlet in outlets {
            outlet.deliver(&commit, &receipt);
        }
        #[cfg(feature = "dataflow")]
        for feeds in &mut self.feeds {
            feeds.send(&commit);
        }
        let has_state = self.upsert.is_some() || self.tally.is_some();
        let kept = self.keeping.as_ref().filter(|keeping| has_state || !keeping.later.is_empty());
        let durable = kept.map(|keeping| -> Box<dyn Durable> {
            Box::new(Held { commit, writer: Arc::clone(&keeping.writer), later: Arc::clone(&keeping.later), receipt })
        });
        Sequenced { delivered: true, durable }
    }

    fn snapshot(&self, give: &mut dyn FnMut(Vec<u8>)) {
        let Some(keeping) = &self.keeping else { return };
        let mut pieces = Pieces::new(&keeping.writer, give);
        self.for_each(|columns, row, times| pieces.row::<S>(columns, row, times));
        pieces.finish();
    }

    #[cfg_attr(not(feature = "dataflow"), expect(unused_variables, reason = "nothing feeds on it"))]
    fn belong_to(&mut self, worker: usize) {
        #[cfg(feature = "dataflow")]
        (self.worker = worker);
        #[cfg(feature = "dataflow")]
        self.feeds.iter_mut().for_each(|feeds| feeds.belong_to(worker));
    }

    #[cfg(feature = "dataflow")]
    fn is_computed_on(&self) -> bool {
        !self.feeds.is_empty()
    }

    #[cfg(feature = "dataflow")]
    fn feed_all(&mut self, time: u64) {
        if self.feeds.is_empty() {
            return;
        }
        let mut rows = Batches::new(Arc::clone(&self.pool));
        self.for_each(|columns, row, times| rows.current().push_from(columns, row, times));
        let rows = rows.take();
        if !rows.is_empty() {
            let commit = Commit::new(time, rows, Arc::clone(&self.pool));
            self.feeds.iter_mut().for_each(|feeds| feeds.send(&commit));
        }
    }
}
