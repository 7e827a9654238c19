//! The commit of a transaction, for threads and for tasks.

use std::sync::Arc;
use std::task::Poll;

use super::cut::Serving;
use super::state::{Entry, IntakeState};
use super::{Intake, Push, Refused};
use crate::run::error::Closed;
use crate::run::sync::MutexGuard;
use crate::source::intake::pending::Pending;
use crate::source::offset::Offset;

impl Intake {
    /// Opens a transaction at its first row. From now on, an offset that is set waits for its end.
    pub(crate) fn open_transaction(&self, entry: Entry) -> Result<u64, Closed> {
        let mut state = self.lock();
        state.check_open(entry)?;
        Ok(state.open_transaction())
    }

    /// Ends an open transaction without a commit. An offset that has waited for it now waits for the next offset,
    /// because the source may be about to fail, and would not read these rows again.
    pub(crate) fn drop_transaction(&self, entry: Entry) {
        let mut state = self.lock();
        if entry.attempt == state.attempt {
            state.end_transaction();
        }
    }

    /// Returns whether an offset waits for the end of a transaction.
    pub(crate) fn waits_for_transaction(&self) -> bool {
        self.lock().offset_waits()
    }

    /// Commits everything pushed so far and then the rows of `transaction`, as one commit. A transaction with rows of
    /// a closed table is refused whole. If the source sets offsets and the transaction has none, it waits for the next
    /// offset.
    pub(crate) fn commit_transaction<O: Offset>(
        self: &Arc<Self>,
        entry: Entry,
        transaction: Pending,
        offset: Option<O>,
    ) -> Result<(), Refused> {
        let serving = Serving(self);
        let mut committing = Committing::new(self, entry, transaction, offset);
        let mut state = self.lock();
        loop {
            match committing.poll(&mut state, Some(&serving)) {
                Poll::Ready(committed) => {
                    committing.leave_queue(state);
                    return committed;
                }
                Poll::Pending => state = self.wait(state),
            }
        }
    }
}

/// A transaction that is being committed. If it is dropped before that, it commits nothing.
pub(crate) struct Committing<'a, O> {
    pub(super) intake: &'a Arc<Intake>,
    entry: Entry,
    transaction: Pending,
    offset: Option<O>,
    /// Whether the transaction is counted as waiting.
    is_queued: bool,
}

impl<'a, O> Committing<'a, O> {
    pub(crate) fn new(intake: &'a Arc<Intake>, entry: Entry, transaction: Pending, offset: Option<O>) -> Self {
        Committing { intake, entry, transaction, offset, is_queued: false }
    }

    /// Removes the transaction from the queue, and makes a cut that waited for it.
    pub(super) fn leave_queue(&mut self, mut state: MutexGuard<'_, IntakeState>) {
        // The queue of an earlier attempt ended with it.
        if std::mem::take(&mut self.is_queued) && self.entry.attempt == state.attempt {
            state.transactions_waiting -= 1;
            self.intake.cut_if_due(&mut state);
            self.intake.announce_space(state);
        }
    }

    /// Commits the transaction if there is space.
    pub(super) fn poll(&mut self, state: &mut IntakeState, serving: Option<&Serving<'_>>) -> Poll<Result<(), Refused>>
    where
        O: Offset,
    {
        let intake = self.intake;
        state.check_transaction(self.entry, &self.transaction)?;
        let load = state.pending.load.plus(self.transaction.load);
        if !self.is_queued && state.is_for_later(self.offset.is_some()) {
            // If an offset waits for this transaction, no cut can be made before it, and only the sinks make space.
            let has_space = if state.offset_waits() {
                intake.has_space(state, load)
            } else {
                intake.poll_space(state, self.entry, Push::Wait)?.is_ready()
            };
            if !has_space {
                return Poll::Pending;
            }
            state.append_transaction(std::mem::take(&mut self.transaction));
            state.cut_due = true;
            // From here on nothing waits, because the rows cannot be taken back.
            intake.cut_if_due(state);
            return Poll::Ready(Ok(()));
        }
        if !std::mem::replace(&mut self.is_queued, true) {
            state.transactions_waiting += 1;
        }
        if !intake.has_space(state, load) {
            return Poll::Pending;
        }
        state.append_transaction(std::mem::take(&mut self.transaction));
        if let Some(offset) = self.offset.take() {
            state.set_offset(offset);
        }
        if state.has_cut() {
            intake.send(state, serving);
        } else {
            // If the offset waits for another transaction, the cut follows when that one ends.
            state.cut_due |= state.offset_waits();
        }
        Poll::Ready(Ok(()))
    }
}

impl<O> Drop for Committing<'_, O> {
    fn drop(&mut self) {
        if self.is_queued {
            self.leave_queue(self.intake.lock());
        }
        if self.transaction.offsets_before.is_some() {
            self.intake.drop_transaction(self.entry);
        }
    }
}
