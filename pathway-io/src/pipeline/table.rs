//! The pipeline's side of a table with its row type: [`TableData`], and the implementation of [`AnyTable`].
//!
//! Sinks and computations are attached to the table before the start. At the start, the table becomes a stage of the
//! sequencer.

use std::sync::Arc;

use super::any_table::{AnyTable, RestoredAs, StartedTable, TableRun};
use crate::rows::batch::Pool;
use crate::rows::commit::Commit;
use crate::rows::description::TableSchema;
use crate::rows::encode;
use crate::rows::schema::Schema;
use crate::rows::table::{Extensions, Table};
use crate::run::error::Result;
use crate::run::lock::Lock;
use crate::sequencer::feed::Feed;
use crate::sequencer::journal::Journal;
use crate::sequencer::multiset::Multiset;
use crate::sequencer::stage::TableStage;
use crate::sequencer::upsert::Upsert;
use crate::sink::attach::AnySinks;
use crate::sink::start::{self, ResumeTable};
use crate::source::intake::pending::AnyPool;

/// The pipeline's data about a table, stored in the table's [`Extensions`].
pub(crate) struct TableData<S: Schema> {
    pub(crate) pool: Arc<Pool<S>>,
    kept: Lock<Kept<S>>,
}

/// The state of a table before the start: the rows that were restored, and the computations that read the table.
struct Kept<S: Schema> {
    upsert: Option<Upsert<S>>,
    /// The count of each row of a table without a key, if the pipeline is persistent and computations read the table.
    multiset: Option<Multiset<S>>,
    /// Commits that a transactional sink may have missed.
    held: Vec<Commit<S>>,
    feeds: Vec<Box<dyn Feed<S>>>,
}

impl<S: Schema> Default for TableData<S> {
    fn default() -> Self {
        let upsert = S::SCHEMA.is_upserted().then(Upsert::default);
        let kept = Kept { upsert, multiset: None, held: Vec::new(), feeds: Vec::new() };
        TableData { pool: Pool::new(), kept: Lock::new(kept) }
    }
}

impl<S: Schema> TableData<S> {
    /// Takes the restored commits that transactional sinks may have missed.
    pub(crate) fn take_held(&self) -> Vec<Commit<S>> {
        std::mem::take(&mut self.kept.lock().held)
    }

    /// Adds a computation to which the sequencer also sends the commits.
    pub(crate) fn add_feed(&self, feed: Box<dyn Feed<S>>) {
        self.kept.lock().feeds.push(feed);
    }

    /// Leaves pushes as they are, because the dataflow turns them into updates.
    pub(crate) fn leave_pushes(&self) {
        self.kept.lock().upsert = None;
    }
}

impl<S: Schema> Table<S> {
    fn table_rows(&self) -> Arc<TableData<S>> {
        self.extensions().get()
    }
}

impl<S: Schema> AnyTable for Table<S> {
    fn schema(&self) -> &'static TableSchema {
        S::SCHEMA
    }

    fn extensions(&self) -> &Arc<Extensions> {
        self.extensions()
    }

    fn pool(&self) -> AnyPool {
        Arc::clone(&self.table_rows().pool) as AnyPool
    }

    fn sinks(&self) -> Arc<dyn AnySinks> {
        self.sinks()
    }

    fn check_sinks(&self) -> Result<()> {
        self.table_rows().pool.set_checks(self.sinks().check()?);
        Ok(())
    }

    fn keep_rows(&self) {
        self.table_rows().kept.lock().multiset.get_or_insert_default();
    }

    fn restore(&self, rows: &[u8], restored: RestoredAs) -> Result<(), String> {
        let table = self.table_rows();
        let pool = &table.pool;
        let batches = encode::read::<S>(rows, pool)?;
        let mut kept = table.kept.lock();
        if restored.state
            && let Some(upsert) = &mut kept.upsert
        {
            let updates = upsert.apply(&batches, pool, false);
            updates.into_iter().flatten().for_each(|batch| pool.put(batch));
        }
        if restored.state
            && let Some(multiset) = &mut kept.multiset
        {
            batches.iter().for_each(|batch| multiset.add(batch));
        }
        match restored.held {
            Some(time) => kept.held.push(Commit::new(time, batches, Arc::clone(pool))),
            None => batches.into_iter().for_each(|batch| pool.put(batch)),
        }
        Ok(())
    }

    fn start(&self, run: &TableRun<'_>) -> StartedTable {
        let (sinks, rows) = (self.sinks(), self.table_rows());
        let held = rows.take_held();
        let resume = |held| run.state.as_ref().map(|state| ResumeTable { resume: &state.resume, id: &state.id, held });
        let started = start::start(sinks.take(), run.control, resume(&held).as_ref(), &|sink| sink);
        let mut checkpointed = started.checkpointed;
        let mut worker_outlets = Vec::new();
        for specs in sinks.take_of_workers(run.workers.clone()) {
            let of_worker = start::start(specs, run.control, resume(&[]).as_ref(), &|sink| sink);
            worker_outlets.push(of_worker.outlets);
            checkpointed.extend(of_worker.checkpointed);
        }
        let mut kept = rows.kept.lock();
        let stage = TableStage {
            upsert: kept.upsert.take(),
            multiset: kept.multiset.take(),
            pool: Arc::clone(&rows.pool),
            outlets: started.outlets,
            worker_outlets,
            journal: run.state.as_ref().map(|_| Journal::new(started.transactional)),
            feeds: std::mem::take(&mut kept.feeds),
        };
        StartedTable { stage: Box::new(stage), sinks: checkpointed }
    }
}
