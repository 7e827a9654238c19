//! The thread of a sink.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, unbounded};
use tracing::{info, info_span};

use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::control::Control;
use crate::run::current;
use crate::run::error::{BoxError, Error, FailureKind, RunResult, fatal};
use crate::run::guard::{Ending, dropped, guarded};
use crate::run::part::Phase;
use crate::run::quarantine::BadRows;
use crate::run::threads;
use crate::sink::Sink;
use crate::sink::inline::InlineSink;
use crate::sink::options::SinkOptions;
use crate::sink::outlet::{Delivery, Outlet, Progress, SinkMessage};
use crate::sink::part::{SinkPart, Worker, failure};
use crate::sink::refusals::Refusals;
use crate::sink::retry::Retry;
use crate::sink::spec::{AnySink, SinkSpec};

/// The help for a sink that does not fit the state.
const FROM_ONE_BACKUP: &str = "restore what the sink has written and the state directory from one backup, or remove \
     both to start over; if you have changed the order in which the sinks of the table are attached, undo that";

/// The state that a transactional sink of a persistent pipeline recovers from.
pub(crate) struct Recovery<S: Schema> {
    /// The time of the checkpoint, and the time that the sink is known to have reached; 0 before the first.
    pub(crate) checkpoint: u64,
    pub(crate) known: u64,
    /// The commits since then.
    pub(crate) held: Vec<Commit<S>>,
}

/// Starts the thread of a sink, which opens it first. The control knows when it is open and when it has ended.
pub(crate) fn spawn<S: Schema>(spec: SinkSpec<S>, recovery: Option<Recovery<S>>, control: &Arc<Control>) -> Outlet<S> {
    // Bounded by the backlog of the table's source: each delivery holds credit for its rows.
    let (sender, messages) = unbounded();
    let progress = Arc::new(Progress::default());
    let part = Arc::new(SinkPart {
        name: Arc::clone(&spec.name),
        progress: Arc::clone(&progress),
        is_transactional: recovery.is_some(),
        leaves_out: spec.options.refused_rows != BadRows::Fail,
    });
    let id = control.add(Arc::clone(&part) as _, Phase::Opening);
    let worker = Worker { part: Arc::clone(&part), id, control: Arc::clone(control), method: Cell::new("open") };
    let name = Arc::clone(&spec.name);
    // Such a sink needs its thread: to wait between two attempts, or to record the time up to which it is durable.
    let needs_thread = spec.options.restart().is_some() || recovery.is_some();
    let inline = (spec.options.inline && !needs_thread).then(|| InlineSink::new(part, control));
    let shared = inline.clone();
    let spawned =
        threads::spawn(&format!("sink {name}"), move || worker.run(spec, recovery, shared.as_deref(), messages));
    if let Err(error) = spawned {
        control.fail(Error::sink(&name, FailureKind::Failed(Box::new(error))));
        control.set_phase(id, Phase::Ended);
    }
    let inline = inline.map(|sink| Box::new(move |commit: &Commit<S>| sink.write(commit)) as _);
    Outlet { sender, progress, inline }
}

impl Worker {
    fn run<S: Schema>(
        self,
        spec: SinkSpec<S>,
        recovery: Option<Recovery<S>>,
        inline: Option<&InlineSink<S>>,
        messages: Receiver<SinkMessage<S>>,
    ) {
        let _ending = Ending { control: &self.control, id: self.id };
        current::enter(&self.control);
        // Each call into the sink is guarded on its own. The other foreign code here is the subscriber of `tracing`.
        let serve = || match inline {
            Some(inline) => self.serve_inline(spec, &messages, inline),
            None => self.call_sink(spec, recovery, messages),
        };
        if let Err(kind) = guarded("its thread", serve) {
            self.fail(kind);
        }
    }

    fn fail(&self, kind: FailureKind) {
        self.control.fail(self.part.error(kind));
    }

    fn call_sink<S: Schema>(
        &self,
        spec: SinkSpec<S>,
        recovery: Option<Recovery<S>>,
        messages: Receiver<SinkMessage<S>>,
    ) {
        // Events of the user's code on this thread belong to this span.
        let _span = info_span!("sink", sink = &*self.part.name).entered();
        let SinkSpec { mut sink, options, .. } = spec;
        if let Some(kind) = failure(&self.method, || self.serve(&mut *sink, options, recovery, &messages)) {
            self.fail(kind);
        }
        if let Err(kind) = dropped("its drop", [sink]) {
            self.fail(kind);
        }
        // Dropping the receiver returns the credit of queued commits, and tells the sequencer that the sink has ended.
        drop(messages);
        info!(sink = &*self.part.name, "end");
    }

