//! [`Watchdog`]: looks at a run regularly, for conditions that no thread of the run can notice itself.
//!
//! - A source that has pushed nothing for the duration of [`ReadOptions::idle`](crate::ReadOptions::idle) is
//!   interrupted.
//! - A source that waits for space although no sink takes anything is *stalled*. The most common cause is a callback or
//!   a sink that pushes into its own source: it waits for space that only it can make. A warning names the parts.
//! - A stop that takes longer than [`REPORT_AFTER`] is reported once in each phase of the end, with the parts that it
//!   waits for.
//!
//! The supervisor does this while it waits for the run, so it needs no thread and costs nothing per row.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::run::control::{Control, Notice, RunState};
use crate::run::error::{Error, FailureKind};
use crate::run::part::Phase;
use crate::run::summary::Stop;
use crate::sink::part::SinkPart;
use crate::source::intake::{Level, pending::Amount};
use crate::source::shared::{IdleCheck, Source};

/// The time that a source waits for space, while no sink takes anything, before a warning.
const STALL: Duration = Duration::from_secs(10);
/// The time between a stop and the report of the parts that have not ended.
const REPORT_AFTER: Duration = Duration::from_millis(500);
/// The longest time between two checks.
const LONGEST: Duration = Duration::from_secs(1);
/// The shortest time between two checks.
const SHORTEST: Duration = Duration::from_millis(5);

pub(super) struct Watchdog {
    control: Arc<Control>,
    grace_period: Duration,
    interval: Duration,
    sources: Vec<WatchedSource>,
}

struct WatchedSource {
    source: Arc<Source>,
    /// The counters when the source began to wait for space, with that time. The source is stalled if they do not
    /// change.
    waits: Option<(Standstill, Instant)>,
    /// Whether the current wait was reported.
    is_reported: bool,
}

/// Counters that change whenever anything moves between a source and the sinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standstill {
    commits: u64,
    in_flight: Amount,
    taken: u64,
}

impl Watchdog {
    pub(super) fn new(control: &Arc<Control>, grace_period: Duration) -> Self {
        let sources = control.parts::<Source>();
        let idle = sources.iter().filter_map(|source| source.idle).min();
        let interval = idle.map_or(LONGEST, |idle| (idle / 4).clamp(SHORTEST, LONGEST));
        let watched = |source| WatchedSource { source, waits: None, is_reported: false };
        let sources = sources.into_iter().map(watched).collect();
        Watchdog { control: Arc::clone(control), grace_period, interval, sources }
    }

    /// Waits as [`Control::wait`] does, and checks the run during the wait.
    pub(super) fn watch(
        &mut self,
        mut done: impl FnMut(&RunState) -> bool,
        deadline: impl Fn(&RunState) -> Option<Instant>,
        overdue: impl Fn(&RunState) -> Vec<Error>,
    ) -> bool {
        let control = Arc::clone(&self.control);
        let time = &control.time;
        let began = Instant::now();
        let report_after = REPORT_AFTER.min(self.grace_period / 2);
        let mut is_reported = false;
        loop {
            let report_at =
                |run: &RunState| run.stop.filter(|_| !is_reported).map(|(_, at)| began.max(at) + report_after);
            let next_look = time.now() + self.interval;
            // The first check is immediate, because a clock that is set by hand may have passed the limit already.
            self.look();
            let (mut is_done, mut is_over) = (false, false);
            control.wait(
                |run| {
                    is_done = done(run);
                    is_over = deadline(run).is_some_and(|deadline| deadline <= Instant::now());
                    let is_due = report_at(run).is_some_and(|at| at <= Instant::now());
                    is_done || is_over || is_due || next_look <= time.now()
                },
                |run| {
                    let next_look = Some(next_look).filter(|_| !time.is_manual());
                    [deadline(run), next_look, report_at(run)].into_iter().flatten().min()
                },
            );
            if is_done || is_over {
                return is_done;
            }
            let late = control.update(|run| {
                let (stop, _) = run.stop.filter(|_| report_at(run).is_some_and(|at| at <= Instant::now()))?;
                Some((stop, overdue(run)))
            });
            if let Some((stop, late)) = late {
                is_reported = true;
                self.report(stop, &late);
            }
        }
    }

