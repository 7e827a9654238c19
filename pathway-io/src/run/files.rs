//! Watches the files that a pipeline writes: [`Watch`].
//!
//! If somebody removes, renames, replaces or shortens such a file, rows are lost that the pipeline has written. If
//! that went unnoticed, the run would end without an error, and offsets would move past lost rows.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io;
#[cfg(unix)]
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// The identity of a file, independent of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns `None` where the system has no such numbers.
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

/// If the file is created, only the user who runs the program can read it.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Only the user who runs the program can read the new directory.
pub(crate) fn private_directory(builder: &mut DirBuilder) -> &mut DirBuilder {
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
    builder
}

/// Locks the file against other pipelines, until it is unlocked or closed.
///
/// # Errors
///
/// Returns an error if another pipeline has locked it.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    // On Windows a lock would also prevent reading. A file system without locks offers no protection.
    match if cfg!(unix) { file.try_lock() } else { Ok(()) } {
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another pipeline is writing it")),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Returns the stream of this program that has the path, if there is one.
///
/// The path is not opened. If the stream was redirected to a file, that would empty the file and write it from its start,
/// over the program's other output. If it was redirected to a socket, it would fail.
#[cfg(unix)]
pub(crate) fn standard_stream(path: &Path) -> io::Result<Option<File>> {
    let stream = match path.to_str() {
        Some("/dev/stdout") => io::stdout().as_fd().try_clone_to_owned()?,
        Some("/dev/stderr") => io::stderr().as_fd().try_clone_to_owned()?,
        _ => return Ok(None),
    };
    Ok(Some(stream.into()))
}

#[cfg(not(unix))]
pub(crate) fn standard_stream(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// A file that is locked against other pipelines.
#[derive(Debug)]
pub(crate) struct LockedFile(pub(crate) File);

impl LockedFile {
    /// Opens a file, and returns its metadata as well. A device or a pipe may be shared, so it is not locked.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be opened, or another pipeline has locked it.
    pub(crate) fn open(options: &OpenOptions, path: &Path) -> io::Result<(Self, Metadata)> {
        let file = options.open(path)?;
        let opened = file.metadata()?;
        if opened.is_file() {
            lock(&file)?;
        }
        Ok((LockedFile(file), opened))
    }
}

impl Drop for LockedFile {
    /// Closing the file is not enough, because a child process shares it between `fork` and `exec`.
    fn drop(&mut self) {
        // If this fails, closing the file releases the lock.
        let _ = self.0.unlock();
    }
}

/// A file or directory that is open, and the path that leads to it.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The path is absolute, in case the program changes its working directory.
    path: PathBuf,
    id: Option<FileId>,
    /// Whether it is a regular file or a directory. Devices and pipes have no length, and need not keep their names.
    keeps_name: bool,
}

impl Watch {
    pub(crate) fn new(path: &Path, opened: &Metadata) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Watch { path, id: FileId::of(opened), keeps_name: opened.is_file() || opened.is_dir() }
    }

    /// Returns whether it is a regular file or a directory.
    pub(crate) fn keeps_name(&self) -> bool {
        self.keeps_name
    }

    /// Checks that the path still leads to the file, and that it has the `len` bytes that were written.
    ///
    /// # Errors
    ///
    /// Returns the change that was found.
    pub(crate) fn check(&self, len: u64, is_exclusive: bool) -> io::Result<()> {
        if !self.keeps_name {
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
        if now > len && is_exclusive {
            let text =
                format!("another program has written to it: it has {now} bytes, of which the pipeline wrote {len}");
            return Err(io::Error::other(text));
        }
        Ok(())
    }
}
