//! The futures behind the methods of an [`AsyncSubject`](super::AsyncSubject): waits for room, for a commit and for the end.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::budget;
use super::timer::Timer;
use crate::run::error::Closed;
use crate::run::time::Waiting;
use crate::source::intake::{Admitted, Entry, Place, Push};
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
    place: Place,
    turn: Turn,
}

impl<'a> Admission<'a> {
    #[inline]
    pub(super) fn new(source: &'a Source, entry: Entry, push: Push) -> Self {
        Admission { source, entry, push, place: Place::default(), turn: Turn::First }
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
        let admitted = source.intake.poll_admit(this.entry, this.push, &mut this.place, cx);
        admitted.map(|admitted| admitted.map_err(|refused| source.refuse(refused)))
    }
}

impl Drop for Admission<'_> {
    #[inline]
    fn drop(&mut self) {
        self.place.give_back_room(&self.source.intake);
    }
}

/// Waits until everything pushed so far is committed.
#[must_use]
pub(super) struct Committing<'a> {
    source: &'a Source,
    entry: Entry,
    place: Place,
}

impl<'a> Committing<'a> {
    pub(super) fn new(source: &'a Source, entry: Entry) -> Self {
        Committing { source, entry, place: Place::default() }
    }
}

impl Future for Committing<'_> {
    type Output = Result<(), Closed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.source.intake.poll_commit(this.entry, &mut this.place, cx)
    }
}

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        self.place.give_back_room(&self.source.intake);
    }
}

/// Waits until a table is closed.
#[must_use]
pub(super) struct Closing<'a> {
    source: &'a Source,
    entry: Entry,
    place: Place,
}

impl<'a> Closing<'a> {
    pub(super) fn new(source: &'a Source, entry: Entry) -> Self {
        Closing { source, entry, place: Place::default() }
    }
}

impl Future for Closing<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.source.intake.poll_closed(this.entry, &mut this.place, cx)
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.place.give_back_closing(&self.source.intake);
    }
}

/// Waits until a moment, or until a table is closed, which is an error.
#[must_use]
pub(super) struct Sleeping<'a> {
    closing: Closing<'a>,
    timer: Option<Timer>,
    /// The registration with a manual clock.
    waiting: Option<Waiting>,
}

impl<'a> Sleeping<'a> {
    /// A moment beyond the range of `Instant` never comes.
    pub(super) fn new(source: &'a Source, entry: Entry, until: Option<Instant>) -> Self {
        Sleeping { closing: Closing::new(source, entry), timer: until.map(Timer::at), waiting: None }
    }
}

impl Future for Sleeping<'_> {
    type Output = Result<(), Closed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let time = &this.closing.source.control.time;
        if Pin::new(&mut this.closing).poll(cx).is_ready() {
            return Poll::Ready(this.closing.source.intake.check_open(this.closing.entry));
        }
        match &mut this.timer {
            // Setting a manual clock also wakes the threads that wait for the end.
            Some(timer) if time.is_manual() => {
                if timer.moment() <= time.now() {
                    return Poll::Ready(Ok(()));
                }
                if this.waiting.is_none() {
                    this.waiting = time.wait_until(Some(timer.moment()));
                }
                Poll::Pending
            }
            Some(timer) => timer.poll_at(cx).map(Ok),
            None => Poll::Pending,
        }
    }
}
