//! A state in memory for the test kit: it resumes a source from an offset, and keeps the offsets of the commits.

use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::pipeline::any_table::{AnyTable, TableState};
use crate::pipeline::extensions::{CheckpointerPart, Checkpointing, Persistence, Prepared};
use crate::pipeline::plan::SourcePlan;
use crate::pipeline::workers::Workers;
use crate::run::control::Control;
use crate::run::error::{Error, Result};
use crate::run::lock::Lock;
use crate::run::part::Phase;
use crate::run::quarantine::BadRows;
use crate::run::threads;
use crate::sequencer::inbox::Inbox;
use crate::sequencer::journal::CheckpointMessage;
use crate::sink::resume::Resume;
use crate::sink::start::CheckpointedSink;
use crate::source::intake::Cuts;
use crate::source::offset::{Offsets, SealedOffset};
use crate::source::options::ReadOptions;
use crate::source::shared::Source;

/// The offsets of the commits of a run, each with the time of its commit.
pub(super) type KeptOffsets = Arc<Lock<Vec<(u64, SealedOffset)>>>;

/// The state of a pipeline with one source.
pub(super) struct Memory {
    /// The places at which the rows may be cut into commits.
    pub(super) cuts: Cuts,
    pub(super) resume: Lock<Offsets>,
    pub(super) kept: KeptOffsets,
}

impl Persistence for Memory {
    /// There are no files.
    fn directory(&self) -> &Path {
        Path::new("state in memory")
    }

    fn prepare(self: Arc<Self>, _: &[SourcePlan], _: &[Arc<dyn AnyTable>], _: &Workers) -> Result<Box<dyn Prepared>> {
        Ok(Box::new(PreparedMemory(self)))
    }
}

struct PreparedMemory(Arc<Memory>);

impl Prepared for PreparedMemory {
    /// Returns false, so that the rows of a source that fails or is stopped are committed, as in a pipeline without a
    /// state.
    fn is_resumed(&self) -> bool {
        false
    }

    fn cuts(&self, _: &ReadOptions) -> Cuts {
        self.0.cuts
    }

    fn time(&self) -> u64 {
        0
    }

    fn table(&self, source: &str, table: usize) -> TableState {
        TableState { resume: Arc::new(Resume::default()), id: format!("{source}/{table}"), results: None }
    }

    fn derived(&self, number: usize) -> TableState {
        self.table("", number)
    }

    fn take_offsets(&mut self, _: usize) -> Offsets {
        std::mem::take(&mut *self.0.resume.lock())
    }

    fn add_source(&mut self, _: &Arc<Source>, _: BadRows) {}

    fn begin(
        self: Box<Self>,
        _: Vec<(Option<(usize, usize)>, CheckpointedSink)>,
        _: &Arc<Inbox>,
        control: &Arc<Control>,
    ) -> (Sender<CheckpointMessage>, Box<dyn Checkpointing>) {
        // Bounded by the backlog of the source: each message holds credit.
        let (sender, received) = unbounded();
        let kept = Arc::clone(&self.0.kept);
        (sender, Box::new(OffsetKeeper { received: Some(received), kept, control: Arc::clone(control) }))
    }
}

struct OffsetKeeper {
    received: Option<Receiver<CheckpointMessage>>,
    kept: KeptOffsets,
    control: Arc<Control>,
}

impl Checkpointing for OffsetKeeper {
    fn start(&mut self) {
        let Some(received) = self.received.take() else { return };
        let (kept, control) = (Arc::clone(&self.kept), Arc::clone(&self.control));
        let id = control.add(Arc::new(CheckpointerPart::default()), Phase::Running);
        let spawned = threads::spawn("offsets", move || {
            for message in received {
                if let CheckpointMessage::Commit(record) = message
                    && let Some(offset) = record.offset
                {
                    kept.lock().push((record.time, offset));
                }
            }
            control.set_phase(id, Phase::Ended);
        });
        if let Err(error) = spawned {
            self.control.fail(Error::pipeline(error));
            self.control.set_phase(id, Phase::Ended);
        }
    }

    fn give_up(&mut self) {
        self.received = None;
    }

    fn release(self: Box<Self>, _: bool) {}
}
