//! [`Log`]: writes the state to disk. `docs/durability.md` describes its contents.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::frame::{self, FrameKind};
use crate::run::error::BoxError;
use crate::sink::file::storage::{FileError, Readers, Storage, StoredFile, remove, sync_parent};

/// The number of bytes that are collected before they are written.
const BUFFER: usize = 256 * 1024;
/// A log of at most this length is not compacted.
const SMALL: u64 = 1024 * 1024;
/// The threshold if a sink makes many commits durable together: each new generation of the log ends the parts of such a
/// sink.
const SMALL_IF_STAGED: u64 = 64 * 1024 * 1024;

/// Returns the path of a generation.
pub(crate) fn path(directory: &Path, generation: u64) -> PathBuf {
    directory.join(format!("log-{generation}"))
}

/// Returns the generation of the log in the file `name`, if a log has exactly this name.
pub(crate) fn generation(name: &str) -> Option<u64> {
    let generation = name.strip_prefix("log-")?.parse().ok()?;
    // `parse` also reads `01` and `+1`, which are names of other programs' files.
    (name == format!("log-{generation}")).then_some(generation)
}

/// The place of the log, and how it is written.
#[derive(Clone)]
pub(crate) struct LogPlace {
    pub(crate) directory: PathBuf,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) sync: bool,
}

/// One generation of the log, open for appending.
pub(crate) struct Log {
    place: LogPlace,
    generation: u64,
    file: StoredFile,
    buffer: Vec<u8>,
    /// The length of a new log: header, rows and the first checkpoint.
    initial_len: u64,
    /// The position at which the last checkpoint ends.
    committed: u64,
    /// Whether the file has its final name.
    named: bool,
}

impl Log {
    /// Begins a generation of the log, under a temporary name.
    pub(crate) fn begin(place: &LogPlace, generation: u64, header: &Value) -> Result<Self, BoxError> {
        let mut log = Log::create(place, generation)?;
        log.append(FrameKind::Header, |out| out.extend_from_slice(header.to_string().as_bytes()))?;
        Ok(log)
    }

    fn create(place: &LogPlace, generation: u64) -> Result<Self, BoxError> {
        let path = place.directory.join(format!("log-{generation}.new"));
        // A generation that was begun and not finished, or a link to another program's file.
        if path.symlink_metadata().is_ok() {
            remove(&*place.storage, &path)?;
        }
        let file = StoredFile::create(&*place.storage, &path, Readers::Owner)?.exclusive();
        Ok(Log::new(place, generation, file))
    }

    fn new(place: &LogPlace, generation: u64, file: StoredFile) -> Self {
        Log { place: place.clone(), generation, file, buffer: Vec::new(), initial_len: 0, committed: 0, named: false }
    }

    /// Begins the next generation with a copy of another one, up to its last checkpoint, which ends at `end`.
    ///
    /// The previous run may have ended with a failed sync. After such a failure, the operating system marks the pages
    /// that it could not write as clean, so a second sync of the same file proves nothing. Only data that is written
    /// again can be synced.
    pub(crate) fn rewrite(place: &LogPlace, generation: u64, end: u64, initial_len: u64) -> Result<Self, BoxError> {
        let from = path(&place.directory, generation);
        let mut log = Log::create(place, generation + 1)?;
        let failed = |error| FileError::new("read", &from, error);
        let mut source = File::open(&from).map_err(failed)?.take(end);
        let mut piece = vec![0; BUFFER];
        loop {
            match source.read(&mut piece).map_err(failed)? {
                0 => break,
                len => log.file.append(&piece[..len])?,
            }
        }
        (log.initial_len, log.committed) = (initial_len, end);
        Ok(log)
    }

