//! The logical clock that orders commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::run::time::unix_millis;

/// A clock that assigns each commit a time in Unix milliseconds. If the wall clock has not advanced, the time is the
/// last time plus one.
pub(crate) struct CommitClock {
    /// Written only by the sequencer, and read by monitors.
    last: Arc<AtomicU64>,
}

impl CommitClock {
    /// Returns a clock whose times are all greater than `last`.
    pub(crate) fn after(last: u64) -> Self {
        CommitClock { last: Arc::new(AtomicU64::new(last)) }
    }

    /// Returns how far the clock is ahead of the wall clock, if that is more than a minute: the wall clock was wrong in
    /// the run that this one resumes, or is wrong now.
    pub(crate) fn ahead(&self) -> Option<Duration> {
        let ahead = Duration::from_millis(self.last().saturating_sub(unix_millis()));
        (ahead > Duration::from_secs(60)).then_some(ahead)
    }

    /// Returns the last time that the clock assigned.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    /// Returns the shared counter with the last time.
    pub(crate) fn shared_time(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.last)
    }

    /// Records that another process's clock has reached `time`, so that the next time here is later.
    pub(crate) fn observe(&mut self, time: u64) {
        self.last.store(self.last().max(time), Ordering::Relaxed);
    }

    pub(crate) fn tick(&mut self) -> u64 {
        // A wall clock before 1970 counts as 1970. The times still increase.
        let time = unix_millis().max(self.last() + 1);
        self.last.store(time, Ordering::Relaxed);
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_increase_by_one_while_the_wall_clock_is_behind() {
        let ahead = u64::MAX / 2;
        let mut clock = CommitClock::after(ahead);
        assert_eq!((clock.tick(), clock.tick()), (ahead + 1, ahead + 2));
        assert!(clock.ahead().is_some_and(|ahead| ahead > Duration::from_secs(1 << 40)));
        let soon = unix_millis() + 30_000;
        assert_eq!([0, soon].map(|last| CommitClock::after(last).ahead()), [None, None]);
    }
}
