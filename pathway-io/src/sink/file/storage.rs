//! The files that a pipeline writes: outputs, quarantine, state. All of them go through [`Storage`], so that a test can
//! put a disk underneath that fails.
//!
//! A [`StoredFile`] is only appended to, and knows how long it is. Its errors name the file and the place.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file system, as far as a pipeline writes to it.
pub(crate) trait Storage: Send + Sync {
    /// Creates the file, or empties it.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Handle>>;
    /// Opens a file that is there, and cuts it to `len` bytes.
    fn open_at(&self, path: &Path, len: u64) -> io::Result<Box<dyn Handle>>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// An open file, at its end.
pub(crate) trait Handle: Write + Send {
    /// Makes the contents durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// The real file system.
pub(crate) struct Disk;

impl Disk {
    pub(crate) fn shared() -> Arc<dyn Storage> {
        #[cfg(feature = "faults")]
        return Arc::new(crate::sink::file::faults::Mounts);
        #[cfg(not(feature = "faults"))]
        Arc::new(Disk)
    }
}

impl Storage for Disk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(File::create(path)?))
    }

    fn open_at(&self, path: &Path, len: u64) -> io::Result<Box<dyn Handle>> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.set_len(len)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        // Windows has no such call, and makes names durable with the file.
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }
}

impl Handle for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// A file that is appended to.
pub(crate) struct StoredFile {
    path: PathBuf,
    handle: Box<dyn Handle>,
    len: u64,
}

impl StoredFile {
    pub(crate) fn create(storage: &dyn Storage, path: &Path) -> Result<Self, FileError> {
        let handle = storage.create(path).map_err(|error| FileError::new("create", path, error))?;
        Ok(StoredFile { path: path.to_owned(), handle, len: 0 })
    }

    /// A file that is there, cut to `len` bytes.
    pub(crate) fn open_at(storage: &dyn Storage, path: &Path, len: u64) -> Result<Self, FileError> {
        let handle = storage.open_at(path, len).map_err(|error| FileError::new("open", path, error).at(len))?;
        Ok(StoredFile { path: path.to_owned(), handle, len })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file can still be found.
    pub(crate) fn check_name(&self) -> Result<(), FileError> {
        match fs::metadata(&self.path) {
            Ok(_) => Ok(()),
            Err(error) => Err(FileError::new("find", &self.path, error)),
        }
    }

    /// Gives the file another name, in the place of what has it.
    pub(crate) fn rename(&mut self, storage: &dyn Storage, to: PathBuf) -> Result<(), FileError> {
        storage.rename(&self.path, &to).map_err(|error| FileError::new("rename", &self.path, error))?;
        self.path = to;
        Ok(())
    }

    pub(crate) fn append(&mut self, mut bytes: &[u8]) -> Result<(), FileError> {
        while !bytes.is_empty() {
            match self.handle.write(bytes) {
                Ok(0) => {
                    let full = io::ErrorKind::WriteZero.into();
                    return Err(FileError::new("write", &self.path, full).at(self.len));
                }
                Ok(written) => {
                    bytes = &bytes[written..];
                    self.len += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::new("write", &self.path, error).at(self.len)),
            }
        }
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> Result<(), FileError> {
        self.handle.sync().map_err(|error| FileError::new("sync", &self.path, error).at(self.len))
    }
}

/// Removes a file.
pub(crate) fn remove(storage: &dyn Storage, path: &Path) -> Result<(), FileError> {
    storage.remove(path).map_err(|error| FileError::new("remove", path, error))
}

/// Makes the name of a file durable.
pub(crate) fn sync_parent(storage: &dyn Storage, path: &Path) -> Result<(), FileError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    storage.sync_directory(parent).map_err(|error| FileError::new("sync the directory of", path, error))
}

/// What went wrong with which file, and where in it.
#[derive(Debug)]
pub(crate) struct FileError {
    operation: &'static str,
    path: PathBuf,
    at: Option<u64>,
    cause: io::Error,
}

impl FileError {
    pub(crate) fn new(operation: &'static str, path: &Path, cause: io::Error) -> Self {
        FileError { operation, path: path.to_owned(), at: None, cause }
    }

    fn at(mut self, at: u64) -> Self {
        self.at = Some(at);
        self
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} `{}`", self.operation, self.path.display())?;
        if let Some(at) = self.at {
            write!(f, " at byte {at}")?;
        }
        write!(f, ": {}", self.cause)
    }
}

impl Error for FileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}
