//! [`Clock`]: a clock that a test sets by hand.

use std::sync::Arc;
use std::time::Duration;

use crate::pipeline::Pipeline;
use crate::run::time::{ManualTime, Time};

/// The deadline, in real time, for an event that a test expects.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// A clock that a test sets by hand, so that the test never sleeps.
///
/// In a pipeline that it drives, it controls autocommit, the back-off of a [`Restart`](crate::Restart),
/// [`Subject::sleep`](crate::Subject::sleep), [`ReadOptions::idle`](crate::ReadOptions::idle) and the warning about a
/// stalled source. The times of commits and the grace period after a stop do not follow it.
///
/// ```
/// use std::time::Duration;
/// use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, testing};
///
/// #[derive(Schema)]
/// struct Tick { n: u64 }
///
/// struct Hourly;
///
/// #[connector(autocommit = off)]
/// impl Hourly {
///     fn run(&mut self, ticks: Subject<Tick>) -> RunResult {
///         for n in 0.. {
///             ticks.next(Tick { n })?;
///             ticks.commit()?;
///             ticks.sleep(Duration::from_secs(3600))?;
///         }
///         Ok(())
///     }
/// }
///
/// let clock = testing::Clock::new();
/// let pipeline = clock.drive(Pipeline::new());
/// let ticks = pipeline.read(Hourly).commits(8);
/// let running = pipeline.start()?;
/// ticks.recv()?;
/// assert_eq!(clock.advance_to_next(), Duration::from_secs(3600));
/// ticks.recv()?;
/// running.stop();
/// running.join()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Clock(Arc<ManualTime>);

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// Returns a clock that stands still.
    #[must_use]
    pub fn new() -> Self {
        Clock(ManualTime::new())
    }

    /// Makes a pipeline follow the clock.
    ///
    /// # Panics
    ///
    /// Panics if you have already taken a stop handle or a monitor of the pipeline.
    #[track_caller]
    pub fn drive(&self, pipeline: Pipeline) -> Pipeline {
        let pipeline = pipeline.with_time(Time::manual(&self.0));
        let control = Arc::downgrade(&pipeline.control);
        self.0.follow(move || control.upgrade().map(|control| control.time_passed()).is_some());
        pipeline
    }

    /// Lets time pass.
    ///
    /// This method does not wait for the source: a pause or an interval that begins later is not shortened.
    /// [`advance_to_next`](Self::advance_to_next) waits.
    ///
    /// # Panics
    ///
    /// Panics if more than 30,000 years would have passed.
    #[track_caller]
    pub fn advance(&self, duration: Duration) {
        self.0.advance(duration);
    }

    /// Waits until a source or a timer of the pipeline waits for the clock, advances it to the earliest of these
    /// times, and returns by how much.
    ///
    /// # Panics
    ///
    /// Panics if nothing waits for the clock within 30 seconds of real time.
    #[track_caller]
    pub fn advance_to_next(&self) -> Duration {
        let Some(wait) = self.0.next_wait(DEADLINE) else {
            panic!("nothing has waited for the clock for {DEADLINE:?}")
        };
        self.0.advance(wait);
        wait
    }

    /// Returns how much time has passed since the clock was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.passed()
    }
}