    /// Reports the parts that a stop waits for.
    fn report(&self, stop: Stop, late: &[Error]) {
        let names: Vec<String> = late.iter().map(part_name).collect();
        let waits_for = if names.is_empty() { "the pipeline".to_owned() } else { names.join(", ") };
        let up_to = seconds(self.grace_period);
        let again = if matches!(stop, Stop::Signal(_)) { "; Ctrl-C again ends at once" } else { "" };
        info!(waits_for, grace_period = ?self.grace_period, "stopping: waiting up to {up_to} for {waits_for}");
        self.control
            .write_notice(Notice::Stopping, || format!("stopping: waiting up to {up_to} for {waits_for}{again}"));
    }

    fn look(&mut self) {
        let sinks = self.control.parts::<SinkPart>();
        let taken = sinks.iter().map(|sink| sink.progress.done()).map(|(updates, commits)| updates + commits).sum();
        let phases = self.control.phases::<Source>();
        for watched in &mut self.sources {
            let runs =
                phases.iter().any(|(source, phase)| Arc::ptr_eq(source, &watched.source) && *phase == Phase::Running);
            if !runs {
                continue;
            }
            let level = watched.source.intake.level();
            check_idle(&watched.source, &level, self.grace_period);
            watched.source.observe(level.offered);
            watched.check_stall(&level, taken, &sinks, self.control.time.now());
        }
    }
}

/// Returns the name of the source or sink that an error names.
fn part_name(error: &Error) -> String {
    match error {
        Error::Connector(failure) | Error::Computation(failure) => format!("`{}`", failure.name()),
        Error::Sink(failure) => format!("sink `{}`", failure.name()),
        _ => "the state or another process".to_owned(),
    }
}

fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if duration.subsec_nanos() == 0 { format!("{seconds} s") } else { format!("{seconds:.1} s") }
}

fn check_idle(source: &Source, level: &Level, grace_period: Duration) {
    match source.check_idle(level) {
        IdleCheck::Active => {}
        IdleCheck::Interrupted(idle) => {
            warn!(connector = &*source.name, ?idle, "idle: it pushed nothing for {idle:?}, and is interrupted");
        }
        IdleCheck::Unresponsive(waited) if waited >= grace_period && !source.control.is_stopping() => {
            let idle = source.idle.unwrap_or_default();
            let text = format!(
                "it pushed nothing for {idle:?}, the limit of `ReadOptions::idle`, and `run` did not return within \
                 {grace_period:?} after that\nhelp: register a hook that unblocks it with `on_interrupt`"
            );
            source.fail(FailureKind::Failed(text.into()));
        }
        IdleCheck::Unresponsive(_) => {}
    }
}

impl WatchedSource {
    fn check_stall(&mut self, level: &Level, taken: u64, sinks: &[Arc<SinkPart>], now: Instant) {
        if !level.is_waiting {
            (self.waits, self.is_reported) = (None, false);
            return;
        }
        let present = Standstill { commits: level.counts.commits, in_flight: level.in_flight, taken };
        let since = match self.waits {
            Some((before, since)) if before == present => since,
            _ => {
                (self.waits, self.is_reported) = (Some((present, now)), false);
                return;
            }
        };
        let waited = now.saturating_duration_since(since);
        if waited < STALL || std::mem::replace(&mut self.is_reported, true) {
            return;
        }
        let busy = sinks.iter().filter(|sink| sink.progress.undelivered() > 0);
        let busy: Vec<String> = busy.map(|sink| format!("`{}`", sink.name)).collect();
        let sinks = busy.join(", ");
        let source = &*self.source.name;
        let cause = if busy.is_empty() {
            "no sink has rows to take, so a computation or the state still holds its rows".to_owned()
        } else {
            format!(
                "these sinks have taken nothing: {sinks}; a callback or sink that pushes into the source that feeds it \
                 waits for itself"
            )
        };
        warn!(
            connector = source,
            sinks,
            ?waited,
            "stalled: source `{source}` waits for space in its backlog, and for {waited:?} {cause}"
        );
    }
}
