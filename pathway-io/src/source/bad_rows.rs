//! The policy for rows that do not fit the schema.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::run::error::row_error::RowError;
use crate::run::error::{Error, FailureKind};
use crate::run::lock::Lock;
use crate::run::quarantine::{BadRows, QuarantineFile, refuse_named_pipe};

/// [`BadRows`] with an open file.
pub(crate) enum BadRowPolicy {
    Fail,
    Skip,
    Quarantine {
        path: PathBuf,
        file: Lock<QuarantineFile>,
    },
    /// Gathers lines for a quarantine file. The checkpointer writes each line with the commit around it.
    Checkpointed {
        path: PathBuf,
    },
}

/// The decision of the policy on a bad row.
pub(crate) enum Decision {
    /// The push fails.
    Fail,
    /// The run continues without the row.
    Pass,
    /// The row is skipped, and this line becomes durable with the commit.
    Checkpoint(Vec<u8>),
}

impl BadRowPolicy {
    /// Creates or truncates the quarantine file. In a persistent pipeline the checkpointer does this.
    pub(crate) fn open(bad_rows: BadRows, persistent: bool) -> Result<Self, Error> {
        Ok(match bad_rows {
            BadRows::Fail => BadRowPolicy::Fail,
            BadRows::Skip => BadRowPolicy::Skip,
            BadRows::Quarantine(path) if persistent => {
                refuse_named_pipe(&path).map_err(|error| not_opened(&path, &error))?;
                BadRowPolicy::Checkpointed { path }
            }
            BadRows::Quarantine(path) => {
                let file = Lock::new(QuarantineFile::open(&path, false).map_err(|error| not_opened(&path, &error))?);
                BadRowPolicy::Quarantine { path, file }
            }
        })
    }

    /// Returns the path of the quarantine file.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            BadRowPolicy::Fail | BadRowPolicy::Skip => None,
            BadRowPolicy::Quarantine { path, .. } | BadRowPolicy::Checkpointed { path } => Some(path),
        }
    }

    /// Checks at the end of the source that the rows of the quarantine are still in its file. In a persistent pipeline
    /// the checkpointer does this.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            BadRowPolicy::Quarantine { path, file } => file.lock().check().map_err(|error| failure(path, error)),
            BadRowPolicy::Fail | BadRowPolicy::Skip | BadRowPolicy::Checkpointed { .. } => Ok(()),
        }
    }

    /// Decides on a bad row, and writes it if there is a quarantine.
    ///
    /// Each row is written immediately, because bad rows are rare and a reported one must be in the file.
    pub(crate) fn decide(&self, source: &str, error: &RowError, raw: &[u8], offset: Value) -> Result<Decision, Error> {
        match self {
            BadRowPolicy::Fail => Ok(Decision::Fail),
            BadRowPolicy::Skip => Ok(Decision::Pass),
            BadRowPolicy::Quarantine { path, file } => {
                let line = line(source, error, raw, offset);
                file.lock().append(&line).map_err(|error| failure(path, error))?;
                Ok(Decision::Pass)
            }
            BadRowPolicy::Checkpointed { .. } => Ok(Decision::Checkpoint(line(source, error, raw, offset))),
        }
    }
}

/// Returns the line of the quarantine file for a bad row.
fn line(source: &str, error: &RowError, raw: &[u8], offset: Value) -> Vec<u8> {
    let mut entry = json!({ "source": source, "offset": offset, "reason": error.to_string() });
    match std::str::from_utf8(raw) {
        Ok(text) => entry["raw"] = text.into(),
        Err(_) => entry["raw_base64"] = base64::prelude::BASE64_STANDARD.encode(raw).into(),
    }
    format!("{entry}\n").into_bytes()
}

fn failure(path: &Path, error: std::io::Error) -> Error {
    Error::sink(&path.display().to_string(), FailureKind::Failed(Box::new(error)))
}

fn not_opened(path: &Path, error: &std::io::Error) -> Error {
    failure(path, std::io::Error::new(error.kind(), format!("cannot open the quarantine file: {error}")))
}
