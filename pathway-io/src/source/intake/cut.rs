//! How waiting rows become a commit: the [`Cut`], when one is made, and the [`Credit`] that gives its room back.
//!
//! A cut that has no room is *due*: whoever brings the room makes it, which is a credit that comes back, an offset, or the
//! last of the transactions that wait.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use super::Intake;
use super::state::{Cuts, State};
use crate::source::intake::pending::Load;
use crate::source::offset::SealedOffset;

/// One commit of one source, on its way to the sequencer.
pub(crate) struct Cut {
    pub(crate) source: usize,
    /// Table index and `Vec<Batch<S>>`.
    pub(crate) parts: Vec<(usize, Box<dyn Any + Send>)>,
    /// The offset that it covers. With an offset, it may have no parts: the source has read on, and found no rows.
    pub(crate) offset: Option<SealedOffset>,
    /// Lines for the quarantine.
    pub(crate) bad: Vec<u8>,
    /// It is all that the source has, and what is not in it is gone.
    pub(crate) whole: bool,
    /// It replaces all rows of a table, which takes longer the larger the table is.
    pub(crate) replaces: bool,
    pub(crate) credit: Arc<Credit>,
}

/// A message of an intake to the sequencer.
pub(crate) enum IntakeMessage {
    Commit(Cut),
    /// Call [`Intake::autocommit`] of a source at that time.
    Arm {
        source: usize,
        at: Instant,
    },
    /// A source waits for room in its backlog.
    Pressed,
}

/// The way to the sequencer. No method waits for it.
pub(crate) trait Outbox: Send + Sync + 'static {
    /// Sends a message and wakes the sequencer's thread. Returns the message if the sequencer is gone.
    fn send(&self, message: IntakeMessage) -> Result<(), IntakeMessage>;

    /// Sends a message without waking a thread. A call of [`serve`](Self::serve) must follow.
    fn post(&self, message: IntakeMessage) -> Result<(), IntakeMessage>;

    /// Has the posted messages handled: on this thread, which belongs to `source`, if the sequencer is idle and they take a
    /// short time, and otherwise on the sequencer's thread. The caller holds no lock of an intake.
    fn serve(&self, source: usize);
}

/// A promise to call [`Outbox::serve`]. It is kept when this is dropped, so that it must outlive the intake's lock.
pub(super) struct Serving<'a>(&'a Intake);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.sequencer.serve(self.0.source);
    }
}

/// The right to have rows in flight; its last clone to be dropped gives it back.
pub(crate) struct Credit {
    intake: Arc<Intake>,
    pub(super) load: Load,
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
    /// Returns where there is none, the sequencer is told once: what is in flight may wait for a checkpoint.
    pub(super) fn has_room(&self, state: &mut State, load: Load) -> bool {
        let has_room = state.in_flight.is_zero() || state.in_flight.plus(load).fits(self.limit);
        if !has_room && !std::mem::replace(&mut state.pressed, true) {
            // Without a sequencer nothing is in flight for long.
            let _ = self.sequencer.send(IntakeMessage::Pressed);
        }
        has_room
    }

    /// Has what this thread posts handled at its end.
    pub(super) fn serving(&self) -> Serving<'_> {
        Serving(self)
    }

    pub(super) fn may_cut(&self, state: &mut State) -> bool {
        state.transactions_waiting == 0 && self.has_room(state, state.pending.before_tail())
    }

    pub(super) fn cut_if_due(self: &Arc<Self>, state: &mut State) {
        if state.cut_due && state.has_cut() && self.may_cut(state) {
            self.cut(state);
        }
    }

    /// Sends all pending rows before the tail to the sequencer as one commit, if there is anything to say.
    pub(super) fn cut(self: &Arc<Self>, state: &mut State) {
        if state.has_cut() {
            self.send(state, None);
        }
    }

    /// Sends a cut. With `serving`, the sequencer's thread is not woken.
    pub(super) fn send(self: &Arc<Self>, state: &mut State, serving: Option<&Serving<'_>>) {
        state.cut_due = false;
        state.pressed = false;
        state.first_push = None;
        if self.eager {
            state.last_cut = Some(self.time.now());
        }
        // First, since it runs code of the user's, which is guarded.
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
            replaces: taken.replaces,
            credit: Arc::new(Credit { intake: Arc::clone(self), load: held }),
        };
        // The sequencer outlives the subjects. Were it gone all the same, dropping the credit here would lock the
        // state a second time, so the message is kept for ever instead: the failure that ended the sequencer is
        // what the run reports.
        let message = IntakeMessage::Commit(cut);
        let sent = if serving.is_some() { self.sequencer.post(message) } else { self.sequencer.send(message) };
        if let Err(unsent) = sent {
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
        self.announce_room(state);
    }

    /// There is something new to commit: sees to it that somebody will, and does so at once where the backlog is full.
    #[inline]
    pub(super) fn after_push(self: &Arc<Self>, state: &mut State) {
        if state.first_push.is_none() && self.interval.is_some() {
            let now = self.time.now();
            state.first_push = Some(now);
            let due = self.due(state);
            if self.eager && due.is_some_and(|at| at <= now) {
                state.cut_due = true;
            } else if !state.armed
                && !state.cut_due
                && let Some(at) = due
            {
                state.armed = true;
                // If the sequencer has ended, the run has failed already and nothing more is committed.
                let _ = self.sequencer.send(IntakeMessage::Arm { source: self.source, at });
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
