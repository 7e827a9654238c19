//! [`Restart`]: whether a source whose `run` has failed is run again, and when.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The shortest wait, so that a source which fails at once does not take a core.
const SHORTEST: Duration = Duration::from_millis(1);
/// The least time after which an attempt counts as healthy, unless another is given.
const HEALTHY: Duration = Duration::from_secs(10);

/// Has a source run again whose `run` has returned an error or panicked, for
/// [`ReadOptions::restart`](crate::ReadOptions::restart).
///
/// Before each new attempt it waits: first for the lower end of the range, then twice as long each time, up to the
/// upper end; a quarter of a longer wait is left to chance, so that sources that failed together do not all come back
/// together. A stop cuts the wait short. An attempt that has been running for a while before it fails (see
/// [`healthy_after`](Restart::healthy_after)) starts the count and the waits anew.
///
/// What is run again is the same connector: [`run`](crate::Connector::run) is called on the value as the failed attempt
/// has left it, with new subjects. All handles of the failed attempt are closed for good, those too that a client's
/// thread still holds, and its hooks are dropped. [`on_stop`](crate::Connector::on_stop) is called once, after the last
/// attempt.
///
/// A source with offsets goes on from [`resume`](crate::Subject::resume), and what it had pushed behind its last offset
/// is dropped, since it will come again. Without offsets what it has pushed is committed, and what it pushes again
/// repeats: rows with a primary key replace themselves, rows without one are there twice. An open transaction is
/// dropped in either case.
///
/// Not followed by another attempt are errors after a stop, and those that are marked
/// [fatal](crate::Error::fatal).
///
/// ```
/// use std::time::Duration;
/// use pathway_io::{connector, Pipeline, ReadOptions, Restart, Schema, Subject};
///
/// #[derive(Schema)]
/// struct Tick { #[schema(primary_key)] n: u64 }
///
/// struct Flaky { connections: u32 }
///
/// #[connector]
/// impl Flaky {
///     fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::Result<()> {
///         self.connections += 1;
///         if self.connections < 3 {
///             return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
///         }
///         Ok(ticks.next(Tick { n: 1 })?)
///     }
/// }
///
/// let restart = Restart::backoff(Duration::from_millis(1)..Duration::from_millis(10)).attempts(5);
/// let pipeline = Pipeline::new();
/// let _ticks = pipeline.read_with(Flaky { connections: 0 }, ReadOptions::new().restart(restart));
/// let summary = pipeline.run()?;
/// assert_eq!((summary.sources[0].rows, summary.sources[0].attempts), (1, 3));
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Restart {
    waits: Range<Duration>,
    attempts: Option<u32>,
    healthy_after: Option<Duration>,
}

impl Restart {
    /// Waits for the lower end of `waits` before the second attempt, then twice as long each time up to its upper end;
    /// at least 1 ms. Without [`attempts`](Restart::attempts) there is no end to it.
    pub fn backoff(waits: Range<Duration>) -> Self {
        let shortest = waits.start.max(SHORTEST);
        Restart { waits: shortest..waits.end.max(shortest), attempts: None, healthy_after: None }
    }

    /// How many attempts in a row may fail, the first one counted: the last of them fails the pipeline. 1 is no restart
    /// at all, as is 0.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// How long an attempt must have been running so that its failure is the first in a row again. Unless set, twice
    /// the longest wait, and at least 10 s.
    pub fn healthy_after(mut self, duration: Duration) -> Self {
        self.healthy_after = Some(duration);
        self
    }

    fn is_healthy(&self, ran: Duration) -> bool {
        ran >= self.healthy_after.unwrap_or_else(|| self.waits.end.saturating_mul(2).max(HEALTHY))
    }

    /// The wait after so many failures in a row; `None` if there is to be no other attempt.
    fn wait(&self, failures: u32, chance: u64) -> Option<Duration> {
        if self.attempts.is_some_and(|attempts| failures >= attempts) {
            return None;
        }
        let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let wait = self.waits.start.saturating_mul(factor).min(self.waits.end);
        // In 1024ths of a quarter.
        let less = wait / (4 * 1024) * (chance % 1024) as u32;
        Some((wait - less).max(self.waits.start))
    }
}

/// The attempts of one source, as they are counted.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<Attempted>);

/// What has become of them so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attempted {
    /// How often `run` was entered.
    pub(crate) entered: u32,
    /// Failures without a healthy attempt in between.
    failures: u32,
    /// What the last failed one said.
    pub(crate) last_error: Option<String>,
}

impl Attempts {
    fn lock(&self) -> MutexGuard<'_, Attempted> {
        // No code of the user's runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn entered(&self) {
        let mut attempted = self.lock();
        attempted.entered = attempted.entered.saturating_add(1);
    }

    /// An attempt that ran for so long has failed: how long to wait before the next, if there is to be one.
    pub(crate) fn failed(&self, restart: &Restart, ran: Duration) -> Option<Duration> {
        let mut attempted = self.lock();
        attempted.failures = if restart.is_healthy(ran) { 1 } else { attempted.failures.saturating_add(1) };
        restart.wait(attempted.failures, RandomState::new().build_hasher().finish())
    }

    /// Notes what failed without failing the pipeline.
    pub(crate) fn note(&self, error: String) {
        self.lock().last_error = Some(error);
    }

    pub(crate) fn get(&self) -> Attempted {
        self.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let restart = Restart::backoff(ms(100)..ms(1000)).attempts(8);
        let waits = (1..9).map(|failures| restart.wait(failures, 0));
        assert!(waits.eq([100, 200, 400, 800, 1000, 1000, 1000].map(|wait| Some(ms(wait))).into_iter().chain([None])));
        let endless = Restart::backoff(ms(100)..ms(1000));
        assert_eq!(endless.wait(u32::MAX, 0), Some(ms(1000)));
    }

    #[test]
    fn chance_takes_a_quarter_at_most_and_never_the_shortest() {
        let restart = Restart::backoff(ms(100)..ms(1000));
        for chance in 0..2048 {
            assert_eq!(restart.wait(1, chance), Some(ms(100)));
            let wait = restart.wait(9, chance).unwrap();
            assert!(wait > ms(750) && wait <= ms(1000), "{wait:?}");
        }
    }

    #[test]
    fn odd_waits_are_put_right() {
        assert_eq!(Restart::backoff(ms(0)..ms(0)).wait(1, 0), Some(SHORTEST));
        assert_eq!(Restart::backoff(ms(7)..ms(3)).wait(5, 0), Some(ms(7)));
        assert_eq!(Restart::backoff(Duration::MAX..Duration::MAX).wait(5, 1023), Some(Duration::MAX));
        assert_eq!(Restart::backoff(ms(1)..ms(1)).attempts(0).wait(1, 0), None);
    }

    #[test]
    fn a_healthy_attempt_starts_the_count_anew() {
        let restart = Restart::backoff(ms(1)..ms(1)).attempts(2);
        let attempts = Attempts::default();
        for ran in [ms(0), HEALTHY, HEALTHY] {
            assert_eq!(attempts.failed(&restart, ran), Some(ms(1)));
        }
        assert_eq!(attempts.failed(&restart, ms(0)), None);
        let long = Restart::backoff(ms(1)..Duration::from_secs(30));
        assert!(!long.is_healthy(Duration::from_secs(59)) && long.is_healthy(Duration::from_secs(60)));
        assert!(long.healthy_after(ms(5)).is_healthy(ms(5)));
    }
}
