//! The shared state of a running pipeline: [`Control`].
//!
//! Everything that ends a run is recorded here. A stop, whatever its cause, interrupts all parts; a failure is
//! recorded and requests a stop. The thread that waits for the run sees each change through one condition variable.

use std::any::Any;
use std::sync::{Arc, Condvar, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tracing::{error, info};

use crate::run::error::Error;
use crate::run::lock::Lock;
use crate::run::panics::{caught, text_with_causes};
use crate::run::part::{Part, Phase, Role};
use crate::run::summary::Stop;
use crate::run::threads;
use crate::run::time::Time;

/// The shared state of one run.
#[derive(Default)]
pub(crate) struct Control {
    /// The user's code never runs under this lock.
    state: Lock<RunState>,
    changed: Condvar,
    /// The clock that the waits of the run follow.
    pub(crate) time: Time,
    /// Writes lines for a program that has asked for progress.
    pub(crate) notices: OnceLock<fn(Notice, &str)>,
}

/// The topic of a line for a program that has asked for progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// A source or a sink has failed and is tried again.
    Attempt,
    /// The other processes are not connected yet.
    Missing,
    /// A stop waits for something.
    Stopping,
}

#[derive(Default)]
pub(crate) struct RunState {
    pub(crate) stop: Option<(Stop, Instant)>,
    pub(crate) failures: Vec<Error>,
    pub(crate) parts: Vec<Member>,
    /// Whether files must not be touched yet, because not all parts that open first have opened.
    pub(crate) checking: bool,
}

/// A part and its phase.
pub(crate) struct Member {
    pub(crate) part: Arc<dyn Part>,
    pub(crate) phase: Phase,
}

/// The parts of a run with their phases.
pub(crate) type Parts = Vec<(Arc<dyn Part>, Phase)>;

/// The number of a part in its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartId(usize);

impl Member {
    pub(crate) fn has_ended(&self) -> bool {
        self.phase == Phase::Ended && !self.part.has_helpers()
    }
}

impl RunState {
    fn all(&self, role: Role, holds: impl Fn(&Member) -> bool) -> bool {
        self.parts.iter().filter(|member| member.part.role() == role).all(holds)
    }

    /// Returns whether every part that must open before files are touched has opened.
    pub(crate) fn is_checked(&self) -> bool {
        self.parts.iter().all(|member| !member.part.opens_first() || member.phase != Phase::Opening)
    }

    /// Returns whether every part downstream of the sources is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.all(Role::Downstream, |member| member.phase != Phase::Opening)
    }

    pub(crate) fn sources_have_ended(&self) -> bool {
        self.all(Role::Source, Member::has_ended)
    }

    /// Returns whether everything downstream of the sources of this process has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.all(Role::Downstream, Member::has_ended)
    }

    /// Returns whether everything downstream of the sources has ended, in the other processes too.
    pub(crate) fn is_drained(&self) -> bool {
        self.is_done() && self.all(Role::Process, Member::has_ended)
    }

    /// Records the first stop. Returns the parts to interrupt.
    fn begin_stop(&mut self, reason: Stop) -> Vec<Arc<dyn Part>> {
        if self.stop.is_some() {
            return Vec::new();
        }
        self.stop = Some((reason, Instant::now()));
        self.parts.iter().map(|member| Arc::clone(&member.part)).collect()
    }
}

impl Control {
    pub(crate) fn add(&self, part: Arc<dyn Part>, phase: Phase) -> PartId {
        self.update(|run| {
            run.parts.push(Member { part, phase });
            PartId(run.parts.len() - 1)
        })
    }

    /// Records the phase of a part. It has no effect after the end of the run.
    pub(crate) fn set_phase(&self, id: PartId, phase: Phase) {
        self.update(|run| {
            if let Some(member) = run.parts.get_mut(id.0) {
                member.phase = phase;
            }
        });
    }

    /// Returns the parts of one type, in the order in which they were added.
    pub(crate) fn parts<T: Part>(&self) -> Vec<Arc<T>> {
        self.phases().into_iter().map(|(part, _)| part).collect()
    }

    /// Returns the parts of one type with their phases.
    pub(crate) fn phases<T: Part>(&self) -> Vec<(Arc<T>, Phase)> {
        let of_type = |member: &Member| {
            let part: Arc<dyn Any + Send + Sync> = Arc::clone(&member.part) as _;
            Some((part.downcast().ok()?, member.phase))
        };
        self.state.lock().parts.iter().filter_map(of_type).collect()
    }

    /// Returns all parts with their phases, and the reason for a stop, at one moment.
    pub(crate) fn snapshot(&self) -> (Parts, Option<Stop>) {
        let run = self.state.lock();
        let parts = run.parts.iter().map(|member| (Arc::clone(&member.part), member.phase)).collect();
        (parts, run.stop.map(|(reason, _)| reason))
    }