    fn serve<S: Schema>(
        &self,
        sink: &mut dyn AnySink<S>,
        options: SinkOptions,
        recovery: Option<Recovery<S>>,
        messages: &Receiver<SinkMessage<S>>,
    ) -> RunResult {
        let mut retry = match options.restart() {
            Some(restart) => Some(Retry::new(restart, Refusals::open(options.refused_rows)?)),
            None => None,
        };
        let is_transactional = recovery.is_some();
        // A sink that refuses the checkpoint must do so before a file is touched.
        if !is_transactional && !self.control.wait_until_checked() {
            return Ok(());
        }
        while let Err(error) = self.open(sink, recovery.as_ref(), retry.as_mut()) {
            match &mut retry {
                Some(retry) => retry.pause(error, self)?,
                None => return Err(error),
            }
        }
        drop(recovery);
        let mut last = self.part.progress.durable();
        if let Some(retry) = &mut retry {
            retry.opened(last);
            self.part.progress.recovered();
        }
        let mut lengths = sink
            .file()
            .filter(|file| file.is_persisted())
            .map(|file| Lengths { len: file.position(), since: VecDeque::new() });
        self.control.set_phase(self.id, Phase::Running);
        let mut next = self.wait(messages, sink)?;
        while let Some(now) = next {
            match now {
                SinkMessage::Commit(delivery) => {
                    last = delivery.commit.time();
                    match &mut retry {
                        Some(retry) => retry.write(delivery, sink, self)?,
                        None => self.write_delivery(sink, &delivery, lengths.as_mut())?,
                    }
                }
                SinkMessage::Sync { time, reply } => {
                    self.sync(sink, retry.as_mut())?;
                    let len = lengths.as_mut().map_or(0, |lengths| lengths.at(time));
                    if is_transactional {
                        self.part.progress.set_durable(last);
                    }
                    // The checkpointer may have given up.
                    let _ = reply.send(len);
                }
            }
            next = match messages.try_recv() {
                Ok(next) => Some(next),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
                    self.flush_kept(sink, retry.as_mut())?;
                    if is_transactional {
                        let durable = sink.staged().map_or(last, |sink| sink.durable());
                        self.part.progress.set_durable(durable);
                    }
                    self.wait(messages, sink)?
                }
            };
        }
        self.method.set("close");
        sink.close()?;
        if let Some(file) = sink.file() {
            file.check()?;
        }
        retry.map_or(Ok(()), |retry| retry.refusals.check())
    }

    /// Waits for the next message, and returns `None` if no message will follow. Ends a part that becomes due during
    /// the wait.
    fn wait<S: Schema>(
        &self,
        messages: &Receiver<SinkMessage<S>>,
        sink: &mut dyn AnySink<S>,
    ) -> Result<Option<SinkMessage<S>>, BoxError> {
        loop {
            let due = sink.staged().and_then(|sink| sink.due());
            self.part.progress.set_idle(true);
            let next = match due {
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => messages.recv_deadline(due),
            };
            self.part.progress.set_idle(false);
            match (next, sink.staged()) {
                (Ok(message), _) => return Ok(Some(message)),
                (Err(RecvTimeoutError::Timeout), Some(sink)) => {
                    self.method.set("flush");
                    sink.end_part()?;
                    self.part.progress.set_durable(sink.durable());
                }
                (Err(_), _) => return Ok(None),
            }
        }
    }

    /// Makes everything that was written durable.
    fn sync<S: Schema>(&self, sink: &mut dyn AnySink<S>, retry: Option<&mut Retry<S>>) -> RunResult {
        self.method.set("flush");
        if let Some(file) = sink.file() {
            file.sync()
        } else if let Some(staged) = sink.staged() {
            staged.end_part()
        } else {
            self.flush_kept(sink, retry)
        }
    }

    /// Flushes a sink, which is retried if its commits are kept.
    fn flush_kept<S: Schema>(&self, sink: &mut dyn Sink<S>, retry: Option<&mut Retry<S>>) -> RunResult {
        match retry {
            Some(retry) => retry.flush(sink, self),
            None => self.flush(sink),
        }
    }

    /// Writes a commit to a sink that is not retried.
    fn write_delivery<S: Schema>(
        &self,
        sink: &mut dyn AnySink<S>,
        delivery: &Delivery<S>,
        lengths: Option<&mut Lengths>,
    ) -> RunResult {
        let commit = &delivery.commit;
        self.part.progress.writes(commit.time());
        self.write(sink, commit)?;
        self.part.progress.taken(commit.len());
        if let (Some(lengths), Some(file)) = (lengths, sink.file()) {
            lengths.since.push_back((commit.time(), file.position()));
        }
        Ok(())
    }

    /// Opens a sink, or recovers a transactional sink and sends it the commits that it lacks.
    fn open<S: Schema>(
        &self,
        sink: &mut dyn AnySink<S>,
        recovery: Option<&Recovery<S>>,
        retry: Option<&mut Retry<S>>,
    ) -> RunResult {
        let Some(Recovery { checkpoint, known, held }) = recovery else {
            self.method.set("open");
            return sink.open(S::SCHEMA);
        };
        let time = self.recover(sink)?;
        if time > *checkpoint {
            return Err(fatal(format!(
                "it has commits up to time {time}, and the checkpoint in the state directory is of time {checkpoint}: \
                 they do not belong together\nhelp: {FROM_ONE_BACKUP}"
            )));
        }
        if time < *known {
            let (has, reason) = match time {
                0 => ("no commit".to_owned(), "it was emptied, or replaced by another one"),
                _ => (format!("commits up to time {time} only"), "it was replaced by an older one"),
            };
            return Err(fatal(format!(
                "it has {has}, but had commits up to {known} when the last checkpoint was made: {reason}\nhelp: {FROM_ONE_BACKUP}"
            )));
        }
        let mut missed = held.iter().filter(|commit| commit.time() > time);
        let written = missed.try_for_each(|commit| self.write(sink, commit)).and_then(|()| self.sync(sink, None));
        match (written, retry) {
            (Err(error), Some(retry)) if retry.refusals.apply_to(&error) => {
                retry.refusals.write_rest(held, sink, self)?;
            }
            (written, _) => written?,
        }
        self.part.progress.set_durable(held.last().map_or(time, |last| last.time().max(time)));
        Ok(())
    }
}

/// The length of a file after each commit since the last sync.
struct Lengths {
    /// The length at the time of the last request.
    len: u64,
    since: VecDeque<(u64, u64)>,
}

impl Lengths {
    fn at(&mut self, time: u64) -> u64 {
        while let Some((_, len)) = self.since.front().filter(|(written, _)| *written <= time) {
            self.len = *len;
            self.since.pop_front();
        }
        self.len
    }
}
