//! Where pushed rows wait for their commit: the [`Intake`] of a source, shared by all its subjects.
//!
//! It is the hand-over between the source's threads and the sequencer, and the one place where a row can wait. Behind
//! one mutex it holds the rows since the last commit, of all tables of the source, and counts those that were
//! committed but not yet taken by every sink (*in flight*). A *cut* makes the waiting rows one commit and sends it to
//! the sequencer while the mutex is held, so that the order of the cuts is the order of the commits.
//!
//! The backlog bounds the waiting rows and the rows in flight alike: a cut waits until what it adds fits, or until
//! nothing is in flight, and a push waits for a cut. Every commit carries a [`Credit`] for its rows, and sinks drop
//! it when they have taken them. The channels behind the intake are therefore bounded by the backlog, in rows and
//! bytes and not in messages, and sending into them never blocks.
//!
//! Autocommit costs nothing while nothing is pushed: the first row after a commit *arms* a timer in the sequencer,
//! which calls [`Intake::autocommit`] when it is due.

use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use crate::batch::Batch;
use crate::error::Closed;
use crate::pending::{AnyPool, Load, Pending};
use crate::schema::Schema;
use crate::sequencer::Message;

/// The byte half of the backlog; a larger row or transaction passes alone.
const BACKLOG_BYTES: usize = 16 * 1024 * 1024;

/// One commit of one source, on its way to the sequencer.
pub(crate) struct Cut {
    pub(crate) source: usize,
    /// Table index and `Vec<Batch<S>>`.
    pub(crate) parts: Vec<(usize, Box<dyn Any + Send>)>,
    pub(crate) credit: Arc<Credit>,
}

/// The right to have rows in flight; its last clone to be dropped gives it back.
pub(crate) struct Credit {
    intake: Arc<Intake>,
    load: Load,
}

impl Drop for Credit {
    fn drop(&mut self) {
        self.intake.release(self.load);
    }
}

/// Why a push was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

/// What a source has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) commits: u64,
    pub(crate) bad_rows: u64,
}

struct State {
    pending: Pending,
    in_flight: Load,
    /// When the oldest pending row was pushed; kept only where there is an autocommit.
    first_push: Option<Instant>,
    /// The sequencer's timer runs, or its cut waits for credit.
    armed: bool,
    /// A cut is due and waits for credit: whoever gives it back makes it.
    cut_due: bool,
    /// Transactions that wait for credit; nothing else is cut before them, lest they wait for ever.
    transactions_waiting: usize,
    closed: bool,
    closed_tables: Vec<bool>,
    /// A handle has returned `Closed`: an error of `run` is then a clean end.
    told_closed: bool,
    /// Rows that each table was offered, good and bad: the number of a row in an error.
    offered: Vec<u64>,
    counts: Counts,
}

/// See the module's text.
pub(crate) struct Intake {
    source: usize,
    limit: Load,
    interval: Option<Duration>,
    sequencer: Sender<Message>,
    state: Mutex<State>,
    /// Credit came back, or the subjects were closed.
    room: Condvar,
    /// The subjects were closed.
    closing: Condvar,
}

