//! [`AsyncSubject`], the handle through which a task pushes rows into a table.
//!
//! It is a [`Subject`] whose waits are futures. The intake decides what a push does and waits for; see
//! `intake/poll.rs`.
//!
//! | file | content |
//! |---|---|
//! | `wait.rs` | the waits for space and for a moment |
//! | `push.rs` | the pushes |
//! | `budget.rs` | when a push yields although it need not wait |
//! | `at_offset.rs` | the methods for offsets |
//! | `permit.rs` | `reserve` and its `Permit` |
//! | `transaction.rs` | `AsyncTransaction` |
//! | `sink.rs` | adapters for `futures::Sink` |
//! | `timer.rs` | the clock behind `sleep` |
//! | `drive.rs` | the life of an `async fn run` (feature `tokio`) |
//! | `glue.rs` | the handle as one of the subjects of a connector |
//! | `tasks.rs` | the names that `#[connector]` uses |

mod at_offset;
mod budget;
#[cfg(feature = "tokio")]
pub(crate) mod drive;
mod glue;
mod permit;
mod push;
mod sink;
#[cfg(feature = "tokio")]
pub(crate) mod tasks;
mod timer;
mod transaction;
mod wait;

use std::fmt;
use std::future::poll_fn;
use std::time::Duration;

pub use self::permit::Permit;
pub use self::sink::{JsonSink, OffsetSink, RowSink};
pub use self::transaction::AsyncTransaction;
use self::wait::Admission;
use crate::rows::schema::Schema;
use crate::run::error::Closed;
use crate::source::hook::Hook;
use crate::source::intake::{Push, Registration};
use crate::source::subject::Subject;

/// Pushes rows from a task into one of a source's tables, without blocking the thread.
///
/// An `async fn run` under `#[connector]` receives one for each table (feature `tokio`). Clones push into the same
/// table, from any task, thread or runtime.
///
/// The methods have the names of [`Subject`]'s methods. Methods that may wait are async. Without `.await`, such a
/// method does nothing: rustc reports that as an error at a `?`, and otherwise as a warning.
///
/// ```
/// use pathway_io::{AsyncSubject, RunResult, Schema, connector, testing};
///
/// #[derive(Schema)]
/// struct Trade {
///     id: u64,
///     cents: i64,
/// }
///
/// struct Exchange;
///
/// # #[cfg(feature = "tokio")]
/// #[connector]
/// impl Exchange {
///     async fn run(&mut self, trades: AsyncSubject<Trade>) -> RunResult {
///         for id in 0..3 {
///             trades.next(Trade { id, cents: 950 }).await?;
///         }
///         Ok(())
///     }
/// }
///
/// # #[cfg(feature = "tokio")]
/// assert_eq!(testing::collect(Exchange)?.len(), 3);
/// # Ok::<(), pathway_io::Error>(())
/// ```
///
/// # Cancel safety
///
/// A future can be dropped before it completes, as `select!` does. A row is pushed either whole or not at all, and the
/// future's place in a queue is released.
///
/// | future | effect of a drop |
/// |---|---|
/// | a push that waits | only its own row is not pushed, and is dropped |
/// | [`reserve`](Self::reserve) | none: you still have the row |
/// | [`next_json_lines`](Self::next_json_lines) | the lines before the one that waited were pushed |
/// | [`commit`](Self::commit), [`close`](Self::close), a transaction's `commit` | the call commits nothing |
/// | [`commit_at`](Self::commit_at) | the call commits nothing; its offset stays set, as after [`advance`](Self::advance) |
/// | [`closed`](Self::closed), [`sleep`](Self::sleep) | none |
///
/// # Fairness
///
/// A loop of pushes that never waits yields to the runtime every 100 us, so that timers and other tasks run.
///
/// # The methods side by side
///
/// ```
/// # use std::time::Duration;
/// # use pathway_io::{AsyncSubject, RunResult, Schema};
/// # #[derive(Schema)] struct Trade { #[schema(primary_key)] id: u64, cents: i64 }
/// async fn push(trades: AsyncSubject<Trade, u64>) -> RunResult {
///     let from = trades.resume().unwrap_or(0);
///     trades.next_at(from + 1, Trade { id: 1, cents: 950 }).await?; // a row and its offset
///     trades.next_json(r#"{"id": 2, "cents": 900}"#).await?;
///     trades.next_value(serde_json::json!({"id": 10, "cents": 900})).await?;
///     trades.next_json_lines("{\"id\": 7, \"cents\": 1}\n{\"id\": 8, \"cents\": 2}\n").await?;
///     trades.remove(2).await?;
///     trades.advance(from + 2)?; // an offset for all of these
///     trades.commit().await?;
///     trades.next_json_at(from + 3, r#"{"id": 11, "cents": 50}"#).await?;
///     trades.reject("{", "a torn frame").await?; // a bad row that you have found yourself
///     trades.on_durable(|offset| println!("{offset} is on disk"));
///
///     let both = trades.transaction(); // pushes into it never wait
///     both.next(Trade { id: 3, cents: 100 })?;
///     both.next(Trade { id: 4, cents: 200 })?;
///     both.commit_at(from + 4).await?;
///
///     let permit = trades.reserve().await?; // wait first, then make the row
///     permit.next(Trade { id: 5, cents: 300 })?;
///     if let Err(error) = trades.try_next(Trade { id: 6, cents: 400 }) {
///         eprintln!("dropped trade {}", error.into_row().id); // in a callback that must not wait
///     }
///     let _ = trades.try_next_json(r#"{"id": 9, "cents": 500}"#); // the same for JSON
///     let _ = trades.try_remove(9);
///     let handle = trades.subject(); // for callbacks and threads
///     trades.on_interrupt(move || drop(handle)); // called at a stop, to end a client that blocks a thread
///     while !trades.is_closed() {
///         trades.sleep(Duration::from_secs(1)).await?; // ends at a stop
///     }
///     trades.closed().await;
///     trades.close().await?;
///     Ok(())
/// }
/// ```
pub struct AsyncSubject<S, O = ()> {
    subject: Subject<S, O>,
}

