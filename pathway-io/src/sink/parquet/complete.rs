//! The complete parts of a persistent pipeline: [`CompleteParts`].
//!
//! The rows of a complete part are in no other place. If the pipeline continued without one of its parts, the table
//! would lack these rows without an error.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::run::error::{BoxError, fatal};
use crate::sink::file::storage::FileError;

/// The last bytes of each Parquet file.
const END: &[u8; 4] = b"PAR1";
/// Up to this number of parts, all parts are checked with each new one. If there are more, they are checked less often,
/// so that the time for each new part does not grow with their number.
const FEW: usize = 64;
const HELP: &str = "restore the directory and the state directory from one backup, or remove both to start over";

/// A complete part by its name: its number, the time of its last commit, and its path.
pub(super) type CompletePart = (u64, u64, PathBuf);

/// The complete parts, with their lengths.
pub(super) struct CompleteParts {
    parts: Vec<(PathBuf, u64)>,
    /// The number of parts that were completed since the last check.
    completed: usize,
}

impl CompleteParts {
    /// Checks that the parts of a directory are whole, and that none is missing before the last one. The checkpoint
    /// shows whether the last one is there.
    pub(super) fn found(directory: &Path, named: &[CompletePart]) -> Result<Self, BoxError> {
        let mut parts = Vec::new();
        for (expected, (number, _, path)) in (1..).zip(named) {
            if *number > expected {
                let directory = directory.display();
                return Err(changed(format!("the part with the number {expected} is missing in `{directory}`")));
            }
            if *number < expected {
                let path = path.display();
                return Err(changed(format!("`{path}` has the number of another part")));
            }
            let (len, end) = length_and_end(path).map_err(|error| FileError::new("read", path, error))?;
            if end != Some(*END) {
                return Err(changed(format!(
                    "`{}` was shortened or damaged: it does not end with `PAR1`",
                    path.display()
                )));
            }
            parts.push((path.clone(), len));
        }
        Ok(CompleteParts { parts, completed: 0 })
    }

    pub(super) fn add(&mut self, path: PathBuf, len: u64) {
        self.parts.push((path, len));
    }

    /// Checks that the parts still have their names and lengths, before another one is completed.
    pub(super) fn check(&mut self) -> Result<(), BoxError> {
        self.completed += 1;
        if self.completed * FEW < self.parts.len() {
            return Ok(());
        }
        self.completed = 0;
        for (path, len) in &self.parts {
            match fs::metadata(path) {
                Ok(metadata) if metadata.len() == *len => {}
                Ok(metadata) => {
                    let (path, found) = (path.display(), metadata.len());
                    return Err(changed(format!("`{path}` has {found} bytes, and had {len} when it was complete")));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(changed(format!("`{}` was removed or renamed", path.display())));
                }
                Err(error) => return Err(FileError::new("read", path, error).into()),
            }
        }
        Ok(())
    }
}

fn changed(what: String) -> BoxError {
    fatal(format!("{what}; its rows are in no other place\nhelp: {HELP}"))
}

/// Returns the length of a file, and its last bytes if it is long enough.
fn length_and_end(path: &Path) -> io::Result<(u64, Option<[u8; 4]>)> {
    let found = fs::metadata(path)?;
    let (len, mut end) = (found.len(), [0; 4]);
    // A pipe is not opened, because that would wait for another program.
    let Some(start) = len.checked_sub(end.len() as u64).filter(|_| found.is_file()) else { return Ok((len, None)) };
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut end)?;
    Ok((len, Some(end)))
}