impl Intake {
    pub(crate) fn new(
        source: usize,
        tables: usize,
        backlog: usize,
        interval: Option<Duration>,
        sequencer: Sender<Message>,
    ) -> Arc<Self> {
        let state = State {
            pending: Pending::default(),
            in_flight: Load::default(),
            first_push: None,
            armed: false,
            cut_due: false,
            transactions_waiting: 0,
            closed: false,
            closed_tables: vec![false; tables],
            told_closed: false,
            offered: vec![0; tables],
            counts: Counts::default(),
        };
        Arc::new(Intake {
            source,
            limit: Load { rows: backlog, bytes: BACKLOG_BYTES },
            interval,
            sequencer,
            state: Mutex::new(state),
            room: Condvar::new(),
            closing: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| self.recover(poisoned))
    }

    /// A push runs code of the user's (a column's default) under the lock, and that may panic.
    #[cold]
    fn recover<'a>(&self, poisoned: PoisonError<MutexGuard<'a, State>>) -> MutexGuard<'a, State> {
        let mut state = poisoned.into_inner();
        state.pending.repair();
        self.state.clear_poison();
        state
    }

    /// Waits until a row may be pushed into `table`, or, if not `wait`, says that it may not be now.
    #[inline]
    pub(crate) fn admit(self: &Arc<Self>, table: usize, wait: bool) -> Result<Admitted<'_>, Refused> {
        let mut state = self.lock();
        loop {
            if state.closed || state.closed_tables[table] {
                state.told_closed = true;
                return Err(Refused::Closed);
            }
            if !state.pending.load.reaches(self.limit) {
                return Ok(Admitted { intake: self, state, table });
            }
            if self.may_cut(&state) {
                self.cut(&mut state);
            } else if wait {
                state = self.room.wait(state).unwrap_or_else(|poisoned| self.recover(poisoned));
            } else {
                return Err(Refused::Full);
            }
        }
    }

    /// Makes everything pushed so far one commit; waits until the backlog has room for it.
    pub(crate) fn commit(self: &Arc<Self>, table: usize) -> Result<(), Closed> {
        let mut state = self.lock();
        loop {
            if state.closed || state.closed_tables[table] {
                state.told_closed = true;
                return Err(Closed);
            }
            if self.may_cut(&state) {
                self.cut(&mut state);
                return Ok(());
            }
            if state.pending.load.is_zero() {
                return Ok(());
            }
            state = self.room.wait(state).unwrap_or_else(|poisoned| self.recover(poisoned));
        }
    }

    /// Makes everything pushed so far and then the rows of `transaction` one commit. A transaction of `table` that has
    /// rows of a closed one is refused whole.
    pub(crate) fn commit_transaction(self: &Arc<Self>, table: usize, transaction: Pending) -> Result<(), Closed> {
        let mut state = self.lock();
        state.transactions_waiting += 1;
        let committed = loop {
            let mut closed = state.closed_tables.iter().enumerate().filter(|(_, closed)| **closed);
            if state.closed || closed.any(|(closed, _)| closed == table || transaction.has_rows_of(closed)) {
                state.told_closed = true;
                break Err(Closed);
            }
            let load = state.pending.load.plus(transaction.load);
            if self.has_room(&state, load) {
                state.pending.append(transaction);
                self.cut(&mut state);
                break Ok(());
            }
            state = self.room.wait(state).unwrap_or_else(|poisoned| self.recover(poisoned));
        };
        state.transactions_waiting -= 1;
        if state.cut_due && self.may_cut(&state) {
            self.cut(&mut state);
        }
        drop(state);
        self.room.notify_all();
        committed
    }

    fn has_room(&self, state: &State, load: Load) -> bool {
        state.in_flight.is_zero() || state.in_flight.plus(load).fits(self.limit)
    }

    fn may_cut(&self, state: &State) -> bool {
        state.transactions_waiting == 0 && self.has_room(state, state.pending.load)
    }

    /// Sends all pending rows to the sequencer as one commit, if there are any.
    fn cut(self: &Arc<Self>, state: &mut State) {
        state.cut_due = false;
        state.first_push = None;
        let load = state.pending.load;
        if load.is_zero() {
            return;
        }
        state.in_flight = state.in_flight.plus(load);
        state.counts.rows += load.rows as u64;
        state.counts.commits += 1;
        let parts = state.pending.take();
        let credit = Arc::new(Credit { intake: Arc::clone(self), load });
        // The sequencer outlives the subjects. Were it gone all the same, dropping the credit here would lock the
        // state a second time, so the message is kept for ever instead: the failure that ended the sequencer is
        // what the run reports.
        if let Err(unsent) = self.sequencer.send(Message::Commit(Cut { source: self.source, parts, credit })) {
            std::mem::forget(unsent);
        }
    }

    /// The autocommit timer has fired: cuts if a row has waited for the interval. Says when to come again.
    pub(crate) fn autocommit(self: &Arc<Self>, now: Instant) -> Option<Instant> {
        let mut state = self.lock();
        let due = state.first_push.zip(self.interval).and_then(|(first, interval)| first.checked_add(interval));
        match due {
            Some(due) if due > now => Some(due),
            Some(_) if !self.may_cut(&state) => {
                state.cut_due = true;
                state.armed = false;
                None
            }
            _ => {
                self.cut(&mut state);
                state.armed = false;
                None
            }
        }
    }

    fn release(self: &Arc<Self>, load: Load) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.minus(load);
        if state.cut_due && self.may_cut(&state) {
            self.cut(&mut state);
        }
        drop(state);
        self.room.notify_all();
    }

    /// Closes one table for all its handles.
    pub(crate) fn close_table(self: &Arc<Self>, table: usize) -> Result<(), Closed> {
        let committed = self.commit(table);
        self.lock().closed_tables[table] = true;
        self.room.notify_all();
        self.closing.notify_all();
        committed
    }

    /// Closes all tables for all handles; the rows pushed so far stay pending.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
        self.closing.notify_all();
    }

    /// `run` has ended, or is not waited for any longer: commits what was pushed, whatever the backlog says, since the
    /// rows are in memory already.
    pub(crate) fn finish(self: &Arc<Self>) {
        self.close();
        let mut state = self.lock();
        self.cut(&mut state);
    }

    pub(crate) fn is_closed(&self, table: usize) -> bool {
        let state = self.lock();
        state.closed || state.closed_tables[table]
    }

    /// Waits until the table is closed, at most until `deadline`.
    pub(crate) fn wait_closed(&self, table: usize, deadline: Option<Instant>) -> Result<(), Closed> {
        let mut state = self.lock();
        loop {
            if state.closed || state.closed_tables[table] {
                state.told_closed = true;
                return Err(Closed);
            }
            let Some(deadline) = deadline else {
                state = self.closing.wait(state).unwrap_or_else(|poisoned| self.recover(poisoned));
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            state = match self.closing.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => {
                    self.state.clear_poison();
                    let mut state = poisoned.into_inner().0;
                    state.pending.repair();
                    state
                }
            };
        }
    }

    /// A handle is about to return `Closed` for a reason of its own.
    pub(crate) fn tell_closed(&self) {
        self.lock().told_closed = true;
    }

    pub(crate) fn has_told_closed(&self) -> bool {
        self.lock().told_closed
    }

    /// Counts a row that was pushed into a transaction; the plain ones are counted as they are admitted.
    pub(crate) fn count_row(&self, table: usize) {
        self.lock().offered[table] += 1;
    }

    /// Counts a bad row and gives its number among the rows that the table was offered.
    pub(crate) fn count_bad_row(&self, table: usize) -> u64 {
        let mut state = self.lock();
        state.counts.bad_rows += 1;
        state.offered[table] += 1;
        state.offered[table]
    }

    /// Rows that wait for their commit, and rows that wait for the slowest sink.
    #[cfg(feature = "progress")]
    pub(crate) fn backlog(&self) -> [u64; 2] {
        let state = self.lock();
        [state.pending.load, state.in_flight].map(|load| load.rows as u64)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }
}

