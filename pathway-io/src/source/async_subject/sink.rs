//! `futures::Sink` adapters, which forward a stream into a table.
//!
//! `poll_ready` waits for space like [`reserve`](AsyncSubject::reserve), and `start_send` pushes without waiting.
//! `poll_flush` does nothing, because a pushed row has already reached the pipeline. `poll_close` commits and leaves
//! the table open, so that several streams can be forwarded into one table.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_sink::Sink;

use super::AsyncSubject;
use super::wait::Turn;
use crate::rows::schema::Schema;
use crate::run::error::Closed;
use crate::run::error::row_error::RowError;
use crate::source::intake::{Intake, Push, Registration};
use crate::source::offset::Offset;

/// The waits of a sink.
struct Waits<S, O> {
    subject: AsyncSubject<S, O>,
    registration: Registration<Arc<Intake>>,
    turn: Turn,
}

impl<S, O> Waits<S, O> {
    fn new(subject: &AsyncSubject<S, O>) -> Self {
        let registration = Registration::for_space(Arc::clone(&subject.subject.source().intake));
        Waits { subject: subject.clone(), registration, turn: Turn::First }
    }

    fn poll_ready(&mut self, cx: &Context<'_>) -> Poll<Result<(), Closed>> {
        if self.turn.poll(cx).is_pending() {
            return Poll::Pending;
        }
        let subject = &self.subject.subject;
        let source = subject.source();
        let ready = source.intake.poll_admit(subject.entry(), Push::Reserve, &mut self.registration, cx);
        ready.map(|admitted| {
            self.turn = Turn::First;
            admitted.map(drop).map_err(|refused| source.refuse(refused))
        })
    }

    fn poll_close(&mut self, cx: &Context<'_>) -> Poll<Result<(), Closed>> {
        let subject = &self.subject.subject;
        subject.source().intake.poll_commit(subject.entry(), &mut self.registration, cx)
    }
}

macro_rules! sink {
    ($(#[$doc:meta])* $name:ident, [$($bounds:tt)*] $item:ty, $error:ty, |$subject:ident, $row:ident| $send:expr, $closed:expr) => {
        $(#[$doc])*
        ///
        /// `flush` commits nothing. `close` commits and leaves the table open.
        #[must_use = "a sink pushes nothing by itself"]
        pub struct $name<S, O = ()>(Waits<S, O>);

        /// No field is pinned.
        impl<S, O> Unpin for $name<S, O> {}

        impl<S, O> $name<S, O> {
            pub(super) fn new(subject: &AsyncSubject<S, O>) -> Self {
                $name(Waits::new(subject))
            }
        }

        impl<$($bounds)*> Sink<$item> for $name<S, O> {
            type Error = $error;

            fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), $error>> {
                self.0.poll_ready(cx).map_err($closed)
            }

            fn start_send(self: Pin<&mut Self>, $row: $item) -> Result<(), $error> {
                let $subject = &self.0.subject;
                $send
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), $error>> {
                Poll::Ready(Ok(()))
            }

            fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), $error>> {
                self.0.poll_close(cx).map_err($closed)
            }
        }

        impl<S, O> fmt::Debug for $name<S, O> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0.subject).finish()
            }
        }
    };
}

sink! {
    /// Takes rows as a `futures::Sink`. [`AsyncSubject::sink`] returns it.
    RowSink, [S: Schema, O] S, Closed, |subject, row| subject.push_reserved(row), |closed| closed
}

sink! {
    /// Takes JSON objects as a `futures::Sink`. [`AsyncSubject::json`] returns it.
    ///
    /// A bad row is handled by the policy for bad rows; by default it is the sink's error.
    JsonSink, [S: Schema, O, T: AsRef<[u8]>] T, RowError, |subject, row| subject.push_reserved_json(row.as_ref()), |Closed| RowError::closed()
}

sink! {
    /// Takes rows with their offsets as a `futures::Sink`. [`AsyncSubject::at`] returns it.
    OffsetSink, [S: Schema, O: Offset] (O, S), Closed, |subject, row| subject.push_reserved_at(row.0, row.1), |closed| closed
}
