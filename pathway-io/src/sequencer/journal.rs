//! Messages to the checkpointer of a persistent pipeline. The sequencer knows only these types, not the write-ahead
//! log.

use std::sync::Arc;

use crate::rows::commit::Commit;
use crate::rows::row_writer::RowWriter;
use crate::rows::schema::Schema;
use crate::sink::outlet::Outlet;
use crate::source::intake::Credit;
use crate::source::offset::SealedOffset;

pub(crate) enum CheckpointMessage {
    Commit(CommitRecord),
    /// A source waits for space in its backlog. The commits before this message may occupy that space until they are
    /// durable.
    Backpressured,
}

/// One commit of one source.
pub(crate) struct CommitRecord {
    pub(crate) time: u64,
    pub(crate) source: usize,
    /// The tables that the commit changed.
    pub(crate) tables: Vec<TableRecord>,
    /// Whether a computation reads one of the tables, so that derived tables may change.
    pub(crate) computed_on: bool,
    pub(crate) offset: Option<SealedOffset>,
    /// Lines for the quarantine file.
    pub(crate) bad: Vec<u8>,
    /// The credit, held until the commit is in the log, so that a slow log slows down the source that pushes.
    pub(crate) _credit: Arc<Credit>,
}

/// The changes of a commit to one table.
pub(crate) struct TableRecord {
    pub(crate) table: usize,
    /// `None` if the log stores nothing for this table.
    pub(crate) journaled: Option<Box<dyn Journaled>>,
}

/// A commit of a derived table that a transactional sink receives once the commit is durable.
pub(crate) struct ComputedRecord {
    /// The number of the table in the log.
    pub(crate) table: u32,
    pub(crate) time: u64,
    pub(crate) journaled: Box<dyn Journaled>,
}

/// The part of persistence that belongs to one table.
pub(crate) struct Journal<S: Schema> {
    pub(crate) writer: Arc<RowWriter>,
    /// The transactional sinks, which receive a commit only once it is durable.
    pub(crate) transactional: Arc<[Outlet<S>]>,
}

impl<S: Schema> Journal<S> {
    pub(crate) fn new(transactional: Vec<Outlet<S>>) -> Self {
        Journal { writer: Arc::new(RowWriter::new::<S>()), transactional: transactional.into() }
    }

    /// Prepares a commit for the log. `receipt` is held until the transactional sinks have taken the commit.
    pub(crate) fn record(&self, commit: Commit<S>, receipt: Arc<dyn Send + Sync>) -> Box<dyn Journaled> {
        Box::new(JournaledCommit {
            commit,
            writer: Arc::clone(&self.writer),
            transactional: Arc::clone(&self.transactional),
            receipt,
        })
    }
}

/// The type-erased updates of one commit in one table.
pub(crate) trait Journaled: Send {
    /// Appends the updates in the format of the log.
    fn write(&self, out: &mut Vec<u8>);
    /// Returns whether a transactional sink receives the commit once it is durable.
    fn is_awaited(&self) -> bool;
    /// Delivers the commit to the transactional sinks. It must be durable.
    fn deliver(self: Box<Self>);
}

struct JournaledCommit<S: Schema> {
    commit: Commit<S>,
    writer: Arc<RowWriter>,
    transactional: Arc<[Outlet<S>]>,
    receipt: Arc<dyn Send + Sync>,
}

impl<S: Schema> Journaled for JournaledCommit<S> {
    fn write(&self, out: &mut Vec<u8>) {
        self.writer.write_commit(&self.commit, self.is_awaited(), out);
    }

    fn is_awaited(&self) -> bool {
        !self.transactional.is_empty()
    }

    fn deliver(self: Box<Self>) {
        for outlet in &*self.transactional {
            outlet.deliver(&self.commit, &self.receipt);
        }
    }
}

/// A piece of a snapshot of all tables at one time.
pub(crate) enum SnapshotPiece {
    Rows {
        source: usize,
        table: usize,
        rows: Vec<u8>,
    },
    /// Ends the snapshot. It contains all commits up to this time.
    End {
        time: u64,
    },
}
