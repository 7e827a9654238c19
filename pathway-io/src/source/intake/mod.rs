//! The [`Intake`] of a source, in which pushed rows wait for their commit.
//!
//! All subjects of the source share it. It passes rows from the source's threads to the sequencer, and is the only
//! place where a push can wait. One mutex guards the rows since the last commit, of all tables of the source, and the
//! number of rows that were committed but not yet taken by every sink (*in flight*). A *cut* turns the waiting rows
//! into one commit. The commit is sent to the sequencer while the mutex is held, so that the order of the cuts is the
//! order of the commits. A thread that calls `commit` then does the sequencer's work if it can ([`Outbox::serve`]). A
//! task does not, because it must not block its runtime.
//!
//! The backlog bounds the waiting rows, and also the rows in flight. A cut waits until its rows fit or nothing is in
//! flight, and a push waits for a cut. Every commit carries a [`Credit`] for its rows, and sinks drop it when they
//! have taken them. The backlog therefore bounds the channels after the intake, in rows and bytes instead of messages,
//! and sending into them never blocks.
//!
//! A source that sets offsets is cut only directly after one, so that a commit and its offset agree. The rows after
//! the last offset wait for the next one; see [`Pending`].
//!
//! Autocommit costs nothing while nothing is pushed: the first row after a commit *arms* a timer in the sequencer,
//! which calls [`Intake::autocommit`] when it is due. An *eager* source counts the interval from the last cut instead,
//! so that a row after a quiet interval is due immediately.
//!
//! | file | content |
//! |---|---|
//! | `state.rs` | the state under the mutex |
//! | `admit.rs` | admission of rows |
//! | `cut.rs` | the cut, and the return of its space |
//! | `closing.rs` | closing of handles |
//! | `transaction.rs` | the commit of a transaction |
//! | `attempts.rs` | restarts |
//! | `wakers.rs` | waiting tasks |
//! | `poll.rs` | the same waits for tasks (feature `async`) |

mod admit;
mod attempts;
mod closing;
mod cut;
#[cfg(test)]
pub(crate) mod model;
pub(crate) mod pending;
#[cfg(feature = "async")]
mod poll;
mod state;
mod transaction;
mod wakers;

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

pub(crate) use self::admit::{Admitted, Push, Refused};
pub(crate) use self::closing::Tail;
use self::cut::Serving;
pub(crate) use self::cut::{Credit, Cut, IntakeMessage, Outbox};
#[cfg(feature = "async")]
pub(crate) use self::poll::Registration;
use self::state::IntakeState;
pub(crate) use self::state::{Cuts, Entry, Level};
#[cfg(feature = "async")]
pub(crate) use self::transaction::Committing;
use crate::run::error::{Closed, FailureKind};
use crate::run::sync::{self, Condvar, Mutex, MutexGuard};
use crate::run::time::Time;
use crate::source::intake::pending::Amount;
use crate::source::offset::{Offset, Offsets};

/// The limit of the backlog in bytes. A larger row or transaction is accepted when nothing is in flight.
const BACKLOG_BYTES: usize = 16 * 1024 * 1024;

pub(crate) struct IntakeSettings {
    /// The backlog, in rows.
    pub(crate) backlog: usize,
    pub(crate) autocommit: Option<Duration>,
    pub(crate) eager: bool,
    /// The offsets, with the one from which a restart resumes.
    pub(crate) offsets: Offsets,
    pub(crate) cuts: Cuts,
    pub(crate) time: Time,
}

/// The rows of a source that wait for their commit. The module documentation describes it.
pub(crate) struct Intake {
    source: usize,
    limit: Amount,
    interval: Option<Duration>,
    /// Whether the interval is counted from the last cut, and not from the first push after it.
    eager: bool,
    time: Time,
    sequencer: Box<dyn Outbox>,
    state: Mutex<IntakeState>,
    /// Notified when credit is returned, or when a subject is closed.
    space: Condvar,
    /// Notified when a subject is closed.
    closing: Condvar,
}

