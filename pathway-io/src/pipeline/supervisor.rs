//! [`Supervisor`]: how a run begins, and how it ends.
//!
//! The end has two phases. First the sources: each ends by itself, or a stop closes its subjects and its thread comes
//! back. Then the sinks: the sequencer is told that no commit will follow, hands out what it has, and drops its ends
//! of the sinks' channels. After a stop each phase has the grace; who is still busy then is left behind and named.
//!
//! The supervisor sees to it on a thread of its own, so that a run ends by itself also while nobody joins it: who reads
//! `updates` until they are disconnected must not wait for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};

use crate::persist::checkpointer;
use crate::persist::directory::StateDirectory;
use crate::pipeline::progress::Display;
use crate::pipeline::running::Running;
use crate::pipeline::signals::Signals;
use crate::run::control::{Checkpoints, Control, RunState, SourceState, panicked};
use crate::run::error::{Error, FailureKind, Result};
use crate::run::summary::{SourceSummary, Summary};
use crate::run::threads;
use crate::sequencer::{Message, Sequencer};
use crate::source::intake::Tail;
use crate::source::shared::{self, Source};

/// What starts the parts of a run and waits for them.
pub(crate) struct Supervisor {
    pub(crate) control: Arc<Control>,
    pub(crate) messages: Sender<Message>,
    pub(crate) grace: Duration,
    pub(crate) signals: Option<Signals>,
    /// Whether a person is to see the run.
    pub(crate) progress: bool,
    /// Of a persistent pipeline.
    pub(crate) state: Option<State>,
    /// The threads that compute.
    #[cfg(feature = "dataflow")]
    pub(crate) workers: Option<crate::dataflow::Guards>,
}

/// What a persistent pipeline has besides.
pub(crate) struct State {
    /// What the checkpointer is started with, until it is.
    pub(crate) checkpointer: Option<checkpointer::Plan>,
    /// Kept until the end, so that nobody else comes in.
    pub(crate) directory: Arc<StateDirectory>,
}

