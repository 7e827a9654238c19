//! Pushes rows into the intake. A row is first *admitted*, which may wait for space, and then pushed under the same
//! lock.

use std::sync::Arc;
use std::task::Poll;

use super::Intake;
use super::state::{Cuts, Entry, IntakeState};
use crate::rows::batch::Batch;
use crate::rows::schema::Schema;
use crate::run::error::Closed;
use crate::run::sync::MutexGuard;
use crate::source::intake::pending::AnyPool;
use crate::source::offset::Offset;

/// The way a row is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    /// The push waits for space.
    Wait,
    /// The push waits for space, and has an offset.
    At,
    /// The push does not wait.
    Try,
    /// Waits for space, for a push that may follow.
    Reserve,
    /// The push does not wait, because it has waited for space before. If others have taken the space meanwhile, this
    /// row exceeds the backlog by one.
    Reserved,
    /// The push does not wait, for the same reason, and has an offset.
    ReservedAt,
}

impl Push {
    /// Returns the way to push a row with an offset.
    fn at(self) -> Self {
        match self {
            Push::Wait => Push::At,
            Push::Reserved => Push::ReservedAt,
            push => push,
        }
    }
}

/// The reason why a push was not admitted.
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

impl Intake {
    /// Waits until a row may be pushed into `table`.
    ///
    /// # Errors
    ///
    /// Returns the reason why no row can be pushed.
    #[inline]
    pub(crate) fn admit(self: &Arc<Self>, entry: Entry, push: Push) -> Result<Admitted<'_>, Refused> {
        let state = self.lock();
        let state = self.wait_for_space(state, entry, push)?;
        Ok(Admitted { intake: self, state, table: entry.table })
    }

    #[inline]
    pub(super) fn wait_for_space<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, IntakeState>,
        entry: Entry,
        push: Push,
    ) -> Result<MutexGuard<'a, IntakeState>, Refused> {
        loop {
            match self.poll_space(&mut state, entry, push) {
                Poll::Ready(result) => return result.map(|()| state),
                Poll::Pending if push == Push::Try => return Err(Refused::Full),
                Poll::Pending => state = self.wait(state),
            }
        }
    }

    /// Returns whether a row may be pushed into `table`, or `Pending` if it has to wait.
    #[inline]
    pub(super) fn poll_space(
        self: &Arc<Self>,
        state: &mut IntakeState,
        entry: Entry,
        push: Push,
    ) -> Poll<Result<(), Refused>> {
        loop {
            state.check_open(entry)?;
            if !state.pending.load.reaches(self.limit) || state.cuts == Cuts::AtEnd {
                return Poll::Ready(Ok(()));
            }
            // A transaction that waits for space may bring the offset.
            if !state.has_cut() && state.transactions_waiting == 0 {
                // All waiting rows are after the last offset, or wait with it for a transaction.
                let may_push = match push {
                    Push::Reserve => true,
                    Push::At | Push::ReservedAt if state.can_end_wait() => true,
                    _ => !state.blocked().reaches(self.limit),
                };
                return Poll::Ready(if may_push { Ok(()) } else { Err(Refused::NoOffset) });
            }
            if matches!(push, Push::Reserved | Push::ReservedAt) {
                return Poll::Ready(Ok(()));
            }
            if !self.may_cut(state) {
                return Poll::Pending;
            }
            self.cut(state);
        }
    }

    /// Adds the line of a bad row, which becomes durable with the rows around it, and its offset. `push` says whether
    /// it waits for space.
    pub(crate) fn push_bad_row<O: Offset>(
        self: &Arc<Self>,
        entry: Entry,
        line: &[u8],
        offset: Option<O>,
        push: Push,
    ) -> Result<(), Refused> {
        let push = if offset.is_some() { push.at() } else { push };
        let mut state = self.wait_for_space(self.lock(), entry, push)?;
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
}

/// An admitted push, which holds the lock.
pub(crate) struct Admitted<'a> {
    pub(super) intake: &'a Arc<Intake>,
    pub(super) state: MutexGuard<'a, IntakeState>,
    pub(super) table: usize,
}

impl Admitted<'_> {
    /// Lets `fill` push one row, and commits if that fills the backlog.
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

    /// Lets `rows` push one row after the other. Returns `Ok(true)` after `None`, the error if there is one, and
    /// `Ok(false)` if the lock was held long enough.
    pub(crate) fn push_all<S: Schema, E>(
        mut self,
        pool: &AnyPool,
        rows: &mut impl FnMut(&mut Batch<S>) -> Option<Result<(), E>>,
    ) -> Result<bool, E> {
        let state = &mut *self.state;
        state.begin_tail();
        let offered = &mut state.offered[self.table];
        let before = *offered;
        let pushed = state.pending.push_all::<S, E>(self.table, pool, self.intake.limit, offered, rows);
        if *offered > before {
            self.intake.after_push(state);
        }
        pushed
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
