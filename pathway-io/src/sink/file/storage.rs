//! The files that a pipeline writes: outputs, quarantine, state. All of them go through [`Storage`], so that a test
//! can replace the disk with one that fails.
//!
//! A [`StoredFile`] is only appended to, and knows how long it is. Its errors name the file and the place.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::run::files::{LockedFile, Watch, private, standard_stream};

/// The operations of a file system that a pipeline uses.
pub(crate) trait Storage: Send + Sync {
    /// Creates or empties the file. It fails if another pipeline has locked it.
    fn create(&self, path: &Path, readers: Readers) -> io::Result<Box<dyn FileHandle>>;
    /// Opens an existing file and truncates it to `len` bytes. It fails if another pipeline has locked it.
    fn open_at(&self, path: &Path, len: u64) -> io::Result<Box<dyn FileHandle>>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// The users who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// The users that the program's `umask` allows.
    Umask,
    /// Only the user who runs the program: for the state, and for rows that may be secret.
    Owner,
}

/// An open file, at its end.
pub(crate) trait FileHandle: Send {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Makes the contents durable.
    fn sync(&mut self) -> io::Result<()>;
    fn metadata(&self) -> io::Result<fs::Metadata>;
}

/// The real file system.
pub(crate) struct Disk;

impl Storage for Disk {
    fn create(&self, path: &Path, readers: Readers) -> io::Result<Box<dyn FileHandle>> {
        if let Some(stream) = standard_stream(path)? {
            return Ok(Box::new(stream));
        }
        let mut options = for_appending();
        if readers == Readers::Owner {
            private(&mut options);
        }
        open(options.create(true), path, 0)
    }

    fn open_at(&self, path: &Path, len: u64) -> io::Result<Box<dyn FileHandle>> {
        if let Some(stream) = standard_stream(path)?
            && !stream.metadata()?.is_file()
        {
            return Ok(Box::new(stream));
        }
        open(&for_appending(), path, len)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        // Windows has no such call, and makes the name durable with the file. Some network file systems refuse the
        // call.
        match if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) } {
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            synced => synced,
        }
    }
}

/// Each write goes to the end of the file, so that a file that somebody empties gets no hole. Windows cannot truncate a
/// file that was opened in this way.
fn for_appending() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).append(cfg!(unix));
    options
}

/// Opens a file, truncated to `len` bytes.
fn open(options: &OpenOptions, path: &Path, len: u64) -> io::Result<Box<dyn FileHandle>> {
    let (mut file, opened) = LockedFile::open(options, path)?;
    // A device or a pipe has no length to truncate.
    if opened.is_file() {
        // After a cut, some file systems (ext4) write the whole file to the disk when it is closed.
        if file.0.metadata()?.len() != len {
            file.0.set_len(len)?;
        }
        file.0.seek(SeekFrom::End(0))?;
    }
    Ok(Box::new(file))
}

/// A standard stream, which other programs may write, too.
impl FileHandle for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        // A device or a pipe keeps nothing.
        if File::metadata(self)?.is_file() { self.sync_data() } else { Ok(()) }
    }

    fn metadata(&self) -> io::Result<fs::Metadata> {
        File::metadata(self)
    }
}

impl FileHandle for LockedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        FileHandle::write(&mut self.0, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }

    fn metadata(&self) -> io::Result<fs::Metadata> {
        self.0.metadata()
    }
}

/// A file that is only appended to.
pub(crate) struct StoredFile {
    path: PathBuf,
    handle: Box<dyn FileHandle>,
    watch: Watch,
    /// Whether other programs must not append to the file.
    is_exclusive: bool,
    len: u64,
}

impl StoredFile {
    pub(crate) fn create(storage: &dyn Storage, path: &Path, readers: Readers) -> Result<Self, FileError> {
        let handle = storage.create(path, readers).map_err(|error| FileError::new("create", path, error))?;
        Self::new(path, handle, 0)
    }

    fn new(path: &Path, handle: Box<dyn FileHandle>, len: u64) -> Result<Self, FileError> {
        let opened = handle.metadata().map_err(|error| FileError::new("open", path, error))?;
        let watch = Watch::new(path, &opened);
        Ok(StoredFile { path: path.to_owned(), handle, watch, is_exclusive: false, len })
    }

    /// Makes it an error if another program appends to the file, because the length is recorded.
    pub(crate) fn exclusive(mut self) -> Self {
        self.is_exclusive = true;
        self
    }

    /// Opens an existing file, truncated to `len` bytes.
    pub(crate) fn open_at(storage: &dyn Storage, path: &Path, len: u64) -> Result<Self, FileError> {
        let handle = storage.open_at(path, len).map_err(|error| FileError::new("open", path, error).at(len))?;
        Self::new(path, handle, len)
    }

    /// Makes the name of the file durable.
    ///
    /// A device or a pipe has no name that must be durable. A link leads to the name. In both cases the directory of
    /// the path can be one that the system cannot sync, such as `/dev/fd`.
    pub(crate) fn sync_name(&self, storage: &dyn Storage) -> Result<(), FileError> {
        if !self.watch.keeps_name() {
            return Ok(());
        }
        let is_link = self.path.symlink_metadata().is_ok_and(|found| found.is_symlink());
        match self.path.canonicalize() {
            Ok(real) if is_link => sync_parent(storage, &real),
            _ => sync_parent(storage, &self.path),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Checks that the file is still there, under its name and with all that was written.
    pub(crate) fn check(&self) -> Result<(), FileError> {
        self.watch.check(self.len, self.is_exclusive).map_err(|error| FileError::new("continue", &self.path, error))
    }

    /// Renames the file, and replaces an existing file with the new name.
    pub(crate) fn rename(&mut self, storage: &dyn Storage, to: PathBuf) -> Result<(), FileError> {
        storage.rename(&self.path, &to).map_err(|error| FileError::new("rename", &self.path, error))?;
        self.path = to;
        let renamed = self.handle.metadata().map_err(|error| FileError::new("find", &self.path, error))?;
        self.watch = Watch::new(&self.path, &renamed);
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

/// Creates a directory by `create`, with those above it that are missing, and makes their names durable. `operation` is
/// for the error.
pub(crate) fn create_directory(
    storage: &dyn Storage,
    path: &Path,
    operation: &'static str,
    create: impl FnOnce() -> io::Result<()>,
) -> Result<(), FileError> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    create().map_err(|error| {
        // The system's reason is only that a file exists. A file can have the name of the directory, or of a directory
        // above it.
        let file = path.ancestors().find(|path| path.exists() && !path.is_dir());
        let error = file.map_or(error, |file| io::Error::other(format!("`{}` is not a directory", file.display())));
        FileError::new(operation, path, error)
    })?;
    missing.into_iter().try_for_each(|directory| sync_parent(storage, directory))
}

/// An error of a file, with its path and position.
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_may_refuse_to_sync_a_directory() {
        let refused = File::open("/proc").unwrap().sync_all().unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        Disk.sync_directory(Path::new("/proc")).unwrap();
        assert!(Disk.sync_directory(Path::new("/no such directory")).is_err());
    }

    // FAULTS 35
    #[test]
    fn a_file_that_is_emptied_after_the_check_gets_no_hole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.csv");
        let mut file = StoredFile::create(&Disk, &path, Readers::Umask).unwrap();
        let empty = || File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        file.append(b"earlier").unwrap();
        empty();
        file.append(b"later").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"later");
        drop(file);
        let mut file = StoredFile::open_at(&Disk, &path, 5).unwrap();
        empty();
        file.append(b"last").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"last");
    }
}
