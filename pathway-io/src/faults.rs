//! For this library's own tests: a process that dies at a named point, and a disk that fails at a chosen byte.
//!
//! Behind the feature `faults`, and driven by environment variables, so that the parent process chooses and the program
//! under test is the ordinary one:
//!
//! | variable | meaning |
//! |---|---|
//! | `PATHWAY_IO_CRASH` | `CheckpointSynced:3` aborts the process when it comes to that point the third time |
//! | `PATHWAY_IO_DISK` | `write:4711` fails the write that would pass that many bytes written in all, after a part of it; `sync:2` fails the second sync; `short` writes a few bytes at a time, and is interrupted now and then |
//! | `PATHWAY_IO_TINY_LOGS` | logs are begun anew as soon as they have doubled |

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::storage::{Disk, Handle, Storage};

macro_rules! points {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// A place at which something has just become durable, or is about to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $($(#[doc = $doc])* $name,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Point] = &[$(Point::$name,)*];
        }
    };
}

points! {
    /// The state directory is locked.
    Locked,
    /// An output file was created, and its name is not durable.
    OutputCreated,
    /// An output file was cut to its recorded length.
    OutputCut,
    /// Bytes were written into an output file.
    OutputWritten,
    /// An output file was synced.
    OutputSynced,
    /// All outputs hold what the checkpoint will say.
    OutputsSynced,
    /// Bad rows were written.
    QuarantineWritten,
    /// Bad rows were synced.
    QuarantineSynced,
    /// Rows were written into the log.
    RowsAppended,
    /// A part of a checkpoint was written.
    CheckpointTorn,
    /// A checkpoint was written, and not synced.
    CheckpointAppended,
    /// A checkpoint was synced.
    CheckpointSynced,
    /// A new log has its name.
    LogNamed,
    /// The name of a new log is durable.
    LogNameSynced,
    /// The log before the newest is gone.
    OldLogRemoved,
    /// Sinks that keep their own time were handed what the checkpoint holds.
    HandedOver,
    /// `on_durable` was called.
    Told,
}

struct Crash {
    name: String,
    at: u64,
    count: AtomicU64,
}

fn crash() -> Option<&'static Crash> {
    static CRASH: OnceLock<Option<Crash>> = OnceLock::new();
    CRASH
        .get_or_init(|| {
            let text = std::env::var("PATHWAY_IO_CRASH").ok()?;
            let (name, at) = text.split_once(':')?;
            Some(Crash { name: name.to_owned(), at: at.parse().ok()?, count: AtomicU64::new(0) })
        })
        .as_ref()
}

/// The process has come to a point, and dies if it is the one that was chosen.
pub(crate) fn reach(point: Point) {
    if let Some(crash) = crash()
        && crash.name == format!("{point:?}")
        && crash.count.fetch_add(1, Ordering::Relaxed) + 1 == crash.at
    {
        std::process::abort();
    }
}

/// Whether it will die when it comes to the point now.
pub(crate) fn is_due(point: Point) -> bool {
    let Some(crash) = crash().filter(|crash| crash.name == format!("{point:?}")) else {
        return false;
    };
    let due = crash.count.load(Ordering::Relaxed) + 1 == crash.at;
    if !due {
        crash.count.fetch_add(1, Ordering::Relaxed);
    }
    due
}

/// What the disk does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It is full when that many bytes were written in all.
    Write(u64),
    /// That sync fails, and all after it.
    Sync(u64),
    /// It writes a few bytes at a time.
    Short,
}

/// The disk that `PATHWAY_IO_DISK` asks for: one for the whole process, since it counts.
pub(crate) fn storage() -> Option<Arc<dyn Storage>> {
    static DISK: OnceLock<Option<Arc<dyn Storage>>> = OnceLock::new();
    DISK.get_or_init(make_storage).clone()
}

fn make_storage() -> Option<Arc<dyn Storage>> {
    let text = std::env::var("PATHWAY_IO_DISK").ok()?;
    let fault = match text.split_once(':') {
        Some(("write", at)) => Fault::Write(at.parse().ok()?),
        Some(("sync", at)) => Fault::Sync(at.parse().ok()?),
        _ => Fault::Short,
    };
    Some(Arc::new(Faulty { fault, counts: Arc::default() }))
}

#[derive(Default)]
struct Counts {
    written: AtomicU64,
    syncs: AtomicU64,
}

struct Faulty {
    fault: Fault,
    counts: Arc<Counts>,
}

impl Faulty {
    fn wrap(&self, inner: Box<dyn Handle>) -> Box<dyn Handle> {
        Box::new(FaultyHandle { inner, fault: self.fault, counts: Arc::clone(&self.counts), turn: 0 })
    }
}

impl Storage for Faulty {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Handle>> {
        Ok(self.wrap(Disk.create(path)?))
    }

    fn open_at(&self, path: &Path, len: u64) -> io::Result<Box<dyn Handle>> {
        Ok(self.wrap(Disk.open_at(path, len)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        sync_or_fail(self.fault, &self.counts)?;
        Disk.sync_directory(path)
    }
}

fn sync_or_fail(fault: Fault, counts: &Counts) -> io::Result<()> {
    let number = counts.syncs.fetch_add(1, Ordering::Relaxed) + 1;
    match fault {
        Fault::Sync(at) if number >= at => Err(io::Error::other("the disk is gone")),
        _ => Ok(()),
    }
}

struct FaultyHandle {
    inner: Box<dyn Handle>,
    fault: Fault,
    counts: Arc<Counts>,
    turn: u64,
}

impl Write for FaultyHandle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.turn += 1;
        let len = bytes.len() as u64;
        let len = match self.fault {
            Fault::Short if self.turn.is_multiple_of(5) => return Err(io::ErrorKind::Interrupted.into()),
            Fault::Short => len.min(self.turn % 7 + 1),
            Fault::Write(at) => match at.saturating_sub(self.counts.written.load(Ordering::Relaxed)) {
                0 => return Err(io::ErrorKind::StorageFull.into()),
                left => len.min(left),
            },
            Fault::Sync(_) => len,
        };
        self.counts.written.fetch_add(len, Ordering::Relaxed);
        self.inner.write(&bytes[..usize::try_from(len).unwrap_or(usize::MAX)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Handle for FaultyHandle {
    fn sync(&mut self) -> io::Result<()> {
        sync_or_fail(self.fault, &self.counts)?;
        self.inner.sync()
    }
}
