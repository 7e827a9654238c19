//! The state directory, and the lock that keeps a second process out of it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::log;
use crate::run::error::{Error, Result};
use crate::sink::file::storage::{Disk, FileError, sync_parent};

const LOCK: &str = "lock";

/// Creates the directory and those above it that are missing, and makes their names durable.
fn create(path: &Path) -> std::result::Result<(), FileError> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    fs::create_dir_all(path).map_err(|error| FileError::new("create the state directory", path, error))?;
    missing.into_iter().try_for_each(|directory| sync_parent(&*Disk::shared(), directory))
}

/// A state directory that is locked.
pub(crate) struct StateDirectory {
    path: PathBuf,
    /// Locked until this is dropped, by the end of the process at the latest.
    lock: File,
}

impl Drop for StateDirectory {
    /// Closing the file is not enough: a process that was just started from this one has it too until it is the other program.
    fn drop(&mut self) {
        // Were it to fail, closing would have to do.
        let _ = self.lock.unlock();
    }
}

impl StateDirectory {
    /// Opens the directory, and makes it if it is not there. It is this one whatever directory the program goes to later.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let path = &std::path::absolute(path)
            .map_err(|error| Error::pipeline(FileError::new("find the state directory", path, error)))?;
        let failed = |operation, error| Error::pipeline(FileError::new(operation, path, error));
        create(path).map_err(Error::pipeline)?;
        for entry in fs::read_dir(path).map_err(|error| failed("read the state directory", error))? {
            let name = entry.map_err(|error| failed("read the state directory", error))?.file_name();
            let name = name.to_string_lossy();
            if name != LOCK && log::generation(name.trim_end_matches(".new")).is_none() {
                return Err(Error::pipeline(format!(
                    "`{}` is no state directory: it holds `{name}`, and a state wants a directory of its own",
                    path.display()
                )));
            }
        }
        let lock = File::create(path.join(LOCK)).map_err(|error| failed("open the lock in", error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::pipeline(format!(
                    "the state directory `{}` is in use by another pipeline",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", error)),
        }
        crash_point!(Locked);
        Ok(StateDirectory { path: path.to_owned(), lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The generations that have their name, the newest first, and the files of all others that a run has left behind.
    pub(crate) fn logs(&self) -> std::result::Result<(Vec<u64>, Vec<PathBuf>), FileError> {
        let read = || {
            let (mut logs, mut unnamed) = (Vec::new(), Vec::new());
            for entry in fs::read_dir(&self.path)? {
                let entry = entry?;
                match log::generation(&entry.file_name().to_string_lossy()) {
                    Some(generation) => logs.push(generation),
                    None if entry.file_name() != LOCK => unnamed.push(entry.path()),
                    None => {}
                }
            }
            logs.sort_unstable_by(|a, b| b.cmp(a));
            Ok((logs, unnamed))
        };
        read().map_err(|error| FileError::new("read the state directory", &self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_given_back_while_a_process_that_is_being_started_has_its_lock_too() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(directory.path()).unwrap();
        // What a fork does.
        let inherited = state.lock.try_clone().unwrap();
        assert!(StateDirectory::open(directory.path()).is_err());
        drop(state);
        StateDirectory::open(directory.path()).unwrap();
        drop(inherited);
    }
}
