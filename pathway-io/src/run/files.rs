//! Files that stay what they were while a pipeline writes them: [`Watch`].
//!
//! A file that was removed, renamed, replaced or shortened takes rows along that the pipeline has written. Unless that is
//! noticed the run ends well, and offsets move past rows that no longer exist.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The identity of a file, independent of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns `None` where the system has no such numbers.
    #[cfg_attr(not(unix), expect(clippy::unnecessary_wraps, reason = "Unix has them"))]
    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Some(FileId { device: metadata.dev(), inode: metadata.ino() })
        }
        #[cfg(not(unix))]
        {
            let _ = metadata;
            None
        }
    }
}

/// Lets only the user who runs the program read the file, if it is created.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Keeps other pipelines from writing the file, until it is unlocked or closed.
///
/// # Errors
///
/// If another pipeline has it.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    // On Windows a lock would keep everybody from reading the file as well. A file system that has no locks cannot help.
    match if cfg!(unix) { file.try_lock() } else { Ok(()) } {
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another pipeline is writing it")),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// A file that is open, and the path that leads to it.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Whatever directory the program goes to later.
    path: PathBuf,
    id: Option<FileId>,
    /// Devices and pipes have no length, and need not keep their names.
    is_file: bool,
}

impl Watch {
    pub(crate) fn new(path: &Path, opened: &Metadata) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Watch { path, id: FileId::of(opened), is_file: opened.is_file() }
    }

    /// Checks that the path still leads to the file, and that it has the `len` bytes that were written.
    ///
    /// # Errors
    ///
    /// What has happened to it.
    pub(crate) fn check(&self, len: u64, is_ours_alone: bool) -> io::Result<()> {
        if !self.is_file {
            return Ok(());
        }
        let found = match fs::metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(io::Error::other("it was removed or renamed while the pipeline was writing it"));
            }
            Err(error) => return Err(error),
        };
        if FileId::of(&found) != self.id {
            return Err(io::Error::other("it was replaced by another file while the pipeline was writing it"));
        }
        let now = found.len();
        if now < len {
            let text = format!("it was shortened from {len} to {now} bytes while the pipeline was writing it");
            return Err(io::Error::other(text));
        }
        if now > len && is_ours_alone {
            let text =
                format!("another program has written to it: it has {now} bytes, of which the pipeline wrote {len}");
            return Err(io::Error::other(text));
        }
        Ok(())
    }
}
