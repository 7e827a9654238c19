//! Rows that do not fit the schema, and where they go.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use serde_json::{Map, Value};

use crate::error::{Error, FailureKind};
use crate::options::BadRows;
use crate::row_error::RowError;

/// [`BadRows`] with its file open.
pub(crate) enum BadRowPolicy {
    Fail,
    Skip,
    Quarantine { path: PathBuf, file: Mutex<File> },
}

impl BadRowPolicy {
    /// Creates or truncates the quarantine file.
    pub(crate) fn open(bad_rows: BadRows) -> Result<Self, Error> {
        Ok(match bad_rows {
            BadRows::Fail => BadRowPolicy::Fail,
            BadRows::Skip => BadRowPolicy::Skip,
            BadRows::Quarantine(path) => {
                let file = Mutex::new(File::create(&path).map_err(|error| failure(&path, error))?);
                BadRowPolicy::Quarantine { path, file }
            }
        })
    }

    /// Where they are kept.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            BadRowPolicy::Fail | BadRowPolicy::Skip => None,
            BadRowPolicy::Quarantine { path, .. } => Some(path),
        }
    }

    /// Whether the run goes on without the row, which is then kept if there is a quarantine.
    ///
    /// Each row is written at once: bad rows are rare, and one that is reported must be on disk.
    pub(crate) fn keep(&self, source: &str, error: &RowError, raw: &[u8], offset: Value) -> Result<bool, Error> {
        let BadRowPolicy::Quarantine { path, file } = self else {
            return Ok(matches!(self, BadRowPolicy::Skip));
        };
        let mut entry = Map::new();
        entry.insert("source".into(), source.into());
        entry.insert("offset".into(), offset);
        entry.insert("reason".into(), error.to_string().into());
        match std::str::from_utf8(raw) {
            Ok(text) => entry.insert("raw".into(), text.into()),
            Err(_) => entry.insert("raw_base64".into(), base64::prelude::BASE64_STANDARD.encode(raw).into()),
        };
        let mut line = Value::Object(entry).to_string();
        line.push('\n');
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes()).map_err(|error| failure(path, error))?;
        Ok(true)
    }
}

fn failure(path: &Path, error: std::io::Error) -> Error {
    Error::sink(&path.display().to_string(), FailureKind::Failed(Box::new(error)))
}
