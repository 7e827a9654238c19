//! One source while it runs: what its handles share, and the thread that calls `run` and `on_stop`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tracing::{info, warn};

use crate::run::control::{Control, failed, panicked};
use crate::run::error::row_error::RowError;
use crate::run::error::{Closed, Error, FailureKind, is_fatal};
use crate::run::summary::SourceSummary;
use crate::source::bad_rows::{BadRowPolicy, Verdict};
use crate::source::connector::{Connector, Subjects};
use crate::source::hook::Hooks;
use crate::source::intake::pending::AnyPool;
use crate::source::intake::{Entry, Intake, Refused, Tail};
use crate::source::offset::{AnyOffset, Offset};
use crate::source::on_durable::Durables;
use crate::source::partition::Partition;
use crate::source::restart::{Attempts, Restart};

/// What all handles of one connector share.
#[doc(hidden)]
pub struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) hooks: Arc<Hooks>,
    pub(crate) durables: Durables,
    pub(crate) bad_rows: Arc<BadRowPolicy>,
    /// A restart reads again what is behind the last offset.
    pub(crate) persistent: bool,
    pub(crate) bad_rows_limit: Option<u64>,
    pub(crate) restart: Option<Restart>,
    pub(crate) attempts: Attempts,
    pub(crate) control: Arc<Control>,
}

impl Source {
    /// A stop came: closes the subjects, then unblocks `run`.
    pub(crate) fn interrupt(&self) {
        self.intake.close();
        self.hooks.fire();
    }

    /// What a handle says of a push that was refused. A source that goes without offsets for too long has failed.
    #[cold]
    pub(crate) fn refuse(&self, refused: Refused) -> Closed {
        if refused == Refused::NoOffset {
            let error = format!(
                "it pushed more than its backlog of {} behind its last offset, so that none of it can be committed: \
                 set offsets more often (`next_at`, `advance`, `commit_at`), or enlarge the backlog",
                self.intake.limit_text()
            );
            self.fail(FailureKind::Failed(error.into()));
            self.intake.tell_closed();
        }
        Closed
    }

    /// What becomes of a row that does not fit.
    #[cold]
    pub(crate) fn bad_row(&self, entry: Entry, error: RowError, raw: &[u8]) -> Result<(), RowError> {
        self.judge(entry, error, raw, None::<()>)
    }

    /// The same of a row that came with its offset, which is set if the run goes on without the row.
    #[cold]
    pub(crate) fn bad_row_at<O: Offset>(
        &self,
        entry: Entry,
        error: RowError,
        raw: &[u8],
        offset: O,
    ) -> Result<(), RowError> {
        self.judge(entry, error, raw, Some(offset))
    }

    fn judge<O: Offset>(&self, entry: Entry, error: RowError, raw: &[u8], offset: Option<O>) -> Result<(), RowError> {
        let (row, bad_rows) = self.intake.count_bad_row(entry.table);
        let error = error.at_row(row);
        let beyond_limit = self.bad_rows_limit.is_some_and(|limit| bad_rows > limit);
        let place = offset.as_ref().map_or(Value::Null, AnyOffset::to_json);
        let passed = match self.bad_rows.judge(&self.name, &error, raw, place) {
            Ok(Verdict::Fail) => return Err(error),
            Ok(Verdict::Pass) => match offset {
                Some(offset) if !beyond_limit => self.intake.advance(entry, offset).map_err(Refused::from),
                _ => Ok(()),
            },
            Ok(Verdict::Gather(line)) => self.intake.quarantine(entry, &line, offset),
            Err(failure) => {
                self.control.fail(failure);
                self.intake.tell_closed();
                Err(Refused::Closed)
            }
        };
        match passed {
            Ok(()) if beyond_limit => {
                self.fail_beyond_limit(bad_rows, &error);
                self.intake.tell_closed();
                Err(RowError::closed())
            }
            Ok(()) => {
                warn!(connector = &*self.name, "bad row left out: {error}");
                Ok(())
            }
            Err(refused) => {
                self.refuse(refused);
                Err(RowError::closed())
            }
        }
    }

    fn fail_beyond_limit(&self, bad_rows: u64, last: &RowError) {
        // Of those that come at the same time from several threads, one is the first.
        if self.bad_rows_limit.is_none_or(|limit| bad_rows != limit.saturating_add(1)) {
            return;
        }
        let kept = self.bad_rows.path().map(|path| format!(", all of them in `{}`", path.display()));
        let limit = bad_rows - 1;
        let text = format!("more bad rows than its limit of {limit}{}; the last: {last}", kept.unwrap_or_default());
        self.fail(FailureKind::Failed(text.into()));
    }

