//! The life of an `async fn run`: [`Drive`].
//!
//! Each attempt has a runtime on the connector's own thread and a `LocalSet`, so no future needs to be `Send`. A stop
//! ends `run` without its cooperation, because a future can be dropped at an `.await`:
//!
//! 1. The subjects are closed. That wakes the drive, and every wait for a subject in `run`.
//! 2. `run` is polled once more, so that a wait that was just woken can return. It then has the time of
//!    `#[connector(stop = ..)]`.
//! 3. Its future is dropped inside the runtime, so that the drops of its values can still use the runtime.
//! 4. The tasks that it has started are dropped, and then the runtime, without waiting for its blocking tasks.
//!
//! User code runs in each of these steps, and may panic. The first panic counts as a panic of `run`. Further ones are
//! reported as separate failures.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;
use tokio::time::Sleep;

use super::AsyncSubject;
use crate::run::error::FailureKind;
use crate::run::error::{BoxError, RunResult};
use crate::run::panics::message;
use crate::source::glue::{IntoRunResult, SubjectHandle};
use crate::source::intake::{Intake, Registration};
use crate::source::shared::Source;
use crate::source::subject::Subject;

type Panic = Box<dyn Any + Send>;

thread_local! {
    /// The tasks of the `run` that this thread drives.
    static TASKS: RefCell<Option<Rc<Tasks>>> = const { RefCell::new(None) };
    /// The number of polls after which the next `run` on this thread is dropped.
    static POLLS: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Drops the future of the next `run` on this thread after this many polls, which counts as a failure of `run`. The
/// test kit uses it.
pub(crate) fn drop_after(polls: u64) {
    POLLS.set(Some(polls));
}

/// A parameter of `run`, from which the drive obtains its source.
#[doc(hidden)]
pub trait Driven {
    #[doc(hidden)]
    fn source(&self) -> Arc<Source>;
}

impl<S, O> Driven for AsyncSubject<S, O> {
    fn source(&self) -> Arc<Source> {
        Arc::clone(self.subject.source())
    }
}

/// An `async fn run` has no such parameter, which is reported already.
impl<S, O> Driven for Subject<S, O> {
    fn source(&self) -> Arc<Source> {
        Arc::clone(self.source())
    }
}

impl<C, R, const I: usize> Driven for SubjectHandle<C, R, I> {
    fn source(&self) -> Arc<Source> {
        Arc::clone(SubjectHandle::source(self))
    }
}

/// Runs the future of an `async fn run` to its end, or to a stop.
#[doc(hidden)]
pub struct Drive {
    source: Arc<Source>,
    /// The time that `run` has after a stop.
    stop: Duration,
}

impl Drive {
    /// Returns a drive for the connector that this subject belongs to.
    #[doc(hidden)]
    pub fn new(subject: &impl Driven, stop: Duration) -> Self {
        Drive { source: subject.source(), stop }
    }

    /// # Errors
    ///
    /// Returns the error of `run`, or of a task that it has started.
    #[doc(hidden)]
    pub fn run(self, run: impl Future<Output: IntoRunResult>) -> RunResult {
        let runtime = Attempt::new()?;
        let tasks = Rc::new(Tasks::default());
        let mut panics = Panics::default();
        let local = LocalSet::new();
        TASKS.set(Some(Rc::clone(&tasks)));
        let mut run = Box::pin(run);
        let ended = panics.catch(|| {
            let driving = Driving {
                run: run.as_mut(),
                source: &self.source,
                tasks: &tasks,
                stop: self.stop,
                registration: Registration::for_closing(&*self.source.intake),
                stopped: None,
                polls_left: POLLS.take(),
            };
            runtime.get().block_on(local.run_until(driving))
        });
        {
            let _runtime = runtime.get().enter();
            {
                let _local = local.enter();
                panics.catch(|| drop(run));
            }
            panics.catch(|| drop(local));
        }
        TASKS.set(None);
        panics.catch(|| drop(runtime));
        let failure = tasks.failure.take();
        let result = match (ended.flatten(), failure) {
            (_, Some(TaskFailure::Panic(panic))) => {
                panics.0.push(panic);
                Ok(())
            }
            (Some(Err(error)), _) | (_, Some(TaskFailure::Error(error))) => Err(error),
            (Some(Ok(())) | None, None) => Ok(()),
        };
        panics.raise(&self.source);
        result
    }
}

/// Runs an `async fn on_stop` on a new runtime, because the runtime of `run` has been shut down.
#[doc(hidden)]
pub fn on_stop(future: impl Future<Output = ()>) {
    match Attempt::new() {
        Ok(runtime) => runtime.get().block_on(LocalSet::new().run_until(future)),
        // A panic becomes an error that names the connector.
        Err(error) => panic!("{error}"),
    }
}

/// The runtime of one attempt. Its drop does not wait for anything, not even for blocking tasks.
struct Attempt(Option<Runtime>);

impl Attempt {
    fn new() -> Result<Self, BoxError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => Ok(Attempt(Some(runtime))),
            Err(error) => Err(format!("its runtime could not be started: {error}").into()),
        }
    }

    fn get(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken when it is dropped")
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Panics of one attempt.
#[derive(Default)]
struct Panics(Vec<Panic>);

impl Panics {
    fn catch<T>(&mut self, run: impl FnOnce() -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(value) => Some(value),
            Err(panic) => {
                self.0.push(panic);
                None
            }
        }
    }

    /// Raises the first panic, as if `run` had panicked, and reports the others.
    fn raise(self, source: &Source) {
        let mut panics = self.0.into_iter();
        let Some(first) = panics.next() else { return };
        for panic in panics {
            source.fail(FailureKind::Panicked { place: "run", message: message(panic) });
        }
        resume_unwind(first);
    }
}

