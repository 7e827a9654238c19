//! The beginning of a file, read up to a limit.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The first bytes of a file.
pub struct Head {
    pub bytes: Vec<u8>,
    /// Whether `bytes` is the whole file.
    pub is_whole: bool,
    /// The length of the file, as the file system reports it.
    pub file_len: u64,
}

impl Head {
    /// # Errors
    ///
    /// Returns an error if the file does not exist, is not a regular file (opening a pipe would wait for its writer),
    /// or cannot be read.
    pub fn read(path: &Path, limit: usize) -> io::Result<Head> {
        let metadata = fs::metadata(path)?;
        if metadata.is_dir() {
            return Err(io::Error::other("it is a directory"));
        }
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        // One byte more than the limit shows whether the file is longer.
        let wanted = (limit as u64).saturating_add(1);
        File::open(path)?.take(wanted).read_to_end(&mut bytes)?;
        let is_whole = bytes.len() <= limit;
        bytes.truncate(limit);
        Ok(Head { bytes, is_whole, file_len: metadata.len() })
    }
}

/// Returns the text without the byte order mark that some editors put at the start of a file.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}
