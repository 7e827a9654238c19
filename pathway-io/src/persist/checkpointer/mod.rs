//! The checkpointer: the one thread that makes commits durable, behind the sequencer.
//!
//! What the sequencer hands over it appends to the log at once, so that nothing is held in memory for the sake of the next
//! checkpoint. A checkpoint then asks each file for a sync, appends what belongs together, and syncs the log. While it
//! does so further commits gather, and share the next one.

mod compact;

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use serde_json::Value;
use tracing::debug;

use super::directory::StateDirectory;
use super::frame::Kind;
use super::log::Log;
use super::record::{Checkpoint, FileLen, SinkTime};
use super::{AskedKind, AskedSink, Durability};
use crate::run::control::{Checkpoints, Control, panicked};
use crate::run::error::{BoxError, Error, FailureKind};
use crate::sequencer::Message;
use crate::sequencer::journal::{Durable, Handed, Results};
use crate::sink::file::OutputFile;
use crate::sink::file::storage::{Storage, remove};
use crate::sink::{Ask, Progress};
use crate::source::offset::AnyOffset;
use crate::source::shared::Source;

/// Commits that one checkpoint covers at most: so that it comes, however fast the sources are.
const COMMITS: usize = 4096;
/// The same in bytes of the log.
const BYTES: u64 = 4 * 1024 * 1024;

/// A source, as far as the checkpointer has to do with it.
pub(crate) struct PersistedSource {
    pub(crate) source: Arc<Source>,
    /// The number of its first table in the log.
    pub(crate) first_table: u32,
    pub(crate) offset: Option<Vec<u8>>,
    pub(crate) quarantine: Option<Quarantine>,
}

/// The file of a source's bad rows.
pub(crate) struct Quarantine {
    /// As the program gives it.
    pub(crate) path: String,
    pub(crate) file: OutputFile,
    /// How much of it is durable.
    pub(crate) durable: u64,
}

/// A sink that has to have what becomes durable.
struct Output {
    /// The table, by the numbers of its source and among that source's; `None` for a derived one.
    table: Option<(usize, usize)>,
    /// The file that it writes, if it does.
    path: Option<String>,
    ask: Arc<dyn Ask>,
    len: u64,
    /// It has got rows since the last checkpoint.
    dirty: bool,
}

/// A sink that keeps its own time.
struct Timed {
    id: String,
    ask: Arc<dyn Ask>,
    progress: Arc<Progress>,
}

/// Which log to go on with.
pub(crate) enum FirstLog {
    New,
    Found { generation: u64, end: u64, begun: u64 },
}

/// What the thread is started with.
pub(crate) struct Plan {
    pub(crate) directory: Arc<StateDirectory>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) durability: Durability,
    pub(crate) header: Value,
    pub(crate) first_log: FirstLog,
    pub(crate) time: u64,
    pub(crate) sources: Vec<PersistedSource>,
    /// The sinks of each table of each source.
    pub(crate) sinks: Vec<(Option<(usize, usize)>, AskedSink)>,
    pub(crate) entries: Receiver<Handed>,
    pub(crate) results: Receiver<Results>,
    pub(crate) messages: Sender<Message>,
    pub(crate) control: Arc<Control>,
}

pub(crate) struct Checkpointer {
    plan: Plan,
    log: Log,
    outputs: Vec<Output>,
    timed: Vec<Timed>,
    /// Offsets that somebody wants to be told of once they are durable.
    told: Vec<(usize, Box<dyn AnyOffset>)>,
    /// Commits that a sink wants to have once they are durable.
    awaited: Vec<Box<dyn Durable>>,
    /// Results of times that no checkpoint has covered yet.
    results: Vec<Results>,
    /// Sinks wait for results.
    awaits_results: bool,
    /// A source waits for room that they may hold.
    pressed: bool,
    /// There is something to make durable.
    news: usize,
}

/// A sink or a source has failed, which is said of it and not of the state.
#[derive(Debug)]
struct Said;

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a sink or a source has failed")
    }
}

impl std::error::Error for Said {}