impl Intake {
    pub(crate) fn new(source: usize, tables: usize, settings: IntakeSettings, sequencer: impl Outbox) -> Arc<Self> {
        let state = IntakeState::new(tables, settings.offsets, settings.cuts);
        Arc::new(Intake {
            source,
            limit: Amount { rows: settings.backlog, bytes: BACKLOG_BYTES },
            interval: settings.autocommit,
            eager: settings.eager,
            time: settings.time,
            sequencer: Box::new(sequencer),
            state: Mutex::new(state),
            space: Condvar::new(),
            closing: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, IntakeState> {
        self.state.lock().unwrap_or_else(|poisoned| self.recover(poisoned.into_inner()))
    }

    /// A push runs the user's code under the lock (a column's default), which may panic.
    #[cold]
    fn recover<'a>(&self, mut state: MutexGuard<'a, IntakeState>) -> MutexGuard<'a, IntakeState> {
        state.pending.repair();
        sync::clear_poison(&self.state);
        state
    }

    fn wait<'a>(&self, mut state: MutexGuard<'a, IntakeState>) -> MutexGuard<'a, IntakeState> {
        state.waiting += 1;
        let mut state = self.space.wait(state).unwrap_or_else(|poisoned| self.recover(poisoned.into_inner()));
        state.waiting -= 1;
        state
    }

    /// Commits everything pushed so far. Waits until the backlog has space. Rows after the last offset wait for the
    /// next one.
    pub(crate) fn commit(self: &Arc<Self>, entry: Entry) -> Result<(), Closed> {
        let serving = Serving(self);
        self.commit_locked(self.lock(), entry, &serving)
    }

    fn commit_locked(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, IntakeState>,
        entry: Entry,
        serving: &Serving<'_>,
    ) -> Result<(), Closed> {
        loop {
            match self.try_commit(&mut state, entry, Some(serving)) {
                Poll::Ready(result) => return result,
                Poll::Pending => state = self.wait(state),
            }
        }
    }

    fn try_commit(
        self: &Arc<Self>,
        state: &mut IntakeState,
        entry: Entry,
        serving: Option<&Serving<'_>>,
    ) -> Poll<Result<(), Closed>> {
        state.check_open(entry)?;
        if !state.has_cut() {
            state.cut_due |= !state.pending.load.is_zero();
            return Poll::Ready(Ok(()));
        }
        if !self.may_cut(state) {
            return Poll::Pending;
        }
        self.send(state, serving);
        // The rows after the last offset follow at the next one.
        state.cut_due = !state.pending.load.is_zero();
        Poll::Ready(Ok(()))
    }

    /// Sets the offset of everything pushed so far.
    pub(crate) fn advance<O: Offset>(self: &Arc<Self>, entry: Entry, offset: O) -> Result<(), Closed> {
        let mut state = self.lock();
        state.check_open(entry)?;
        state.set_offset(offset);
        self.after_push(&mut state);
        Ok(())
    }

    /// Sets the offset of everything pushed so far, and commits.
    pub(crate) fn commit_at<O: Offset>(self: &Arc<Self>, entry: Entry, offset: O) -> Result<(), Closed> {
        let serving = Serving(self);
        let mut state = self.lock();
        state.check_open(entry)?;
        state.set_offset(offset);
        self.commit_locked(state, entry, &serving)
    }

    /// Releases the lock, and wakes all threads and tasks that wait for space.
    fn announce_space(&self, mut state: MutexGuard<'_, IntakeState>) {
        let tasks = state.space.take();
        drop(state);
        self.space.notify_all();
        // The lock is not held here, because a waker runs code of the task's runtime.
        tasks.wake();
    }

    /// Announces that something was closed, to pushes that wait for space as well.
    fn announce_closing(&self, mut state: MutexGuard<'_, IntakeState>) {
        let tasks = state.closing.take();
        self.announce_space(state);
        self.closing.notify_all();
        tasks.wake();
    }

    /// Returns the offset of the last commit that had one, even if that commit is from a previous run.
    pub(crate) fn resume<O: Offset>(&self) -> Option<O> {
        self.lock().offsets.last()
    }

    /// Takes the first panic of an offset's code outside `run`.
    pub(crate) fn take_offset_failure(&self) -> Option<FailureKind> {
        self.lock().offsets.take_failure()
    }

    /// Drops the offsets at the end of the run. Returns the first panic in the drop of one.
    pub(crate) fn end_offsets(&self) -> Option<FailureKind> {
        let offsets = std::mem::take(&mut self.lock().offsets);
        offsets.end()
    }

    /// Counts rows that were pushed into a transaction. Returns the number of offsets that were set before. Other rows
    /// are counted when they are admitted.
    pub(crate) fn count_rows(&self, table: usize, count: u64) -> u64 {
        let mut state = self.lock();
        state.offered[table] += count;
        state.offsets_set
    }

    /// Counts a bad row. Returns its number among all pushed rows of the table. A thread can have closed the table
    /// since the row was found bad, and the summary may already be made: then the row does not count.
    pub(crate) fn count_bad_row(&self, entry: Entry) -> Result<u64, Closed> {
        let mut state = self.lock();
        state.check_open(entry)?;
        state.counts.bad_rows += 1;
        state.offered[entry.table] += 1;
        Ok(state.offered[entry.table])
    }

    /// Reverts [`count_bad_row`](Self::count_bad_row) for a row whose push was refused in the end.
    pub(crate) fn uncount_bad_row(&self) {
        self.lock().counts.bad_rows -= 1;
    }

    /// Returns the limit of the backlog as text.
    pub(crate) fn limit_text(&self) -> String {
        let Amount { rows, bytes } = self.limit;
        format!("{rows} row{} or {} MiB", if rows == 1 { "" } else { "s" }, bytes / (1024 * 1024))
    }

    /// Returns the progress of the source and the level of its backlog.
    pub(crate) fn level(&self) -> Level {
        let state = self.lock();
        Level {
            counts: state.counts,
            pending: state.pending.load,
            in_flight: state.in_flight,
            offered: state.offered.iter().sum(),
            attempt: state.attempt,
            refusals: state.refusals,
            is_waiting: state.waiting > 0 || !state.space.is_empty(),
        }
    }
}
