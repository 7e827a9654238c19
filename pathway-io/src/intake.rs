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
//! A source that sets offsets is cut only directly after one, so that a commit and its offset say the same; see
//! [`Pending`] for the rows behind the last offset. What such a cut cannot take waits for the next offset.
//!
//! Autocommit costs nothing while nothing is pushed: the first row after a commit *arms* a timer in the sequencer,
//! which calls [`Intake::autocommit`] when it is due. An *eager* source counts the interval from the last cut instead, so
//! that a row after a quiet interval is due at once.

use std::any::Any;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use crate::batch::Batch;
use crate::error::Closed;
use crate::offset::{AnyOffset, Offset, Offsets};
use crate::pending::{AnyPool, Load, Pending};
use crate::schema::Schema;
use crate::sequencer::Message;
use crate::sync::{self, Condvar, Mutex, MutexGuard};

/// The byte half of the backlog; a larger row or transaction passes alone.
const BACKLOG_BYTES: usize = 16 * 1024 * 1024;
/// How many rows are pushed under one lock where many come at once: some ten microseconds' worth, so that a commit by
/// another thread need not wait for longer.
const LOCKED_ROWS: usize = 256;

/// One commit of one source, on its way to the sequencer.
pub(crate) struct Cut {
    pub(crate) source: usize,
    /// Table index and `Vec<Batch<S>>`.
    pub(crate) parts: Vec<(usize, Box<dyn Any + Send>)>,
    /// What it covers of the source. Then it may have no parts: the source has read on, and found no rows.
    pub(crate) offset: Option<Box<dyn AnyOffset>>,
    /// Lines for the quarantine.
    pub(crate) bad: Vec<u8>,
    /// It is all that the source has, and what is not in it is gone.
    pub(crate) whole: bool,
    pub(crate) credit: Arc<Credit>,
}

/// The way to the sequencer, which sending into never blocks.
pub(crate) trait Outbox: Send + Sync + 'static {
    /// Gives the message back if there is nobody any more.
    fn send(&self, message: Message) -> Result<(), Message>;
}

impl Outbox for Sender<Message> {
    fn send(&self, message: Message) -> Result<(), Message> {
        Sender::send(self, message).map_err(|unsent| unsent.0)
    }
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

/// What a handle pushes into: a table, in one attempt of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) table: usize,
    pub(crate) attempt: u32,
}

/// Why a push was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
    /// A whole backlog of rows waits for an offset.
    NoOffset,
}

impl From<Closed> for Refused {
    fn from(_: Closed) -> Self {
        Refused::Closed
    }
}

/// What becomes of the rows behind the last offset when `run` has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    Commit,
    /// A restart reads them again.
    Drop,
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
    offsets: Offsets,
    cuts: Cuts,
    in_flight: Load,
    /// When the oldest pending row was pushed; kept only where there is an autocommit.
    first_push: Option<Instant>,
    /// When the last cut was made; kept only where the source is eager.
    last_cut: Option<Instant>,
    /// The sequencer's timer runs, or its cut waits for credit.
    armed: bool,
    /// A cut is due and waits for credit or an offset: whoever brings it makes the cut.
    cut_due: bool,
    /// The sequencer knows that the next cut waits for credit.
    pressed: bool,
    /// Transactions that wait for credit; nothing else is cut before them, lest they wait for ever.
    transactions_waiting: usize,
    /// Handles of an attempt before this one are closed for good.
    attempt: u32,
    closed: bool,
    closed_tables: Vec<bool>,
    /// A handle has returned `Closed`: an error of `run` is then a clean end.
    told_closed: bool,
    /// The whole table was sent.
    finished: bool,
    /// Rows that each table was offered, good and bad: the number of a row in an error.
    offered: Vec<u64>,
    counts: Counts,
}

impl State {
    #[inline]
    fn is_closed(&self, entry: Entry) -> bool {
        entry.attempt != self.attempt || self.closed || self.closed_tables[entry.table]
    }

    #[inline]
    fn check_open(&mut self, entry: Entry) -> Result<(), Closed> {
        if self.is_closed(entry) {
            return Err(self.tell_closed(entry));
        }
        Ok(())
    }

