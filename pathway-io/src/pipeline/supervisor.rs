//! [`Supervisor`]: starts the parts of a run and waits for their end.
//!
//! The end has two phases. First the sources end: each returns by itself, or a stop closes its subjects. Then the sinks
//! end: the supervisor tells the sequencer that no commit will follow. The sequencer delivers all remaining commits and
//! drops its ends of the sinks' channels. After a stop, each phase has the grace period. A part that has not ended by
//! then is abandoned and named in the error.
//!
//! The supervisor has its own thread, so that a run also ends if no thread joins it. For example, the program may read
//! `commits` until the channel is disconnected before it calls `join`.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};

use super::extensions::{Checkpointing, RunningEngine};
use super::monitor::Monitor;
use super::overdue::{overdue, overdue_sources};
use super::plan::Spawn;
use super::progress::Display;
use super::running::Running;
use super::signals::Signals;
use super::watchdog::Watchdog;
use crate::run::control::{Control, PartId, RunState};
use crate::run::error::{Error, FailureKind, Result};
use crate::run::guard::{Ending, guarded};
use crate::run::part::{Phase, Role};
use crate::run::summary::Summary;
use crate::run::threads;
use crate::sequencer::inbox::Inbox;
use crate::sequencer::{Sequencer, SequencerMessage, SequencerPart};
use crate::sink::part::SinkPart;
use crate::source::intake::Tail;
use crate::source::shared::Source;

/// Starts the parts of a run and waits for them.
pub(crate) struct Supervisor {
    pub(crate) control: Arc<Control>,
    pub(crate) monitor: Monitor,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) grace_period: Duration,
    pub(crate) signals: Option<Signals>,
    /// Shows the run on the terminal. A start that waits for a sink is shown, too.
    pub(crate) display: Option<Display>,
    /// The checkpointer of a persistent pipeline.
    pub(crate) state: Option<Box<dyn Checkpointing>>,
    /// The threads of the engine.
    pub(crate) engine: Option<Box<dyn RunningEngine>>,
}

/// A source that is ready to start, and the function that starts its thread.
pub(super) type Launch = (Arc<Source>, PartId, Spawn);

/// The thread of a supervisor, and the channel through which it receives its supervisor.
struct SupervisorThread {
    thread: JoinHandle<Result<Summary>>,
    hand_over: Sender<Supervisor>,
}

impl Supervisor {
    /// Starts all parts. The sources start last, after all sinks are open.
    pub(super) fn start(mut self, sequencer: Sequencer, launches: Vec<Launch>) -> Result<Running> {
        self.start_sequencer(sequencer);
        // The supervisor's thread must exist before the sources start, since nothing would end them without it.
        let thread = self.spawn_thread();
        // Sinks touch no file until all transactional sinks have passed their checks.
        self.control.wait(RunState::is_checked, |run| self.deadline(run, None));
        // After a stop, the wait can end without the checks.
        let may_open = self.control.update(|run| {
            run.checking = run.checking && !(run.failures.is_empty() && run.is_checked());
            !run.checking
        });
        self.control.wait(RunState::is_ready, |run| self.deadline(run, None));
        if let Some(state) = &mut self.state {
            if may_open && self.control.update(|run| run.failures.is_empty()) {
                state.start();
                self.control.wait(|run| run.is_ready() || !run.failures.is_empty(), |run| self.deadline(run, None));
            } else {
                // The sinks are not open, so the checkpointer has nothing to do.
                state.give_up();
            }
        }
        // A failure before this point is returned by `start`, a later one by `join`.
        let failed = self.control.update(|run| !run.failures.is_empty());
        self.start_sources(launches);
        let (control, monitor) = (Arc::clone(&self.control), self.monitor.clone());
        match thread {
            Some(SupervisorThread { thread, hand_over }) if !failed => {
                // The send cannot fail: the thread waits for exactly this message.
                let _ = hand_over.send(self);
                Ok(Running::new(control, monitor, thread))
            }
            _ => Err(self.end().err().unwrap_or_else(|| Error::pipeline("its supervisor thread could not be started"))),
        }
    }

    fn start_sequencer(&self, sequencer: Sequencer) {
        let (control, inbox) = (Arc::clone(&self.control), Arc::clone(&self.inbox));
        let downstream = sequencer.downstream.clone();
        let part = SequencerPart { time: sequencer.clock.shared_time(), inbox: Arc::clone(&inbox) };
        let id = control.add(Arc::new(part), Phase::Running);
        let spawned = threads::spawn("sequencer", move || {
            let _ending = Ending { control: &control, id };
            inbox.run(sequencer);
            if let Some(downstream) = downstream {
                downstream.finish();
            }
        });
        if let Err(error) = spawned {
            self.control.fail(Error::pipeline(error));
            self.inbox.close();
            self.control.set_phase(id, Phase::Ended);
        }
    }