/// An offset as a checkpoint has it. Its form is the user's.
fn encode(offset: &dyn AnyOffset) -> Result<Vec<u8>, FailureKind> {
    match catch_unwind(AssertUnwindSafe(|| offset.encode())) {
        Ok(Ok(encoded)) => Ok(encoded),
        Ok(Err(error)) => Err(FailureKind::Failed(format!("its offset cannot be written: {error}").into())),
        Err(payload) => Err(panicked("the form of its offset", &*payload)),
    }
}

/// Runs to the end of the sequencer.
pub(crate) fn run(plan: Plan) {
    let control = Arc::clone(&plan.control);
    let entries = plan.entries.clone();
    let path = plan.directory.path().to_owned();
    let result = Checkpointer::begin(plan).and_then(Checkpointer::serve);
    if let Err(error) = result
        && !error.is::<Said>()
    {
        control.fail(Error::pipeline(format!("could not keep its state in `{}`: {error}", path.display())));
    }
    // What comes now is not durable, but whoever waits for credit must not wait for ever.
    while entries.recv().is_ok() {}
}

impl Checkpointer {
    /// Opens the log, and makes the first checkpoint. All sinks are open.
    fn begin(mut plan: Plan) -> Result<Self, BoxError> {
        let sync = plan.durability.syncs();
        let (logs, unnamed) = plan.directory.logs()?;
        for path in unnamed {
            remove(&*plan.storage, &path)?;
        }
        let log = match plan.first_log {
            FirstLog::New => Log::begin(plan.directory.path(), &plan.storage, 1, &plan.header, sync)?,
            FirstLog::Found { generation, end, begun } => {
                for older in logs.into_iter().filter(|older| *older != generation) {
                    remove(&*plan.storage, &super::log::path(plan.directory.path(), older))?;
                }
                Log::go_on(plan.directory.path(), &plan.storage, generation, end, begun, sync)?
            }
        };
        for source in &mut plan.sources {
            if let Some(quarantine) = &mut source.quarantine {
                quarantine.file.open()?;
                quarantine.durable = quarantine.file.position();
            }
        }
        let (mut outputs, mut timed, mut awaits_results) = (Vec::new(), Vec::new(), false);
        for (table, AskedSink { kind, ask, progress }) in mem::take(&mut plan.sinks) {
            match kind {
                AskedKind::File { path } => {
                    outputs.push(Output { table, path: Some(path), ask, len: 0, dirty: true });
                }
                AskedKind::Plain => outputs.push(Output { table, path: None, ask, len: 0, dirty: false }),
                AskedKind::Timed { id } => {
                    awaits_results |= table.is_none();
                    timed.push(Timed { id, ask, progress });
                }
            }
        }
        let mut checkpointer = Checkpointer {
            plan,
            log,
            outputs,
            timed,
            told: Vec::new(),
            awaited: Vec::new(),
            results: Vec::new(),
            awaits_results,
            pressed: false,
            news: 0,
        };
        checkpointer.checkpoint()?;
        checkpointer.plan.control.update(|run| run.checkpoints = Some(Checkpoints::Running));
        Ok(checkpointer)
    }