    /// What a failed attempt has left behind says nothing about the present one.
    #[cold]
    fn tell_closed(&mut self, entry: Entry) -> Closed {
        self.told_closed |= entry.attempt == self.attempt;
        Closed
    }

    fn check_transaction(&mut self, entry: Entry, transaction: &Pending) -> Result<(), Closed> {
        let mut closed = self.closed_tables.iter().enumerate().filter(|(_, closed)| **closed);
        if self.is_closed(entry) || closed.any(|(closed, _)| transaction.has_rows_of(closed)) {
            return Err(self.tell_closed(entry));
        }
        Ok(())
    }

    /// Whether a cut would have rows or an offset.
    #[inline]
    fn has_cut(&self) -> bool {
        self.cuts != Cuts::AtEnd && (!self.pending.before_tail().is_zero() || self.offsets.is_set())
    }

    /// A row without an offset comes.
    #[inline]
    fn begin_tail(&mut self) {
        if self.cuts == Cuts::AtOffsets {
            self.pending.begin_tail();
        }
    }

    #[inline]
    fn set_offset<O: Offset>(&mut self, offset: O) {
        self.cuts = if self.cuts == Cuts::AtEnd { Cuts::AtEnd } else { Cuts::AtOffsets };
        self.pending.end_tail();
        self.offsets.set(offset);
    }
}

/// How a row comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    /// It waits for room.
    Wait,
    /// It waits for room, and brings its offset.
    At,
    /// It does not wait.
    Try,
}

/// See the module's text.
pub(crate) struct Intake {
    source: usize,
    limit: Load,
    interval: Option<Duration>,
    /// The interval is counted from the last cut, not from the first push after it.
    eager: bool,
    sequencer: Box<dyn Outbox>,
    state: Mutex<State>,
    /// Credit came back, or the subjects were closed.
    room: Condvar,
    /// The subjects were closed.
    closing: Condvar,
}

/// Where a source's rows may be cut into commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cuts {
    /// Anywhere, until the source sets an offset.
    Anywhere,
    /// Directly after an offset.
    AtOffsets,
    /// Only when `run` has ended: what it has pushed by then is the whole table, and one commit.
    AtEnd,
}

/// How a source's rows are gathered.
pub(crate) struct Gathering {
    /// The backlog, in rows.
    pub(crate) backlog: usize,
    pub(crate) autocommit: Option<Duration>,
    pub(crate) eager: bool,
    /// With the one that a restart goes on from.
    pub(crate) offsets: Offsets,
    pub(crate) cuts: Cuts,
}

