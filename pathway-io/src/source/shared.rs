//! The shared state of one running source: [`Source`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tracing::warn;

use crate::rows::batch::RefusedRow;
use crate::run::control::Control;
use crate::run::error::row_error::RowError;
use crate::run::error::{BoxError, Closed, Error, FailureKind, is_fatal};
use crate::run::guard::guarded;
use crate::run::lock::Lock;
use crate::run::part::{Evidence, Part, Role};
use crate::run::restart::{Attempts, Restart};
use crate::run::summary::SourceSummary;
use crate::source::bad_rows::{BadRowPolicy, Decision};
use crate::source::hook::Hooks;
use crate::source::intake::{Entry, Intake, Level, Push, Refused, Tail};
use crate::source::offset::{AnyOffset, Offset};
use crate::source::on_durable::DurableCallbacks;

/// The help for a connector that did not end.
const ABANDONED: &str =
    "end a call that blocks `run` with a hook of `Subject::on_interrupt`, and pause with `Subject::sleep`";

/// The state that all handles of one connector share.
#[doc(hidden)]
pub struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) hooks: Arc<Hooks>,
    pub(crate) durables: DurableCallbacks,
    pub(crate) bad_rows: Arc<BadRowPolicy>,
    /// Set in a persistent pipeline. After a restart, the source then reads everything after the last offset again.
    pub(crate) persistent: bool,
    /// The number of partitions in all processes; 1 if the source is not read in partitions.
    pub(crate) partitions: usize,
    pub(crate) bad_rows_limit: Option<u64>,
    /// The number of bad rows in all partitions of this process.
    pub(crate) bad_rows_seen: Arc<AtomicU64>,
    pub(crate) restart: Option<Restart>,
    /// The longest time that an attempt may push nothing.
    pub(crate) idle: Option<Duration>,
    pub(crate) attempts: Attempts,
    pub(crate) control: Arc<Control>,
    pub(crate) started: OnceLock<Instant>,
    /// The summary of the source, set once the source has ended.
    pub(crate) ended: OnceLock<SourceSummary>,
    pub(crate) activity: Lock<Activity>,
}

/// Observations of a source over time, because its pushes record no time.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// The number of pushed rows at the last observation.
    offered: u64,
    /// The time of the first observation with this number.
    since: Option<Instant>,
    /// The time of the next attempt, while the source waits for it.
    pub(crate) next_attempt: Option<Instant>,
    /// The time since which the current attempt has pushed nothing although it could, or `None` while no attempt runs.
    idle_since: Option<Instant>,
    /// The time at which the current attempt was interrupted because it was idle.
    interrupted: Option<Instant>,
}

impl Activity {
    pub(super) fn begin_attempt(&mut self, now: Instant) {
        self.idle_since = Some(now);
        self.interrupted = None;
    }

    fn record(&mut self, offered: u64, now: Instant) {
        if self.offered != offered {
            (self.offered, self.since) = (offered, Some(now));
            self.idle_since = self.idle_since.map(|_| now);
        }
    }
}

/// The result of a check whether a source is idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdleCheck {
    Active,
    /// The attempt has just been interrupted, because it has pushed nothing for this time.
    Interrupted(Duration),
    /// The attempt was interrupted this long ago, and has not returned.
    Unresponsive(Duration),
}

impl Part for Source {
    fn role(&self) -> Role {
        Role::Source
    }

    /// Closes the subjects, then unblocks `run`.
    fn interrupt(&self) {
        self.intake.close();
        self.hooks.fire(None);
    }

    fn time_passed(&self) {
        self.intake.time_passed();
    }

    fn has_helpers(&self) -> bool {
        self.hooks.are_running()
    }

    fn overdue(&self) -> Vec<(Evidence, Error)> {
        let error = Error::connector(&self.name, FailureKind::TimedOut { undelivered: None });
        vec![(Evidence::Busy, error.with_help(ABANDONED))]
    }
}

impl Source {
    /// Returns the error for a refused push. If the backlog filled up without an offset, the source has failed.
    #[cold]
    pub(crate) fn refuse(&self, refused: Refused) -> Closed {
        if refused == Refused::NoOffset {
            let when = if self.intake.waits_for_transaction() {
                "while an offset waited for an open transaction\nhelp: commit or drop the transaction before you set an \
                 offset, or end it with `commit_at`; if transactions of several threads always overlap, commit one \
                 after the other"
            } else {
                "after its last offset, so that none of it can be committed\nhelp: set offsets more often (`next_at`, \
                 `advance`, `commit_at`), or enlarge the backlog"
            };
            return self
                .fail_and_close(format!("it pushed more than its backlog of {} {when}", self.intake.limit_text()));
        }
        Closed
    }

