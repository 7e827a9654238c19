//! The state of a pipeline at one moment, as values: [`Snapshot`].

use std::fmt;
use std::time::Duration;

use crate::run::summary::Stop;

/// The state of a pipeline at one moment.
///
/// A snapshot reads the parts one after the other, while the pipeline runs. The numbers of different parts can
/// therefore be from slightly different moments.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The sources of this process, in the order in which they were read.
    pub sources: Vec<SourceStatus>,
    /// The sinks, in the order in which they were started.
    pub sinks: Vec<SinkStatus>,
    /// The last checkpoint of a persistent pipeline.
    pub checkpoint: Option<CheckpointStatus>,
    /// The clock that orders commits; `None` before the start.
    pub clock: Option<ClockStatus>,
    /// The reason for a stop, if one was requested.
    pub stop: Option<Stop>,
}

/// The state of one source.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The source's name.
    pub name: String,
    /// The state of the source.
    pub state: SourceState,
    /// The rows and removals that were committed.
    pub rows: u64,
    /// The rows that did not fit the schema.
    pub bad_rows: u64,
    /// The commits that the rows were in.
    pub commits: u64,
    /// The number of calls of `run`.
    pub attempts: u32,
    /// The rows that wait for their commit.
    pub backlog: Load,
    /// The committed rows that the slowest sink has not taken.
    pub in_flight: Load,
    /// The time since the last row was pushed, or `None` before the first row.
    ///
    /// It is accurate to a second, because a push records no time. The library checks each source at least once a
    /// second, and when you take a snapshot. The duration counts from the first check after the last row.
    pub since_last_row: Option<Duration>,
    /// The last error of `run` with its causes, or panic, that did not fail the pipeline.
    pub last_error: Option<String>,
}

/// The state of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceState {
    /// `run` has not been called yet.
    Starting,
    /// `run` is running.
    Running,
    /// A push or a commit waits until the sinks have taken earlier rows.
    Backpressured,
    /// `run` has failed, and is called again at the time `until`.
    BackingOff {
        /// In Unix milliseconds.
        until: u64,
    },
    /// The source has ended.
    Ended,
}

/// An amount of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// The number of rows.
    pub rows: u64,
    /// The approximate size of the rows in memory.
    pub bytes: u64,
}

/// The state of one sink.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SinkStatus {
    /// The name, as in [`Failure::name`](crate::Failure::name).
    pub name: String,
    /// The state of the sink.
    pub state: SinkState,
    /// The updates that the sink has taken.
    pub updates: u64,
    /// The commits that the updates were in.
    pub commits: u64,
    /// The updates that the sink has not taken yet.
    pub undelivered: u64,
    /// The age of the oldest commit that the sink has not taken, by the wall clock, or zero if there is none.
    pub lag: Duration,
    /// The number of retries after an error.
    pub retries: u64,
    /// The updates that were left out, because the sink refuses them permanently.
    pub refused: u64,
    /// The last error of the sink with its causes, after which it was retried.
    pub last_error: Option<String>,
}

/// The state of a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkState {
    /// The sink is being opened.
    Opening,
    /// The sink waits for commits.
    Idle,
    /// The sink writes or flushes.
    Writing,
    /// The sink has failed and is retried.
    Retrying,
    /// The sink has ended.
    Ended,
}

/// The last checkpoint of a persistent pipeline.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct CheckpointStatus {
    /// The time of the last commit in the checkpoint.
    pub time: u64,
    /// The time since the checkpoint became durable.
    pub age: Duration,
    /// The time that the checkpoint took.
    pub duration: Duration,
    /// The length of the log after the checkpoint.
    pub log_bytes: u64,
}

/// The clock that orders commits.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ClockStatus {
    /// The time of the last commit, in Unix milliseconds; 0 if there was none.
    pub time: u64,
    /// The time by which the clock is ahead of the wall clock.
    pub ahead: Duration,
}

impl Snapshot {
    /// Returns the source with this name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&SourceStatus> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// Returns the first sink with this name.
    #[must_use]
    pub fn sink(&self, name: &str) -> Option<&SinkStatus> {
        self.sinks.iter().find(|sink| sink.name == name)
    }
}