impl<S, O> Clone for AsyncSubject<S, O> {
    fn clone(&self) -> Self {
        AsyncSubject { subject: self.subject.clone() }
    }
}

impl<S, O> fmt::Debug for AsyncSubject<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncSubject").field(&self.subject).finish()
    }
}

impl<S, O> From<Subject<S, O>> for AsyncSubject<S, O> {
    fn from(subject: Subject<S, O>) -> Self {
        AsyncSubject { subject }
    }
}

impl<S, O> Subject<S, O> {
    /// Returns a handle that tasks of any runtime can use to push into the same table.
    ///
    /// Use it if `run` has its own runtime.
    ///
    /// ```
    /// # use pathway_io::{RunResult, Schema, Subject, connector, testing};
    /// # #[derive(Schema)] struct Tick { n: u64 }
    /// # struct Ticks;
    /// #[connector]
    /// impl Ticks {
    ///     fn run(&mut self, ticks: Subject<Tick>) -> RunResult {
    ///         let ticks = ticks.to_async();
    ///         let runtime = tokio::runtime::Runtime::new()?;
    ///         Ok(runtime.block_on(async { ticks.next(Tick { n: 1 }).await })?)
    ///     }
    /// }
    /// # assert_eq!(testing::collect(Ticks)?.len(), 1);
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    #[must_use]
    pub fn to_async(&self) -> AsyncSubject<S, O> {
        AsyncSubject { subject: self.clone() }
    }
}

/// The parts of the futures.
impl<S, O> AsyncSubject<S, O> {
    #[inline]
    fn admit(&self, push: Push) -> Admission<'_> {
        Admission::new(self.subject.source(), self.subject.entry(), push)
    }
}

// The bounds are on the methods. With a bound on the impl, rustc would not report that the type is not a schema.
impl<S, O> AsyncSubject<S, O> {
    /// Commits everything pushed so far, as one atomic commit; see [`Subject::commit`].
    ///
    /// The call waits while the backlog has no space for the commit.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the call commits nothing. The rows stay for the next commit.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] after a stop; the rows are still committed when `run` ends.
    #[doc(alias("flush"))]
    pub async fn commit(&self) -> Result<(), Closed> {
        let intake = &self.subject.source().intake;
        let mut registration = Registration::for_space(&**intake);
        poll_fn(|cx| intake.poll_commit(self.subject.entry(), &mut registration, cx)).await
    }

    /// Commits, then closes this table for all its handles. The library closes all tables when `run` ends.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the call commits nothing and the table stays open for its other
    /// handles.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if it was closed already.
    pub async fn close(self) -> Result<(), Closed> {
        let committed = self.commit().await;
        self.subject.source().intake.mark_closed(self.subject.entry());
        committed
    }

    /// Waits until the backlog has space for one row, and returns a [`Permit`] that pushes it without waiting.
    ///
    /// You still have the row if `select!` drops the future, so no row is lost.
    ///
    /// ```
    /// # use pathway_io::{AsyncSubject, Closed, Schema};
    /// # #[derive(Schema)] struct Trade { id: u64 }
    /// # async fn next_trade() -> Trade { Trade { id: 1 } }
    /// # async fn push(trades: AsyncSubject<Trade>) -> Result<(), Closed> {
    /// let permit = trades.reserve().await?;
    /// permit.next(next_trade().await)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A permit reserves no space: if others have filled the backlog meanwhile, its row exceeds the backlog by one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future, or the permit, has no effect.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject is closed.
    pub async fn reserve(&self) -> Result<Permit<'_, S, O>, Closed>
    where
        S: Schema,
    {
        drop(self.admit(Push::Reserve).await?);
        Ok(Permit::new(self))
    }

