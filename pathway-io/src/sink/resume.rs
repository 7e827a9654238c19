//! The positions from which the outputs of a persistent pipeline resume: [`Resume`].

use std::collections::HashMap;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The part of the last checkpoint that concerns the outputs of a persistent pipeline.
#[derive(Debug, Default)]
pub(crate) struct Resume {
    /// The time of the checkpoint; `None` before the first one.
    pub(crate) checkpoint: Option<u64>,
    /// Whether files are synced.
    pub(crate) sync: bool,
    /// The length of each file, by its [`path_key`].
    pub(crate) files: HashMap<String, u64>,
    /// The time of each transactional sink, by its id.
    pub(crate) sinks: HashMap<String, u64>,
}

impl Resume {
    /// Returns the time of the checkpoint; 0 before the first one.
    pub(crate) fn time(&self) -> u64 {
        self.checkpoint.unwrap_or(0)
    }

    /// Returns how a file is continued.
    pub(crate) fn file(&self, path: &str) -> PersistedFile {
        PersistedFile { len: self.files.get(path).copied(), sync: self.sync }
    }

    /// Returns the time that a transactional sink is known to have reached.
    pub(crate) fn sink_time(&self, id: &str) -> u64 {
        self.sinks.get(id).copied().unwrap_or(0)
    }
}

/// A file that a persistent pipeline writes.
#[derive(Debug, Clone)]
pub(crate) struct PersistedFile {
    /// The length of the file at the checkpoint; `None` if there was no file.
    pub(crate) len: Option<u64>,
    pub(crate) sync: bool,
}

/// The mark before a path that is not UTF-8. No path contains it.
const NOT_UTF8: char = '\0';

/// Returns the text that identifies a file in the state. It is the path as the program writes it, and is different for
/// different paths.
pub(crate) fn path_key(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => format!("{NOT_UTF8}{}", BASE64_STANDARD.encode(path.as_os_str().as_encoded_bytes())),
    }
}

/// Returns the path of a [`path_key`] for a message.
pub(crate) fn shown_path(key: &str) -> String {
    let bytes = key.strip_prefix(NOT_UTF8).and_then(|encoded| BASE64_STANDARD.decode(encoded).ok());
    bytes.map_or_else(|| key.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the name of a transactional sink in a checkpoint.
pub(crate) fn sink_id(table: &str, number: usize) -> String {
    format!("{table}/{number}")
}
