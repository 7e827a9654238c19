//! [`Running`]: a started pipeline, and how it ends.
//!
//! The end has two phases. First the sources: each ends by itself, or a stop closes its subjects and its thread comes
//! back. Then the sinks: the sequencer is told that no commit will follow, hands out what it has, and drops its ends
//! of the sinks' channels. After a stop each phase has the grace; who is still busy then is left behind and named.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use crate::control::{Control, RunState, SourceState, panicked};
use crate::error::{Error, FailureKind, Result};
use crate::sequencer::{Message, Sequencer};
use crate::signals::Signals;
use crate::source::{self, Source};
use crate::summary::{Stop, Summary};
use crate::threads;

/// A pipeline that runs. Dropped, it stops and waits for the end.
///
/// ```
/// # use pathway_io::{connector, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Tick { n: u64 }
/// # struct Endless;
/// # #[connector] impl Endless {
/// #     fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::Result<()> { loop { ticks.next(Tick { n: 1 })?; } }
/// # }
/// let pipeline = Pipeline::new();
/// let updates = pipeline.read(Endless).updates(8);
/// let running = pipeline.start()?;
/// let first = updates.recv().expect("a commit");
/// drop(updates);
/// running.stop();
/// let summary = running.join()?;
/// assert!(summary.sources[0].rows >= first.len() as u64);
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[must_use = "a running pipeline that is dropped stops"]
pub struct Running {
    control: Arc<Control>,
    messages: Sender<Message>,
    grace: Duration,
    signals: Option<Signals>,
    joined: bool,
}

/// A source that is ready, and what starts its thread.
pub(crate) type Launch = (Arc<Source>, Box<dyn FnOnce(Arc<Source>, usize) -> std::io::Result<()> + Send>);

impl Running {
    pub(crate) fn new(
        control: Arc<Control>,
        messages: Sender<Message>,
        grace: Duration,
        signals: Option<Signals>,
    ) -> Self {
        Running { control, messages, grace, signals, joined: false }
    }

    pub(crate) fn start_sequencer(&self, sequencer: Sequencer) {
        let control = Arc::clone(&self.control);
        let messages = sequencer.messages.clone();
        let spawned = threads::spawn("sequencer", move || {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| sequencer.run())) {
                let kind = panicked("its sequencer", &*payload);
                control.fail(Error::pipeline_failure(kind));
                // Nothing is delivered any more, but whoever waits for credit must not wait for ever.
                while let Ok(Message::Commit(_) | Message::Arm { .. }) = messages.recv() {}
            }
            control.update(|run| run.sequenced = true);
        });
        if let Err(error) = spawned {
            self.control.fail(Error::pipeline(error));
            self.control.update(|run| run.sequenced = true);
        }
    }

    /// Waits until all sinks are open and then starts the sources, unless the run has failed or was stopped by then.
    /// Gives the failure if there was one by then; what fails from now on is for `join` to say.
    pub(crate) fn start_sources(mut self, launches: Vec<Launch>) -> Result<Self> {
        self.control.wait(|run| run.sinks.iter().all(|sink| sink.opened || sink.ended), |run| self.deadline(run, None));
        let failed = self.control.update(|run| !run.failures.is_empty());
        for (index, (source, spawn)) in launches.into_iter().enumerate() {
            if !self.control.is_stopping() {
                self.control.update(|run| run.sources[index].started = Instant::now());
                match spawn(Arc::clone(&source), index) {
                    Ok(()) => continue,
                    Err(error) => source.fail(FailureKind::Failed(Box::new(error))),
                }
            }
            // It was never entered, so there is nothing to clean up.
            source.intake.finish();
            let summary = source::summary(&source, Duration::ZERO, None);
            self.control.update(|run| run.sources[index].ended = Some(summary));
        }
        if failed && let Err(error) = self.end() {
            return Err(error);
        }
        Ok(self)
    }

    /// Asks for a stop, and returns at once; [`join`](Self::join) waits for the end.
    pub fn stop(&self) {
        self.control.stop(Stop::Handle);
    }

    /// Waits for the end of the run.
    ///
    /// # Errors
    ///
    /// As [`Pipeline::run`](crate::Pipeline::run).
    pub fn join(mut self) -> Result<Summary> {
        self.end()
    }

    /// The time at which a phase that began at `began` is over; none without a stop.
    fn deadline(&self, run: &RunState, began: Option<Instant>) -> Option<Instant> {
        let (_, stopped) = run.stop?;
        began.map_or(stopped, |began| began.max(stopped)).checked_add(self.grace)
    }

    fn end(&mut self) -> Result<Summary> {
        self.joined = true;
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
        let drained = self.control.wait(
            |run| run.sequenced && run.sinks.iter().all(|sink| sink.ended),
            |run| self.deadline(run, Some(draining)),
        );
        if !drained {
            self.control.leave_behind(|run| {
                let busy = run.sinks.iter().filter(|sink| !sink.ended);
                busy.map(|sink| {
                    let missed = Some(sink.progress.missed());
                    Error::sink(&sink.name, FailureKind::LeftBehind { missed })
                })
                .collect()
            });
        }
        drop(self.signals.take());
        self.result()
    }

    /// Leaves sources behind that have not ended in time; what they have pushed is committed for them.
    fn leave_sources(&self) {
        let busy: Vec<Arc<Source>> = self.control.update(|run| {
            let busy = run.sources.iter().filter(|state| state.ended.is_none());
            busy.map(|state| Arc::clone(&state.source)).collect()
        });
        for source in &busy {
            source.intake.finish();
        }
        self.control.leave_behind(|run| {
            let busy = run.sources.iter().filter(|state| state.ended.is_none() || state.hooks_running > 0);
            busy.map(|state| Error::connector(&state.source.name, FailureKind::LeftBehind { missed: None })).collect()
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

fn summarize(state: SourceState) -> crate::summary::SourceSummary {
    state.ended.unwrap_or_else(|| source::summary(&state.source, state.started.elapsed(), None))
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.joined {
            self.stop();
            // Who drops a running pipeline does not ask how it ended; failures are in the log.
            let _ = self.end();
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}