/// A future that polls `run` to its end. It resolves to `None` if `run` must be dropped.
struct Driving<'a, F> {
    run: Pin<&'a mut F>,
    source: &'a Source,
    tasks: &'a Tasks,
    stop: Duration,
    registration: Registration<&'a Intake>,
    /// After a stop: the end of the time that `run` still has. The inner `None` means without limit.
    stopped: Option<Option<Pin<Box<Sleep>>>>,
    /// In a test, the number of polls after which `run` is dropped.
    polls_left: Option<u64>,
}

impl<F> Driving<'_, F> {
    /// Resolves when the time after a stop is over.
    fn poll_stop(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.stopped.is_none() {
            if self.source.intake.poll_stopped(&mut self.registration, cx).is_pending() {
                return Poll::Pending;
            }
            if self.stop.is_zero() {
                return Poll::Ready(());
            }
            let until = Instant::now().checked_add(self.stop);
            self.stopped = Some(until.map(|until| Box::pin(tokio::time::sleep_until(until.into()))));
        }
        match &mut self.stopped {
            Some(Some(sleep)) => sleep.as_mut().poll(cx),
            _ => Poll::Pending,
        }
    }
}

impl<F: Future<Output: IntoRunResult>> Future for Driving<'_, F> {
    type Output = Option<RunResult>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.tasks.watch(cx.waker());
        if let Poll::Ready(result) = this.run.as_mut().poll(cx) {
            return Poll::Ready(Some(result.into_run_result()));
        }
        if let Some(left) = &mut this.polls_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                return Poll::Ready(Some(Err("the test kit has dropped its future at an `.await`".into())));
            }
        }
        if this.poll_stop(cx).is_ready() {
            // The stop may have come after the poll above, and `run` must be polled once more after a stop.
            return Poll::Ready(match this.run.as_mut().poll(cx) {
                Poll::Ready(result) => Some(result.into_run_result()),
                Poll::Pending => None,
            });
        }
        // After a stop, a task may fail because of it, and `run` still has its time to end in order.
        if this.stopped.is_none() && this.tasks.has_failed() {
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

/// The tasks of a `run`, and their failures.
#[derive(Default)]
struct Tasks {
    failure: RefCell<Option<TaskFailure>>,
    waker: RefCell<Option<Waker>>,
}

enum TaskFailure {
    Error(BoxError),
    Panic(Panic),
}

impl Tasks {
    fn watch(&self, waker: &Waker) {
        let mut watching = self.waker.borrow_mut();
        if watching.as_ref().is_none_or(|watching| !watching.will_wake(waker)) {
            *watching = Some(waker.clone());
        }
    }

    fn has_failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    /// Records the first failure. A panic replaces an earlier error.
    fn fail(&self, failure: TaskFailure) {
        let mut first = self.failure.borrow_mut();
        match (&*first, &failure) {
            (None, _) | (Some(TaskFailure::Error(_)), TaskFailure::Panic(_)) => *first = Some(failure),
            (Some(_), _) => {}
        }
        drop(first);
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// The return types of a task of `run`.
#[diagnostic::on_unimplemented(
    message = "a task must return `()` or `Result<(), E>`, found `{Self}`",
    label = "not a result of a task",
    note = "`E` is any error that converts into `Box<dyn Error + Send + Sync>`; `pathway_io::RunResult` takes them all"
)]
pub trait TaskResult {
    #[doc(hidden)]
    fn into_task_result(self) -> RunResult;
}

#[diagnostic::do_not_recommend]
impl TaskResult for () {
    fn into_task_result(self) -> RunResult {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> TaskResult for Result<(), E> {
    fn into_task_result(self) -> RunResult {
        self.map_err(Into::into)
    }
}

/// The result of a task that never ends. Its type is `!`, which has no stable name.
#[diagnostic::do_not_recommend]
impl TaskResult for <fn() -> ! as Returning>::Output {
    fn into_task_result(self) -> RunResult {
        self
    }
}

/// The return type of a function.
#[doc(hidden)]
pub trait Returning {
    type Output;
}

impl<T> Returning for fn() -> T {
    type Output = T;
}

/// Starts a task whose failure is a failure of `run`.
pub(super) fn spawn<T>(task: T)
where
    T: Future<Output: TaskResult> + 'static,
{
    let Some(tasks) = TASKS.with_borrow(Clone::clone) else {
        panic!("`AsyncSubject::spawn` was called outside of an `async fn run`");
    };
    tokio::task::spawn_local(Task { tasks, task: Some(Box::pin(task)) });
}

/// A task that `run` has started. `task` is `None` once it has ended.
struct Task<T: Future> {
    tasks: Rc<Tasks>,
    task: Option<Pin<Box<T>>>,
}

impl<T: Future> Task<T> {
    fn end(&mut self) {
        let task = self.task.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(task))) {
            self.tasks.fail(TaskFailure::Panic(panic));
        }
    }
}

impl<T: Future<Output: TaskResult>> Future for Task<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(task) = &mut this.task else { return Poll::Ready(()) };
        let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx).map(TaskResult::into_task_result)));
        match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => {}
            Ok(Poll::Ready(Err(error))) => this.tasks.fail(TaskFailure::Error(error)),
            Err(panic) => this.tasks.fail(TaskFailure::Panic(panic)),
        }
        this.end();
        Poll::Ready(())
    }
}

impl<T: Future> Drop for Task<T> {
    fn drop(&mut self) {
        self.end();
    }
}
