//! Files as sinks write them: a record for each update, and a buffer in front.

#[cfg(feature = "faults")]
pub mod faults;
pub(crate) mod storage;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::rows::commit::Commit;
use crate::rows::fields::ColumnsOf;
use crate::rows::schema::Schema;
use crate::run::error::BoxError;
use crate::sink::file::storage::{Disk, Storage, StoredFile, sync_parent};
use crate::sink::resume::PersistedFile;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 128 * 1024;

/// `counts.csv` as the worker or the process with this number writes it: `counts.1.csv`.
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

/// An output file. [`open`](OutputFile::open) creates or empties it, or goes on with it.
pub(crate) struct OutputFile {
    path: PathBuf,
    persisted: Option<PersistedFile>,
    file: Option<StoredFile>,
    /// What is formatted and not written yet.
    pub(crate) buffer: Vec<u8>,
}

impl OutputFile {
    pub(crate) fn new(path: &Path) -> Self {
        OutputFile { path: path.to_owned(), persisted: None, file: None, buffer: Vec::new() }
    }

    /// Makes it a file of a persistent pipeline, before it is opened.
    pub(crate) fn persist(&mut self, persisted: PersistedFile) {
        self.persisted = Some(persisted);
    }

    /// Opens the file; says whether it is empty, and so wants a header.
    pub(crate) fn open(&mut self) -> Result<bool, BoxError> {
        let storage: Arc<dyn Storage> = Disk::shared();
        let (file, new) = match self.persisted.clone() {
            Some(PersistedFile { len: Some(len), sync }) => {
                let mut file = StoredFile::open_at(&*storage, &self.path, len)?;
                crash_point!(OutputCut);
                if sync {
                    // The run before may not have.
                    sync_parent(&*storage, &self.path)?;
                    // Before the first write: else a power cut could leave what was cut off behind what is written.
                    file.sync()?;
                }
                (file, false)
            }
            persisted => {
                let file = StoredFile::create(&*storage, &self.path)?;
                crash_point!(OutputCreated);
                if persisted.is_some_and(|persisted| persisted.sync) {
                    sync_parent(&*storage, &self.path)?;
                }
                (file, true)
            }
        };
        self.file = Some(file);
        self.buffer.reserve(BUFFER + BUFFER / 4);
        Ok(new)
    }

    /// Appends what is formatted already.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), BoxError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// How long the file is once the buffer is written.
    pub(crate) fn position(&self) -> u64 {
        self.file.as_ref().map_or(0, StoredFile::len) + self.buffer.len() as u64
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&mut self) -> Result<(), BoxError> {
        self.flush()?;
        crash_point!(OutputWritten);
        if let (Some(file), true) = (&mut self.file, self.persisted.as_ref().is_some_and(|persisted| persisted.sync)) {
            file.sync()?;
        }
        crash_point!(OutputSynced);
        Ok(())
    }

    /// Writes a record for each update: `fields` appends those of a row, `end` what comes after them, the diff and the
    /// time.
    pub(crate) fn write_records<S: Schema>(
        &mut self,
        commit: &Commit<S>,
        mut fields: impl FnMut(&ColumnsOf<S>, usize, &mut Vec<u8>),
        end: impl Fn(i64, u64, &mut Vec<u8>),
    ) -> Result<(), BoxError> {
        // Nearly all records of a commit end in the same way.
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
        file.append(&self.buffer)?;
        self.buffer.clear();
        // One row of a gigabyte must not keep its buffer for ever.
        self.buffer.shrink_to(BUFFER + BUFFER / 4);
        Ok(())
    }
}
