//! What the checkpointer of a persistent pipeline is sent. The channel is the seam: the sequencer knows nothing of logs.

use std::sync::Arc;

use crate::rows::commit::Commit;
use crate::rows::encode::RowWriter;
use crate::rows::schema::Schema;
use crate::sink::outlet::Outlet;
use crate::source::intake::Credit;
use crate::source::offset::AnyOffset;

/// A message to the checkpointer.
pub(crate) enum CheckpointMessage {
    Commit(CommitRecord),
    /// A source waits for room in its backlog, which the commits before this message may hold.
    Pressed,
}

/// One commit of one source.
pub(crate) struct CommitRecord {
    pub(crate) time: u64,
    pub(crate) source: usize,
    /// The tables that it changed.
    pub(crate) tables: Vec<TableRecord>,
    /// A computation reads one of them, so that derived tables may change.
    pub(crate) computed_on: bool,
    pub(crate) offset: Option<Box<dyn AnyOffset>>,
    /// Lines for the quarantine file.
    pub(crate) bad: Vec<u8>,
    /// Held until the commit is in the log, so that a slow log is felt where rows are pushed.
    pub(crate) _credit: Arc<Credit>,
}

/// A table of a commit.
pub(crate) struct TableRecord {
    pub(crate) table: usize,
    /// `None` if the log needs nothing of it.
    pub(crate) journaled: Option<Box<dyn Journaled>>,
}

/// One commit of a computed table that a transactional sink receives once it is durable.
pub(crate) struct ComputedRecord {
    /// The number of the table in the log.
    pub(crate) table: u32,
    pub(crate) time: u64,
    pub(crate) journaled: Box<dyn Journaled>,
}

/// What a table has in a persistent pipeline.
pub(crate) struct Journal<S: Schema> {
    pub(crate) writer: Arc<RowWriter>,
    /// The transactional sinks, which receive a commit only once it is durable.
    pub(crate) transactional: Arc<[Outlet<S>]>,
}

impl<S: Schema> Journal<S> {
    pub(crate) fn new(transactional: Vec<Outlet<S>>) -> Self {
        Journal { writer: Arc::new(RowWriter::new::<S>()), transactional: transactional.into() }
    }

    /// Makes a commit ready for the log; `receipt` is held until the transactional sinks have taken it.
    pub(crate) fn record(&self, commit: Commit<S>, receipt: Arc<dyn Send + Sync>) -> Box<dyn Journaled> {
        Box::new(JournaledCommit {
            commit,
            writer: Arc::clone(&self.writer),
            transactional: Arc::clone(&self.transactional),
            receipt,
        })
    }
}

/// The updates of one commit in one table, with the row type erased.
pub(crate) trait Journaled: Send {
    /// Appends them in the form of the log.
    fn write(&self, out: &mut Vec<u8>);
    /// Whether transactional sinks wait for it to become durable.
    fn is_awaited(&self) -> bool;
    /// Delivers it to the transactional sinks: it is durable.
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

/// A part of the current rows of all tables, as of one moment.
pub(crate) enum SnapshotPiece {
    Rows {
        source: usize,
        table: usize,
        rows: Vec<u8>,
    },
    /// The pieces before it were all, as of the commit of that time.
    End {
        time: u64,
    },
}
