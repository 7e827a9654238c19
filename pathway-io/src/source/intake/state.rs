//! The state under the mutex of an intake ([`IntakeState`]), and the rules that depend only on this state.

use std::time::Instant;

use super::wakers::Wakers;
use crate::run::error::Closed;
use crate::source::intake::pending::{Amount, Pending};
use crate::source::offset::{Offset, Offsets};

/// The target of a handle: a table, in one attempt of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) table: usize,
    pub(crate) attempt: u32,
}

/// The places at which a source's rows may be cut into commits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Cuts {
    /// Anywhere, until the source sets an offset.
    #[default]
    Anywhere,
    /// Directly after an offset.
    AtOffsets,
    /// Only when `run` has ended. Its rows are the whole table, in one commit.
    AtEnd,
}

/// The counters of a source.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) commits: u64,
    pub(crate) bad_rows: u64,
}

/// The progress of a source, and the level of its backlog.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    pub(crate) counts: Counts,
    /// Rows that wait for their commit.
    pub(crate) pending: Amount,
    /// Rows that the slowest sink has not taken.
    pub(crate) in_flight: Amount,
    /// Rows that were pushed, good and bad.
    pub(crate) offered: u64,
    pub(crate) attempt: u32,
    /// The number of times that a handle of the current attempt has returned `Closed`.
    pub(crate) refusals: u64,
    /// Whether a thread or a task waits for space in the backlog.
    pub(crate) is_waiting: bool,
}

#[derive(Default)]
pub(super) struct IntakeState {
    pub(super) pending: Pending,
    pub(super) offsets: Offsets,
    pub(super) cuts: Cuts,
    pub(super) in_flight: Amount,
    /// The time of the oldest pending row. It is recorded only with autocommit.
    pub(super) first_push: Option<Instant>,
    /// The time of the last cut. It is recorded only for an eager source.
    pub(super) last_cut: Option<Instant>,
    /// Whether the sequencer's timer runs, or the timer's cut waits for credit.
    pub(super) armed: bool,
    /// Whether a cut is due and waits for credit or an offset. The event that ends the wait makes the cut.
    pub(super) cut_due: bool,
    /// Whether the sequencer was notified that the next cut waits for credit.
    pub(super) is_backpressured: bool,
    /// The number of threads that wait for space.
    pub(super) waiting: usize,
    /// The number of transactions that wait for credit. Nothing else is cut before them, so that they do not wait
    /// forever.
    pub(super) transactions_waiting: usize,
    /// The number of transactions that have rows and have not ended.
    pub(super) open: usize,
    /// The number of offsets set. It shows whether the rows of a transaction are older than the last offset.
    pub(super) offsets_set: u64,
    /// The number of transactions that were open when the last offset was set, and whose rows it does not cover yet.
    /// The offset waits for them, and nothing is cut. If one is dropped, or has later rows, the offset waits for the
    /// next offset.
    pub(super) awaited: usize,
    /// The rows that a cut could take before an offset began to wait. They do not wait because of the transaction.
    before_wait: Amount,
    /// The number of the attempt. Handles of an earlier attempt stay closed.
    pub(super) attempt: u32,
    /// Tasks that wait for space, as threads wait for [`Intake::space`](super::Intake).
    pub(super) space: Wakers,
    /// Tasks that wait for something to be closed.
    pub(super) closing: Wakers,
    pub(super) closed: bool,
    /// Whether the current attempt has pushed nothing for too long, and must end.
    pub(super) interrupted: bool,
    pub(super) closed_tables: Vec<bool>,
    /// The number of times that a handle of the current attempt has returned `Closed`. If this number is not 0, an
    /// error of `run` counts as a clean end.
    pub(super) refusals: u64,
    /// The number of rows pushed into each table, good and bad, for the row number in an error.
    pub(super) offered: Vec<u64>,
    pub(super) counts: Counts,
}

impl IntakeState {
    pub(super) fn new(tables: usize, offsets: Offsets, cuts: Cuts) -> Self {
        let (closed_tables, offered) = (vec![false; tables], vec![0; tables]);
        IntakeState { offsets, cuts, closed_tables, offered, ..IntakeState::default() }
    }

