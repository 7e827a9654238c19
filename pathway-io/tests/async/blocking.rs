//! Blocking handles over the handles of an async source. Each wait is a future that the thread drives, and parks
//! meanwhile. With these handles, the cases of `tests/contract` also run on an `AsyncSubject`, inside an
//! `async fn run`.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use pathway_io::__private0::{DataColumn, Removable, tasks::Drive};
use pathway_io::{
    AsyncSubject, AsyncTransaction, Closed, Connector, Hook, Keyed, LinesError, Offset, RowError, RunResult, Schema,
    Subjects, Table, TransactionTable, TryNextError,
};

use crate::common::Number;

/// Runs a future on this thread, which sleeps while it waits.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// An `AsyncSubject` with the methods of a `Subject`.
pub struct Subject<S, O = ()>(pub AsyncSubject<S, O>);

impl<S, O> Clone for Subject<S, O> {
    fn clone(&self) -> Self {
        Subject(self.0.clone())
    }
}

impl<S: Schema, O> Subject<S, O> {
    pub fn next(&self, row: S) -> Result<(), Closed> {
        wait(self.0.next(row))
    }

    pub fn try_next(&self, row: S) -> Result<(), TryNextError<S>> {
        self.0.try_next(row)
    }

    pub fn try_next_json(&self, json: impl AsRef<[u8]>) -> Result<(), RowError> {
        self.0.try_next_json(json)
    }

    pub fn try_remove(&self, key: S::Key) -> Result<(), TryNextError<S::Key>>
    where
        S: Keyed + Removable,
    {
        self.0.try_remove(key)
    }

    pub fn next_json(&self, json: impl AsRef<[u8]>) -> Result<(), RowError> {
        wait(self.0.next_json(json))
    }

    pub fn next_json_lines(&self, lines: impl AsRef<[u8]>) -> Result<usize, LinesError> {
        wait(self.0.next_json_lines(lines))
    }

    pub fn next_value(&self, value: serde_json::Value) -> Result<(), RowError> {
        wait(self.0.next_value(value))
    }

    pub fn next_str(&self, data: impl AsRef<str>) -> Result<(), Closed>
    where
        S: DataColumn<String>,
    {
        wait(self.0.next_str(data))
    }

    pub fn next_bytes(&self, data: impl AsRef<[u8]>) -> Result<(), Closed>
    where
        S: DataColumn<Vec<u8>>,
    {
        wait(self.0.next_bytes(data))
    }

    pub fn remove(&self, key: S::Key) -> Result<(), Closed>
    where
        S: Keyed + Removable,
    {
        wait(self.0.remove(key))
    }

    pub fn reject(&self, raw: impl AsRef<[u8]>, reason: impl Display) -> Result<(), RowError> {
        wait(self.0.reject(raw, reason))
    }

    pub fn commit(&self) -> Result<(), Closed> {
        wait(self.0.commit())
    }

    pub fn transaction(&self) -> Transaction<S, O> {
        Transaction(self.0.transaction())
    }

    pub fn close(self) -> Result<(), Closed> {
        wait(self.0.close())
    }

    pub fn sleep(&self, duration: Duration) -> Result<(), Closed> {
        wait(self.0.sleep(duration))
    }

    /// `closed` returns nothing, so the error of `sleep` is returned.
    pub fn wait_closed(&self) -> Result<(), Closed> {
        wait(self.0.closed());
        self.sleep(Duration::MAX)
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub fn on_interrupt<R>(&self, hook: impl FnOnce() -> R + Send + 'static) -> Hook {
        self.0.on_interrupt(hook)
    }
}

impl<S: Schema, O: Offset> Subject<S, O> {
    pub fn resume(&self) -> Option<O> {
        self.0.resume()
    }

    pub fn next_at(&self, offset: O, row: S) -> Result<(), Closed> {
        wait(self.0.next_at(offset, row))
    }

    pub fn next_json_at(&self, offset: O, json: impl AsRef<[u8]>) -> Result<(), RowError> {
        wait(self.0.next_json_at(offset, json))
    }

    pub fn advance(&self, offset: O) -> Result<(), Closed> {
        self.0.advance(offset)
    }

