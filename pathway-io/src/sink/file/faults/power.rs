//! The contents of a simulated disk after a power cut: [`Pages`].
//!
//! Bytes that were written are in the page cache, and on the disk once their file is synced. If a sync fails, the
//! system no longer considers these pages as unwritten. Later syncs of the file succeed without them, so they stay a
//! hole on the disk. A name is on the disk once its directory is synced.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What happens to bytes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// All are on the disk.
    Kept,
    /// Zeros are on the disk.
    Zeros,
    /// None are on the disk.
    Lost,
}

/// The files of a disk, in the page cache and on the disk.
#[derive(Default)]
pub(super) struct Pages {
    files: Vec<FilePages>,
    names: BTreeMap<PathBuf, usize>,
    /// The names that are on the disk.
    durable_names: BTreeMap<PathBuf, usize>,
}

#[derive(Default)]
struct FilePages {
    /// The contents in the page cache.
    bytes: Vec<u8>,
    /// The length up to which the system considers the pages as written.
    clean: usize,
    /// The pages among these that are not on the disk.
    holes: Vec<Range<usize>>,
}

impl FilePages {
    fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
        self.clean = self.clean.min(len);
        self.holes.retain_mut(|hole| {
            hole.end = hole.end.min(len);
            hole.start < hole.end
        });
    }

    fn after_power_cut(&self, unsynced: Unsynced) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for hole in &self.holes {
            bytes[hole.clone()].fill(0);
        }
        match unsynced {
            Unsynced::Kept => {}
            Unsynced::Zeros => bytes[self.clean..].fill(0),
            Unsynced::Lost => {
                let mut end = self.clean;
                while let Some(hole) = self.holes.iter().find(|hole| hole.end == end) {
                    end = hole.start;
                }
                bytes.truncate(end);
            }
        }
        bytes
    }
}

impl Pages {
    /// Returns the number of a file, which was on the disk before if it is not known yet.
    fn known(&mut self, path: &Path) -> Option<usize> {
        if !self.names.contains_key(path) {
            let bytes = fs::read(path).ok()?;
            self.files.push(FilePages { clean: bytes.len(), bytes, holes: Vec::new() });
            for names in [&mut self.names, &mut self.durable_names] {
                names.insert(path.to_owned(), self.files.len() - 1);
            }
        }
        self.names.get(path).copied()
    }

    /// Creates or empties a file.
    pub(super) fn create(&mut self, path: &Path) -> usize {
        if let Some(file) = self.known(path) {
            self.files[file].truncate(0);
            return file;
        }
        self.files.push(FilePages::default());
        self.names.insert(path.to_owned(), self.files.len() - 1);
        self.files.len() - 1
    }

    /// Opens and truncates a file.
    pub(super) fn open_at(&mut self, path: &Path, len: u64) -> usize {
        let file = self.known(path).unwrap_or_else(|| self.create(path));
        self.files[file].truncate(usize::try_from(len).unwrap_or(usize::MAX));
        file
    }

    pub(super) fn write(&mut self, file: usize, bytes: &[u8]) {
        self.files[file].bytes.extend_from_slice(bytes);
    }

    pub(super) fn synced(&mut self, file: usize, succeeded: bool) {
        let pages = &mut self.files[file];
        let dirty = std::mem::replace(&mut pages.clean, pages.bytes.len())..pages.bytes.len();
        if !succeeded && dirty.start < dirty.end {
            pages.holes.push(dirty);
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        self.known(to);
        if let Some(file) = self.known(from) {
            self.names.remove(from);
            self.names.insert(to.to_owned(), file);
        }
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.known(path);
        self.names.remove(path);
    }

    pub(super) fn directory_synced(&mut self, directory: &Path) {
        self.durable_names.retain(|path, _| path.parent() != Some(directory));
        let names = self.names.iter().filter(|(path, _)| path.parent() == Some(directory));
        self.durable_names.extend(names.map(|(path, file)| (path.clone(), *file)));
    }

    /// Writes to the real disk the contents that this disk has after a power cut, with the latest names or with the
    /// synced names.
    pub(super) fn cut_power(&self, unsynced: Unsynced, latest_names: bool) -> io::Result<()> {
        let names = if latest_names { &self.names } else { &self.durable_names };
        for path in self.names.keys().chain(self.durable_names.keys()) {
            match names.get(path) {
                Some(file) => fs::write(path, self.files[*file].after_power_cut(unsynced))?,
                None if path.exists() => fs::remove_file(path)?,
                None => {}
            }
        }
        Ok(())
    }
}
