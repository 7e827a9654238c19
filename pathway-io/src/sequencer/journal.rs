//! What the sequencer hands to the checkpointer.

use std::sync::Arc;

use crate::rows::commit::Commit;
use crate::rows::encode::RowWriter;
use crate::rows::schema::Schema;
use crate::sequencer::Outlet;
use crate::source::intake::Credit;
use crate::source::offset::AnyOffset;

/// What is handed over.
pub(crate) enum Handed {
    Commit(Entry),
    /// A source waits for room in its backlog, which the commits before this may hold.
    Pressed,
}

/// One commit of one source.
pub(crate) struct Entry {
    pub(crate) time: u64,
    pub(crate) source: usize,
    /// The tables that it has changed.
    pub(crate) parts: Vec<Part>,
    /// Computations read one of them, so that derived tables may change.
    pub(crate) computed_on: bool,
    pub(crate) offset: Option<Box<dyn AnyOffset>>,
    /// Lines for the quarantine.
    pub(crate) bad: Vec<u8>,
    /// Held until it is in the log, so that the log is felt where rows are pushed.
    pub(crate) _credit: Arc<Credit>,
}

/// A table of a commit.
pub(crate) struct Part {
    pub(crate) table: usize,
    /// `None` where the log needs none of it.
    pub(crate) durable: Option<Box<dyn Durable>>,
}

/// One commit of a computed table, which a sink is to have once it is durable.
pub(crate) struct Results {
    /// The number of the table in the log.
    pub(crate) table: u32,
    pub(crate) time: u64,
    pub(crate) held: Box<dyn Durable>,
}

/// The updates of one commit in one table, with the row type forgotten.
pub(crate) trait Durable: Send {
    /// Appends them as the log has them.
    fn write(&self, out: &mut Vec<u8>);
    /// Whether there are sinks that wait for it to become durable.
    fn is_awaited(&self) -> bool;
    /// It is durable: those sinks may have it.
    fn hand_over(self: Box<Self>);
}

pub(crate) struct Held<S: Schema> {
    pub(crate) commit: Commit<S>,
    pub(crate) writer: Arc<RowWriter>,
    pub(crate) later: Arc<[Outlet<S>]>,
    pub(crate) receipt: Arc<dyn Send + Sync>,
}

impl<S: Schema> Durable for Held<S> {
    fn write(&self, out: &mut Vec<u8>) {
        self.writer.write_commit(&self.commit, self.is_awaited(), out);
    }

    fn is_awaited(&self) -> bool {
        !self.later.is_empty()
    }

    fn hand_over(self: Box<Self>) {
        for outlet in &*self.later {
            outlet.deliver(&self.commit, &self.receipt);
        }
    }
}

/// A part of the current rows of all tables, as of one moment.
pub(crate) enum Piece {
    Rows {
        source: usize,
        table: usize,
        rows: Vec<u8>,
    },
    /// These were all, as they are after the commit of that time.
    End {
        time: u64,
    },
}
