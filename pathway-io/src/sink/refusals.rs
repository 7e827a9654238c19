//! Leaves out updates that a sink refuses permanently, so that the pipeline continues: [`Refusals`].
//!
//! The sink writes the commits since its last flush again, one at a time. If it refuses a commit, the commit is written
//! without the updates that the error names, or without any update if the error names none. This repeats until the sink
//! accepts the rest. A transactional sink receives even an empty commit, because it must store the time of the commit.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;
use tracing::warn;

use crate::rows::commit::Commit;
use crate::rows::row_writer::RowWriter;
use crate::rows::schema::Schema;
use crate::run::error::{BoxError, RunResult, fatal, is_refused, refused_updates};
use crate::run::panics::text_with_causes;
use crate::run::quarantine::{BadRows, QuarantineFile};
use crate::sink::Sink;
use crate::sink::part::Worker;

/// The [`BadRows`] of a sink.
pub(super) struct Refusals {
    /// Whether a refused update fails the pipeline.
    is_fatal: bool,
    file: Option<(PathBuf, QuarantineFile)>,
}

impl Refusals {
    /// Opens the quarantine file, and keeps the rows that earlier runs have written.
    pub(super) fn open(policy: BadRows) -> Result<Self, BoxError> {
        let is_fatal = policy == BadRows::Fail;
        let BadRows::Quarantine(path) = policy else { return Ok(Refusals { is_fatal, file: None }) };
        let file = QuarantineFile::open(&path, true).map_err(|error| failure(&path, error))?;
        Ok(Refusals { is_fatal, file: Some((path, file)) })
    }

    /// Checks that the updates that were left out are still in their file.
    pub(super) fn check(&self) -> RunResult {
        self.file.as_ref().map_or(Ok(()), |(path, file)| file.check().map_err(|error| failure(path, error)))
    }

    /// Returns whether the error is about updates that must be left out.
    pub(super) fn apply_to(&self, error: &BoxError) -> bool {
        !self.is_fatal && is_refused(&**error)
    }

    /// Writes and flushes the commits one at a time, without the updates that the sink refuses.
    pub(super) fn write_rest<S: Schema>(
        &mut self,
        commits: &[Commit<S>],
        sink: &mut dyn Sink<S>,
        worker: &Worker,
    ) -> RunResult {
        // A sink that is not transactional receives all commits again.
        let recover = |sink: &mut dyn Sink<S>| -> Result<u64, BoxError> {
            Ok(worker.recover(sink)? * u64::from(sink.is_transactional()))
        };
        let mut written = recover(sink)?;
        for commit in commits {
            let mut rest = commit.clone();
            while written < commit.time() && (!rest.is_empty() || sink.is_transactional()) {
                let Err(error) = worker.write(sink, &rest).and_then(|()| worker.flush(sink)) else { break };
                if rest.is_empty() || !self.apply_to(&error) {
                    return Err(error);
                }
                rest = self.leave_out(&rest, &error, worker)?;
                written = recover(sink)?;
            }
        }
        Ok(())
    }

    /// Reports the updates that an error is about. Returns the commit without them.
    fn leave_out<S: Schema>(
        &mut self,
        commit: &Commit<S>,
        error: &BoxError,
        worker: &Worker,
    ) -> Result<Commit<S>, BoxError> {
        let mut named = refused_updates(&**error).unwrap_or_default();
        named.retain(|update, _| *update < commit.len());
        let (name, time, reason) = (&*worker.part.name, commit.time(), text_with_causes(&**error));
        let reason_of = |update: usize| if named.is_empty() { Some(&reason) } else { named.get(&update) };
        if let Some((path, file)) = &mut self.file {
            let writer = RowWriter::new::<S>();
            let mut lines = Vec::new();
            for (update, (batch, row)) in commit.rows().enumerate() {
                let Some(reason) = reason_of(update) else { continue };
                let mut raw = Vec::new();
                writer.write_row(&batch.columns, row, &mut raw);
                let (raw, diff) = (String::from_utf8_lossy(&raw), batch.diff(row));
                let line = json!({"sink": name, "time": time, "diff": diff, "reason": reason, "raw": raw});
                lines.extend_from_slice(format!("{line}\n").as_bytes());
            }
            file.append(&lines).map_err(|error| failure(path, error))?;
        }
        let rest = commit.filtered(|update| reason_of(update).is_none());
        let updates = commit.len() - rest.len();
        worker.part.progress.refused(updates);
        warn!(sink = name, time, updates, "left out, because the sink permanently refuses it: {reason}");
        Ok(rest)
    }
}

fn failure(path: &Path, error: io::Error) -> BoxError {
    fatal(format!("the file of refused rows `{}`: {error}", path.display()))
}
