//! A directory for one test of a sink.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// A directory that is removed with its content.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Result<Self, String> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let now = crate::run::time::unix_millis();
        let name = format!("pathway-io-sink-{}-{now}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).map_err(|error| format!("cannot create {}: {error}", path.display()))?;
        Ok(Directory(path))
    }

    pub(super) fn is_empty(&self) -> bool {
        fs::read_dir(&self.0).is_ok_and(|mut entries| entries.next().is_none())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // The tested sink may still have a file open. The system cleans its temporary directory by itself.
        let _ = fs::remove_dir_all(&self.0);
    }
}
