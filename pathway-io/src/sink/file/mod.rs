//! Output files of sinks: one record for each update, with a buffer.

#[cfg(feature = "faults")]
pub mod faults;
pub(crate) mod storage;

use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(feature = "persist")]
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
};

use crate::rows::commit::Commit;
use crate::rows::schema::{ColumnsOf, Schema};
use crate::run::error::BoxError;
#[cfg(feature = "persist")]
use crate::sink::file::storage::FileError;
use crate::sink::file::storage::{Readers, Storage, StoredFile};
use crate::sink::resume::PersistedFile;

/// Returns the file system: the real one, or in this library's own tests one that can fail.
pub(crate) fn file_system() -> Arc<dyn Storage> {
    #[cfg(feature = "faults")]
    return Arc::new(faults::Mounts);
    #[cfg(not(feature = "faults"))]
    Arc::new(storage::Disk)
}

/// The number of bytes at the end of a file that its check value covers.
#[cfg(feature = "persist")]
const CHECKED: u64 = 4096;

/// Returns the check value of the last kilobytes before `len`, so that a later run can check that the file is the one
/// that was written.
#[cfg(feature = "persist")]
pub(crate) fn check_value(path: &Path, len: u64) -> Result<u32, FileError> {
    let read = || -> io::Result<u32> {
        // A device or a pipe has no contents to check. It is not opened, because it may not be readable, or opening it
        // may have an effect.
        if !fs::metadata(path)?.is_file() {
            return Ok(0);
        }
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(len.saturating_sub(CHECKED)))?;
        let mut end = Vec::new();
        file.take(len.min(CHECKED)).read_to_end(&mut end)?;
        Ok(crc32fast::hash(&end))
    };
    read().map_err(|error| FileError::new("read the end of", path, error))
}

/// The number of bytes that are collected before they are written. Large writes cost the kernel less: with 128 KiB, the
/// conversion of JSON Lines to CSV took 1.1 to 1.2 times the CPU time (`benches/shapes`).
const BUFFER: usize = 1024 * 1024;

/// Returns the path with the number of a worker or a process: `counts.1.csv` for `counts.csv`.
pub(crate) fn numbered(path: &Path, number: usize) -> PathBuf {
    match path.extension() {
        Some(extension) => {
            let mut end = std::ffi::OsString::from(format!("{number}."));
            end.push(extension);
            path.with_extension(end)
        }
        None => path.with_extension(number.to_string()),
    }
}

/// An output file. [`open`](OutputFile::open) creates, empties or continues it.
pub(crate) struct OutputFile {
    path: PathBuf,
    persisted: Option<PersistedFile>,
    file: Option<StoredFile>,
    readers: Readers,
    /// The length that was synced.
    synced: Option<u64>,
    /// Formatted bytes that are not written yet.
    pub(crate) buffer: Vec<u8>,
}

impl OutputFile {
    pub(crate) fn new(path: &Path) -> Self {
        OutputFile {
            path: path.to_owned(),
            persisted: None,
            file: None,
            readers: Readers::Umask,
            synced: None,
            buffer: Vec::new(),
        }
    }

    /// Makes it a file of a persistent pipeline, before it is opened.
    pub(crate) fn persist(&mut self, persisted: PersistedFile) {
        self.persisted = Some(persisted);
    }

    pub(crate) fn is_persisted(&self) -> bool {
        self.persisted.is_some()
    }

    /// Makes the file readable only by the user who runs the program.
    pub(crate) fn private(mut self) -> Self {
        self.readers = Readers::Owner;
        self
    }

    /// Opens the file, and returns whether it is empty and so needs a header.
    pub(crate) fn open(&mut self) -> Result<bool, BoxError> {
        let storage = file_system();
        let (file, new) = match self.persisted.clone() {
            Some(PersistedFile { len: Some(len), sync }) => {
                let mut file = StoredFile::open_at(&*storage, &self.path, len)?;
                crash_point!(OutputCut);
                if sync {
                    // The previous run may not have synced the directory.
                    file.sync_name(&*storage)?;
                    // The truncation is synced before the first write. Otherwise, after a power cut, the removed bytes
                    // could follow the new ones.
                    file.sync()?;
                }
                (file, false)
            }
            persisted => {
                let file = StoredFile::create(&*storage, &self.path, self.readers)?;
                crash_point!(OutputCreated);
                if persisted.is_some_and(|persisted| persisted.sync) {
                    file.sync_name(&*storage)?;
                }
                (file, true)
            }
        };
        self.file = Some(if self.persisted.is_some() { file.exclusive() } else { file });
        self.buffer.reserve(BUFFER + BUFFER / 4);
        Ok(new)
    }

    /// Appends formatted bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), BoxError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Checks that the file is still there, with all that was written to it.
    pub(crate) fn check(&self) -> Result<(), BoxError> {
        Ok(self.file.as_ref().map_or(Ok(()), StoredFile::check)?)
    }

    /// Returns the length of the file including the buffer.
    pub(crate) fn position(&self) -> u64 {
        self.file.as_ref().map_or(0, StoredFile::len) + self.buffer.len() as u64
    }

    /// Makes everything that was written durable.
    pub(crate) fn sync(&mut self) -> Result<(), BoxError> {
        self.flush()?;
        crash_point!(OutputWritten);
        if let Some(file) = &mut self.file {
            let is_synced = self.synced == Some(file.len());
            if !is_synced && self.persisted.as_ref().is_some_and(|persisted| persisted.sync) {
                file.sync()?;
                self.synced = Some(file.len());
            }
            file.check()?;
        }
        crash_point!(OutputSynced);
        Ok(())
    }

    /// Writes a record for each update: `fields` appends the fields of a row, and `end` the rest of the record with
    /// the diff and the time.
    pub(crate) fn write_records<S: Schema>(
        &mut self,
        commit: &Commit<S>,
        mut fields: impl FnMut(&ColumnsOf<S>, usize, &mut Vec<u8>),
        end: impl Fn(i64, u64, &mut Vec<u8>),
    ) -> Result<(), BoxError> {
        // Nearly all records of a commit have the same end, so it is formatted once.
        let mut end_of_addition = Vec::new();
        end(1, commit.time(), &mut end_of_addition);
        for batch in commit.batches() {
            for row in 0..batch.len() {
                fields(&batch.columns, row, &mut self.buffer);
                match batch.diff(row) {
                    1 => self.buffer.extend_from_slice(&end_of_addition),
                    diff => end(diff, commit.time(), &mut self.buffer),
                }
                if self.buffer.len() >= BUFFER {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Result<(), BoxError> {
        let Some(file) = &mut self.file else {
            return Err("the file is not open".into());
        };
        // The check comes before the write, because after it a file that was emptied could be long enough again.
        file.check()?;
        file.append(&self.buffer)?;
        self.buffer.clear();
        // The large buffer of a single huge row is not kept.
        self.buffer.shrink_to(BUFFER + BUFFER / 4);
        Ok(())
    }
}

#[cfg(all(test, feature = "persist"))]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_covers_the_end_of_a_long_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let len = 3 * CHECKED;
        let value_with_change_at = |place: u64| {
            let mut bytes = vec![b'a'; len as usize];
            bytes[place as usize] = b'b';
            fs::write(file.path(), &bytes).unwrap();
            check_value(file.path(), len).unwrap()
        };
        let start = value_with_change_at(0);
        assert_eq!(start, value_with_change_at(len - CHECKED - 1));
        assert_ne!(start, value_with_change_at(len - CHECKED));
        assert_ne!(start, value_with_change_at(len - 1));
    }
}
