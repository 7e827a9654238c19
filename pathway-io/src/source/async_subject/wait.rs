//! The wait for space: [`Admission`].

use std::pin::Pin;
use std::task::{Context, Poll};

use super::budget;
use crate::run::error::Closed;
use crate::source::intake::{Admitted, Entry, Intake, Push, Registration};
use crate::source::shared::Source;

/// Whether a push may use the thread's time budget.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    First,
    Yielded,
    Taken,
}

impl Turn {
    /// Yields once if the thread's budget is used up.
    #[inline]
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        match self {
            Turn::Taken => return Poll::Ready(()),
            Turn::Yielded => budget::renew(),
            Turn::First if budget::take() => {}
            Turn::First => {
                *self = Turn::Yielded;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        *self = Turn::Taken;
        Poll::Ready(())
    }
}

/// Waits until a row may be pushed. The result holds the intake's lock, and must not be kept across an `.await`.
#[must_use]
pub(super) struct Admission<'a> {
    source: &'a Source,
    entry: Entry,
    push: Push,
    registration: Registration<&'a Intake>,
    turn: Turn,
}

impl<'a> Admission<'a> {
    #[inline]
    pub(super) fn new(source: &'a Source, entry: Entry, push: Push) -> Self {
        Admission { source, entry, push, registration: Registration::for_space(&*source.intake), turn: Turn::First }
    }
}

impl<'a> Future for Admission<'a> {
    type Output = Result<Admitted<'a>, Closed>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.turn.poll(cx).is_pending() {
            return Poll::Pending;
        }
        let source = this.source;
        let admitted = source.intake.poll_admit(this.entry, this.push, &mut this.registration, cx);
        admitted.map(|admitted| admitted.map_err(|refused| source.refuse(refused)))
    }
}
