//! Leaves out updates that a sink refuses permanently, so that the pipeline continues: [`Refusals`].
//!
//! The sink writes the commits since its last flush again, one at a time. If it refuses a commit, the commit is
//! written without the updates that the error names, or without any update if the error names none. This repeats until
//! the sink accepts the rest. A transactional sink takes an empty commit too, since the time of the commit must be in
//! it.

use std::path::PathBuf;

use serde_json::json;
use tracing::warn;

use crate::rows::commit::Commit;
use crate::rows::row_writer::RowWriter;
use crate::rows::schema::Schema;
use crate::run::error::{BoxError, Error, RunResult, refused_update, refused_updates};
use crate::run::panics::text_of;
use crate::run::quarantine::{BadRows, QuarantineFile};
use crate::sink::Sink;
use crate::sink::part::Worker;

/// The [`BadRows`] of a sink, with an open file.
pub(super) enum Refusals {
    Fail,
    Skip,
    Quarantine { path: PathBuf, file: QuarantineFile },
}

impl Refusals {
    /// Opens the quarantine file. It keeps what earlier runs have written.
    pub(super) fn open(policy: BadRows) -> Result<Self, BoxError> {
        Ok(match policy {
            BadRows::Fail => Refusals::Fail,
            BadRows::Skip => Refusals::Skip,
            BadRows::Quarantine(path) => {
                let file = QuarantineFile::open(&path, true).map_err(|error| failure(&path, error))?;
                Refusals::Quarantine { path, file }
            }
        })
    }

    /// Checks that the updates that were left out are still in their file.
    pub(super) fn check(&self) -> RunResult {
        match self {
            Refusals::Quarantine { path, file } => file.check().map_err(|error| failure(path, error)),
            Refusals::Fail | Refusals::Skip => Ok(()),
        }
    }

    /// Returns whether the error is about updates that must be left out.
    pub(super) fn apply_to(&self, error: &BoxError) -> bool {
        !matches!(self, Refusals::Fail) && refused_update(&**error).is_some()
    }

    /// Writes and flushes the commits one at a time, without the updates that the sink refuses.
    pub(super) fn write_rest<S: Schema>(
        &mut self,
        commits: &[Commit<S>],
        sink: &mut dyn Sink<S>,
        worker: &Worker,
    ) -> RunResult {
        let mut stands = recover(sink, worker)?;
        for commit in commits {
            let mut rest = commit.clone();
            while stands < commit.time() && (!rest.is_empty() || sink.is_transactional()) {
                worker.place.set("write");
                let Err(error) = sink.write(&rest).and_then(|()| flush(sink, worker)) else { break };
                if rest.is_empty() || !self.apply_to(&error) {
                    return Err(error);
                }
                rest = self.leave_out(&rest, &error, worker)?;
                stands = recover(sink, worker)?;
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
        let mut named = refused_updates(&**error);
        named.retain(|update, _| *update < commit.len());
        let (name, time, reason) = (&*worker.part.name, commit.time(), text_of(&**error));
        let reason_of = |update: usize| if named.is_empty() { Some(&reason) } else { named.get(&update) };
        if let Refusals::Quarantine { path, file } = self {
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

/// Makes the sink undo everything that was not flushed. Returns the time of its last commit.
fn recover<S: Schema>(sink: &mut dyn Sink<S>, worker: &Worker) -> Result<u64, BoxError> {
    worker.place.set("recover");
    let time = sink.recover(S::SCHEMA)?;
    Ok(if sink.is_transactional() { time.unwrap_or(0) } else { 0 })
}

fn flush<S: Schema>(sink: &mut dyn Sink<S>, worker: &Worker) -> RunResult {
    worker.place.set("flush");
    sink.flush()
}

fn failure(path: &std::path::Path, error: std::io::Error) -> BoxError {
    Error::fatal(format!("the file of refused rows `{}`: {error}", path.display())).into()
}
