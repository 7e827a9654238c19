//! The waits of the methods of an [`AsyncSubject`](super::AsyncSubject): for space ([`Admission`]), and for a moment.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::budget;
use super::timer::Timer;
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

/// Waits for `duration`, or until the table is closed, which is an error.
pub(super) async fn sleep(source: &Source, entry: Entry, duration: Duration) -> Result<(), Closed> {
    let (intake, time) = (&*source.intake, &source.control.time);
    // A moment beyond the range of `Instant` never comes.
    let until = time.now().checked_add(duration);
    let mut registration = Registration::for_closing(intake);
    let mut timer = until.map(Timer::at);
    let _waiting = time.wait_until(until);
    poll_fn(|cx| {
        if intake.poll_closed(entry, &mut registration, cx).is_ready() {
            return Poll::Ready(intake.check_open(entry));
        }
        match &mut timer {
            // Setting a manual clock also wakes the tasks that wait for the end.
            _ if time.is_manual() => match until {
                Some(until) if until <= time.now() => Poll::Ready(Ok(())),
                _ => Poll::Pending,
            },
            Some(timer) => timer.poll_at(cx).map(Ok),
            None => Poll::Pending,
        }
    })
    .await
}
