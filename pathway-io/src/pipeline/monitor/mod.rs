//! Watching a pipeline: [`Monitor`], and the [`Snapshot`] that it takes.
//!
//! ```
//! use pathway_io::{Pipeline, RunResult, Schema, Subject, connector};
//!
//! #[derive(Schema)]
//! struct Tick { n: u64 }
//!
//! struct Ticks;
//!
//! #[connector]
//! impl Ticks {
//!     fn run(&mut self, ticks: Subject<Tick>) -> RunResult {
//!         Ok(ticks.next(Tick { n: 1 })?)
//!     }
//! }
//!
//! let pipeline = Pipeline::new();
//! let ticks = pipeline.read(Ticks);
//! ticks.subscribe(|_| {});
//! let monitor = pipeline.monitor(); // `Clone`, for another thread or a web server
//! pipeline.run()?;
//! let snapshot = monitor.snapshot();
//! println!("{snapshot}");
//! assert_eq!(snapshot.source("Ticks").map(|source| source.rows), Some(1));
//! # Ok::<(), pathway_io::Error>(())
//! ```
//!
//! `Display` writes one line for each part:
//!
//! ```text
//! source Ticks: running, 1,200 rows in 31 commits, backlog 4 rows, in flight 38 rows, last row 0.2 s ago
//! sink Ticks: writing, 1,162 updates in 30 commits, 38 undelivered, lag 0.3 s
//! clock: time 1764430000000
//! ```
//!
//! With serde, a snapshot becomes an object with the names of its fields. Durations are numbers of seconds, and the
//! names of such fields end in `_seconds`. Times are in Unix milliseconds, as in [`Commit::time`](crate::Commit::time).
//!
//! # What it costs
//!
//! A snapshot reads numbers that the runtime counts anyway, so a monitor costs nothing per row. A snapshot locks each
//! source for some nanoseconds. With 10 sources and 10 sinks, it takes less than 5 µs.
//!
//! # Events
//!
//! The library also reports through [`tracing`](https://docs.rs/tracing). The names of the fields are stable.
//!
//! | span | level | fields |
//! |---|---|---|
//! | `source` | info | `connector` |
//! | `sink` | info | `sink` |
//!
//! The thread of a source or a sink is inside its span, so that the events of your code there belong to it.
//!
//! | event | level | fields | when |
//! |---|---|---|---|
//! | `start` | info | `connector` | a source begins |
//! | `end` | info | `connector`, `rows`, `commits` | a source has ended |
//! | `end` | info | `sink` | a sink has ended |
//! | `commit` | debug | `connector`, `time`, `delivered` | a commit was passed to the sinks |
//! | `checkpoint` | debug | `time`, `commits`, `duration`, `log_bytes` | a checkpoint is durable |
//! | `run again: ..` | warn | `connector`, `attempts`, `wait` | a source has failed, and a [`Restart`](crate::Restart) calls `run` again |
//! | `is tried again: ..` | warn | `sink`, `retries`, `wait` | a sink has failed and is tried again |
//! | `left out, because ..` | warn | `sink`, `time`, `updates` | a sink refuses updates permanently, see [`SinkOptions::refused_rows`](crate::SinkOptions::refused_rows) |
//! | `recovered` | info | `sink` | a sink works again |
//! | `stalled: ..` | warn | `connector`, `sinks`, `waited` | a source has waited for backlog space for 10 s, and no sink has taken anything |
//! | `idle: ..` | warn | `connector`, `idle` | a source has pushed nothing for the duration of [`ReadOptions::idle`](crate::ReadOptions::idle) |
//! | `bad row left out: ..` | warn | `connector` | a row did not fit the schema |
//! | `the state is .. ahead` | warn | `seconds` | the machine's clock is behind the times of the state |
//! | `waits for the other processes` | info | `process`, `processes` | a process of a cluster starts |
//! | `a connection was refused: ..` | warn | `address`, `was_answered` | a foreign program has connected to a port of the cluster |
//! | `stop` | info | `reason` | the run is asked to stop |
//! | `ended after the stop with: ..` | info | `connector` | `run` has returned an error after the stop |
//! | `stopping: ..` | info | `waits_for`, `grace_period` | a stop waits for sources, or then for sinks, for over half a second |
//! | `dropped without a run: ..` | warn | `sources` | a pipeline with sources is dropped without `run` or `start` |
//! | the text of the error | error | | a part has failed |

#[cfg(feature = "metrics")]
mod record;
mod serialize;
pub(super) mod snapshot;

use std::any::Any;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub use self::snapshot::{
    CheckpointStatus, ClockStatus, Load, SinkState, SinkStatus, Snapshot, SourceState, SourceStatus,
};
use super::extensions::CheckpointerPart;
use crate::run::control::Control;
use crate::run::part::Phase;
use crate::run::time::unix_millis;
use crate::sequencer::SequencerPart;
use crate::sink::part::SinkPart;
use crate::source::intake::pending;
use crate::source::shared::Source;

/// Takes [`Snapshot`]s of a pipeline, from any thread: before, during and after its run.
///
/// [`Pipeline::monitor`](crate::Pipeline::monitor) and [`Running::monitor`](crate::Running::monitor) return it.
#[derive(Clone)]
pub struct Monitor(Arc<MonitorState>);

