//! The checkpointer: the thread that makes the sequencer's commits durable.
//!
//! It appends each commit to the log immediately, so no commit is held in memory until the next checkpoint. A
//! checkpoint then syncs each output file, appends its own record, and syncs the log. Commits that arrive meanwhile
//! share the next checkpoint.

mod compact;
mod plan;
mod thread;

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use tracing::debug;

pub(super) use self::plan::{CheckpointPlan, DurableFile, PersistedSource, Quarantine};
use self::plan::{Output, TransactionalSink};
pub(super) use self::thread::CheckpointerThread;
use super::Durability;
use super::frame::FrameKind;
use super::log::Log;
use super::record::Checkpoint;
use crate::pipeline::extensions::{CheckpointerPart, LastCheckpoint};
use crate::run::error::{BoxError, FailureKind};
use crate::run::guard::guarded;
use crate::sequencer::journal::{CheckpointMessage, ComputedRecord, Journaled};
use crate::sink::file::storage::remove;
use crate::sink::start::{CheckpointedKind, CheckpointedSink};
use crate::source::offset::{AnyOffset, SealedOffset};

/// The maximum number of commits in one checkpoint. The limit ensures that a checkpoint is made, however fast the
/// sources are.
const COMMITS: usize = 4096;
/// The number of bytes in the log after which a checkpoint is due.
const BYTES: u64 = 4 * 1024 * 1024;

struct Checkpointer {
    plan: CheckpointPlan,
    /// The place in which the last checkpoint is recorded.
    part: Arc<CheckpointerPart>,
    log: Log,
    outputs: Vec<Output>,
    transactional: Vec<TransactionalSink>,
    /// Offsets whose `on_durable` callbacks are due once the offsets are durable.
    reports: Vec<(usize, SealedOffset)>,
    /// Commits that a sink receives once they are durable.
    awaited: Vec<Box<dyn Journaled>>,
    /// Results of times that no checkpoint has covered yet.
    results: Vec<ComputedRecord>,
    /// Whether sinks wait for results.
    awaits_results: bool,
    /// Whether a sink makes many commits durable together, so that the log must keep them until then.
    has_staged: bool,
    /// Whether a source waits for backlog space that these commits may hold.
    source_waits: bool,
    /// The number of commits that are not durable yet.
    commits: usize,
}

/// A sink or a source has failed. Only its own error is reported, not an error of the state.
#[derive(Debug)]
struct PartFailed;

impl std::fmt::Display for PartFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a sink or a source has failed")
    }
}

impl std::error::Error for PartFailed {}

/// Encodes an offset for a checkpoint, by the user's own `Serialize`.
fn encode(offset: &dyn AnyOffset) -> Result<Vec<u8>, FailureKind> {
    guarded("the form of its offset", || offset.encode())?
        .map_err(|error| FailureKind::Failed(format!("its offset cannot be written: {error}").into()))
}

