//! Faults for this library's own tests (feature `faults`): a process that is killed at a named point, and a disk that
//! fails ([`Mount`]).
//!
//! Environment variables choose the point, so that the parent process controls an ordinary program:
//!
//! | variable | meaning |
//! |---|---|
//! | `PATHWAY_IO_CRASH` | `CheckpointSynced:3` aborts the process when it reaches that point for the third time |
//! | `PATHWAY_IO_TINY_LOGS` | logs are compacted as soon as they have doubled, as on every [`Mount`] |

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

mod disk;
mod power;

pub(crate) use disk::Mounts;
pub use disk::{Call, Fault, Mount};
pub use power::Unsynced;

/// Returns whether the logs in a directory are compacted as soon as they have doubled.
pub(crate) fn tiny_logs(directory: &Path) -> bool {
    static TINY: OnceLock<bool> = OnceLock::new();
    *TINY.get_or_init(|| std::env::var_os("PATHWAY_IO_TINY_LOGS").is_some()) || disk::is_mounted(directory)
}

macro_rules! points {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// A point in the program just after something has become durable, or just before.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $($(#[doc = $doc])* $name,)*
        }

        impl Point {
            /// All points.
            pub const ALL: &[Point] = &[$(Point::$name,)*];
        }
    };
}

points! {
    /// The state directory is locked.
    Locked,
    /// An output file was created, and its name is not durable.
    OutputCreated,
    /// An output file was truncated to its recorded length.
    OutputCut,
    /// Bytes were written into an output file.
    OutputWritten,
    /// An output file was synced.
    OutputSynced,
    /// All outputs have the rows of the next checkpoint.
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
    /// Transactional sinks were sent the commits of the checkpoint.
    HandedOver,
    /// `on_durable` was called.
    OffsetsReported,
    /// A part of a table was written, and not synced.
    PartWritten,
    /// A part of a table was synced, and does not have its name yet.
    PartSynced,
    /// A part of a table has its name, which is not durable.
    PartNamed,
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

/// Aborts the process if `point` is the chosen one.
pub(crate) fn reach(point: Point) {
    if let Some(crash) = crash()
        && crash.name == format!("{point:?}")
        && crash.count.fetch_add(1, Ordering::Relaxed) + 1 == crash.at
    {
        std::process::abort();
    }
}

/// Returns whether the next [`reach`] of this point aborts the process.
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