    pub(crate) fn fail(&self, kind: FailureKind) {
        self.control.fail(Error::connector(&self.name, kind));
    }

    /// How long to wait before `run` is run again after a failure, if it is to be.
    fn restart(&self, failure: &FailureKind, ran: Duration) -> Option<Duration> {
        let restart = self.restart.as_ref()?;
        let fatal = match failure {
            // Looking for causes runs code of the user's; where that panics, there is no mark to be found.
            FailureKind::Failed(error) => catch_unwind(AssertUnwindSafe(|| is_fatal(&**error))).unwrap_or(false),
            _ => false,
        };
        if fatal { None } else { self.attempts.failed(restart, ran) }
    }

    /// `run` has failed and will be run again: nothing of this attempt is to reach into the next.
    fn end_attempt(&self) {
        self.intake.end_attempt();
        self.hooks.end_attempt();
        if let Err(kind) = self.durables.end_attempt() {
            self.fail(kind);
        }
    }

    /// What becomes of the rows behind the last offset of a run that has not come to its end.
    pub(crate) fn unread_tail(&self) -> Tail {
        if self.persistent { Tail::Drop } else { Tail::Commit }
    }

    /// `run` was run for the last time.
    fn end(&self, tail: Tail) {
        self.intake.finish(tail);
        self.hooks.end();
    }
}

/// The life of a source, on its own thread.
pub(crate) fn run<C: Connector>(
    mut connector: C,
    pools: &[AnyPool],
    part: Option<Partition>,
    source: &Arc<Source>,
    index: usize,
) {
    let started = Instant::now();
    info!(connector = &*source.name, "start");
    while attempt(&mut connector, pools, part, source) == Next::Again {}
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| connector.on_stop())) {
        source.fail(panicked("on_stop", &*payload));
    }
    let duration = started.elapsed();
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(connector))) {
        source.fail(panicked("its drop", &*payload));
    }
    let summary = summary(source, duration);
    info!(connector = &*source.name, rows = summary.rows, commits = summary.commits, "end");
    source.control.update(|run| {
        // Of a run that has left this source behind nothing is there any more.
        if let Some(state) = run.sources.get_mut(index) {
            state.ended = Some(summary);
        }
    });
}

#[derive(PartialEq, Eq)]
enum Next {
    Again,
    End,
}

/// Calls `run`, and waits if it is to be run again. When it is not, its rows are committed and its hooks are gone.
fn attempt<C: Connector>(connector: &mut C, pools: &[AnyPool], part: Option<Partition>, source: &Arc<Source>) -> Next {
    source.attempts.entered();
    let began = Instant::now();
    let subjects = C::Subjects::open(source, pools, 0);
    let result = catch_unwind(AssertUnwindSafe(|| match part {
        Some(part) => connector.run_partition(subjects, part),
        None => connector.run(subjects),
    }));
    // Judged at this moment: a stop that comes later does not excuse an error that came before it.
    let excused = source.control.is_stopping() || source.intake.has_told_closed();
    let failure = match result {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(failed(error)),
        Err(payload) => Some(panicked("run", &*payload)),
    };
    if let Some(failure) = &failure
        && !excused
        && let Some(wait) = source.restart(failure, began.elapsed())
    {
        let at = Instant::now().checked_add(wait);
        warn!(connector = &*source.name, attempts = source.attempts.get().entered, ?wait, "run again: it {failure}");
        source.attempts.note(failure.text());
        source.end_attempt();
        if source.intake.begin_attempt(at) {
            return Next::Again;
        }
        // The stop found it between two attempts.
        source.end(source.unread_tail());
        return Next::End;
    }
    // What a run has not come to the end of, the next one reads again from the last offset on.
    let to_its_end = failure.is_none() && !source.control.is_stopping();
    source.end(if to_its_end { Tail::Commit } else { source.unread_tail() });
    match failure {
        Some(FailureKind::Failed(error)) if excused => {
            info!(connector = &*source.name, "ended after the stop with: {error}");
            source.attempts.note(error.to_string());
        }
        Some(failure) => source.fail(failure),
        None => {}
    }
    Next::End
}

/// What a source has done so far.
pub(crate) fn summary(source: &Source, duration: Duration) -> SourceSummary {
    let counts = source.intake.counts();
    let attempted = source.attempts.get();
    SourceSummary {
        name: source.name.to_string(),
        rows: counts.rows,
        commits: counts.commits,
        bad_rows: counts.bad_rows,
        duration,
        attempts: attempted.entered,
        error: attempted.last_error,
    }
}
