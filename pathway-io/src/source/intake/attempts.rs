//! The restart of a source in its intake: the end of one attempt, and the beginning of the next.

use std::sync::Arc;
use std::time::Instant;

use super::Intake;
use super::state::Cuts;
use crate::source::intake::pending::Pending;

impl Intake {
    /// Returns the number of the current attempt, from 0.
    pub(crate) fn attempt(&self) -> u32 {
        self.lock().attempt
    }

    /// Closes all handles of an attempt of `run` that has failed and will be repeated. Its pushed rows are committed,
    /// except those after the last offset.
    pub(crate) fn end_attempt(self: &Arc<Self>) {
        let mut state = self.lock();
        state.attempt += 1;
        // Transactions of this attempt end without a call, since their handles are closed. The future of a commit may
        // never be polled again.
        state.open = 0;
        state.transactions_waiting = 0;
        state.cut_due = true;
        self.cut_if_due(&mut state);
        self.announce_closing(state);
    }

    /// Waits until `at`, and until the rows of the previous attempt are committed, so that the next attempt resumes
    /// after them. Then drops the rows after the last offset, and opens the tables again. Returns `false` if a stop
    /// came first.
    pub(crate) fn begin_attempt(self: &Arc<Self>, at: Option<Instant>) -> bool {
        let mut state = self.lock();
        while !state.closed {
            match self.wait_closing(state, at) {
                Some(waited) => state = waited,
                None => {
                    state = self.lock();
                    break;
                }
            }
        }
        while !state.closed && state.has_cut() && !self.may_cut(&mut state) {
            state = self.wait(state);
        }
        if state.closed {
            return false;
        }
        self.cut(&mut state);
        if state.cuts == Cuts::AtEnd {
            // The source sends its whole table again.
            state.pending = Pending::default();
        } else {
            state.drop_replayed();
        }
        state.cut_due = false;
        state.first_push = None;
        state.closed_tables.fill(false);
        state.refusals = 0;
        state.interrupted = false;
        true
    }
}
