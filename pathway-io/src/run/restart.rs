//! [`Restart`]: the policy for running a source again after its `run` has failed.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::time::Duration;

use crate::run::lock::Lock;

/// The shortest wait. It keeps a source that fails immediately from occupying a core.
const SHORTEST: Duration = Duration::from_millis(1);
/// The shortest time after which an attempt counts as healthy by default.
const HEALTHY: Duration = Duration::from_secs(10);

/// A policy that runs a source again after its `run` has returned an error or panicked.
///
/// Set it with [`ReadOptions::restart`](crate::ReadOptions::restart).
///
/// The wait before a new attempt starts at the lower end of the range and doubles each time, up to the upper end. Up to
/// a quarter of a longer wait is random, so that sources that failed together do not all reconnect together. A stop
/// ends the wait. If an attempt runs long enough before it fails (see [`healthy_after`](Restart::healthy_after)), the
/// count and the waits start over.
///
/// Each attempt calls [`run`](crate::Connector::run) on the same connector, in the state in which the failed attempt
/// left it, with new subjects. All handles of the failed attempt stay closed, including those that a client's thread
/// still holds, and its hooks are dropped. [`on_stop`](crate::Connector::on_stop) is called once, after the last
/// attempt.
///
/// A source with offsets continues from [`resume`](crate::Subject::resume). The rows that it pushed after its last
/// offset are dropped, since it reads them again. Without offsets, all pushed rows are committed. If the source then
/// pushes them again, a row with a primary key replaces itself, and a row without a key is duplicated. An open
/// transaction is always dropped.
///
/// For a sink, [`SinkOptions::retry`](crate::SinkOptions::retry) says what an attempt is.
///
/// Errors after a stop, and errors that are marked [fatal](crate::Error::fatal), are not followed by another attempt.
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
///     fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::RunResult {
///         self.connections += 1;
///         if self.connections < 3 {
///             return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
///         }
///         Ok(ticks.next(Tick { n: 1 })?)
///     }
/// }
///
/// let restart = Restart::backoff(Duration::from_millis(1)..Duration::from_millis(10))
///     .attempts(5)
///     .healthy_after(Duration::from_secs(60));
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
    /// Creates a policy that waits for the lower end of `waits`, at least 1 ms, before the second attempt.
    ///
    /// The wait then doubles each time, up to the upper end. The number of attempts is unlimited unless you set
    /// [`attempts`](Restart::attempts).
    pub fn backoff(waits: Range<Duration>) -> Self {
        let shortest = waits.start.max(SHORTEST);
        Restart { waits: shortest..waits.end.max(shortest), attempts: None, healthy_after: None }
    }

    /// Sets how many attempts in a row may fail, including the first.
    ///
    /// The failure of the last one fails the pipeline. With 0 or 1, the source is never run again.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Sets how long an attempt must run for its failure to count as the first in a row.
    ///
    /// The default is twice the longest wait, and at least 10 s.
    pub fn healthy_after(mut self, duration: Duration) -> Self {
        self.healthy_after = Some(duration);
        self
    }

    fn is_healthy(&self, ran: Duration) -> bool {
        ran >= self.healthy_after.unwrap_or_else(|| self.waits.end.saturating_mul(2).max(HEALTHY))
    }

    /// Returns the wait after this many failures in a row, or `None` if no other attempt follows.
    fn wait(&self, failures: u32, chance: u64) -> Option<Duration> {
        if self.attempts.is_some_and(|attempts| failures >= attempts) {
            return None;
        }
        let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let wait = self.waits.start.saturating_mul(factor).min(self.waits.end);
        // `chance` selects how many 1024ths of a quarter are subtracted.
        let less = wait / (4 * 1024) * (chance % 1024) as u32;
        Some((wait - less).max(self.waits.start))
    }
}

/// The counted attempts of one source.
#[derive(Default)]
pub(crate) struct Attempts(Lock<Attempted>);

/// The counts so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attempted {
    /// The number of calls of `run`.
    pub(crate) entered: u32,
    /// The number of failures since the last healthy attempt.
    failures: u32,
    /// The error text of the last failed attempt.
    pub(crate) last_error: Option<String>,
}

impl Attempts {
    pub(crate) fn entered(&self) {
        let mut attempted = self.0.lock();
        attempted.entered = attempted.entered.saturating_add(1);
    }

    /// Counts a failed attempt that ran for `ran`. Returns the wait before the next attempt, if there is one.
    pub(crate) fn failed(&self, restart: &Restart, ran: Duration) -> Option<Duration> {
        let mut attempted = self.0.lock();
        attempted.failures = if restart.is_healthy(ran) { 1 } else { attempted.failures.saturating_add(1) };
        restart.wait(attempted.failures, RandomState::new().build_hasher().finish())
    }

    /// Records an error that does not fail the pipeline.
    pub(crate) fn note(&self, error: String) {
        self.0.lock().last_error = Some(error);
    }

    pub(crate) fn get(&self) -> Attempted {
        self.0.lock().clone()
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
    fn chance_shortens_a_wait_by_a_quarter_at_most() {
        let restart = Restart::backoff(ms(100)..ms(1000));
        for chance in 0..2048 {
            assert_eq!(restart.wait(1, chance), Some(ms(100)));
            let wait = restart.wait(9, chance).unwrap();
            assert!(wait > ms(750) && wait <= ms(1000), "{wait:?}");
        }
    }

    #[test]
    fn a_reversed_or_zero_range_of_waits_is_corrected() {
        assert_eq!(Restart::backoff(ms(0)..ms(0)).wait(1, 0), Some(SHORTEST));
        assert_eq!(Restart::backoff(ms(7)..ms(3)).wait(5, 0), Some(ms(7)));
        assert_eq!(Restart::backoff(Duration::MAX..Duration::MAX).wait(5, 1023), Some(Duration::MAX));
        assert_eq!(Restart::backoff(ms(1)..ms(1)).attempts(0).wait(1, 0), None);
    }

    #[test]
    fn a_healthy_attempt_resets_the_count() {
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
