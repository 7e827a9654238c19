//! The clock that the waits of the runtime follow: [`Time`].
//!
//! It is the system's clock, or in a test a clock that is set by hand. Autocommit, back-off, `sleep`, idle sources and
//! stalls follow it. The grace period after a stop does not: a test that hangs must end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::run::lock::Lock;

/// Returns the wall clock in Unix milliseconds. A wall clock before 1970 counts as 1970.
pub(crate) fn unix_millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    u64::try_from(now).unwrap_or(u64::MAX)
}

/// The source of the time.
#[derive(Clone, Default)]
pub(crate) struct Time(Option<Arc<ManualTime>>);

impl Time {
    pub(crate) fn manual(time: &Arc<ManualTime>) -> Self {
        Time(Some(Arc::clone(time)))
    }

    pub(crate) fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(manual) => manual.now(),
        }
    }

    /// Returns whether the clock is set by hand. A wait then has no time-out, and is woken whenever the clock is set.
    pub(crate) fn is_manual(&self) -> bool {
        self.0.is_some()
    }

    /// Tells a manual clock that a thread waits for that moment, until the returned value is dropped.
    pub(crate) fn wait_until(&self, moment: Option<Instant>) -> Option<Waiting> {
        let (time, moment) = (self.0.as_ref()?, moment?);
        *time.state.lock().waits.entry(moment).or_default() += 1;
        time.changed.notify_all();
        Some(Waiting { time: Arc::clone(time), moment })
    }
}

/// The longest time that a manual clock can advance. Beyond it, additions to an `Instant` could overflow.
const LONGEST: Duration = Duration::from_secs(1 << 40);

/// A clock that is set by hand.
pub(crate) struct ManualTime {
    start: Instant,
    state: Lock<ManualState>,
    /// Notified when a new wait begins.
    changed: Condvar,
}

/// A function that wakes the threads of one run that wait for the clock. It returns `false` if the run has ended.
type Wake = Arc<dyn Fn() -> bool + Send + Sync>;

#[derive(Default)]
struct ManualState {
    passed: Duration,
    /// The moments that threads wait for, with the number of waits.
    waits: BTreeMap<Instant, usize>,
    /// The runs that follow the clock.
    runs: Vec<Wake>,
}

/// A wait for a moment of a manual clock.
pub(crate) struct Waiting {
    time: Arc<ManualTime>,
    moment: Instant,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.time.state.lock();
        if let Some(count) = state.waits.get_mut(&self.moment) {
            *count -= 1;
            if *count == 0 {
                state.waits.remove(&self.moment);
            }
        }
    }
}

impl ManualTime {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(ManualTime { start: Instant::now(), state: Lock::default(), changed: Condvar::new() })
    }

    fn now(&self) -> Instant {
        self.start + self.state.lock().passed
    }

    /// Makes a run follow this clock.
    pub(crate) fn follow(&self, wake: impl Fn() -> bool + Send + Sync + 'static) {
        self.state.lock().runs.push(Arc::new(wake));
    }

    pub(crate) fn passed(&self) -> Duration {
        self.state.lock().passed
    }

    #[track_caller]
    pub(crate) fn advance(&self, duration: Duration) {
        let runs = {
            let mut state = self.state.lock();
            let passed = state.passed.saturating_add(duration);
            assert!(passed <= LONGEST, "the clock cannot advance by {duration:?}: it can pass {LONGEST:?} at most");
            state.passed = passed;
            state.runs.clone()
        };
        // The lock is not held here, because the woken threads read the clock. A thread that does not wait yet reads
        // the clock before it waits.
        let gone: Vec<Wake> = runs.into_iter().filter(|wake| !wake()).collect();
        self.state.lock().runs.retain(|run| !gone.iter().any(|gone| Arc::ptr_eq(run, gone)));
    }

    /// Waits until a thread waits for a future moment, and returns the time until the first such moment. Returns
    /// `None` after `timeout` of real time.
    pub(crate) fn next_wait(&self, timeout: Duration) -> Option<Duration> {
        let next = |state: &ManualState| {
            let now = self.start + state.passed;
            state.waits.range(now..).map(|(moment, _)| *moment - now).find(|left| !left.is_zero())
        };
        let waited = self.changed.wait_timeout_while(self.state.lock(), timeout, |state| next(state).is_none());
        next(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

impl fmt::Debug for ManualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualTime").field("passed", &self.passed()).finish_non_exhaustive()
    }
}
