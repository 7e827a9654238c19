//! The waits of the intake for tasks. Each checks its condition under the lock, and registers its waker before it
//! releases the lock.
//!
//! A thread that changes the condition holds the lock, too, and so finds the waker. A future that is dropped removes
//! its waker ([`Place`]), so that a loop which drops futures does not fill the lists.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::state::{Entry, State};
use super::wakers::Wakers;
use super::{Admitted, Intake, Push, Refused};
use crate::run::error::Closed;
use crate::run::sync::MutexGuard;
use crate::source::intake::pending::Pending;
use crate::source::offset::Offset;

/// A task's entry in a list of waiting tasks, which is empty while it does not wait. The owner must remove the entry
/// when it is dropped.
#[derive(Default)]
pub(crate) struct Place(Option<u64>);

/// The list of tasks that wait for one event.
type List = fn(&mut State) -> &mut Wakers;

const ROOM: List = |state| &mut state.room;
const CLOSING: List = |state| &mut state.closing;

impl Place {
    /// Returns the lock, for a task that is in no list.
    fn enter<'a>(&mut self, intake: &'a Intake, list: List) -> MutexGuard<'a, State> {
        let mut state = intake.lock();
        if let Some(number) = self.0.take()
            && let Some(waker) = list(&mut state).remove(number)
        {
            drop(state);
            drop(waker);
            state = intake.lock();
        }
        state
    }

    fn wait(&mut self, mut state: MutexGuard<'_, State>, list: List, waker: &Waker) {
        self.0 = Some(list(&mut state).add(waker.clone()));
    }

    /// Removes the task from the list of tasks that wait for room.
    pub(crate) fn give_back_room(&mut self, intake: &Intake) {
        if self.0.is_some() {
            drop(self.enter(intake, ROOM));
        }
    }

    /// Removes the task from the list of tasks that wait for an end.
    pub(crate) fn give_back_closing(&mut self, intake: &Intake) {
        if self.0.is_some() {
            drop(self.enter(intake, CLOSING));
        }
    }
}

impl Intake {
    /// [`admit`](Self::admit) for a task.
    #[inline]
    pub(crate) fn poll_admit<'a>(
        self: &'a Arc<Self>,
        entry: Entry,
        push: Push,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<Admitted<'a>, Refused>> {
        let mut state = place.enter(self, ROOM);
        match self.room_for(&mut state, entry, push) {
            Poll::Ready(result) => Poll::Ready(result.map(|()| Admitted { intake: self, state, table: entry.table })),
            Poll::Pending => {
                place.wait(state, ROOM, cx.waker());
                Poll::Pending
            }
        }
    }

    /// [`commit`](Self::commit) for a task.
    pub(crate) fn poll_commit(
        self: &Arc<Self>,
        entry: Entry,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Closed>> {
        let mut state = place.enter(self, ROOM);
        let committed = self.try_commit(&mut state, entry, None);
        if committed.is_pending() {
            place.wait(state, ROOM, cx.waker());
        }
        committed
    }

    /// Resolves when the table is closed.
    pub(crate) fn poll_closed(&self, entry: Entry, place: &mut Place, cx: &Context<'_>) -> Poll<()> {
        self.poll_closing(|state| state.is_closed(entry), place, cx)
    }

    /// Resolves when all tables are closed, as they are by a stop, or when the attempt was idle for too long.
    #[cfg(feature = "tokio")]
    pub(crate) fn poll_stopped(&self, place: &mut Place, cx: &Context<'_>) -> Poll<()> {
        self.poll_closing(|state| state.closed || state.interrupted, place, cx)
    }

    fn poll_closing(&self, is_closed: impl FnOnce(&State) -> bool, place: &mut Place, cx: &Context<'_>) -> Poll<()> {
        let state = place.enter(self, CLOSING);
        if is_closed(&state) {
            return Poll::Ready(());
        }
        place.wait(state, CLOSING, cx.waker());
        Poll::Pending
    }
}

/// [`Intake::commit_transaction`] for a task. If it is dropped while it waits, it commits nothing, and a cut that
/// waited for it is made.
pub(crate) struct CommitTransaction<'a, O> {
    intake: &'a Arc<Intake>,
    entry: Entry,
    transaction: Pending,
    offset: Option<O>,
    /// Whether the transaction is counted as waiting.
    is_queued: bool,
    place: Place,
}

/// Nothing in it is pinned.
impl<O> Unpin for CommitTransaction<'_, O> {}

impl<'a, O: Offset> CommitTransaction<'a, O> {
    pub(crate) fn new(intake: &'a Arc<Intake>, entry: Entry, transaction: Pending, offset: Option<O>) -> Self {
        CommitTransaction { intake, entry, transaction, offset, is_queued: false, place: Place::default() }
    }
}

impl<O: Offset> Future for CommitTransaction<'_, O> {
    type Output = Result<(), Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let intake = this.intake;
        let mut state = this.place.enter(intake, ROOM);
        if !this.is_queued && state.is_for_later(this.offset.is_some()) {
            state.check_transaction(this.entry, &this.transaction)?;
            // If an offset waits for this transaction, no cut can be made before it, and only the sinks make room.
            let has_room = if state.offset_waits {
                let load = state.pending.load.plus(this.transaction.load);
                intake.has_room(&mut state, load)
            } else {
                intake.room_for(&mut state, this.entry, Push::Wait)?.is_ready()
            };
            if !has_room {
                this.place.wait(state, ROOM, cx.waker());
                return Poll::Pending;
            }
            state.append_for_later(this.entry, std::mem::take(&mut this.transaction))?;
            // From here on nothing waits, because the rows cannot be taken back if this future is dropped.
            intake.cut_if_due(&mut state);
            return Poll::Ready(Ok(()));
        }
        if !this.is_queued {
            state.transactions_waiting += 1;
            this.is_queued = true;
        }
        match intake.try_transaction(&mut state, this.entry, &mut this.transaction, &mut this.offset, None) {
            Poll::Ready(committed) => {
                this.is_queued = false;
                intake.leave_queue(state);
                Poll::Ready(committed.map_err(Refused::from))
            }
            Poll::Pending => {
                this.place.wait(state, ROOM, cx.waker());
                Poll::Pending
            }
        }
    }
}

impl<O> Drop for CommitTransaction<'_, O> {
    fn drop(&mut self) {
        if std::mem::take(&mut self.is_queued) {
            self.intake.leave_queue(self.intake.lock());
        }
        self.place.give_back_room(self.intake);
        if let Some(opened) = self.transaction.opened.take() {
            self.intake.drop_transaction(self.entry, opened);
        }
    }
}
