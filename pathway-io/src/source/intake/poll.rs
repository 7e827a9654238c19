//! The waits of the intake for tasks. Each checks its condition under the lock, and registers its waker before it
//! releases the lock.
//!
//! A thread that changes the condition holds the lock, too, and therefore finds the waker. A future that is dropped
//! removes its waker ([`Registration`]), so that a loop which drops futures does not fill the lists.

use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::state::{Entry, IntakeState};
use super::transaction::Committing;
use super::wakers::Wakers;
use super::{Admitted, Intake, Push, Refused};
use crate::run::error::Closed;
use crate::run::sync::MutexGuard;
use crate::source::offset::Offset;

/// The list of tasks that wait for one event.
type List = fn(&mut IntakeState) -> &mut Wakers;

/// A task's entry in a list of waiting tasks, which is empty while the task does not wait. Its drop removes the entry.
pub(crate) struct Registration<I: Deref<Target = Intake>> {
    intake: I,
    list: List,
    number: Option<u64>,
}

impl<I: Deref<Target = Intake>> Registration<I> {
    /// Returns the registration of a task that will wait for space.
    #[inline]
    pub(crate) fn for_space(intake: I) -> Self {
        Registration { intake, list: |state| &mut state.space, number: None }
    }

    /// Returns the registration of a task that will wait until something is closed.
    pub(crate) fn for_closing(intake: I) -> Self {
        Registration { intake, list: |state| &mut state.closing, number: None }
    }

    /// Returns the lock, for a task that is in no list.
    fn enter<'a>(&mut self, intake: &'a Intake) -> MutexGuard<'a, IntakeState> {
        enter(intake, self.list, &mut self.number)
    }

    fn wait(&mut self, mut state: MutexGuard<'_, IntakeState>, waker: &Waker) {
        self.number = Some((self.list)(&mut state).add(waker.clone()));
    }
}

impl<I: Deref<Target = Intake>> Drop for Registration<I> {
    #[inline]
    fn drop(&mut self) {
        if self.number.is_some() {
            drop(enter(&self.intake, self.list, &mut self.number));
        }
    }
}

/// Removes the task from the list, and returns the lock.
fn enter<'a>(intake: &'a Intake, list: List, number: &mut Option<u64>) -> MutexGuard<'a, IntakeState> {
    let mut state = intake.lock();
    if let Some(number) = number.take()
        && let Some(waker) = list(&mut state).remove(number)
    {
        drop(state);
        drop(waker);
        state = intake.lock();
    }
    state
}

impl Intake {
    /// [`admit`](Self::admit) for a task.
    #[inline]
    pub(crate) fn poll_admit<'a>(
        self: &'a Arc<Self>,
        entry: Entry,
        push: Push,
        registration: &mut Registration<impl Deref<Target = Intake>>,
        cx: &Context<'_>,
    ) -> Poll<Result<Admitted<'a>, Refused>> {
        let mut state = registration.enter(self);
        match self.poll_space(&mut state, entry, push) {
            Poll::Ready(result) => Poll::Ready(result.map(|()| Admitted { intake: self, state, table: entry.table })),
            Poll::Pending => {
                registration.wait(state, cx.waker());
                Poll::Pending
            }
        }
    }

    /// [`commit`](Self::commit) for a task.
    pub(crate) fn poll_commit(
        self: &Arc<Self>,
        entry: Entry,
        registration: &mut Registration<impl Deref<Target = Intake>>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Closed>> {
        let mut state = registration.enter(self);
        let committed = self.try_commit(&mut state, entry, None);
        if committed.is_pending() {
            registration.wait(state, cx.waker());
        }
        committed
    }

    /// Resolves when the table is closed.
    pub(crate) fn poll_closed(
        &self,
        entry: Entry,
        registration: &mut Registration<impl Deref<Target = Intake>>,
        cx: &Context<'_>,
    ) -> Poll<()> {
        self.poll_closing(|state| state.is_closed(entry), registration, cx)
    }

    /// Resolves when all tables are closed, as they are by a stop, or when the attempt was idle for too long.
    #[cfg(feature = "tokio")]
    pub(crate) fn poll_stopped(
        &self,
        registration: &mut Registration<impl Deref<Target = Intake>>,
        cx: &Context<'_>,
    ) -> Poll<()> {
        self.poll_closing(|state| state.closed || state.interrupted, registration, cx)
    }

    fn poll_closing(
        &self,
        is_closed: impl FnOnce(&IntakeState) -> bool,
        registration: &mut Registration<impl Deref<Target = Intake>>,
        cx: &Context<'_>,
    ) -> Poll<()> {
        let state = registration.enter(self);
        if is_closed(&state) {
            return Poll::Ready(());
        }
        registration.wait(state, cx.waker());
        Poll::Pending
    }
}

impl<O: Offset> Committing<'_, O> {
    /// [`Intake::commit_transaction`] for a task.
    pub(crate) fn poll_commit(
        &mut self,
        registration: &mut Registration<impl Deref<Target = Intake>>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refused>> {
        let intake = self.intake;
        let mut state = registration.enter(intake);
        let committed = self.poll(&mut state, None);
        if committed.is_pending() {
            registration.wait(state, cx.waker());
        } else {
            self.leave_queue(state);
        }
        committed
    }
}