/// A source that is ready, and what starts its thread.
pub(crate) type Launch = (Arc<Source>, Box<dyn FnOnce(Arc<Source>, usize) -> std::io::Result<()> + Send>);

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
        // No file is touched before the sinks that keep their own time have agreed.
        self.control.wait(
            |run| run.sinks.iter().all(|sink| !sink.is_transactional || sink.opened || sink.ended),
            |run| self.deadline(run, None),
        );
        self.control.update(|run| run.checking = run.checking && !run.failures.is_empty());
        self.control.wait(RunState::is_ready, |run| self.deadline(run, None));
        self.start_checkpointer();
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
        #[cfg(feature = "dataflow")]
        let flow = sequencer.flow.clone();
        let spawned = threads::spawn("sequencer", move || {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| sequencer.run())) {
                let kind = panicked("its sequencer", &*payload);
                control.fail(Error::pipeline_failure(kind));
                // Nothing is delivered any more, but whoever waits for credit must not wait for ever.
                while messages.recv().is_ok_and(|message| !matches!(message, Message::Finish)) {}
            }
            #[cfg(feature = "dataflow")]
            if let Some(flow) = flow {
                flow.finish();
            }
            control.update(|run| run.sequenced = true);
        });
        if let Err(error) = spawned {
            self.control.fail(Error::pipeline(error));
            self.control.update(|run| run.sequenced = true);
        }
    }

    /// Starts it once all sinks are open, and waits for the first checkpoint, without which no source runs.
    fn start_checkpointer(&mut self) {
        let Some(state) = &mut self.state else { return };
        let Some(plan) = state.checkpointer.take() else { return };
        if self.control.update(|run| !run.failures.is_empty()) {
            // What was not opened has nothing to make durable.
            return;
        }
        self.control.update(|run| run.checkpoints = Some(Checkpoints::Beginning));
        let control = Arc::clone(&self.control);
        let spawned = threads::spawn("checkpointer", move || {
            let entries = plan.entries.clone();
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| checkpointer::run(plan))) {
                control.fail(Error::pipeline_failure(panicked("its checkpointer", &*payload)));
                while entries.recv().is_ok() {}
            }
            control.update(|run| run.checkpoints = Some(Checkpoints::Ended));
        });
        if let Err(error) = spawned {
            self.control.fail(Error::pipeline(error));
            self.control.update(|run| run.checkpoints = None);
        }
        self.control.wait(
            |run| run.checkpoints != Some(Checkpoints::Beginning) || !run.failures.is_empty(),
            |run| self.deadline(run, None),
        );
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
        for (index, (source, spawn)) in launches.into_iter().enumerate() {
            if self.control.is_stopping() {
                // Its connector goes with what would have started it.
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(spawn))) {
                    source.fail(panicked("its drop", &*payload));
                }
            } else {
                self.control.update(|run| run.sources[index].started = Instant::now());
                match spawn(Arc::clone(&source), index) {
                    Ok(()) => continue,
                    Err(error) => source.fail(FailureKind::Failed(Box::new(error))),
                }
            }
            // It was never entered, so there is nothing to clean up.
            source.intake.finish(Tail::Drop);
            let summary = shared::summary(&source, Duration::ZERO);
            self.control.update(|run| run.sources[index].ended = Some(summary));
        }
    }

    /// The time at which a phase that began at `began` is over; none without a stop.
    fn deadline(&self, run: &RunState, began: Option<Instant>) -> Option<Instant> {
        let (_, stopped) = run.stop?;
        began.map_or(stopped, |began| began.max(stopped)).checked_add(self.grace)
    }

    /// The time at which the drain that began at `began` is over. Where there are other processes, it begins when their
    /// sources have ended, which have the grace for that.
    fn drain_deadline(&self, run: &RunState, began: Instant) -> Option<Instant> {
        #[cfg(feature = "dataflow")]
        let began = if run.farewell.is_due { began.max(self.deadline(run, None)?) } else { began };
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
        let ended = self.control.wait(
            |run| run.sources.iter().all(|source| source.ended.is_some() && source.hooks_running == 0),
            |run| self.deadline(run, None),
        );
        if !ended {
            self.leave_sources();
        }
        let draining = Instant::now();
        // A sequencer that is gone has said so.
        let _ = self.messages.send(Message::Finish);
        let drained = self.control.wait(RunState::is_drained, |run| self.drain_deadline(run, draining));
        if !drained {
            self.control.leave_behind(left_behind);
            #[cfg(feature = "dataflow")]
            crate::dataflow::Farewell::cut_short(&self.control);
        }
        drop(self.signals.take());
        if !drained && let Some(state) = self.state.take() {
            // Who was left behind may still write.
            std::mem::forget(state.directory);
        }
        #[cfg(feature = "dataflow")]
        if let Some(workers) = self.workers.take() {
            workers.leave(drained, &self.control, self.grace);
        }
        self.result()
    }

    /// Leaves sources behind that have not ended in time; what they have pushed is committed for them.
    fn leave_sources(&self) {
        let busy: Vec<Arc<Source>> = self.control.update(|run| {
            let busy = run.sources.iter().filter(|state| state.ended.is_none());
            busy.map(|state| Arc::clone(&state.source)).collect()
        });
        for source in &busy {
            source.intake.finish(source.unread_tail());
        }
        self.control.leave_behind(|run| {
            let busy = run.sources.iter().filter(|state| state.ended.is_none() || state.hooks_running > 0);
            busy.map(|state| Error::connector(&state.source.name, FailureKind::TimedOut { undelivered: None }))
                .collect()
        });
    }

    fn result(&self) -> Result<Summary> {
        // Threads that were left behind may still hold the control; nothing of the sources is to stay in it.
        let (sources, failures, stop) = self.control.update(|run| {
            (std::mem::take(&mut run.sources), std::mem::take(&mut run.failures), run.stop.map(|(stop, _)| stop))
        });
        let summary = Summary { sources: sources.into_iter().map(summarize).collect(), stop };
        let mut failures = failures.into_iter();
        match failures.next() {
            None => Ok(summary),
            Some(first) => Err(first.with_rest(failures.collect(), summary)),
        }
    }
}

/// The failures of what is busy behind the sources. Who waits for another that is busy is not to blame.
fn left_behind(run: &RunState) -> Vec<Error> {
    if run.is_drained() {
        // At the last moment.
        return Vec::new();
    }
    let of_sinks = |are_busy: bool| {
        let sinks = run.sinks.iter().filter(move |sink| !sink.ended && (sink.progress.is_busy() || !are_busy));
        sinks.map(|sink| {
            Error::sink(&sink.name, FailureKind::TimedOut { undelivered: Some(sink.progress.undelivered()) })
        })
    };
    let mut failures: Vec<Error> = of_sinks(true).collect();
    #[cfg(feature = "dataflow")]
    failures.extend(crate::dataflow::WorkerState::left_behind(&run.workers));
    // Where something here is busy, it is no wonder that the others are, and the checkpointer waits for it.
    if failures.is_empty() && run.checkpoints.is_some_and(|checkpoints| checkpoints != Checkpoints::Ended) {
        failures.push(Error::pipeline("its state was still being written when the grace after the stop was over"));
    }
    #[cfg(feature = "dataflow")]
    if failures.is_empty() {
        failures.extend(run.farewell.left_behind());
    }
    #[cfg(feature = "dataflow")]
    if failures.is_empty() {
        failures = crate::dataflow::WorkerState::left_between_steps(&run.workers);
    }
    if failures.is_empty() {
        failures.extend(of_sinks(false));
    }
    if failures.is_empty() && !run.is_done() {
        failures.push(Error::pipeline_failure(FailureKind::TimedOut { undelivered: None }));
    }
    failures
}

fn summarize(state: SourceState) -> SourceSummary {
    state.ended.unwrap_or_else(|| shared::summary(&state.source, state.started.elapsed()))
}