    pub fn commit_at(&self, offset: O) -> Result<(), Closed> {
        wait(self.0.commit_at(offset))
    }

    pub fn on_durable(&self, callback: impl FnMut(&O) + Send + 'static) {
        self.0.on_durable(callback);
    }
}

/// An `AsyncTransaction` with the methods of a `Transaction`.
pub struct Transaction<S, O = ()>(AsyncTransaction<S, O>);

impl<S: Schema, O> std::ops::Deref for Transaction<S, O> {
    type Target = AsyncTransaction<S, O>;

    fn deref(&self) -> &AsyncTransaction<S, O> {
        &self.0
    }
}

impl<S: Schema, O> Transaction<S, O> {
    pub fn with<'a, T: Schema>(&'a self, other: &'a Subject<T, O>) -> TransactionTable<'a, T, O> {
        self.0.with(&other.0)
    }

    pub fn replace_all(self) -> Self
    where
        S: Keyed + Removable,
    {
        Transaction(self.0.replace_all())
    }

    pub fn commit(self) -> Result<(), Closed> {
        wait(self.0.commit())
    }

    pub fn commit_at(self, offset: O) -> Result<(), Closed>
    where
        O: Offset,
    {
        wait(self.0.commit_at(offset))
    }
}

/// The blocking handles that a case receives, and the async handles that its `run` has.
pub trait Handles: Send + 'static {
    type Async: Subjects;
    fn of(subjects: Self::Async) -> (Self, Drive)
    where
        Self: Sized;
}

impl<S: Schema, O: Offset> Handles for Subject<S, O> {
    type Async = AsyncSubject<S, O>;

    fn of(subject: AsyncSubject<S, O>) -> (Self, Drive) {
        let drive = Drive::new(&subject, Duration::MAX);
        (Subject(subject), drive)
    }
}

impl<A: Schema, B: Schema, O: Offset> Handles for (Subject<A, O>, Subject<B, O>) {
    type Async = (AsyncSubject<A, O>, AsyncSubject<B, O>);

    fn of((a, b): Self::Async) -> (Self, Drive) {
        let drive = Drive::new(&a, Duration::MAX);
        ((Subject(a), Subject(b)), drive)
    }
}

/// A source made of closures.
pub struct Source<T, F> {
    run: Option<F>,
    on_stop: Box<dyn FnMut() + Send>,
    _subjects: std::marker::PhantomData<fn(T)>,
}

pub fn source<T: Handles, F: FnMut(T) -> RunResult + Send + 'static>(run: F) -> Source<T, F> {
    Source { run: Some(run), on_stop: Box::new(|| {}), _subjects: std::marker::PhantomData }
}

impl<T, F> Source<T, F> {
    pub fn on_stop(mut self, on_stop: impl FnMut() + Send + 'static) -> Self {
        self.on_stop = Box::new(on_stop);
        self
    }
}

impl<T: Handles, F: FnMut(T) -> RunResult + Send + 'static> Connector for Source<T, F> {
    type Subjects = T::Async;
    type Tables = <T::Async as Subjects>::Tables;

    fn run(&mut self, subjects: T::Async) -> RunResult {
        let (handles, drive) = T::of(subjects);
        let mut run = self.run.take().unwrap();
        let (kept, ended) = std::sync::mpsc::channel();
        let future = async move {
            let case = tokio::task::spawn_blocking(move || {
                let result = catch_unwind(AssertUnwindSafe(|| run(handles)));
                kept.send(run).unwrap();
                result
            });
            case.await.unwrap().unwrap_or_else(|panic| resume_unwind(panic))
        };
        let result = catch_unwind(AssertUnwindSafe(|| drive.run(future)));
        self.run = ended.recv().ok();
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    fn on_stop(&mut self) {
        (self.on_stop)();
    }
}

/// A source that pushes the numbers and ends.
pub fn numbers(numbers: std::ops::Range<u64>) -> impl Connector<Tables = Table<Number>> {
    source(move |subject: Subject<Number>| {
        for n in numbers.clone() {
            subject.next(Number { n })?;
        }
        Ok(())
    })
}