    fn serve(mut self) -> Result<(), BoxError> {
        let interval = match self.plan.durability {
            Durability::Interval(interval) => interval,
            Durability::EveryCommit | Durability::NoSync => Duration::ZERO,
        };
        let mut due: Option<Instant> = None;
        loop {
            // Also at the start: the run before may have ended in the middle of a burst.
            if self.news == 0 && self.log.is_overgrown() {
                self.compact()?;
            }
            let entry = match due {
                None => self.plan.entries.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => self.plan.entries.recv_deadline(due),
            };
            let ended = match entry {
                Ok(entry) => {
                    self.absorb(entry, Kind::Rows)?;
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            while !self.is_full()
                && let Ok(entry) = self.plan.entries.try_recv()
            {
                self.absorb(entry, Kind::Rows)?;
            }
            let now = Instant::now();
            let at = *due.get_or_insert_with(|| now.checked_add(interval).unwrap_or(now));
            if self.news > 0 && (ended || at <= now || self.is_full()) {
                self.checkpoint()?;
            }
            if self.news == 0 {
                due = None;
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// Whether a checkpoint should not be waited for any longer.
    fn is_full(&self) -> bool {
        self.news >= COMMITS || self.pressed || self.log.since_checkpoint() >= BYTES
    }

    /// Takes a commit into the log, and notes what is to be done once it is durable.
    fn absorb(&mut self, handed: Handed, kind: Kind) -> Result<(), BoxError> {
        let Handed::Commit(entry) = handed else {
            // All that it may wait for was handed over before, or is on its way through the dataflow.
            self.pressed = !self.awaited.is_empty() || self.awaits_results;
            return Ok(());
        };
        self.news += 1;
        self.plan.time = entry.time;
        let source = &mut self.plan.sources[entry.source];
        for output in &mut self.outputs {
            output.dirty |= match output.table {
                Some((source, table)) => source == entry.source && entry.parts.iter().any(|part| part.table == table),
                None => entry.computed_on,
            };
        }
        for part in entry.parts {
            let Some(durable) = part.durable else { continue };
            let number = source.first_table + part.table as u32;
            if kind == Kind::Rows || durable.is_awaited() {
                self.log.rows(kind, number, entry.time, |out| durable.write(out))?;
            }
            if durable.is_awaited() {
                self.awaited.push(durable);
            }
        }
        if let Some(offset) = entry.offset {
            let encoded = encode(&*offset).map_err(|kind| {
                source.source.fail(kind);
                Said
            })?;
            source.offset = Some(encoded);
            if source.source.durables.is_wanted() {
                self.told.push((entry.source, offset));
            }
        }
        if let Some(quarantine) = &mut source.quarantine {
            quarantine.file.append(&entry.bad)?;
        }
        Ok(())
    }

    /// Makes everything so far durable, in the order that `docs/durability.md` gives.
    fn checkpoint(&mut self) -> Result<(), BoxError> {
        let time = self.plan.time;
        let asked: Vec<_> = self
            .outputs
            .iter_mut()
            .filter(|output| output.dirty)
            .map(|output| (output.ask.ask(time), output))
            .collect();
        for (answer, output) in asked {
            output.len = answer.recv().map_err(|_| Said)?;
            output.dirty = false;
        }
        self.take_results(time)?;
        crash_point!(OutputsSynced);
        for source in &mut self.plan.sources {
            if let Some(Quarantine { file, durable, .. }) = &mut source.quarantine
                && *durable != file.position()
            {
                file.flush()?;
                crash_point!(QuarantineWritten);
                file.sync()?;
                *durable = file.position();
                crash_point!(QuarantineSynced);
            }
        }
        self.log.commit(&self.record().to_json())?;
        debug!(time, commits = self.news, "checkpoint");
        self.news = 0;
        self.pressed = false;
        if !self.awaited.is_empty() {
            for durable in mem::take(&mut self.awaited) {
                durable.hand_over();
            }
            crash_point!(HandedOver);
        }
        if !self.told.is_empty() {
            for (source, offset) in mem::take(&mut self.told) {
                let source = &self.plan.sources[source].source;
                if let Err(kind) = source.durables.tell(&*offset) {
                    source.fail(kind);
                }
            }
            crash_point!(Told);
        }
        Ok(())
    }

    /// The results up to `time` were handed on: those go into the log that a sink waits for.
    fn take_results(&mut self, time: u64) -> Result<(), BoxError> {
        self.results.extend(self.plan.results.try_iter());
        let (now, later) = mem::take(&mut self.results).into_iter().partition(|results| results.time <= time);
        self.results = later;
        for Results { table, time, held } in now {
            self.log.rows(Kind::Held, table, time, |out| held.write(out))?;
            self.awaited.push(held);
        }
        Ok(())
    }

    fn record(&self) -> Checkpoint {
        let sources = &self.plan.sources;
        let offset = |source: &PersistedSource| Some((source.source.name.to_string(), source.offset.clone()?));
        let quarantines = sources.iter().filter_map(|source| source.quarantine.as_ref());
        let quarantines =
            quarantines.map(|quarantine| FileLen { path: quarantine.path.clone(), len: quarantine.durable });
        let outputs =
            self.outputs.iter().filter_map(|output| Some(FileLen { path: output.path.clone()?, len: output.len }));
        let sinks = self.timed.iter();
        Checkpoint {
            time: self.plan.time,
            offsets: sources.iter().filter_map(offset).collect(),
            files: outputs.chain(quarantines).collect(),
            sinks: sinks.map(|sink| SinkTime { name: sink.id.clone(), time: sink.progress.kept() }).collect(),
        }
    }
}
