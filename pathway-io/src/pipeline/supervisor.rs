//! [`Supervisor`]: how a run begins, and how it ends.
//!
//! The end has two phases. First the sources: each ends by itself, or a stop closes its subjects and its thread comes
//! back. Then the sinks: the sequencer is told that no commit will follow, hands out what it has, and drops its ends
//! of the sinks' channels. After a stop each phase has the grace; who is still busy then is left behind and named.
//!
//! The supervisor sees to it on a thread of its own, so that a run ends by itself also while nobody joins it: who reads
//! `commits` until they are disconnected must not wait for ever.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};

use super::blame::blame;
use super::extensions::{Checkpointing, RunningEngine};
use super::progress::Display;
use super::running::Running;
use super::signals::Signals;
use crate::run::control::{Control, PartId, RunState};
use crate::run::error::{Error, FailureKind, Result};
use crate::run::guard::guarded;
use crate::run::part::{Part, Phase, Role};
use crate::run::summary::Summary;
use crate::run::threads;
use crate::sequencer::{Message, Sequencer};
use crate::source::intake::Tail;
use crate::source::shared::Source;

/// What starts the parts of a run and waits for them.
pub(crate) struct Supervisor {
    pub(crate) control: Arc<Control>,
    pub(crate) messages: Sender<Message>,
    pub(crate) grace_period: Duration,
    pub(crate) signals: Option<Signals>,
    /// Whether the run is shown on the terminal.
    pub(crate) progress: bool,
    /// The checkpointer of a persistent pipeline.
    pub(crate) state: Option<Box<dyn Checkpointing>>,
    /// The threads that compute.
    pub(crate) engine: Option<Box<dyn RunningEngine>>,
}

/// A source that is ready, and what starts its thread.
pub(crate) type Launch = (Arc<Source>, PartId, Box<dyn FnOnce(Arc<Source>, PartId) -> std::io::Result<()> + Send>);

/// The sequencer, as the run waits for it. It waits for no other part, so that it is never to blame by itself.
struct SequencerPart;

impl Part for SequencerPart {
    fn role(&self) -> Role {
        Role::Downstream
    }
}

/// The thread of a supervisor, and how it gets what it supervises.
struct Watch {
    thread: JoinHandle<Result<Summary>>,
    hand_over: Sender<Supervisor>,
}

impl Supervisor {
    /// Starts everything, the sources last and only once all sinks are open.
    pub(crate) fn start(mut self, sequencer: Sequencer, launches: Vec<Launch>) -> Result<Running> {
        self.start_sequencer(sequencer);
        // Before the sources, since a run that cannot be watched is none.
        let watch = self.watch();
        // No file is touched before the transactional sinks have agreed.
        self.control.wait(RunState::is_checked, |run| self.deadline(run, None));
        self.control.update(|run| run.checking = run.checking && !run.failures.is_empty());
        self.control.wait(RunState::is_ready, |run| self.deadline(run, None));
        if let Some(state) = &mut self.state {
            if self.control.update(|run| run.failures.is_empty()) {
                state.start();
                self.control.wait(|run| run.is_ready() || !run.failures.is_empty(), |run| self.deadline(run, None));
            } else {
                // A sink that was not opened has nothing to make durable.
                state.give_up();
            }
        }
        // What fails from here on is for `join` to say.
        let failed = self.control.update(|run| !run.failures.is_empty());
        self.start_sources(launches);
        let control = Arc::clone(&self.control);
        match watch {
            Some(watch) if !failed => {
                // The thread waits for it.
                let _ = watch.hand_over.send(self);
                Ok(Running::new(control, watch.thread))
            }
            _ => Err(self.end().err().unwrap_or_else(|| Error::pipeline("it could not be watched"))),
        }
    }

    fn start_sequencer(&self, sequencer: Sequencer) {
        let control = Arc::clone(&self.control);
        let messages = sequencer.messages.clone();
        let downstream = sequencer.downstream.clone();
        let id = control.add(Arc::new(SequencerPart), Phase::Running);
        let spawned = threads::spawn("sequencer", move || {
            if let Err(kind) = guarded("its sequencer", || sequencer.run()) {
                control.fail(Error::pipeline_failure(kind));
                // Nothing is delivered any more, but whoever waits for credit must not wait for ever.
                while messages.recv().is_ok_and(|message| !matches!(message, Message::Finish)) {}
            }
            if let Some(downstream) = downstream {
                downstream.finish();
            }
            control.set_phase(id, Phase::Ended);
        });
        if let Err(error) = spawned {
            self.control.fail(Error::pipeline(error));
            self.control.set_phase(id, Phase::Ended);
        }
    }