    #[inline]
    pub(super) fn is_closed(&self, entry: Entry) -> bool {
        entry.attempt != self.attempt || self.closed || self.interrupted || self.closed_tables[entry.table]
    }

    #[inline]
    pub(super) fn check_open(&mut self, entry: Entry) -> Result<(), Closed> {
        if self.is_closed(entry) {
            return Err(self.refuse(entry));
        }
        Ok(())
    }

    /// Counts a refused push of the current attempt.
    #[cold]
    fn refuse(&mut self, entry: Entry) -> Closed {
        self.refusals += u64::from(entry.attempt == self.attempt);
        Closed
    }

    pub(super) fn check_transaction(&mut self, entry: Entry, transaction: &Pending) -> Result<(), Closed> {
        let mut closed = self.closed_tables.iter().enumerate().filter(|(_, closed)| **closed);
        if self.is_closed(entry) || closed.any(|(closed, _)| transaction.has_rows_of(closed)) {
            return Err(self.refuse(entry));
        }
        Ok(())
    }

    /// Returns whether a transaction waits for an offset that another push brings, or for the end.
    pub(super) fn is_for_later(&self, has_offset: bool) -> bool {
        self.cuts != Cuts::Anywhere && (!has_offset || self.cuts == Cuts::AtEnd)
    }

    /// Returns whether a cut would have rows or an offset.
    #[inline]
    pub(super) fn has_cut(&self) -> bool {
        self.cuts != Cuts::AtEnd
            && !self.offset_waits()
            && (!self.pending.before_tail().is_zero() || self.offsets.is_set())
    }

    /// Returns whether the last offset waits for transactions.
    #[inline]
    pub(super) fn offset_waits(&self) -> bool {
        self.awaited > 0
    }

    /// Returns the rows that no cut can take: those after the last offset, or those that wait for a transaction.
    pub(super) fn blocked(&self) -> Amount {
        if self.offset_waits() { self.pending.load.minus(self.before_wait) } else { self.pending.load }
    }

    /// Returns whether an offset that is set now can be cut.
    pub(super) fn can_end_wait(&self) -> bool {
        !self.offset_waits() || self.open == 0
    }

    /// Prepares for a row without an offset.
    #[inline]
    pub(super) fn begin_tail(&mut self) {
        if self.cuts == Cuts::AtOffsets {
            self.pending.begin_tail();
        }
    }

    #[inline]
    pub(super) fn set_offset<O: Offset>(&mut self, offset: O) {
        if !self.offset_waits() {
            self.before_wait = self.pending.before_tail();
        }
        self.cuts = if self.cuts == Cuts::AtEnd { Cuts::AtEnd } else { Cuts::AtOffsets };
        self.pending.end_tail();
        self.offsets.set(offset);
        self.offsets_set += 1;
        self.awaited = self.open;
    }

    /// Opens a transaction at its first row. Returns the number of offsets that were set before.
    pub(super) fn open_transaction(&mut self) -> u64 {
        self.open += 1;
        self.offsets_set
    }

    /// Adds the rows of a transaction, which has ended. An offset that has waited for it covers them, unless some of
    /// them, or other rows, were pushed after the offset.
    pub(super) fn append_transaction(&mut self, transaction: Pending) {
        let is_older = transaction.offsets_before.is_some_and(|before| before < self.offsets_set);
        if is_older && !self.pending.has_tail() {
            self.awaited = self.awaited.saturating_sub(1);
        } else {
            self.begin_tail();
        }
        if transaction.offsets_before.is_some() {
            self.end_transaction();
        }
        self.pending.append(transaction);
    }

    pub(super) fn end_transaction(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Drops the rows that the source will read again: the rows after the last offset, and the rows of an offset that
    /// waits for a transaction.
    pub(super) fn drop_replayed(&mut self) {
        if std::mem::take(&mut self.awaited) > 0 {
            self.pending = Pending::default();
            self.offsets.unset();
        } else {
            self.pending.drop_tail();
        }
    }
}
