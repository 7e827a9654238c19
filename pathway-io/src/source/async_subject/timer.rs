//! A timer for tasks of any runtime. It has one thread per process, which ends after some time without timers.

use std::collections::BTreeMap;
use std::sync::{Condvar, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::run::lock::Lock;
use crate::run::panics::caught;
use crate::run::threads;

/// The time for which the thread stays alive without a timer.
const IDLE: Duration = Duration::from_secs(10);

static CLOCK: TimerThread = TimerThread {
    state: Lock::new(TimerQueue { waiting: BTreeMap::new(), last: 0, is_running: false }),
    changed: Condvar::new(),
};

/// The moment, and a number that distinguishes timers with the same moment.
type TimerKey = (Instant, u64);

struct TimerThread {
    state: Lock<TimerQueue>,
    changed: Condvar,
}

struct TimerQueue {
    waiting: BTreeMap<TimerKey, Waker>,
    last: u64,
    is_running: bool,
}

impl TimerThread {
    /// Runs the thread.
    fn run(&self) {
        let mut state = self.state.lock();
        let mut idle_since = None;
        loop {
            let now = Instant::now();
            if let Some(next) = state.waiting.first_entry() {
                idle_since = None;
                let at = next.key().0;
                if at <= now {
                    let waker = next.remove();
                    drop(state);
                    // A waker that panics must not end the timers of all others. The panic hook has printed the text.
                    let _ = caught(|| waker.wake());
                    state = self.state.lock();
                } else {
                    state = self.wait(state, at - now);
                }
                continue;
            }
            let left = IDLE.saturating_sub(now - *idle_since.get_or_insert(now));
            if left.is_zero() {
                // The next timer starts another thread.
                state.is_running = false;
                return;
            }
            state = self.wait(state, left);
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, TimerQueue>, time: Duration) -> MutexGuard<'a, TimerQueue> {
        self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Resolves at a moment.
pub(super) struct Timer {
    at: Instant,
    key: Option<TimerKey>,
}

impl Timer {
    pub(super) fn at(at: Instant) -> Self {
        Timer { at, key: None }
    }

    pub(super) fn poll_at(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.leave();
        if self.at <= Instant::now() {
            return Poll::Ready(());
        }
        let mut state = CLOCK.state.lock();
        if !state.is_running {
            let started = threads::spawn("pathway-io timer", || CLOCK.run());
            if started.is_err() {
                // Without a thread, the task polls the clock itself.
                drop(state);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            state.is_running = true;
        }
        state.last += 1;
        let key = (self.at, state.last);
        state.waiting.insert(key, cx.waker().clone());
        self.key = Some(key);
        let is_first = state.waiting.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(state);
        if is_first {
            CLOCK.changed.notify_one();
        }
        Poll::Pending
    }

    fn leave(&mut self) {
        if let Some(key) = self.key.take() {
            let waker = CLOCK.state.lock().waiting.remove(&key);
            // The lock is not held here, because this may drop the last reference to a task.
            drop(waker);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.leave();
    }
}