/// A push that may go ahead: the lock is held.
pub(crate) struct Admitted<'a> {
    intake: &'a Arc<Intake>,
    state: MutexGuard<'a, State>,
    table: usize,
}

impl Admitted<'_> {
    /// Lets `fill` push one row, and commits where that fills the backlog.
    #[inline]
    pub(crate) fn push<S: Schema, E>(
        mut self,
        pool: &AnyPool,
        fill: impl FnOnce(&mut Batch<S>) -> Result<(), E>,
    ) -> Result<(), E> {
        let state = &mut *self.state;
        state.pending.push::<S, E>(self.table, pool, fill)?;
        state.offered[self.table] += 1;
        if state.first_push.is_none()
            && let Some(interval) = self.intake.interval
        {
            let now = Instant::now();
            state.first_push = Some(now);
            if !state.armed
                && !state.cut_due
                && let Some(at) = now.checked_add(interval)
            {
                state.armed = true;
                // Without a sequencer there is nobody to commit, and the run has failed already.
                let _ = self.intake.sequencer.send(Message::Arm { source: self.intake.source, at });
            }
        }
        if state.pending.load.reaches(self.intake.limit) {
            if self.intake.may_cut(state) {
                self.intake.cut(state);
            } else {
                state.cut_due = true;
            }
        }
        Ok(())
    }
}
