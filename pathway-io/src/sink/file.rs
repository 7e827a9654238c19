//! Files as sinks write them: a buffer in front, and errors that name the path.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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

    /// Writes the buffer if it has grown large; called between rows.
    #[inline]
    pub(crate) fn relieve(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
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
