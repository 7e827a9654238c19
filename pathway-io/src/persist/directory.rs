//! The state directory, and the lock that keeps a second process out of it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::log;
use crate::run::error::{BoxError, Error, Result};
use crate::run::files::{Watch, private, private_directory};
use crate::sink::file::file_system;
use crate::sink::file::storage::{FileError, create_directory};

const LOCK: &str = "lock";

/// Creates the directory and those above it that are missing, and makes their names durable.
fn create(path: &Path) -> std::result::Result<(), FileError> {
    create_directory(&*file_system(), path, "create the state directory", || match path.parent() {
        Some(parent) if !path.is_dir() => {
            fs::create_dir_all(parent)?;
            match private_directory(&mut fs::DirBuilder::new()).create(path) {
                // Another program has created it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
                created => created,
            }
        }
        _ => fs::create_dir_all(path),
    })
}

/// A state directory that is locked.
pub(crate) struct StateDirectory {
    path: PathBuf,
    /// The lock is held until this value is dropped, or until the process ends.
    lock: File,
    watch: Watch,
}

/// Returns whether a file system or a desktop puts files with this name into any directory.
fn is_foreign(name: &str) -> bool {
    name.starts_with('.') || name == "lost+found"
}

/// Returns the generations with a final name, newest first.
///
/// # Errors
///
/// Returns an error if the directory cannot be read, or contains a file that does not belong to a state.
fn scan(path: &Path) -> std::result::Result<Vec<u64>, BoxError> {
    let failed = |error| FileError::new("read the state directory", path, error);
    let mut logs = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy();
        match log::generation(&name) {
            Some(generation) => logs.push(generation),
            // The next generation replaces one that was not finished.
            None if name.strip_suffix(".new").and_then(log::generation).is_some() => {}
            None if name == LOCK || is_foreign(&name) => {}
            None => {
                let path = path.display();
                return Err(format!(
                    "`{path}` is not a state directory: it contains `{name}`\nhelp: choose an empty or a new directory, or \
                     move this file out of it"
                )
                .into());
            }
        }
    }
    logs.sort_unstable_by(|a, b| b.cmp(a));
    Ok(logs)
}

/// Refuses a link, which leads elsewhere, a directory, and a pipe, whose opening would wait.
fn refuse_foreign(path: &Path) -> io::Result<()> {
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("it is a link, a directory or a pipe, and not a file of a state"));
    }
    Ok(())
}

fn open_lock(path: &Path) -> io::Result<File> {
    refuse_foreign(path)?;
    private(OpenOptions::new().write(true).create(true).truncate(false)).open(path)
}

/// Returns whether another pipeline writes the log. This is checked in addition to the lock, because somebody may have
/// removed the lock file.
fn is_written(log: &Path) -> io::Result<bool> {
    refuse_foreign(log)?;
    // On Windows a lock would keep this program from reading the log as well.
    if cfg!(windows) {
        return Ok(false);
    }
    let file = File::open(log)?;
    let is_written = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    // If this fails, closing the file releases the lock.
    let _ = file.unlock();
    Ok(is_written)
}

impl Drop for StateDirectory {
    /// Closing the file is not enough, because a child process shares it between `fork` and `exec`.
    fn drop(&mut self) {
        // If this fails, closing the file releases the lock.
        let _ = self.lock.unlock();
    }
}

impl StateDirectory {
    /// Opens the directory, and creates it if it is missing. The path stays valid if the program changes its working
    /// directory.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let path = &std::path::absolute(path)
            .map_err(|error| Error::pipeline(FileError::new("find the state directory", path, error)))?;
        let failed = |operation, error| Error::pipeline(FileError::new(operation, path, error));
        create(path).map_err(Error::pipeline)?;
        let logs = scan(path).map_err(Error::pipeline)?;
        let in_use = || {
            Error::pipeline(format!(
                "the state directory `{}` is in use by another pipeline\nhelp: wait for its end, or choose another directory",
                path.display()
            ))
        };
        let lock_path = path.join(LOCK);
        let lock = open_lock(&lock_path)
            .map_err(|error| Error::pipeline(FileError::new("open the lock", &lock_path, error)))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use()),
            Err(TryLockError::Error(error)) => return Err(failed("lock", error)),
        }
        let watch = lock.metadata().map_err(|error| failed("open the lock in", error))?;
        let directory = StateDirectory { path: path.to_owned(), watch: Watch::new(&lock_path, &watch), lock };
        for log in logs.into_iter().map(|generation| log::path(path, generation)) {
            match is_written(&log) {
                Ok(false) => {}
                Ok(true) => return Err(in_use()),
                // The previous run has just removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::pipeline(FileError::new("open", &log, error))),
            }
        }
        crash_point!(Locked);
        Ok(directory)
    }

    /// Checks that the directory is still the one that was locked. A different directory would have a different lock.
    pub(crate) fn check(&self) -> std::result::Result<(), BoxError> {
        self.watch.check(0, false).map_err(|error| {
            format!("the state directory `{}` is no longer locked: its file `{LOCK}`: {error}", self.path.display())
                .into()
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the generations with a final name, newest first.
    ///
    /// # Errors
    ///
    /// Returns an error if the directory cannot be read, or contains a file that does not belong to a state. A sink may
    /// have made such a file after the directory was opened.
    pub(crate) fn logs(&self) -> std::result::Result<Vec<u64>, BoxError> {
        scan(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_given_back_while_a_process_that_is_being_started_has_its_lock_too() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(directory.path()).unwrap();
        // A forked process shares the lock in this way.
        let inherited = state.lock.try_clone().unwrap();
        assert!(StateDirectory::open(directory.path()).is_err());
        drop(state);
        StateDirectory::open(directory.path()).unwrap();
        drop(inherited);
    }
}
