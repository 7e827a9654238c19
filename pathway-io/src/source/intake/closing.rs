//! The end of a source's handles: closing tables and sources, waiting for that, and the treatment of waiting rows when
//! `run` has ended.

use std::sync::Arc;
use std::time::Instant;

use super::Intake;
use super::state::{Cuts, Entry, IntakeState};
use crate::run::error::Closed;
use crate::run::sync::MutexGuard;

/// The treatment of rows after the last offset when `run` has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    Commit,
    /// The rows are dropped, because a restart reads them again.
    Drop,
}

impl Intake {
    /// Closes one table for all its handles.
    pub(crate) fn close_table(self: &Arc<Self>, entry: Entry) -> Result<(), Closed> {
        let committed = self.commit(entry);
        self.mark_closed(entry);
        committed
    }

    /// Marks the table as closed, after the commit.
    pub(crate) fn mark_closed(&self, entry: Entry) {
        let mut state = self.lock();
        if entry.attempt == state.attempt {
            state.closed_tables[entry.table] = true;
        }
        self.announce_closing(state);
    }

    /// Closes all tables for all handles. The rows pushed so far stay pending.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.announce_closing(state);
    }

    /// Wakes the threads that wait for the manual clock, after it was set.
    pub(crate) fn time_passed(&self) {
        self.announce_closing(self.lock());
    }

    /// Ends the attempt by closing its handles, if it is still the same attempt and has pushed nothing meanwhile.
    pub(crate) fn interrupt_attempt(&self, attempt: u32, offered: u64) -> bool {
        let mut state = self.lock();
        if state.closed || state.attempt != attempt || state.offered.iter().sum::<u64>() != offered {
            return false;
        }
        state.interrupted = true;
        self.announce_closing(state);
        true
    }

    /// Commits everything that was pushed, after `run` has ended or was abandoned. The backlog does not matter,
    /// because the rows are in memory already.
    pub(crate) fn finish(self: &Arc<Self>, tail: Tail) {
        self.close();
        let mut state = self.lock();
        match tail {
            Tail::Commit => {
                state.awaited = 0;
                state.pending.end_tail();
            }
            Tail::Drop => state.drop_replayed(),
        }
        if state.cuts == Cuts::AtEnd {
            // A table that was not sent completely does not show which rows were removed.
            if tail == Tail::Commit {
                self.send(&mut state, None);
            }
            return;
        }
        self.cut(&mut state);
    }

    pub(crate) fn is_closed(&self, entry: Entry) -> bool {
        self.lock().is_closed(entry)
    }

    /// Returns `Closed` if the handle is closed, and counts the refusal.
    pub(crate) fn check_open(&self, entry: Entry) -> Result<(), Closed> {
        self.lock().check_open(entry)
    }

    /// Waits until the table is closed, at most until `deadline`.
    pub(crate) fn wait_closed(&self, entry: Entry, deadline: Option<Instant>) -> Result<(), Closed> {
        let mut state = self.lock();
        loop {
            state.check_open(entry)?;
            match self.wait_closing(state, deadline) {
                Some(waited) => state = waited,
                None => return Ok(()),
            }
        }
    }

    /// Waits until a table or the intake is closed. Returns `None` after the deadline.
    pub(super) fn wait_closing<'a>(
        &self,
        state: MutexGuard<'a, IntakeState>,
        deadline: Option<Instant>,
    ) -> Option<MutexGuard<'a, IntakeState>> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(self.time.now()));
        if left.is_some_and(|left| left.is_zero()) {
            return None;
        }
        let _waiting = self.time.wait_until(deadline);
        Some(match left.filter(|_| !self.time.is_manual()) {
            None => self.closing.wait(state).unwrap_or_else(|poisoned| self.recover(poisoned.into_inner())),
            Some(left) => match self.closing.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => self.recover(poisoned.into_inner().0),
            },
        })
    }

    /// Records that a handle is about to return `Closed`.
    pub(crate) fn count_refusal(&self) {
        self.lock().refusals += 1;
    }
}