    fn watch(&self) -> Option<Watch> {
        let (hand_over, handed_over) = bounded::<Supervisor>(1);
        let spawned = threads::spawn("supervisor", move || match handed_over.recv() {
            Ok(supervisor) => supervisor.show_until_end(),
            // The run did not start, and `start` says so.
            Err(_) => Ok(Summary::default()),
        });
        match spawned {
            Ok(thread) => Some(Watch { thread, hand_over }),
            Err(error) => {
                self.control.fail(Error::pipeline(error));
                None
            }
        }
    }

    /// Starts the sources, unless the run has failed or was stopped by then.
    fn start_sources(&self, launches: Vec<Launch>) {
        for (source, id, spawn) in launches {
            if self.control.is_stopping() {
                // Its connector is dropped with what would have started it.
                if let Err(kind) = guarded("its drop", || drop(spawn)) {
                    source.fail(kind);
                }
            } else {
                // A source is started once.
                let _ = source.started.set(Instant::now());
                self.control.set_phase(id, Phase::Running);
                match spawn(Arc::clone(&source), id) {
                    Ok(()) => continue,
                    Err(error) => source.fail(FailureKind::Failed(Box::new(error))),
                }
            }
            // It was never entered, so there is nothing to clean up.
            source.intake.finish(Tail::Drop);
            let _ = source.ended.set(source.summary_after(Duration::ZERO));
            self.control.set_phase(id, Phase::Ended);
        }
    }

    /// The time at which a phase that began at `began` is over; none without a stop.
    fn deadline(&self, run: &RunState, began: Option<Instant>) -> Option<Instant> {
        let (_, stopped) = run.stop?;
        began.map_or(stopped, |began| began.max(stopped)).checked_add(self.grace_period)
    }

    /// The time at which the drain that began at `began` is over. Where there are other processes, it begins when their
    /// sources have ended, which have the grace for that.
    fn drain_deadline(&self, run: &RunState, began: Instant) -> Option<Instant> {
        let has_peers = run.parts.iter().any(|member| member.part.role() == Role::Process);
        let began = if has_peers { began.max(self.deadline(run, None)?) } else { began };
        self.deadline(run, Some(began))
    }

    /// Waits for the end, and shows the run until then.
    fn show_until_end(self) -> Result<Summary> {
        let display = if self.progress { Display::start(&self.control) } else { None };
        let result = self.end();
        if let Some(display) = display {
            display.finish(&result);
        }
        result
    }

    fn end(mut self) -> Result<Summary> {
        let ended = self.control.wait(RunState::sources_have_ended, |run| self.deadline(run, None));
        if !ended {
            self.abandon_sources();
        }
        let draining = Instant::now();
        // A sequencer that is gone has said so.
        let _ = self.messages.send(Message::Finish);
        let drained = self.control.wait(RunState::is_drained, |run| self.drain_deadline(run, draining));
        if !drained {
            self.control.abandon(blame);
            if let Some(engine) = &self.engine {
                engine.cut_short();
            }
        }
        drop(self.signals.take());
        if let Some(state) = self.state.take() {
            state.leave(!drained);
        }
        if let Some(engine) = self.engine.take() {
            engine.leave(drained, self.grace_period);
        }
        self.result()
    }

    /// Abandons sources that have not ended in time. What they have pushed is committed for them.
    fn abandon_sources(&self) {
        for source in self.control.parts::<Source>() {
            if source.ended.get().is_none() {
                source.intake.finish(source.unread_tail());
            }
        }
        self.control.abandon(|run| {
            let busy = run.parts.iter().filter(|member| member.part.role() == Role::Source && !member.has_ended());
            busy.flat_map(|member| member.part.blame()).map(|(_, error)| error).collect()
        });
    }

    fn result(&self) -> Result<Summary> {
        let sources = self.control.parts::<Source>();
        let (parts, failures, stop) = self.control.update(|run| {
            let (parts, failures) = (std::mem::take(&mut run.parts), std::mem::take(&mut run.failures));
            (parts, failures, run.stop.map(|(stop, _)| stop))
        });
        // Abandoned threads may still hold the control. Nothing of the sources must stay in it.
        drop(parts);
        let summary = Summary { sources: sources.iter().map(|source| source.summary()).collect(), stop };
        let mut failures = failures.into_iter();
        match failures.next() {
            None => Ok(summary),
            Some(first) => Err(first.with_rest(failures.collect(), summary)),
        }
    }
}