impl Intake {
    pub(crate) fn new(source: usize, tables: usize, gathering: Gathering, sequencer: impl Outbox) -> Arc<Self> {
        let state = State {
            pending: Pending::default(),
            offsets: gathering.offsets,
            cuts: gathering.cuts,
            in_flight: Load::default(),
            first_push: None,
            last_cut: None,
            armed: false,
            cut_due: false,
            pressed: false,
            transactions_waiting: 0,
            attempt: 0,
            closed: false,
            closed_tables: vec![false; tables],
            told_closed: false,
            finished: false,
            offered: vec![0; tables],
            counts: Counts::default(),
        };
        Arc::new(Intake {
            source,
            limit: Load { rows: gathering.backlog, bytes: BACKLOG_BYTES },
            interval: gathering.autocommit,
            eager: gathering.eager,
            sequencer: Box::new(sequencer),
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
        sync::clear_poison(&self.state);
        state
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.room.wait(state).unwrap_or_else(|poisoned| self.recover(poisoned))
    }

    /// Waits until a row may be pushed into `table`, or says why it may not be.
    #[inline]
    pub(crate) fn admit(self: &Arc<Self>, entry: Entry, push: Push) -> Result<Admitted<'_>, Refused> {
        let state = self.lock();
        let state = self.make_room(state, entry, push)?;
        Ok(Admitted { intake: self, state, table: entry.table })
    }

    #[inline]
    fn make_room<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        entry: Entry,
        push: Push,
    ) -> Result<MutexGuard<'a, State>, Refused> {
        loop {
            state.check_open(entry)?;
            if !state.pending.load.reaches(self.limit) || state.cuts == Cuts::AtEnd {
                return Ok(state);
            }
            if !state.has_cut() {
                // All that waits is behind the last offset.
                return if push == Push::At { Ok(state) } else { Err(Refused::NoOffset) };
            }
            if self.may_cut(&mut state) {
                self.cut(&mut state);
            } else if push == Push::Try {
                return Err(Refused::Full);
            } else {
                state = self.wait(state);
            }
        }
    }

    /// Makes everything pushed so far one commit; waits until the backlog has room for it. Rows behind the last offset
    /// wait for the next one.
    pub(crate) fn commit(self: &Arc<Self>, entry: Entry) -> Result<(), Closed> {
        let state = self.lock();
        self.commit_locked(state, entry)
    }

    fn commit_locked(self: &Arc<Self>, mut state: MutexGuard<'_, State>, entry: Entry) -> Result<(), Closed> {
        loop {
            state.check_open(entry)?;
            if !state.has_cut() {
                state.cut_due |= !state.pending.load.is_zero();
                return Ok(());
            }
            if self.may_cut(&mut state) {
                self.cut(&mut state);
                return Ok(());
            }
            state = self.wait(state);
        }
    }

    /// Sets the offset of everything pushed so far.
    pub(crate) fn advance<O: Offset>(self: &Arc<Self>, entry: Entry, offset: O) -> Result<(), Closed> {
        let mut state = self.lock();
        state.check_open(entry)?;
        state.set_offset(offset);
        self.after_push(&mut state);
        Ok(())
    }

    /// Sets the offset of everything pushed so far, and makes it one commit.
    pub(crate) fn commit_at<O: Offset>(self: &Arc<Self>, entry: Entry, offset: O) -> Result<(), Closed> {
        let mut state = self.lock();
        state.check_open(entry)?;
        state.set_offset(offset);
        self.commit_locked(state, entry)
    }

    /// Makes everything pushed so far and then the rows of `transaction` one commit. A transaction of `table` that has
    /// rows of a closed one is refused whole. Where cuts come after offsets, and it has none, it waits for the next.
    pub(crate) fn commit_transaction<O: Offset>(
        self: &Arc<Self>,
        entry: Entry,
        transaction: Pending,
        offset: Option<O>,
    ) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.cuts != Cuts::Anywhere && (offset.is_none() || state.cuts == Cuts::AtEnd) {
            state = self.make_room(state, entry, Push::Wait)?;
            state.check_transaction(entry, &transaction)?;
            state.begin_tail();
            state.pending.append(transaction);
            state.cut_due = true;
            return Ok(());
        }
        state.transactions_waiting += 1;
        let mut offset = offset;
        let committed = loop {
            if let Err(closed) = state.check_transaction(entry, &transaction) {
                break Err(closed);
            }
            let load = state.pending.load.plus(transaction.load);
            if self.has_room(&mut state, load) {
                state.pending.append(transaction);
                if let Some(offset) = offset.take() {
                    state.set_offset(offset);
                }
                self.cut(&mut state);
                break Ok(());
            }
            state = self.wait(state);
        };
        state.transactions_waiting -= 1;
        self.cut_if_due(&mut state);
        drop(state);
        self.room.notify_all();
        Ok(committed?)
    }

    /// Where there is none, the sequencer is told once: what is in flight may wait for a checkpoint.
    fn has_room(&self, state: &mut State, load: Load) -> bool {
        let has_room = state.in_flight.is_zero() || state.in_flight.plus(load).fits(self.limit);
        if !has_room && !std::mem::replace(&mut state.pressed, true) {
            // Without a sequencer nothing is in flight for long.
            let _ = self.sequencer.send(Message::Pressed);
        }
        has_room
    }

    fn may_cut(&self, state: &mut State) -> bool {
        state.transactions_waiting == 0 && self.has_room(state, state.pending.before_tail())
    }

    fn cut_if_due(self: &Arc<Self>, state: &mut State) {
        if state.cut_due && state.has_cut() && self.may_cut(state) {
            self.cut(state);
        }
    }

    /// Sends all pending rows before the tail to the sequencer as one commit, if there is anything to say.
    fn cut(self: &Arc<Self>, state: &mut State) {
        if state.has_cut() {
            self.send(state);
        }
    }

    fn send(self: &Arc<Self>, state: &mut State) {
        state.cut_due = false;
        state.pressed = false;
        state.first_push = None;
        if self.eager {
            state.last_cut = Some(Instant::now());
        }
        // First, since it runs code of the user's.
        let offset = state.offsets.seal();
        let load = state.pending.before_tail();
        // An offset alone takes room too, so that not any number of them is on the way.
        let held = if load.is_zero() { Load { rows: 1, bytes: 0 } } else { load };
        state.in_flight = state.in_flight.plus(held);
        let taken = state.pending.take_before_tail();
        state.counts.rows += (load.rows - taken.bad.rows) as u64;
        state.counts.commits += u64::from(!taken.parts.is_empty());
        let cut = Cut {
            source: self.source,
            parts: taken.parts,
            offset,
            bad: taken.bad.text,
            whole: state.cuts == Cuts::AtEnd,
            credit: Arc::new(Credit { intake: Arc::clone(self), load: held }),
        };
        // The sequencer outlives the subjects. Were it gone all the same, dropping the credit here would lock the
        // state a second time, so the message is kept for ever instead: the failure that ended the sequencer is
        // what the run reports.
        if let Err(unsent) = self.sequencer.send(Message::Commit(cut)) {
            std::mem::forget(unsent);
        }
    }

    /// When the pending rows are to be committed; `None` if there are none, or no autocommit before the end of days.
    fn due(&self, state: &State) -> Option<Instant> {
        let (first_push, interval) = state.first_push.zip(self.interval)?;
        match state.last_cut {
            None if self.eager => Some(first_push),
            None => first_push.checked_add(interval),
            Some(last_cut) => last_cut.checked_add(interval),
        }
    }

    /// The autocommit timer has fired: cuts if a row has waited for the interval. Says when to come again.
    pub(crate) fn autocommit(self: &Arc<Self>, now: Instant) -> Option<Instant> {
        let mut state = self.lock();
        match self.due(&state) {
            Some(due) if due > now => Some(due),
            Some(_) if !state.has_cut() || !self.may_cut(&mut state) => {
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
        self.cut_if_due(&mut state);
        drop(state);
        self.room.notify_all();
    }

    /// There is something new to commit: sees to it that somebody will, and does so at once where the backlog is full.
    #[inline]
    fn after_push(self: &Arc<Self>, state: &mut State) {
        if state.first_push.is_none() && self.interval.is_some() {
            let now = Instant::now();
            state.first_push = Some(now);
            let due = self.due(state);
            if self.eager && due.is_some_and(|at| at <= now) {
                state.cut_due = true;
            } else if !state.armed
                && !state.cut_due
                && let Some(at) = due
            {
                state.armed = true;
                // Without a sequencer there is nobody to commit, and the run has failed already.
                let _ = self.sequencer.send(Message::Arm { source: self.source, at });
            }
        }
        if state.pending.load.reaches(self.limit) {
            state.cut_due = true;
        }
        if state.cut_due {
            self.cut_if_due(state);
        }
    }

    /// Closes one table for all its handles.
    pub(crate) fn close_table(self: &Arc<Self>, entry: Entry) -> Result<(), Closed> {
        let committed = self.commit(entry);
        let mut state = self.lock();
        if entry.attempt == state.attempt {
            state.closed_tables[entry.table] = true;
        }
        drop(state);
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
    pub(crate) fn finish(self: &Arc<Self>, tail: Tail) {
        self.close();
        let mut state = self.lock();
        match tail {
            Tail::Commit => state.pending.end_tail(),
            Tail::Drop => {
                state.pending.drop_tail();
            }
        }
        if state.cuts == Cuts::AtEnd {
            // A table that was not sent to its end says nothing of what is gone.
            if tail == Tail::Commit && !std::mem::replace(&mut state.finished, true) {
                self.send(&mut state);
            }
            return;
        }
        self.cut(&mut state);
    }

    /// Adds the line of a bad row, which becomes durable with the rows around it, and the offset that it came with.
    pub(crate) fn quarantine<O: Offset>(
        self: &Arc<Self>,
        entry: Entry,
        line: &[u8],
        offset: Option<O>,
    ) -> Result<(), Refused> {
        let push = if offset.is_some() { Push::At } else { Push::Wait };
        let mut state = self.make_room(self.lock(), entry, push)?;
        if offset.is_none() {
            state.begin_tail();
        }
        state.pending.push_bad(line);
        if let Some(offset) = offset {
            state.set_offset(offset);
        }
        self.after_push(&mut state);
        Ok(())
    }

    /// The offset of the last commit that had one, also of a run before this one.
    pub(crate) fn resume<O: Offset>(&self) -> Option<O> {
        self.lock().offsets.last()
    }

    pub(crate) fn is_closed(&self, entry: Entry) -> bool {
        self.lock().is_closed(entry)
    }

    /// The same for a handle that is about to say so.
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

    /// Waits for something to be closed; `None` if the deadline is over.
    fn wait_closing<'a>(
        &self,
        state: MutexGuard<'a, State>,
        deadline: Option<Instant>,
    ) -> Option<MutexGuard<'a, State>> {
        let Some(deadline) = deadline else {
            return Some(self.closing.wait(state).unwrap_or_else(|poisoned| self.recover(poisoned)));
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        Some(match self.closing.wait_timeout(state, left) {
            Ok((state, _)) => state,
            Err(poisoned) => {
                sync::clear_poison(&self.state);
                let mut state = poisoned.into_inner().0;
                state.pending.repair();
                state
            }
        })
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

    /// Counts a bad row; gives its number among the rows that the table was offered, and among the bad ones.
    pub(crate) fn count_bad_row(&self, table: usize) -> (u64, u64) {
        let mut state = self.lock();
        state.counts.bad_rows += 1;
        state.offered[table] += 1;
        (state.offered[table], state.counts.bad_rows)
    }

    /// How much the backlog is.
    pub(crate) fn limit_text(&self) -> String {
        format!("{} rows or {} MiB", self.limit.rows, self.limit.bytes / (1024 * 1024))
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
        state.begin_tail();
        state.pending.push::<S, E>(self.table, pool, fill)?;
        state.offered[self.table] += 1;
        self.intake.after_push(state);
        Ok(())
    }

    /// Lets `rows` push one row after the other, until it gives `None`, which is `Ok(true)`, or an error, or the lock was
    /// held long enough.
    pub(crate) fn push_all<S: Schema, E>(
        mut self,
        pool: &AnyPool,
        rows: &mut impl FnMut(&mut Batch<S>) -> Option<Result<(), E>>,
    ) -> Result<bool, E> {
        let state = &mut *self.state;
        for _ in 0..LOCKED_ROWS {
            state.begin_tail();
            match state.pending.push::<S, Option<E>>(self.table, pool, |batch| rows(batch).ok_or(None)?.map_err(Some)) {
                Ok(()) => {}
                Err(None) => return Ok(true),
                Err(Some(error)) => return Err(error),
            }
            state.offered[self.table] += 1;
            self.intake.after_push(state);
            if state.pending.load.reaches(self.intake.limit) {
                break;
            }
        }
        Ok(false)
    }

    /// [`push`](Self::push) for a row with its offset.
    #[inline]
    pub(crate) fn push_at<S: Schema, O: Offset, E>(
        mut self,
        pool: &AnyPool,
        offset: O,
        fill: impl FnOnce(&mut Batch<S>) -> Result<(), E>,
    ) -> Result<(), (O, E)> {
        let state = &mut *self.state;
        if let Err(error) = state.pending.push::<S, E>(self.table, pool, fill) {
            return Err((offset, error));
        }
        state.offered[self.table] += 1;
        state.set_offset(offset);
        self.intake.after_push(state);
        Ok(())
    }
}

mod attempts;
#[cfg(test)]
mod model;
