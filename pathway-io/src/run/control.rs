//! What the threads of a running pipeline tell each other: [`Control`].
//!
//! Everything that ends a run meets here. A stop, whoever asks for it, closes the subjects of all sources and fires
//! their hooks; a failure is noted and asks for a stop. The thread that waits for the run sees each change through one
//! condition variable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tracing::{error, info};

use crate::run::error::{BoxError, Error, FailureKind};
use crate::run::summary::{SourceSummary, Stop};
use crate::sink::Progress;
use crate::source::shared::Source;

/// The shared state of one run.
#[derive(Default)]
pub(crate) struct Control {
    state: Mutex<RunState>,
    changed: Condvar,
}

#[derive(Default)]
pub(crate) struct RunState {
    pub(crate) stop: Option<(Stop, Instant)>,
    pub(crate) failures: Vec<Error>,
    pub(crate) sources: Vec<SourceState>,
    pub(crate) sinks: Vec<SinkState>,
    /// The sequencer has handed out its last commit.
    pub(crate) sequenced: bool,
    /// Files must not be touched yet: the sinks that keep their own time have not all been asked.
    pub(crate) checking: bool,
    /// How far the checkpointer of a persistent pipeline has come; `None` if there is none.
    pub(crate) checkpoints: Option<Checkpoints>,
    /// Those that compute.
    #[cfg(feature = "dataflow")]
    pub(crate) workers: Vec<crate::dataflow::WorkerState>,
    /// Nothing that they sent to other processes is on its way any more.
    #[cfg(feature = "dataflow")]
    pub(crate) left: bool,
    /// The other processes.
    #[cfg(feature = "dataflow")]
    pub(crate) farewell: crate::dataflow::Farewell,
}

/// How far the checkpointer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checkpoints {
    /// The first one is being made.
    Beginning,
    /// The sources may run.
    Running,
    /// The last one has been made, or none will be any more.
    Ended,
}

impl RunState {
    /// Every sink and every worker that can be ready is ready.
    pub(crate) fn is_ready(&self) -> bool {
        let ready = self.sinks.iter().all(|sink| sink.opened || sink.ended);
        #[cfg(feature = "dataflow")]
        let ready = ready && self.workers.iter().all(|worker| worker.built || worker.ended);
        ready
    }

    /// Everything behind the sources is done, and so it is in the other processes.
    pub(crate) fn is_drained(&self) -> bool {
        let drained = self.is_done();
        #[cfg(feature = "dataflow")]
        let drained = drained && self.farewell.is_over();
        drained
    }

    /// Everything behind the sources of this process is done.
    pub(crate) fn is_done(&self) -> bool {
        let durable = self.checkpoints.is_none_or(|checkpoints| checkpoints == Checkpoints::Ended);
        let done = self.sequenced && durable && self.sinks.iter().all(|sink| sink.ended);
        #[cfg(feature = "dataflow")]
        let done = done && self.workers.iter().all(|worker| worker.ended);
        done
    }
}

pub(crate) struct SourceState {
    pub(crate) source: Arc<Source>,
    pub(crate) started: Instant,
    pub(crate) ended: Option<SourceSummary>,
    pub(crate) hooks_running: usize,
}

impl SourceState {
    pub(crate) fn new(source: &Arc<Source>) -> Self {
        SourceState { source: Arc::clone(source), started: Instant::now(), ended: None, hooks_running: 0 }
    }
}

pub(crate) struct SinkState {
    pub(crate) name: Arc<str>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) is_transactional: bool,
    pub(crate) opened: bool,
    pub(crate) ended: bool,
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, RunState> {
        // No code of the user's runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the state.
    #[cfg(feature = "progress")]
    pub(crate) fn read<T>(&self, look: impl FnOnce(&RunState) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state and wakes who waits for it.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut RunState) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until `done`, at most until the time that `deadline` makes of the state; says whether it is done.
    pub(crate) fn wait(
        &self,
        mut done: impl FnMut(&RunState) -> bool,
        deadline: impl Fn(&RunState) -> Option<Instant>,
    ) -> bool {
        let mut state = self.lock();
        loop {
            if done(&state) {
                return true;
            }
            state = match deadline(&state) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Asks for a stop; the first reason is the one that counts.
    pub(crate) fn stop(&self, reason: Stop) {
        let sources: Vec<Arc<Source>> = self.update(|state| {
            if state.stop.is_some() {
                return Vec::new();
            }
            state.stop = Some((reason, Instant::now()));
            state.sources.iter().map(|source| Arc::clone(&source.source)).collect()
        });
        if !sources.is_empty() {
            info!(?reason, "stop");
        }
        for source in sources {
            source.interrupt();
        }
    }

    /// Notes a failure, and asks for a stop.
    pub(crate) fn fail(&self, error: Error) {
        error!("{error}");
        self.update(|state| state.failures.push(error));
        self.stop(Stop::Failure);
    }

    /// Waits until files may be touched; `false` if they must not be, since the start has failed.
    pub(crate) fn wait_until_checked(&self) -> bool {
        self.wait(|run| !run.checking || !run.failures.is_empty(), |_| None);
        !self.lock().checking
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().stop.is_some()
    }

    /// Notes failures of what is left behind when the grace is over.
    pub(crate) fn leave_behind(&self, errors: impl FnOnce(&RunState) -> Vec<Error>) {
        self.update(|state| {
            for error in errors(state) {
                error!("{error}");
                state.failures.push(error);
            }
        });
    }
}

/// The failure of a part that returned an error. Its text is the user's code too: where that panics, it is the panic
/// that is reported.
pub(crate) fn failed(error: BoxError) -> FailureKind {
    match catch_unwind(AssertUnwindSafe(|| error.to_string())) {
        Ok(_) => FailureKind::Failed(error),
        Err(payload) => panicked("the text of its error", &*payload),
    }
}

/// The failure of a part that panicked.
pub(crate) fn panicked(place: &'static str, payload: &(dyn std::any::Any + Send)) -> FailureKind {
    FailureKind::Panicked { place, message: crate::run::error::panic_message(payload) }
}
