//! Where the outputs of a persistent pipeline resume: [`Resume`].

use std::collections::HashMap;

/// What the last checkpoint of a persistent pipeline says of its outputs.
#[derive(Debug, Default)]
pub(crate) struct Resume {
    /// The time of the checkpoint; `None` before the first one.
    pub(crate) checkpoint: Option<u64>,
    /// Whether files are synced.
    pub(crate) sync: bool,
    /// The length of each file, by its path as the program gives it.
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

/// How a persistent pipeline writes a file.
#[derive(Debug, Clone)]
pub(crate) struct PersistedFile {
    /// The length of the file at the checkpoint; `None` if there was no file.
    pub(crate) len: Option<u64>,
    pub(crate) sync: bool,
}

/// Returns the name of a transactional sink in a checkpoint.
pub(crate) fn sink_id(table: &str, number: usize) -> String {
    format!("{table}/{number}")
}
