//! Log compaction: a new log starts with the current rows.

use crossbeam_channel::bounded;

use super::{Checkpointer, PartFailed};
use crate::persist::frame::FrameKind;
use crate::persist::log::Log;
use crate::run::error::BoxError;
use crate::sequencer::SequencerMessage;
use crate::sequencer::journal::SnapshotPiece;

impl Checkpointer {
    /// Starts a new log with the current rows, because most of the old log is history.
    pub(super) fn compact(&mut self) -> Result<(), BoxError> {
        // First every sink makes its commits durable, so that no sink lacks a commit that only the old log contains.
        let asked: Vec<_> = self.transactional.iter().map(|sink| sink.target.request(self.plan.time)).collect();
        for answer in asked {
            answer.recv().map_err(|_| PartFailed)?;
        }
        let (give, pieces) = bounded(4);
        if self.plan.inbox.send(SequencerMessage::Snapshot(give)).is_err() {
            return Ok(());
        }
        let mut log = Log::begin(&self.plan.place, self.log.generation() + 1, &self.plan.header)?;
        let time = loop {
            match pieces.recv() {
                Ok(SnapshotPiece::Rows { source, table, rows }) => {
                    log.snapshot(self.plan.sources[source].first_table + table as u32, &rows)?;
                }
                Ok(SnapshotPiece::End { time }) => break time,
                // The sequencer has ended, so the old log is kept.
                Err(_) => return Ok(()),
            }
        };
        self.log = log;
        // The sequencer sent every commit up to `time` before it took the snapshot, so this loop ends.
        while self.plan.time < time {
            let Ok(entry) = self.plan.received.recv() else { break };
            self.append(entry, FrameKind::Held)?;
        }
        self.checkpoint()
    }
}
