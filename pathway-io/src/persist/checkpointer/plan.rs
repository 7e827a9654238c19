//! The arguments of the checkpointer: [`Plan`].

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use serde_json::Value;

use crate::persist::Durability;
use crate::persist::directory::StateDirectory;
use crate::persist::log::LogPlace;
use crate::run::control::Control;
use crate::sequencer::inbox::Inbox;
use crate::sequencer::journal::{CheckpointMessage, ComputedRecord};
use crate::sink::file::OutputFile;
use crate::sink::outlet::{Progress, SyncTarget};
use crate::sink::start::CheckpointedSink;
use crate::source::shared::Source;

/// The checkpointer's data about a source.
pub(in crate::persist) struct PersistedSource {
    pub(in crate::persist) source: Arc<Source>,
    /// The number of the source's first table in the log.
    pub(in crate::persist) first_table: u32,
    pub(in crate::persist) offset: Option<Vec<u8>>,
    pub(in crate::persist) quarantine: Option<Quarantine>,
}

/// The file of a source's bad rows.
pub(in crate::persist) struct Quarantine {
    /// The path, as the program specifies it.
    pub(in crate::persist) path: String,
    pub(in crate::persist) file: OutputFile,
    /// The number of bytes that are durable.
    pub(in crate::persist) durable: u64,
    /// The check value of the file's end.
    pub(in crate::persist) check: Option<u32>,
    /// The absolute path, which stays right if the program changes its working directory.
    pub(in crate::persist) at: PathBuf,
}

/// A sink that must have every commit before it becomes durable.
pub(super) struct Output {
    /// The number of the source and of the table within it. `None` for a derived table.
    pub(super) table: Option<(usize, usize)>,
    /// The file that the sink writes, if any: the path as the program gives it, and the absolute path.
    pub(super) path: Option<(PathBuf, PathBuf)>,
    pub(super) target: Arc<dyn SyncTarget>,
    pub(super) len: u64,
    /// The check value of the file's end.
    pub(super) check: Option<u32>,
    /// Whether the sink has received rows since the last checkpoint.
    pub(super) dirty: bool,
}

/// A transactional sink.
pub(super) struct TransactionalSink {
    pub(super) id: String,
    pub(super) target: Arc<dyn SyncTarget>,
    pub(super) progress: Arc<Progress>,
}

/// The log that the run begins with.
pub(in crate::persist) enum FirstLog {
    New,
    Found {
        generation: u64,
        end: u64,
        begun: u64,
        /// Whether the previous run ended in order, so that everything it synced is on disk.
        is_clean: bool,
    },
}

/// The arguments of the checkpointer's thread.
pub(in crate::persist) struct Plan {
    pub(in crate::persist) directory: Arc<StateDirectory>,
    pub(in crate::persist) place: LogPlace,
    pub(in crate::persist) durability: Durability,
    pub(in crate::persist) header: Value,
    pub(in crate::persist) first_log: FirstLog,
    pub(in crate::persist) time: u64,
    pub(in crate::persist) sources: Vec<PersistedSource>,
    /// The sinks of each table of each source.
    pub(in crate::persist) sinks: Vec<(Option<(usize, usize)>, CheckpointedSink)>,
    pub(in crate::persist) received: Receiver<CheckpointMessage>,
    pub(in crate::persist) results: Receiver<ComputedRecord>,
    pub(in crate::persist) inbox: Arc<Inbox>,
    pub(in crate::persist) control: Arc<Control>,
}