    fn spawn_thread(&self) -> Option<SupervisorThread> {
        let (hand_over, handed_over) = bounded::<Supervisor>(1);
        let spawned = threads::spawn("supervisor", move || match handed_over.recv() {
            Ok(supervisor) => supervisor.show_until_end(),
            // The channel was closed because the run did not start. `start` returns the error.
            Err(_) => Ok(Summary::default()),
        });
        match spawned {
            Ok(thread) => Some(SupervisorThread { thread, hand_over }),
            Err(error) => {
                self.control.fail(Error::pipeline(error));
                None
            }
        }
    }

    /// Starts the sources, unless the run has already failed or was stopped.
    fn start_sources(&self, launches: Vec<Launch>) {
        for (source, id, spawn) in launches {
            if self.control.is_stopping() {
                // The closure owns the connector, whose drop may panic.
                if let Err(kind) = guarded("its drop", || drop(spawn)) {
                    source.fail(kind);
                }
            } else {
                // The cell is empty: a source is started once.
                let _ = source.started.set(Instant::now());
                self.control.set_phase(id, Phase::Running);
                match spawn(Arc::clone(&source), id) {
                    Ok(()) => continue,
                    Err(error) => source.fail(FailureKind::Failed(Box::new(error))),
                }
            }
            // The source has not run, so it has pushed nothing that must be committed.
            source.intake.finish(Tail::Drop);
            let _ = source.ended.set(source.summary_after(Duration::ZERO));
            self.control.set_phase(id, Phase::Ended);
        }
    }

    /// Returns the deadline of a phase that began at `began`, or `None` without a stop.
    fn deadline(&self, run: &RunState, began: Option<Instant>) -> Option<Instant> {
        let (_, stopped) = run.stop?;
        began.map_or(stopped, |began| began.max(stopped)).checked_add(self.grace_period)
    }

    /// Returns the deadline of the drain that began at `began`. With several processes, its grace period begins when
    /// the grace period of the sources has ended, because sources of other processes may use it up.
    fn drain_deadline(&self, run: &RunState, began: Option<Instant>) -> Option<Instant> {
        let has_peers = run.parts.iter().any(|member| member.part.role() == Role::Process);
        let began = if has_peers { began.max(self.deadline(run, None)) } else { began };
        self.deadline(run, began)
    }

    /// Waits for the end, and then shows the summary.
    fn show_until_end(mut self) -> Result<Summary> {
        let display = self.display.take();
        let result = self.end();
        if let Some(display) = display {
            display.finish(&result);
        }
        result
    }

    fn end(mut self) -> Result<Summary> {
        let mut watchdog = Watchdog::new(&self.control, self.grace_period);
        let ended = watchdog.watch(RunState::sources_have_ended, |run| self.deadline(run, None), overdue_sources);
        if !ended {
            self.abandon_sources();
        }
        // Without a stop, the start waits until all are ready. After a stop, a part that is still opening has had the
        // grace period.
        let draining = self.control.update(|run| run.is_ready()).then(Instant::now);
        // This fails only if the sequencer has panicked, and then the control already knows the failure.
        let _ = self.inbox.send(SequencerMessage::Finish);
        let drained = watchdog.watch(RunState::is_drained, |run| self.drain_deadline(run, draining), overdue);
        if !drained {
            self.abandon(overdue);
            if let Some(engine) = &self.engine {
                engine.cut_short();
            }
        }
        drop(self.signals.take());
        if let Some(state) = self.state.take() {
            state.release(!drained);
        }
        if let Some(engine) = self.engine.take() {
            engine.join(drained, self.grace_period);
        }
        self.result()
    }

    /// Abandons the sources that have not ended in time, and commits their rows.
    fn abandon_sources(&self) {
        for source in self.control.parts::<Source>() {
            if source.ended.get().is_none() {
                source.intake.finish(source.tail_if_cut_short());
            }
        }
        self.abandon(overdue_sources);
    }

    /// Records the failures of the parts that are overdue.
    fn abandon(&self, overdue: impl FnOnce(&RunState) -> Vec<Error>) {
        let after = |error: Error| error.after(self.grace_period);
        self.control.abandon(|run| overdue(run).into_iter().map(after).collect());
    }

    fn result(&self) -> Result<Summary> {
        self.monitor.end();
        let sources = self.control.parts::<Source>();
        let left: Vec<Error> = sources.iter().flat_map(|source| source.drop_user_values()).collect();
        self.control.abandon(|_| left);
        let sinks = self.control.parts::<SinkPart>();
        let refused_updates = sinks.iter().map(|sink| sink.progress.refused_updates()).sum();
        let (parts, failures, stop) = self.control.update(|run| {
            let (parts, failures) = (std::mem::take(&mut run.parts), std::mem::take(&mut run.failures));
            (parts, failures, run.stop.map(|(stop, _)| stop))
        });
        // Abandoned threads may keep the control alive, so it must not keep the sources alive.
        drop(parts);
        let summary =
            Summary { sources: sources.iter().map(|source| source.summary()).collect(), stop, refused_updates };
        let mut failures = failures.into_iter();
        match failures.next() {
            None => Ok(summary),
            Some(first) => Err(first.with_rest(failures.collect(), summary)),
        }
    }
}
