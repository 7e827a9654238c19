//! One source while it runs: what its handles share, and the thread that calls `run` and `on_stop`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tracing::{info, warn};

use crate::bad_rows::BadRowPolicy;
use crate::connector::Connector;
use crate::control::{Control, failed, panicked};
use crate::dataflow::Partition;
use crate::durable::Durables;
use crate::error::{Closed, Error, FailureKind};
use crate::hook::Hooks;
use crate::intake::{Intake, Refused, Tail};
use crate::offset::{AnyOffset, Offset};
use crate::row_error::RowError;
use crate::summary::SourceSummary;

/// What all handles of one connector share.
#[doc(hidden)]
pub struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) hooks: Arc<Hooks>,
    pub(crate) durables: Durables,
    pub(crate) bad_rows: Arc<BadRowPolicy>,
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
    pub(crate) fn bad_row(&self, table: usize, error: RowError, raw: &[u8]) -> Result<(), RowError> {
        self.keep_bad_row(table, error, raw, Value::Null)
    }

    /// The same of a row that came with its offset.
    #[cold]
    pub(crate) fn bad_row_at<O: Offset>(
        &self,
        table: usize,
        error: RowError,
        raw: &[u8],
        offset: &O,
    ) -> Result<(), RowError> {
        self.keep_bad_row(table, error, raw, offset.to_json())
    }

    fn keep_bad_row(&self, table: usize, error: RowError, raw: &[u8], offset: Value) -> Result<(), RowError> {
        let error = error.at_row(self.intake.count_bad_row(table));
        match self.bad_rows.keep(&self.name, &error, raw, offset) {
            Ok(true) => {
                warn!(connector = &*self.name, "bad row left out: {error}");
                Ok(())
            }
            Ok(false) => Err(error),
            Err(failure) => {
                self.control.fail(failure);
                self.intake.tell_closed();
                Err(RowError::closed())
            }
        }
    }

    pub(crate) fn fail(&self, kind: FailureKind) {
        self.control.fail(Error::connector(&self.name, kind));
    }
}

/// The life of a source, on its own thread.
pub(crate) fn run<C: Connector>(
    mut connector: C,
    subjects: C::Subjects,
    part: Option<Partition>,
    source: &Source,
    index: usize,
) {
    let started = Instant::now();
    info!(connector = &*source.name, "start");
    let result = catch_unwind(AssertUnwindSafe(|| match part {
        Some(part) => connector.run_part(subjects, part),
        None => connector.run(subjects),
    }));
    // Judged at this moment: a stop that comes later does not excuse an error that came before it.
    let excused = source.control.is_stopping() || source.intake.has_told_closed();
    source.intake.finish(Tail::Commit);
    source.hooks.end();
    let mut kept = None;
    match result {
        Ok(Ok(())) => {}
        Ok(Err(error)) => match failed(error) {
            FailureKind::Failed(error) if excused => {
                info!(connector = &*source.name, "ended after the stop with: {error}");
                kept = Some(error.to_string());
            }
            kind => source.fail(kind),
        },
        Err(payload) => source.fail(panicked("run", &*payload)),
    }
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| connector.on_stop())) {
        source.fail(panicked("on_stop", &*payload));
    }
    let duration = started.elapsed();
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(connector))) {
        source.fail(panicked("its drop", &*payload));
    }
    let summary = summary(source, duration, kept);
    info!(connector = &*source.name, rows = summary.rows, commits = summary.commits, "end");
    source.control.update(|run| {
        // Of a run that has left this source behind nothing is there any more.
        if let Some(state) = run.sources.get_mut(index) {
            state.ended = Some(summary);
        }
    });
}

/// What a source has done so far.
pub(crate) fn summary(source: &Source, duration: std::time::Duration, error: Option<String>) -> SourceSummary {
    let counts = source.intake.counts();
    SourceSummary {
        name: source.name.to_string(),
        rows: counts.rows,
        commits: counts.commits,
        bad_rows: counts.bad_rows,
        duration,
        error,
    }
}
