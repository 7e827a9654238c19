//! Files as sinks write them: a record for each update, and a buffer in front.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::commit::Commit;
use crate::fields::ColumnsOf;
use crate::schema::Schema;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 128 * 1024;

/// An output file, created or truncated by [`open`](OutputFile::open).
pub(crate) struct OutputFile {
    path: PathBuf,
    file: Option<File>,
    /// What is formatted and not written yet.
    pub(crate) buffer: Vec<u8>,
}

impl OutputFile {
    pub(crate) fn new(path: &Path) -> Self {
        OutputFile { path: path.to_owned(), file: None, buffer: Vec::new() }
    }

    pub(crate) fn open(&mut self) -> io::Result<()> {
        self.file = Some(File::create(&self.path)?);
        self.buffer.reserve(BUFFER + BUFFER / 4);
        Ok(())
    }

    /// Writes a record for each update: `fields` appends those of a row, `end` what comes after them, the diff and the
    /// time.
    pub(crate) fn write_records<S: Schema>(
        &mut self,
        commit: &Commit<S>,
        mut fields: impl FnMut(&ColumnsOf<S>, usize, &mut Vec<u8>),
        end: impl Fn(i64, u64, &mut Vec<u8>),
    ) -> io::Result<()> {
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

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Err(io::Error::other("the file is not open"));
        };
        file.write_all(&self.buffer)?;
        self.buffer.clear();
        // One row of a gigabyte must not keep its buffer for ever.
        self.buffer.shrink_to(BUFFER + BUFFER / 4);
        Ok(())
    }
}