    /// Fails the source. Returns the error of the push that has failed it.
    #[cold]
    fn fail_and_close(&self, error: impl Into<BoxError>) -> Closed {
        self.fail(FailureKind::Failed(error.into()));
        Closed
    }

    /// Fails the source if the rows of one of its handles cannot be a whole table.
    pub(crate) fn check_whole(&self) -> Result<(), Closed> {
        if self.partitions <= 1 {
            return Ok(());
        }
        Err(self.fail_and_close(format!(
            "it commits a transaction with `replace_all`, but it is read in {} partitions, each of which has only a part of \
             the table\nhelp: run the pipeline on one worker, or remove rows by key",
            self.partitions
        )))
    }

    /// Applies the `bad_rows` policy to a row that does not fit. `push` says whether it may wait for space. The offset
    /// of the row is set if the policy lets the source continue without the row.
    #[cold]
    pub(crate) fn bad_row<O: Offset>(
        &self,
        entry: Entry,
        error: RowError,
        raw: &[u8],
        offset: Option<O>,
        push: Push,
    ) -> Result<(), RowError> {
        let number = self.intake.count_bad_row(entry).map_err(|Closed| RowError::closed())?;
        let error = error.at_row(number);
        let bad_rows = self.bad_rows_seen.fetch_add(1, Ordering::Relaxed) + 1;
        let beyond_limit = self.bad_rows_limit.is_some_and(|limit| bad_rows > limit);
        // A row without an offset is dropped with the rows after the last offset, and read again.
        let is_kept = !self.persistent || offset.is_some();
        let place = offset.as_ref().map_or(Value::Null, AnyOffset::to_json);
        let passed = match self.bad_rows.decide(&self.name, &error, raw, place) {
            Ok(Decision::Checkpoint(line)) => {
                let pushed = self.intake.push_bad_row(entry, &line, offset, push);
                pushed.inspect_err(|_| self.intake.uncount_bad_row())
            }
            Ok(Decision::Fail) => return Err(error),
            Ok(Decision::Pass) => {
                if let Some(offset) = offset.filter(|_| !beyond_limit) {
                    // The row was admitted, so it counts even if a stop has closed the subject since then.
                    let _ = self.intake.advance(entry, offset);
                }
                Ok(())
            }
            Err(failure) => {
                self.control.fail(failure);
                Err(Refused::Closed)
            }
        };
        match passed {
            Ok(()) if beyond_limit => {
                self.fail_beyond_limit(bad_rows, &error, is_kept);
                self.intake.count_refusal();
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

    /// Like [`bad_row`](Self::bad_row), for a row that a sink can never accept. The error of the push cannot describe
    /// the row, so the pipeline fails if the policy is to fail.
    #[cold]
    pub(crate) fn refused_row<S, O: Offset>(
        &self,
        entry: Entry,
        refused: RefusedRow<S>,
        offset: Option<O>,
        push: Push,
    ) -> Result<(), Closed> {
        let RefusedRow { json, error, .. } = refused;
        let result = self.bad_row(entry, error, &json, offset, push);
        result.map_err(|error| if error.is_closed() { Closed } else { self.fail_and_close(error) })
    }

    fn fail_beyond_limit(&self, bad_rows: u64, last: &RowError, is_kept: bool) {
        // Several threads can exceed the limit at the same time. Only the one that reaches `limit + 1` reports it.
        if self.bad_rows_limit.is_none_or(|limit| bad_rows != limit.saturating_add(1)) {
            return;
        }
        let which = if is_kept { "all of them" } else { "those before the last offset" };
        let kept = self.bad_rows.path().map(|path| format!(", {which} in `{}`", path.display()));
        let limit = bad_rows - 1;
        let text = format!("more bad rows than its limit of {limit}{}; the last: {last}", kept.unwrap_or_default());
        self.fail(FailureKind::Failed(text.into()));
    }

    pub(crate) fn fail(&self, kind: FailureKind) {
        self.control.fail(Error::connector(&self.name, kind));
    }

    /// Fails the source if `result` is a failure.
    pub(super) fn check(&self, result: Result<(), FailureKind>) {
        if let Err(kind) = result {
            self.fail(kind);
        }
    }

    /// Returns the wait before the next attempt, or `None` if `run` is not called again.
    pub(super) fn restart(&self, failure: &FailureKind, ran: Duration) -> Option<Duration> {
        let restart = self.restart.as_ref()?;
        let fatal = match failure {
            // The search runs the user's code. If that code panics, the error counts as not fatal.
            FailureKind::Failed(error) => guarded("the causes of its error", || is_fatal(&**error)).unwrap_or(false),
            _ => false,
        };
        if fatal { None } else { self.attempts.failed(restart, ran) }
    }

    /// Ends a failed attempt that is followed by another one. Nothing of this attempt may reach the next.
    pub(super) fn end_attempt(&self) {
        self.intake.end_attempt();
        self.hooks.end_attempt();
        self.check_offsets();
        self.check(self.durables.end_attempt());
    }

    /// Returns what to do with the rows after the last offset, if `run` was cut short.
    pub(crate) fn tail_if_cut_short(&self) -> Tail {
        if self.persistent { Tail::Drop } else { Tail::Commit }
    }

    /// Ends the source after its last call of `run`.
    pub(super) fn end(&self, tail: Tail) {
        self.intake.finish(tail);
        self.hooks.end_attempt();
        self.check_offsets();
    }

    /// Reports a panic of an offset's code outside `run`.
    fn check_offsets(&self) {
        if let Some(kind) = self.intake.take_offset_failure() {
            self.fail(kind);
        }
    }

    /// Drops the remaining values of the user at the end of the run. Returns the failures.
    pub(crate) fn drop_user_values(&self) -> impl Iterator<Item = Error> {
        let kinds = [self.durables.end_attempt().err(), self.intake.end_offsets()];
        kinds.into_iter().flatten().map(|kind| Error::connector(&self.name, kind))
    }

    /// Returns the time of the next attempt, while the source waits for it, and the time since the last row, as far as
    /// observations show it. It is `None` before the first row.
    pub(crate) fn observe(&self, offered: u64) -> (Option<Instant>, Option<Duration>) {
        let mut activity = self.activity.lock();
        // The clock is read after `offered`. With an earlier time, the rows would seem older than they are.
        let now = self.control.time.now();
        activity.record(offered, now);
        (activity.next_attempt, activity.since.map(|since| now.saturating_duration_since(since)))
    }

    /// Checks whether the source is idle. If so, interrupts the attempt: closes its handles and calls its hooks.
    pub(crate) fn check_idle(&self, level: &Level) -> IdleCheck {
        let Some(limit) = self.idle else { return IdleCheck::Active };
        let mut activity = self.activity.lock();
        // The clock is read after `level`, as in `observe`.
        let now = self.control.time.now();
        if let Some(interrupted) = activity.interrupted {
            return IdleCheck::Unresponsive(now.saturating_duration_since(interrupted));
        }
        activity.record(level.offered, now);
        let Some(since) = activity.idle_since else { return IdleCheck::Active };
        if level.is_waiting {
            // The source waits for space, so it is not idle.
            activity.idle_since = Some(now);
            return IdleCheck::Active;
        }
        if now.saturating_duration_since(since) < limit || !self.intake.interrupt_attempt(level.attempt, level.offered)
        {
            return IdleCheck::Active;
        }
        activity.interrupted = Some(now);
        drop(activity);
        self.hooks.fire(Some(level.attempt));
        IdleCheck::Interrupted(limit)
    }

    /// Interrupts the current attempt as if it were idle, for the test kit. It has no effect after the end of the
    /// source.
    pub(crate) fn interrupt_attempt(&self) {
        loop {
            let level = self.intake.level();
            let mut activity = self.activity.lock();
            if self.intake.interrupt_attempt(level.attempt, level.offered) {
                activity.interrupted = Some(self.control.time.now());
                drop(activity);
                return self.hooks.fire(Some(level.attempt));
            }
            drop(activity);
            let now = self.intake.level();
            // Only a push in the meantime is a reason to try again.
            if now.attempt != level.attempt || now.offered == level.offered {
                return;
            }
        }
    }

    /// Returns the failure of an attempt that has returned after it was interrupted for being idle.
    pub(super) fn idle_failure(&self) -> Option<FailureKind> {
        let mut activity = self.activity.lock();
        activity.idle_since = None;
        activity.interrupted.take()?;
        let limit = self.idle?;
        Some(FailureKind::Failed(format!("it pushed nothing for {limit:?}, the limit of `ReadOptions::idle`").into()))
    }

    /// Returns the summary of the source so far, or the final one if the source has ended.
    pub(crate) fn summary(&self) -> SourceSummary {
        let elapsed = || self.started.get().map_or(Duration::ZERO, Instant::elapsed);
        self.ended.get().cloned().unwrap_or_else(|| self.summary_after(elapsed()))
    }

    pub(crate) fn summary_after(&self, duration: Duration) -> SourceSummary {
        let counts = self.intake.level().counts;
        let attempted = self.attempts.get();
        SourceSummary {
            name: self.name.to_string(),
            rows: counts.rows,
            commits: counts.commits,
            bad_rows: counts.bad_rows,
            duration,
            attempts: attempted.entered,
            error: attempted.last_error,
        }
    }
}
