//! Turns waiting rows into a commit: the [`Cut`], and the [`Credit`] that returns its space.
//!
//! A cut without space is *due*. It is made by the event that ends its wait: a returned credit, an offset, or the end
//! of the last waiting transaction.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use super::Intake;
use super::state::{Cuts, IntakeState};
use crate::source::intake::pending::Amount;
use crate::source::offset::SealedOffset;

/// One commit of one source, on its way to the sequencer.
pub(crate) struct Cut {
    pub(crate) source: usize,
    /// Pairs of a table's index and its `Vec<Batch<S>>`.
    pub(crate) parts: Vec<(usize, Box<dyn Any + Send>)>,
    /// The offset of the commit. A cut with an offset may have no rows, if the source has found none.
    pub(crate) offset: Option<SealedOffset>,
    /// Lines for the quarantine file.
    pub(crate) bad: Vec<u8>,
    /// Whether the rows are the whole table of the source, so that all other rows are removed.
    pub(crate) whole: bool,
    /// Whether the commit replaces all rows of a table, which takes longer for a larger table.
    pub(crate) replaces: bool,
    pub(crate) credit: Arc<Credit>,
}

/// A message of an intake to the sequencer.
pub(crate) enum IntakeMessage {
    Commit(Cut),
    /// Asks the sequencer to call [`Intake::autocommit`] of a source at the time `at`.
    Arm {
        source: usize,
        at: Instant,
    },
    /// A source waits for space in its backlog.
    Backpressured,
}

/// The channel to the sequencer. Its methods never wait.
///
/// The sequencer outlives the subjects. If it has ended nevertheless, the run reports the failure that ended it. A
/// message is then leaked: the caller holds the lock of its intake, and the drop of a [`Credit`] would take the lock a
/// second time.
pub(crate) trait Outbox: Send + Sync + 'static {
    /// Sends a message and wakes the sequencer's thread.
    fn send(&self, message: IntakeMessage);

    /// Sends a message without waking a thread. A call of [`serve`](Self::serve) must follow.
    fn post(&self, message: IntakeMessage);

    /// Handles the posted messages: on this thread, which belongs to `source`, if the sequencer is idle and they are
    /// brief, and otherwise on the sequencer's thread. The caller holds no lock of an intake.
    fn serve(&self, source: usize);
}

/// Calls [`Outbox::serve`] when it is dropped, so it must outlive the guard of the intake's lock.
pub(super) struct Serving<'a>(pub(super) &'a Intake);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.sequencer.serve(self.0.source);
    }
}

/// The right to have rows in flight. The drop of its last clone returns it.
pub(crate) struct Credit {
    intake: Arc<Intake>,
    pub(super) load: Amount,
}

impl Credit {
    pub(crate) fn rows(&self) -> usize {
        self.load.rows
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        self.intake.release(self.load);
    }
}

impl Intake {
    /// Returns whether the backlog has space for `load`. If it has none, it notifies the sequencer once, because the
    /// rows in flight may wait for a checkpoint.
    pub(super) fn has_space(&self, state: &mut IntakeState, load: Amount) -> bool {
        let has_space = state.in_flight.is_zero() || state.in_flight.plus(load).fits(self.limit);
        if !has_space && !std::mem::replace(&mut state.is_backpressured, true) {
            self.sequencer.send(IntakeMessage::Backpressured);
        }
        has_space
    }

    pub(super) fn may_cut(&self, state: &mut IntakeState) -> bool {
        state.transactions_waiting == 0 && self.has_space(state, state.pending.before_tail())
    }

    pub(super) fn cut_if_due(self: &Arc<Self>, state: &mut IntakeState) {
        if state.cut_due && state.has_cut() && self.may_cut(state) {
            self.cut(state);
        }
    }

    /// Sends all pending rows before the tail to the sequencer as one commit. Does nothing if there are neither rows
    /// nor an offset.
    pub(super) fn cut(self: &Arc<Self>, state: &mut IntakeState) {
        if state.has_cut() {
            self.send(state, None);
        }
    }

    /// Sends a cut. With `serving`, the sequencer's thread is not woken.
    pub(super) fn send(self: &Arc<Self>, state: &mut IntakeState, serving: Option<&Serving<'_>>) {
        state.cut_due = false;
        state.is_backpressured = false;
        state.first_push = None;
        if self.eager {
            state.last_cut = Some(self.time.now());
        }
        // This comes first, because it runs the user's code, which is guarded.
        let offset = state.offsets.seal();
        let load = state.pending.before_tail();
        // A lone offset also takes space, so that the number of offsets in flight is bounded.
        let held = if load.is_zero() { Amount { rows: 1, bytes: 0 } } else { load };
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
            replaces: taken.replaces,
            credit: Arc::new(Credit { intake: Arc::clone(self), load: held }),
        };
        let message = IntakeMessage::Commit(cut);
        if serving.is_some() { self.sequencer.post(message) } else { self.sequencer.send(message) }
    }

    /// Returns when the pending rows must be committed, or `None` if there are none or autocommit is off.
    fn due(&self, state: &IntakeState) -> Option<Instant> {
        let (first_push, interval) = state.first_push.zip(self.interval)?;
        match state.last_cut {
            None if self.eager => Some(first_push),
            None => first_push.checked_add(interval),
            Some(last_cut) => last_cut.checked_add(interval),
        }
    }

    /// Cuts if a row has waited for the autocommit interval. Returns the time of the next call.
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
                // The rows after the last offset have waited as long, and follow at the next one.
                state.cut_due = !state.pending.load.is_zero();
                state.armed = false;
                None
            }
        }
    }

    fn release(self: &Arc<Self>, load: Amount) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.minus(load);
        self.cut_if_due(&mut state);
        self.announce_space(state);
    }

    /// Arms the autocommit timer after a push. If the backlog is full, it cuts immediately.
    #[inline]
    pub(super) fn after_push(self: &Arc<Self>, state: &mut IntakeState) {
        if state.first_push.is_none() && self.interval.is_some() {
            let now = self.time.now();
            state.first_push = Some(now);
            let due = self.due(state);
            if self.eager && due.is_some_and(|at| at <= now) {
                state.cut_due = true;
            } else if !state.armed
                && let Some(at) = due
            {
                state.armed = true;
                self.sequencer.send(IntakeMessage::Arm { source: self.source, at });
            }
        }
        if state.pending.load.reaches(self.limit) {
            state.cut_due = true;
        }
        if state.cut_due {
            self.cut_if_due(state);
        }
    }
}
