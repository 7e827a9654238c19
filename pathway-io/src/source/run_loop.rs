//! Runs a source on its own thread: calls `run`, calls it again after a failure if the policy allows it, and then
//! `on_stop`.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{info, info_span, warn};

use crate::run::control::{Notice, PartId};
use crate::run::error::row_error::RowError;
use crate::run::error::{Closed, FailureKind};
use crate::run::guard::{DROP_OF_ERROR, Ending, dropped, failed, guarded};
use crate::run::panics::{causes, text_with_causes};
use crate::source::connector::{Connector, Subjects};
use crate::source::intake::Tail;
use crate::source::intake::pending::AnyPool;
use crate::source::lines::LinesError;
use crate::source::partition::Partition;
use crate::source::shared::Source;

/// Runs a source to its end.
pub(crate) fn run<C: Connector>(
    connector: C,
    pools: &[AnyPool],
    partition: Option<Partition>,
    source: &Arc<Source>,
    id: PartId,
) {
    let _ending = Ending { control: &source.control, id };
    let started = Instant::now();
    // Each call into the connector is guarded on its own. The other foreign code here is the subscriber of `tracing`.
    source.check(guarded(ITS_THREAD, || run_attempts(connector, pools, partition, source)));
    let summary = source.summary_after(started.elapsed());
    // The cell is empty: a source ends once.
    let _ = source.ended.set(summary);
}

/// The place of a panic in a subscriber of `tracing`.
const ITS_THREAD: &str = "its thread";

fn run_attempts<C: Connector>(mut connector: C, pools: &[AnyPool], partition: Option<Partition>, source: &Arc<Source>) {
    // Events of the user's code on this thread belong to this span.
    let _span = info_span!("source", connector = &*source.name).entered();
    let ran = guarded(ITS_THREAD, || {
        info!(connector = &*source.name, "start");
        while attempt(&mut connector, pools, partition, source) == Next::Again {}
    });
    if let Err(kind) = ran {
        source.fail(kind);
        source.end(source.tail_if_cut_short());
    }
    if source.attempts.get().entered > 0 {
        source.check(guarded("on_stop", || connector.on_stop()));
    }
    source.check(guarded("its drop", || drop(connector)));
    if let Err(error) = source.bad_rows.check() {
        source.control.fail(error);
    }
    let counts = source.intake.level().counts;
    info!(connector = &*source.name, rows = counts.rows, commits = counts.commits, "end");
}

#[derive(PartialEq, Eq)]
enum Next {
    Again,
    End,
}

/// Calls `run` once. If `run` will be called again, waits until then. Otherwise commits its rows and drops its hooks.
fn attempt<C: Connector>(
    connector: &mut C,
    pools: &[AnyPool],
    partition: Option<Partition>,
    source: &Arc<Source>,
) -> Next {
    let time = &source.control.time;
    let began = time.now();
    source.activity.lock().begin_attempt(began);
    source.attempts.entered();
    let subjects = C::Subjects::open(source, &mut pools.iter().enumerate());
    let result = guarded("run", || match partition {
        Some(partition) => connector.run_partition(subjects, partition),
        None => connector.run(subjects),
    });
    // This is decided right after `run` returned: a later stop does not excuse an earlier error.
    let is_stopping = source.control.is_stopping();
    let idle = source.idle_failure().filter(|_| !is_stopping);
    // The closed handles do not excuse an idle source, because the library closed them for being idle.
    let excused = is_stopping || (idle.is_none() && source.intake.level().refusals > 0);
    let failure = match (idle, result) {
        (_, Err(kind)) => Some(kind),
        (Some(idle), Ok(result)) => {
            source.check(dropped(DROP_OF_ERROR, result.err()));
            Some(idle)
        }
        (None, Ok(Ok(()))) => None,
        (None, Ok(Err(error))) => Some(failed(error)),
    };
    let wait = match &failure {
        Some(failure) if !excused => source.restart(failure, time.now().saturating_duration_since(began)),
        _ => None,
    };
    let failure = match (failure, wait) {
        (Some(failure), Some(wait)) => return back_off(source, failure, wait),
        (failure, _) => failure,
    };
    // If `run` was cut short, the next run reads again from the last offset, so the rows after that offset are dropped.
    let to_its_end = failure.is_none() && !source.control.is_stopping();
    source.end(if to_its_end { Tail::Commit } else { source.tail_if_cut_short() });
    match failure {
        Some(FailureKind::Failed(error)) if excused => {
            let text = text_with_causes(&*error);
            info!(connector = &*source.name, "ended after the stop with: {text}");
            // The error of an earlier attempt is more useful than `Closed`.
            if !is_closed(&*error) || source.attempts.get().last_error.is_none() {
                source.attempts.note(text);
            }
            source.check(dropped(DROP_OF_ERROR, [error]));
        }
        Some(failure) => source.fail(failure),
        None => {}
    }
    Next::End
}

/// Returns whether an error says only that a subject is closed: each kind of push has its own error.
fn is_closed(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        cause.is::<Closed>()
            || cause.downcast_ref().is_some_and(RowError::is_closed)
            || cause.downcast_ref().is_some_and(LinesError::is_closed)
    })
}

/// Ends an attempt that has failed, and waits for the next one.
fn back_off(source: &Source, failure: FailureKind, wait: Duration) -> Next {
    let at = source.control.time.now().checked_add(wait);
    let attempts = source.attempts.get().entered;
    let text = failure.text();
    warn!(connector = &*source.name, attempts, ?wait, "run again: {text}");
    source.control.write_notice(Notice::Attempt, || {
        let (name, next) = (&source.name, u64::from(attempts) + 1);
        format!("{name}: attempt {attempts} failed, attempt {next} in {:.1} s: {text}", wait.as_secs_f64())
    });
    source.attempts.note(text);
    source.check(dropped(DROP_OF_ERROR, [failure]));
    source.end_attempt();
    source.activity.lock().next_attempt = at;
    let begun = source.intake.begin_attempt(at);
    source.activity.lock().next_attempt = None;
    if begun {
        return Next::Again;
    }
    // The stop came between two attempts.
    source.end(source.tail_if_cut_short());
    Next::End
}