    /// Continues an existing generation after a checkpoint that is known to be on disk.
    pub(crate) fn resume(place: &LogPlace, generation: u64, end: u64, initial_len: u64) -> Result<Self, FileError> {
        let path = path(&place.directory, generation);
        let mut file = StoredFile::open_at(&*place.storage, &path, end)?.exclusive();
        if place.sync {
            // The previous run may not have synced the log.
            sync_parent(&*place.storage, &path)?;
            file.sync()?;
        }
        Ok(Log { initial_len, committed: end, named: true, ..Log::new(place, generation, file) })
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    fn append(&mut self, kind: FrameKind, fill: impl FnOnce(&mut Vec<u8>)) -> Result<(), BoxError> {
        if frame::append(&mut self.buffer, kind, fill).is_none() {
            let path = self.path();
            return Err(format!("a commit of more than 4 GB cannot be kept in `{}`", path.display()).into());
        }
        if self.buffer.len() >= if self.is_tiny() { 1 } else { BUFFER } {
            self.flush()?;
            crash_point!(RowsAppended);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FileError> {
        self.file.append(&self.buffer)?;
        self.buffer.clear();
        self.buffer.shrink_to(2 * BUFFER);
        Ok(())
    }

    /// Appends the updates of one commit; `kind` is `Rows` or `Held`.
    pub(crate) fn rows(
        &mut self,
        kind: FrameKind,
        table: u32,
        time: u64,
        fill: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), BoxError> {
        self.append(kind, |out| {
            out.extend_from_slice(&table.to_le_bytes());
            out.extend_from_slice(&time.to_le_bytes());
            fill(out);
        })
    }

    /// Appends a part of the current rows of a table.
    pub(crate) fn snapshot(&mut self, table: u32, rows: &[u8]) -> Result<(), BoxError> {
        self.append(FrameKind::Snapshot, |out| {
            out.extend_from_slice(&table.to_le_bytes());
            out.extend_from_slice(rows);
        })
    }

    /// Appends a checkpoint, and makes it and everything before it durable.
    pub(crate) fn commit(&mut self, checkpoint: &Value) -> Result<(), BoxError> {
        let fill = |out: &mut Vec<u8>| out.extend_from_slice(checkpoint.to_string().as_bytes());
        // A checkpoint has only some kilobytes.
        if frame::append(&mut self.buffer, FrameKind::Checkpoint, fill).is_none() {
            return Err("the offsets of a checkpoint are larger than 4 GB".into());
        }
        #[cfg(feature = "faults")]
        if crate::sink::file::faults::is_due(crate::sink::file::faults::Point::CheckpointTorn) {
            self.file.append(&self.buffer[..self.buffer.len() - 5])?;
            crash_point!(CheckpointTorn);
        }
        self.flush()?;
        crash_point!(CheckpointAppended);
        if self.place.sync {
            self.file.sync()?;
        }
        // If the file were gone, the next start would begin from nothing and lose commits that were reported as
        // durable.
        self.file.check()?;
        crash_point!(CheckpointSynced);
        self.committed = self.file.len();
        if !self.named {
            self.name()?;
        }
        Ok(())
    }

    /// Gives the log its final name, which makes it the newest, and removes the one before it.
    fn name(&mut self) -> Result<(), FileError> {
        let name = self.path();
        self.file.rename(&*self.place.storage, name.clone())?;
        crash_point!(LogNamed);
        if self.place.sync {
            sync_parent(&*self.place.storage, &name)?;
        }
        self.named = true;
        if self.initial_len == 0 {
            self.initial_len = self.file.len();
        }
        crash_point!(LogNameSynced);
        if let Some(before) = self.generation.checked_sub(1).filter(|before| *before > 0) {
            remove(&*self.place.storage, &path(&self.place.directory, before))?;
            crash_point!(OldLogRemoved);
        }
        Ok(())
    }

    /// Returns whether a test asks for a new generation of the log at every opportunity.
    fn is_tiny(&self) -> bool {
        #[cfg(feature = "faults")]
        return crate::sink::file::faults::tiny_logs(&self.place.directory);
        #[cfg(not(feature = "faults"))]
        false
    }

    /// Returns whether most of the log is history.
    pub(crate) fn is_overgrown(&self, has_staged: bool) -> bool {
        let small = if has_staged { SMALL_IF_STAGED } else { SMALL };
        let enough = if self.is_tiny() { self.initial_len } else { 2 * self.initial_len + small };
        self.file.len() > enough
    }

    /// Returns the length of the file.
    pub(crate) fn len(&self) -> u64 {
        self.file.len()
    }

    /// Returns the position at which the last checkpoint ends.
    pub(crate) fn committed(&self) -> u64 {
        self.committed
    }

    /// Returns the number of bytes after the last checkpoint.
    pub(crate) fn since_checkpoint(&self) -> u64 {
        self.file.len() - self.committed + self.buffer.len() as u64
    }

    fn path(&self) -> PathBuf {
        path(&self.place.directory, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_exactly_the_name_of_its_generation() {
        let generations = ["log-1", "log-20"].map(generation);
        assert_eq!(generations, [Some(1), Some(20)]);
        for name in ["log-01", "log-+1", "log-", "log-1.new", "log--1", "log-1 ", "Log-1"] {
            assert_eq!(generation(name), None, "{name}");
        }
    }
}