    /// Resolves when the subject is closed: by a stop, by [`close`](Self::close), or at the end of this attempt of
    /// `run`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn closed(&self) {
        let intake = &*self.subject.source().intake;
        let mut registration = Registration::for_closing(intake);
        poll_fn(|cx| intake.poll_closed(self.subject.entry(), &mut registration, cx)).await;
    }

    /// Waits for `duration`, or until a stop.
    ///
    /// It works in every runtime, because it uses the library's own clock.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] as soon as the subject is closed.
    pub async fn sleep(&self, duration: Duration) -> Result<(), Closed> {
        wait::sleep(self.subject.source(), self.subject.entry(), duration).await
    }

    /// Returns whether the subject is closed: by a stop, by [`close`](Self::close), or at the end of this attempt of
    /// `run`.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.subject.is_closed()
    }

    /// Starts a task next to `run`, on the same thread. An error or a panic of the task counts as an error or a panic
    /// of `run`.
    ///
    /// The task returns `()` or a `Result<(), E>`, as `run` does, or it never returns. If it fails, the future of `run`
    /// is dropped at its `.await`. When `run` ends, or a stop drops it, its tasks are dropped, too.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use pathway_io::{AsyncSubject, RunResult, Schema, connector};
    /// # #[derive(Schema)] struct Tick { n: u64 }
    /// # struct Ticks;
    /// #[connector]
    /// impl Ticks {
    ///     async fn run(&mut self, ticks: AsyncSubject<Tick>) -> RunResult {
    ///         let pushed = ticks.clone();
    ///         ticks.spawn(async move {
    ///             for n in 0..10 {
    ///                 pushed.sleep(Duration::from_secs(1)).await?;
    ///                 pushed.next(Tick { n }).await?;
    ///             }
    ///             RunResult::Ok(()) // the type for `?`, which takes any error
    ///         });
    ///         ticks.closed().await; // until a stop
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the caller is neither the `async fn run` of a connector nor a task that `run` has started with this
    /// method.
    #[cfg(feature = "tokio")]
    pub fn spawn<T>(&self, task: T)
    where
        T: Future<Output: drive::TaskResult> + 'static,
    {
        drive::spawn(task);
    }

    /// Starts a transaction: rows that become visible together or not at all. See [`AsyncTransaction`].
    #[must_use = "a transaction that is dropped writes nothing"]
    pub fn transaction(&self) -> AsyncTransaction<S, O>
    where
        S: Schema,
    {
        AsyncTransaction::new(self)
    }

    /// Calls `hook` once when a stop is requested; see [`Subject::on_interrupt`].
    ///
    /// Use a hook for a client that blocks a thread. A task needs none, because a stop drops its future.
    pub fn on_interrupt<R>(&self, hook: impl FnOnce() -> R + Send + 'static) -> Hook {
        self.subject.on_interrupt(hook)
    }

    /// Returns a handle for callbacks and threads that pushes into the same table.
    ///
    /// Its `next` and `commit` block the thread while the backlog is full. In a task, use only methods that never
    /// wait, such as [`try_next`](Subject::try_next). A wait would block the runtime, and a stop with it.
    #[must_use]
    pub fn subject(&self) -> Subject<S, O> {
        self.subject.clone()
    }

    /// Returns a `futures::Sink` of rows.
    ///
    /// ```
    /// use futures_util::{Stream, StreamExt};
    /// use pathway_io::{AsyncSubject, Closed, Schema};
    ///
    /// #[derive(Schema)]
    /// struct Trade {
    ///     id: u64,
    /// }
    ///
    /// async fn forward(trades: AsyncSubject<Trade>, feed: impl Stream<Item = Trade>) -> Result<(), Closed> {
    ///     feed.map(Ok).forward(trades.sink()).await // the end of the stream is a commit
    /// }
    /// ```
    pub fn sink(&self) -> RowSink<S, O> {
        RowSink::new(self)
    }

    /// Returns a `futures::Sink` of JSON objects. Each item is one object.
    ///
    /// ```
    /// use futures_util::{Stream, StreamExt};
    /// use pathway_io::{AsyncSubject, RowError, TextRow};
    ///
    /// async fn forward(lines: AsyncSubject<TextRow>, feed: impl Stream<Item = String>) -> Result<(), RowError> {
    ///     feed.map(Ok).forward(lines.json()).await
    /// }
    /// ```
    pub fn json(&self) -> JsonSink<S, O> {
        JsonSink::new(self)
    }
}