struct MonitorState {
    control: Arc<Control>,
    /// The state at the end of the run, when the control forgets its parts.
    last: OnceLock<Snapshot>,
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").finish_non_exhaustive()
    }
}

impl Monitor {
    pub(crate) fn new(control: &Arc<Control>) -> Self {
        Monitor(Arc::new(MonitorState { control: Arc::clone(control), last: OnceLock::new() }))
    }

    /// Returns the current state of the pipeline.
    ///
    /// Before the start there are no sources and no sinks. After the run, the snapshot shows the end of the run.
    ///
    /// ```
    /// # use pathway_io::Pipeline;
    /// let pipeline = Pipeline::new();
    /// let monitor = pipeline.monitor();
    /// std::thread::spawn(move || println!("{}", monitor.snapshot()));
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.last.get().cloned().unwrap_or_else(|| self.look())
    }

    /// Records the state at the end of the run.
    pub(crate) fn end(&self) {
        // A run ends once.
        let _ = self.0.last.set(self.look());
    }

    fn look(&self) -> Snapshot {
        let control = &self.0.control;
        let (now, wall) = (control.time.now(), unix_millis());
        // The control's lock is released before the parts are read, because each part has its own locks.
        let (parts, stop) = control.snapshot();
        let (mut sources, mut sinks, mut last_checkpoint, mut clock_time) = (Vec::new(), Vec::new(), None, None);
        for (part, phase) in &parts {
            let part: &dyn Any = &**part;
            if let Some(source) = part.downcast_ref::<Source>() {
                sources.push(look_at_source(source, *phase, now, wall));
            } else if let Some(sink) = part.downcast_ref::<SinkPart>() {
                sinks.push(look_at_sink(sink, *phase, wall));
            } else if let Some(sequencer) = part.downcast_ref::<SequencerPart>() {
                clock_time = Some(sequencer.time.load(Ordering::Relaxed));
            } else if let Some(checkpointer) = part.downcast_ref::<CheckpointerPart>() {
                last_checkpoint = *checkpointer.last.lock();
            }
        }
        Snapshot {
            sources,
            sinks,
            checkpoint: last_checkpoint.map(|last| CheckpointStatus {
                time: last.time,
                age: now.saturating_duration_since(last.made),
                duration: last.duration,
                log_bytes: last.log_bytes,
            }),
            clock: clock_time.map(|time| ClockStatus { time, ahead: Duration::from_millis(time.saturating_sub(wall)) }),
            stop,
        }
    }
}

fn look_at_source(source: &Source, phase: Phase, now: Instant, wall: u64) -> SourceStatus {
    let level = source.intake.level();
    let (next_attempt, since_last_row) = source.observe(level.offered);
    // Read in the reverse order of writing: a source that backs off has noted the error before.
    let attempted = source.attempts.get();
    let state = match (phase, next_attempt) {
        (Phase::Opening, _) => SourceState::Starting,
        (Phase::Ended, _) => SourceState::Ended,
        (Phase::Running, Some(at)) => {
            let left = at.saturating_duration_since(now).as_millis();
            SourceState::BackingOff { until: wall.saturating_add(u64::try_from(left).unwrap_or(u64::MAX)) }
        }
        (Phase::Running, None) if level.is_waiting => SourceState::Backpressured,
        (Phase::Running, None) => SourceState::Running,
    };
    SourceStatus {
        name: source.name.to_string(),
        state,
        rows: level.counts.rows,
        bad_rows: level.counts.bad_rows,
        commits: level.counts.commits,
        attempts: attempted.entered,
        backlog: load(level.pending),
        in_flight: load(level.in_flight),
        since_last_row,
        last_error: attempted.last_error,
    }
}

fn load(load: pending::Amount) -> Load {
    Load { rows: load.rows as u64, bytes: load.bytes as u64 }
}

fn look_at_sink(sink: &SinkPart, phase: Phase, wall: u64) -> SinkStatus {
    let progress = &sink.progress;
    let (updates, commits) = progress.done();
    let state = match phase {
        Phase::Ended => SinkState::Ended,
        _ if progress.is_retrying() => SinkState::Retrying,
        Phase::Opening => SinkState::Opening,
        Phase::Running if progress.is_idle() => SinkState::Idle,
        Phase::Running => SinkState::Writing,
    };
    let lag = progress.oldest_undelivered().map_or(0, |oldest| wall.saturating_sub(oldest));
    SinkStatus {
        name: sink.name.to_string(),
        state,
        updates,
        commits,
        undelivered: progress.undelivered(),
        lag: Duration::from_millis(lag),
        retries: progress.retries(),
        refused: progress.refused_updates(),
        last_error: progress.last_error(),
    }
}

crate::rows::bounds::without! {
    "metrics": WithMetrics,
    "`Monitor::record` needs the feature `metrics`",
    "the feature `metrics` of `pathway-io` is off",
    "turn it on with `cargo add pathway-io --features metrics`";
    impl Monitor {
        /// Fails to compile: the feature `metrics` is off.
        #[doc(hidden)]
        pub fn record(&self)
        where
            for<'a> Monitor: WithMetrics,
        {
        }
    }
}
