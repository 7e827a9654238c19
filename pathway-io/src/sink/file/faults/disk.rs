//! [`Mount`]: a directory whose disk fails at a chosen place.
//!
//! While it is mounted, everything that a pipeline writes below the directory goes through it, on any thread. Mounts
//! on different directories are independent. A mount writes to the real disk, but never syncs. A power cut leaves a
//! state that a real disk could have.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::power::{Pages, Unsynced};
use crate::run::lock::Lock;
use crate::sink::file::storage::{Disk, FileHandle, Readers, Storage};

/// A fault of a disk. Each happens once, except `Full`, which stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No fault.
    None,
    /// The disk is full once the file has `at` bytes. A longer write is cut short.
    Full {
        /// The path of the file. For a temporary file it is the final path.
        path: PathBuf,
        /// The greatest length of the file.
        at: u64,
    },
    /// This call fails.
    Call(Call),
    /// Each write is interrupted once and then takes a single byte.
    Short,
}

/// A call of the disk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    /// `create`, `open`, `write`, `sync`, `rename` or `remove`.
    pub operation: &'static str,
    /// The path of the file, or of the directory that is synced.
    pub path: PathBuf,
    /// The number of the call, from 1, among the calls of this operation on this path.
    pub number: u64,
}

/// A directory on a simulated disk, until it is dropped.
pub struct Mount(Arc<DiskState>);

struct DiskState {
    directory: PathBuf,
    fault: Fault,
    calls: Lock<DiskCalls>,
    pages: Arc<Lock<Pages>>,
}

#[derive(Default)]
struct DiskCalls {
    made: Vec<Call>,
    /// The number of calls of each operation for each path.
    counts: HashMap<(&'static str, PathBuf), u64>,
    struck: Option<Call>,
}

static MOUNTED: Lock<Vec<Arc<DiskState>>> = Lock::new(Vec::new());

fn find(path: &Path) -> Option<Arc<DiskState>> {
    MOUNTED.lock().iter().find(|state| path.starts_with(&state.directory)).cloned()
}

pub(super) fn is_mounted(path: &Path) -> bool {
    find(path).is_some()
}

impl Mount {
    /// Mounts a disk with that fault.
    #[must_use]
    pub fn new(directory: &Path, fault: Fault) -> Self {
        Self::with_pages(directory, fault, Arc::default())
    }

    fn with_pages(directory: &Path, fault: Fault, pages: Arc<Lock<Pages>>) -> Self {
        let state = Arc::new(DiskState { directory: directory.to_owned(), fault, calls: Lock::default(), pages });
        MOUNTED.lock().push(Arc::clone(&state));
        Mount(state)
    }

    /// Returns the same disk with another fault, as the next start of a program finds it. Bytes that were not synced
    /// before may still be lost.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Self {
        Self::with_pages(&self.0.directory, fault, Arc::clone(&self.0.pages))
    }

    /// Cuts the power. The directory then has the contents that were on the disk, with the latest names of its files
    /// or with the synced names.
    ///
    /// # Errors
    ///
    /// Returns an error if the real disk fails.
    pub fn cut_power(self, unsynced: Unsynced, latest_names: bool) -> io::Result<()> {
        self.0.pages.lock().cut_power(unsynced, latest_names)
    }

    /// Returns all calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.0.calls.lock().made.clone()
    }

    /// Returns the first call that has failed, if any.
    #[must_use]
    pub fn struck(&self) -> Option<Call> {
        self.0.calls.lock().struck.clone()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        MOUNTED.lock().retain(|state| !Arc::ptr_eq(state, &self.0));
    }
}

impl DiskState {
    /// Counts a call, and makes it fail if it is the chosen one.
    fn call(&self, operation: &'static str, path: &Path) -> io::Result<Call> {
        let mut calls = self.calls.lock();
        let number = calls.counts.entry((operation, path.to_owned())).or_default();
        *number += 1;
        let call = Call { operation, path: path.to_owned(), number: *number };
        calls.made.push(call.clone());
        if self.fault == Fault::Call(call.clone()) {
            calls.struck = Some(call);
            return Err(io::Error::other("the disk is gone"));
        }
        Ok(call)
    }

    fn wrap(self: Arc<Self>, inner: Box<dyn FileHandle>, path: PathBuf, len: u64, file: usize) -> Box<dyn FileHandle> {
        Box::new(FaultyHandle { inner, state: self, path, len, file, interrupted: false })
    }
}

/// Returns the final name of a file.
fn named(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|extension| extension == "new") { path.with_extension("") } else { path.to_owned() }
}

/// A file system of all mounts, with the real one below them.
pub(crate) struct Mounts;

impl Storage for Mounts {
    fn create(&self, path: &Path, readers: Readers) -> io::Result<Box<dyn FileHandle>> {
        let Some(state) = find(path) else { return Disk.create(path, readers) };
        state.call("create", &named(path))?;
        let file = state.pages.lock().create(path);
        Ok(Arc::clone(&state).wrap(Disk.create(path, readers)?, named(path), 0, file))
    }

    fn open_at(&self, path: &Path, len: u64) -> io::Result<Box<dyn FileHandle>> {
        let Some(state) = find(path) else { return Disk.open_at(path, len) };
        state.call("open", path)?;
        let file = state.pages.lock().open_at(path, len);
        Ok(Arc::clone(&state).wrap(Disk.open_at(path, len)?, path.to_owned(), len, file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if let Some(state) = find(to) {
            state.call("rename", to)?;
            state.pages.lock().rename(from, to);
        }
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if let Some(state) = find(path) {
            state.call("remove", &named(path))?;
            state.pages.lock().remove(path);
        }
        Disk.remove(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let Some(state) = find(path) else { return Disk.sync_directory(path) };
        state.call("sync", path)?;
        state.pages.lock().directory_synced(path);
        Ok(())
    }
}

struct FaultyHandle {
    inner: Box<dyn FileHandle>,
    state: Arc<DiskState>,
    /// The final path of the file.
    path: PathBuf,
    len: u64,
    /// The number of the file on the disk.
    file: usize,
    /// Whether the previous call was interrupted.
    interrupted: bool,
}

impl FaultyHandle {
    /// Returns the number of bytes that still fit on the disk.
    fn room(&self, bytes: usize) -> usize {
        match &self.state.fault {
            Fault::Full { path, at } if *path == self.path => {
                usize::try_from(at.saturating_sub(self.len)).map_or(bytes, |left| left.min(bytes))
            }
            _ => bytes,
        }
    }
}

impl FileHandle for FaultyHandle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let call = self.state.call("write", &self.path)?;
        let mut len = self.room(bytes.len());
        if len == 0 {
            self.state.calls.lock().struck.get_or_insert(call);
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.state.fault == Fault::Short {
            self.interrupted = !self.interrupted;
            if self.interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            len = 1;
        }
        let written = self.inner.write(&bytes[..len])?;
        self.len += written as u64;
        self.state.pages.lock().write(self.file, &bytes[..written]);
        Ok(written)
    }

    fn sync(&mut self) -> io::Result<()> {
        let synced = self.state.call("sync", &self.path).map(drop);
        self.state.pages.lock().synced(self.file, synced.is_ok());
        synced
    }

    fn metadata(&self) -> io::Result<std::fs::Metadata> {
        self.inner.metadata()
    }
}