    /// Changes the state and wakes the threads that wait for it.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut RunState) -> T) -> T {
        let result = change(&mut self.state.lock());
        self.changed.notify_all();
        result
    }

    /// Wakes the waiting threads after a change outside the state on which they depend.
    pub(crate) fn notify(&self) {
        self.update(|_| ());
    }

    /// Waits until `done` returns true, at most until the time that `deadline` returns. Returns whether it is done.
    pub(crate) fn wait(
        &self,
        mut done: impl FnMut(&RunState) -> bool,
        deadline: impl Fn(&RunState) -> Option<Instant>,
    ) -> bool {
        let mut state = self.state.lock();
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

    /// Waits for a duration. Returns whether a stop was requested meanwhile.
    pub(crate) fn sleep(&self, duration: Duration) -> bool {
        // A moment beyond the range of `Instant` never comes.
        let until = self.time.now().checked_add(duration);
        let _waiting = self.time.wait_until(until);
        let mut is_stopping = false;
        let done = |run: &RunState| {
            is_stopping = run.stop.is_some();
            is_stopping || (self.time.is_manual() && until.is_some_and(|until| until <= self.time.now()))
        };
        self.wait(done, |_| until.filter(|_| !self.time.is_manual()));
        is_stopping
    }

    /// Wakes the threads that wait for the manual clock, after it was set.
    pub(crate) fn time_passed(&self) {
        let parts: Vec<Arc<dyn Part>> =
            self.update(|run| run.parts.iter().map(|member| Arc::clone(&member.part)).collect());
        for part in parts {
            part.time_passed();
        }
    }

    /// Requests a stop. Only the first reason counts.
    pub(crate) fn stop(&self, reason: Stop) {
        interrupt(&self.update(|run| run.begin_stop(reason)), reason);
    }

    /// Requests a stop without running the user's code on this thread: interrupting a source takes the lock under which
    /// pushes run code of columns.
    pub(crate) fn stop_elsewhere(&self, reason: Stop) {
        let parts = self.update(|run| run.begin_stop(reason));
        let interrupted = parts.clone();
        if threads::spawn("stop", move || interrupt(&interrupted, reason)).is_err() {
            interrupt(&parts, reason);
        }
    }

    /// Records a failure, and requests a stop. Both are one change, so that no source is started between them.
    pub(crate) fn fail(&self, error: Error) {
        let text = text_with_causes(&error);
        let parts = self.update(|run| {
            run.failures.push(error);
            run.begin_stop(Stop::Failure)
        });
        interrupt(&parts, Stop::Failure);
        log([text]);
    }

    /// Waits until files may be touched. Returns `false` if they must not be, because the start has failed.
    pub(crate) fn wait_until_checked(&self) -> bool {
        self.wait(|run| !run.checking || !run.failures.is_empty(), |_| None);
        !self.state.lock().checking
    }

    /// Writes a line for a program that has asked for progress.
    pub(crate) fn write_notice(&self, notice: Notice, text: impl FnOnce() -> String) {
        if let Some(write) = self.notices.get() {
            // An error may contain line breaks or control characters.
            write(notice, &text().replace(char::is_control, " "));
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.state.lock().stop.is_some()
    }

    /// Records the failures of parts that are abandoned when the grace period is over.
    pub(crate) fn abandon(&self, errors: impl FnOnce(&RunState) -> Vec<Error>) {
        let texts: Vec<String> = self.update(|state| {
            let errors = errors(state);
            let texts = errors.iter().map(|error| text_with_causes(error)).collect();
            state.failures.extend(errors);
            texts
        });
        log(texts);
    }
}

fn interrupt(parts: &[Arc<dyn Part>], reason: Stop) {
    for part in parts {
        part.interrupt();
    }
    // The subscriber is the user's code. It can block, for example because its output is not read.
    if !parts.is_empty() {
        let _ = caught(|| info!(?reason, "stop"));
    }
}

/// Logs failures, after they were recorded: the subscriber is the user's code, which can block or panic.
fn log(texts: impl IntoIterator<Item = String>) {
    for text in texts {
        let _ = caught(|| error!("{text}"));
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_failure_is_never_seen_without_its_stop() {
        for _ in 0..if cfg!(miri) { 3 } else { 200 } {
            let control = Arc::<Control>::default();
            let failing = Arc::clone(&control);
            let failed = thread::spawn(move || failing.fail(Error::pipeline("it is broken")));
            while !control.update(|run| {
                assert_eq!(run.failures.len(), usize::from(run.stop.is_some()));
                run.stop.is_some()
            }) {}
            failed.join().unwrap();
        }
    }
}