impl Checkpointer {
    /// Opens the log, and makes the first checkpoint. The caller has opened all sinks.
    fn begin(mut plan: CheckpointPlan, part: Arc<CheckpointerPart>) -> Result<Self, BoxError> {
        plan.directory.check()?;
        let logs = plan.directory.logs()?;
        let log = match &plan.found {
            None => Log::begin(&plan.place, 1, &plan.header)?,
            Some(found) => {
                for older in logs.into_iter().filter(|older| *older != found.generation) {
                    remove(&*plan.place.storage, &super::log::path(plan.directory.path(), older))?;
                }
                if plan.place.sync && !found.checkpoint.is_end {
                    Log::rewrite(&plan.place, found.generation, found.end, found.initial_len)?
                } else {
                    // The mark of a clean end is cut off. Its own sync may have failed, and only data that is written
                    // again can be synced. Everything before it was synced when it was written.
                    let end = if found.checkpoint.is_end { found.before_last } else { found.end };
                    Log::resume(&plan.place, found.generation, end, found.initial_len)?
                }
            }
        };
        for source in &mut plan.sources {
            if let Some(quarantine) = &mut source.quarantine {
                let opened = quarantine.file.open();
                opened.map_err(|error| format!("the quarantine file of `{}`: {error}", source.source.name))?;
                quarantine.durable.record.len = quarantine.file.position();
            }
        }
        let (mut outputs, mut transactional, mut awaits_results) = (Vec::new(), Vec::new(), false);
        let mut has_staged = false;
        for (table, CheckpointedSink { kind, target, progress }) in mem::take(&mut plan.sinks) {
            match kind {
                CheckpointedKind::Output(path) => {
                    let file = path.map(|path| DurableFile::new(&path, false));
                    outputs.push(Output { table, file, target, dirty: false });
                }
                CheckpointedKind::Transactional { id, is_staged } => {
                    has_staged |= is_staged;
                    awaits_results |= table.is_none();
                    transactional.push(TransactionalSink { id, target, progress });
                }
            }
        }
        let mut checkpointer = Checkpointer {
            plan,
            part,
            log,
            outputs,
            transactional,
            reports: Vec::new(),
            awaited: Vec::new(),
            results: Vec::new(),
            awaits_results,
            has_staged,
            source_waits: false,
            commits: 0,
        };
        checkpointer.checkpoint()?;
        Ok(checkpointer)
    }