impl SourceState {
    /// The names of all states.
    #[cfg(feature = "metrics")]
    pub(super) const NAMES: [&'static str; 5] = ["starting", "running", "backpressured", "backing_off", "ended"];

    /// Returns the name of the state in JSON and in metrics, such as `backpressured`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            SourceState::Starting => "starting",
            SourceState::Running => "running",
            SourceState::Backpressured => "backpressured",
            SourceState::BackingOff { .. } => "backing_off",
            SourceState::Ended => "ended",
        }
    }
}

impl SinkState {
    /// The names of all states.
    #[cfg(feature = "metrics")]
    pub(super) const NAMES: [&'static str; 5] = ["opening", "idle", "writing", "retrying", "ended"];

    /// Returns the name of the state in JSON and in metrics, such as `writing`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            SinkState::Opening => "opening",
            SinkState::Idle => "idle",
            SinkState::Writing => "writing",
            SinkState::Retrying => "retrying",
            SinkState::Ended => "ended",
        }
    }
}

/// Returns a number with a comma before each three digits.
pub(in crate::pipeline) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

pub(in crate::pipeline) fn counted(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Writes one line for each source and sink, then the checkpoint, the clock and the stop.
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = self.sources.iter().map(SourceStatus::to_string).collect();
        lines.extend(self.sinks.iter().map(SinkStatus::to_string));
        lines.extend(self.checkpoint.map(|checkpoint| checkpoint.to_string()));
        lines.extend(self.clock.map(|clock| clock.to_string()));
        lines.extend(self.stop.map(|stop| match stop {
            Stop::Handle => "stopping: by handle".to_owned(),
            Stop::Signal(number) => format!("stopping: by signal {number}"),
            Stop::Failure => "stopping: by a failure".to_owned(),
        }));
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for SourceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SourceStatus { name, state, .. } = self;
        write!(f, "source {name}: {state}, {} in {}", counted(self.rows, "row"), counted(self.commits, "commit"))?;
        write!(f, ", backlog {}", counted(self.backlog.rows, "row"))?;
        write!(f, ", in flight {}", counted(self.in_flight.rows, "row"))?;
        if self.bad_rows > 0 {
            write!(f, ", {}", counted(self.bad_rows, "bad row"))?;
        }
        if let Some(since) = self.since_last_row {
            write!(f, ", last row {} ago", seconds(since))?;
        }
        if self.attempts > 1 {
            write!(f, ", {}", counted(self.attempts.into(), "attempt"))?;
        }
        write_last_error(f, self.last_error.as_deref())
    }
}

/// An error may have several lines, and a snapshot has one line for each source and sink.
fn write_last_error(f: &mut fmt::Formatter<'_>, error: Option<&str>) -> fmt::Result {
    error.map_or(Ok(()), |error| write!(f, ", last error: {}", error.replace(char::is_control, " ")))
}

impl fmt::Display for SourceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceState::BackingOff { until } => write!(f, "backing off until {until}"),
            state => f.write_str(state.name()),
        }
    }
}

impl fmt::Display for SinkStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SinkStatus { name, state, .. } = self;
        write!(f, "sink {name}: {state}, {} in {}", counted(self.updates, "update"), counted(self.commits, "commit"))?;
        write!(f, ", {} undelivered, lag {}", grouped(self.undelivered), seconds(self.lag))?;
        if self.retries > 0 {
            write!(f, ", {} {}", grouped(self.retries), if self.retries == 1 { "retry" } else { "retries" })?;
        }
        if self.refused > 0 {
            write!(f, ", {} refused", grouped(self.refused))?;
        }
        write_last_error(f, self.last_error.as_deref())
    }
}

impl fmt::Display for SinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for CheckpointStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (age, took) = (seconds(self.age), self.duration.as_secs_f64() * 1e3);
        write!(f, "checkpoint: time {}, {age} ago, took {took:.1} ms, log {} bytes", self.time, grouped(self.log_bytes))
    }
}

impl fmt::Display for ClockStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "clock: time {}", self.time)?;
        if self.ahead.is_zero() { Ok(()) } else { write!(f, ", {} ahead of the wall clock", seconds(self.ahead)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_digits() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
