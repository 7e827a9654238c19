//! The arguments of the checkpointer: [`CheckpointPlan`].

use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use crossbeam_channel::Receiver;
use serde_json::Value;

use crate::persist::Durability;
use crate::persist::directory::StateDirectory;
use crate::persist::log::LogPlace;
use crate::persist::record::FileLen;
use crate::persist::recover::Recovered;
use crate::run::control::Control;
use crate::sequencer::inbox::Inbox;
use crate::sequencer::journal::{CheckpointMessage, ComputedRecord};
use crate::sink::file::storage::FileError;
use crate::sink::file::{OutputFile, check_value};
use crate::sink::outlet::{Progress, SyncTarget};
use crate::sink::resume::path_key;
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
    pub(in crate::persist) file: OutputFile,
    pub(in crate::persist) durable: DurableFile,
}

/// The durable part of a file.
pub(in crate::persist) struct DurableFile {
    pub(super) record: FileLen,
    /// The absolute path, which stays valid if the program changes its working directory.
    path: PathBuf,
}

impl DurableFile {
    pub(in crate::persist) fn new(path: &Path, is_quarantine: bool) -> Self {
        DurableFile {
            record: FileLen { path: path_key(path), len: 0, check: None, is_quarantine },
            path: absolute(path).unwrap_or_else(|_| path.to_owned()),
        }
    }

    /// Records that the first `len` bytes are durable.
    pub(super) fn set_len(&mut self, len: u64) -> Result<(), FileError> {
        if self.record.len != len || self.record.check.is_none() {
            self.record.check = Some(check_value(&self.path, len)?);
            self.record.len = len;
        }
        Ok(())
    }
}

/// A sink that must have every commit before it becomes durable.
pub(super) struct Output {
    /// The number of the source and of the table within it, or `None` for a derived table.
    pub(super) table: Option<(usize, usize)>,
    /// The file that the sink writes, if any.
    pub(super) file: Option<DurableFile>,
    pub(super) target: Arc<dyn SyncTarget>,
    /// Whether the sink has received rows since the last checkpoint. A sink with a file is asked at each checkpoint
    /// anyway.
    pub(super) dirty: bool,
}

/// A transactional sink.
pub(super) struct TransactionalSink {
    pub(super) id: String,
    pub(super) target: Arc<dyn SyncTarget>,
    pub(super) progress: Arc<Progress>,
}

/// The arguments of the checkpointer's thread.
pub(in crate::persist) struct CheckpointPlan {
    pub(in crate::persist) directory: Arc<StateDirectory>,
    pub(in crate::persist) place: LogPlace,
    pub(in crate::persist) durability: Durability,
    pub(in crate::persist) header: Value,
    /// The log of the earlier run, if there is one.
    pub(in crate::persist) found: Option<Recovered>,
    pub(in crate::persist) time: u64,
    pub(in crate::persist) sources: Vec<PersistedSource>,
    /// The sinks of each table of each source.
    pub(in crate::persist) sinks: Vec<(Option<(usize, usize)>, CheckpointedSink)>,
    pub(in crate::persist) received: Receiver<CheckpointMessage>,
    pub(in crate::persist) results: Receiver<ComputedRecord>,
    pub(in crate::persist) inbox: Arc<Inbox>,
    pub(in crate::persist) control: Arc<Control>,
}