    fn serve(mut self) -> Result<(), BoxError> {
        let interval = match self.plan.durability {
            Durability::Interval(interval) => interval,
            Durability::EveryCommit | Durability::NoSync => Duration::ZERO,
        };
        let mut due: Option<Instant> = None;
        loop {
            // This also happens at the start, because the previous run may have ended before it compacted its log.
            if self.commits == 0 && self.log.is_overgrown(self.has_staged) {
                self.compact()?;
            }
            let entry = match due {
                None => self.plan.received.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => self.plan.received.recv_deadline(due),
            };
            let ended = match entry {
                Ok(entry) => {
                    self.append(entry, FrameKind::Rows)?;
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            while !self.is_full()
                && let Ok(entry) = self.plan.received.try_recv()
            {
                self.append(entry, FrameKind::Rows)?;
            }
            let now = Instant::now();
            due = due.or_else(|| now.checked_add(interval));
            if self.commits > 0 && (ended || due.is_some_and(|due| due <= now) || self.is_full()) {
                self.checkpoint()?;
            }
            if self.commits == 0 {
                due = None;
            }
            if ended {
                return self.end();
            }
        }
    }

    /// Records in the log that nothing has failed, so that the next start can continue it.
    fn end(mut self) -> Result<(), BoxError> {
        if self.plan.durability.syncs() {
            let mut last = self.record();
            last.is_end = true;
            self.log.commit(&last.to_json())?;
            if let Some(last) = &mut *self.part.last.lock() {
                last.log_bytes = self.log.len();
            }
        }
        Ok(())
    }

    /// Returns whether a checkpoint is due before its interval has passed.
    fn is_full(&self) -> bool {
        self.commits >= COMMITS || self.source_waits || self.log.since_checkpoint() >= BYTES
    }

    /// Appends a commit to the log, and records what must happen once it is durable.
    fn append(&mut self, message: CheckpointMessage, kind: FrameKind) -> Result<(), BoxError> {
        let CheckpointMessage::Commit(record) = message else {
            // Every commit that the source may wait for was received before, or is still in the dataflow.
            self.source_waits = !self.awaited.is_empty() || self.awaits_results;
            return Ok(());
        };
        self.commits += 1;
        self.plan.time = record.time;
        let source = &mut self.plan.sources[record.source];
        for output in &mut self.outputs {
            output.dirty |= match output.table {
                Some((source, number)) => {
                    source == record.source && record.tables.iter().any(|table| table.table == number)
                }
                None => record.computed_on,
            };
        }
        for table in record.tables {
            let Some(journaled) = table.journaled else { continue };
            let number = source.first_table + table.table as u32;
            if kind == FrameKind::Rows || journaled.is_awaited() {
                self.log.rows(kind, number, record.time, |out| journaled.write(out))?;
            }
            if journaled.is_awaited() {
                self.awaited.push(journaled);
            }
        }
        if let Some(offset) = record.offset {
            let encoded = encode(&*offset).map_err(|kind| {
                source.source.fail(kind);
                PartFailed
            })?;
            source.offset = Some(encoded);
            if source.source.durables.has_any() {
                self.reports.push((record.source, offset));
            }
        }
        if let Some(quarantine) = &mut source.quarantine {
            quarantine.file.append(&record.bad)?;
        }
        Ok(())
    }

    /// Makes everything so far durable, in the order that `docs/durability.md` describes.
    fn checkpoint(&mut self) -> Result<(), BoxError> {
        let (time, began) = (self.plan.time, Instant::now());
        let asked: Vec<_> = self
            .outputs
            .iter_mut()
            // A file that has no new rows may have lost those that it had.
            .filter(|output| output.dirty || output.file.is_some())
            .map(|output| (output.target.request(time), output))
            .collect();
        for (answer, output) in asked {
            let len = answer.recv().map_err(|_| PartFailed)?;
            if let Some(file) = &mut output.file {
                file.set_len(len)?;
            }
            output.dirty = false;
        }
        self.take_results(time)?;
        crash_point!(OutputsSynced);
        for source in &mut self.plan.sources {
            let Some(Quarantine { file, durable }) = &mut source.quarantine else { continue };
            if durable.record.len != file.position() {
                file.flush()?;
                crash_point!(QuarantineWritten);
                file.sync()?;
                crash_point!(QuarantineSynced);
            }
            file.check()?;
            durable.set_len(file.position())?;
        }
        self.plan.directory.check()?;
        self.log.commit(&self.record().to_json())?;
        let (made, log_bytes) = (Instant::now(), self.log.len());
        let duration = made.duration_since(began);
        debug!(time, commits = self.commits, ?duration, log_bytes, "checkpoint");
        *self.part.last.lock() = Some(LastCheckpoint { time, made, duration, log_bytes });
        self.commits = 0;
        self.source_waits = false;
        if !self.awaited.is_empty() {
            for journaled in mem::take(&mut self.awaited) {
                journaled.deliver();
            }
            crash_point!(HandedOver);
        }
        if !self.reports.is_empty() {
            for (source, offset) in mem::take(&mut self.reports) {
                let source = &self.plan.sources[source].source;
                if let Err(kind) = source.durables.call(&*offset) {
                    source.fail(kind);
                }
            }
            crash_point!(OffsetsReported);
        }
        Ok(())
    }

    /// Takes the results up to `time`, which were delivered. Appends to the log the results for which a sink waits.
    fn take_results(&mut self, time: u64) -> Result<(), BoxError> {
        self.results.extend(self.plan.results.try_iter());
        let (now, later) = mem::take(&mut self.results).into_iter().partition(|record| record.time <= time);
        self.results = later;
        for ComputedRecord { table, time, journaled } in now {
            self.log.rows(FrameKind::Held, table, time, |out| journaled.write(out))?;
            self.awaited.push(journaled);
        }
        Ok(())
    }

    fn record(&self) -> Checkpoint {
        let sources = &self.plan.sources;
        let offset = |source: &PersistedSource| Some((source.source.name.to_string(), source.offset.clone()?));
        let quarantines = sources.iter().filter_map(|source| Some(&source.quarantine.as_ref()?.durable));
        let files = self.outputs.iter().filter_map(|output| output.file.as_ref()).chain(quarantines);
        let sinks = self.transactional.iter();
        Checkpoint {
            time: self.plan.time,
            offsets: sources.iter().filter_map(offset).collect(),
            files: files.map(|file| file.record.clone()).collect(),
            sinks: sinks.map(|sink| (sink.id.clone(), sink.progress.durable())).collect(),
            after: self.log.committed(),
            is_end: false,
        }
    }
}
