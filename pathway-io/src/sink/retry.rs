//! Retries a sink after an error: [`Retry`].
//!
//! The commits since the last flush can be lost with the sink's connection or transaction, so they are kept until the
//! next flush. They hold the credit of their rows. The backlog therefore bounds their number, and the sources wait
//! while the sink does not recover. After an error, the sink returns the time of its last commit, and receives later
//! commits again.

use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::control::Notice;
use crate::run::error::{BoxError, RunResult, fatal, is_fatal};
use crate::run::guard::DROP_OF_ERROR;
use crate::run::panics::text_with_causes;
use crate::run::restart::{Attempts, Restart};
use crate::sink::Sink;
use crate::sink::outlet::Delivery;
use crate::sink::part::Worker;
use crate::sink::refusals::Refusals;

/// A flush is made at the latest when this many updates are kept.
const HELD_UPDATES: usize = 25_000;
/// A flush is also made when the first of these updates is this old, so that readers of the database need not wait for
/// a pause in the stream.
const HELD_TIME: Duration = Duration::from_millis(100);

/// The state that a retry of a sink needs.
pub(super) struct Retry<S: Schema> {
    restart: Restart,
    attempts: Attempts,
    /// The commits since the last flush.
    held: Vec<Delivery<S>>,
    updates: usize,
    /// The moment at which the first of these commits was written.
    since: Option<Instant>,
    /// The time of the last commit that was flushed.
    flushed: u64,
    began: Instant,
    /// Whether a stop was requested, so that the next attempt is the last.
    is_last: bool,
    pub(super) refusals: Refusals,
}

impl<S: Schema> Retry<S> {
    pub(super) fn new(restart: Restart, refusals: Refusals) -> Self {
        Retry {
            restart,
            attempts: Attempts::default(),
            held: Vec::new(),
            updates: 0,
            since: None,
            flushed: 0,
            began: Instant::now(),
            is_last: false,
            refusals,
        }
    }

    /// Records that the sink is open, and has all commits up to `time`.
    pub(super) fn opened(&mut self, time: u64) {
        self.flushed = time;
        self.began = Instant::now();
    }

    /// Writes a commit, and keeps it until it is flushed.
    pub(super) fn write(&mut self, delivery: Delivery<S>, sink: &mut dyn Sink<S>, worker: &Worker) -> RunResult {
        if self.held.is_empty() {
            worker.part.progress.writes(delivery.commit.time());
        }
        let written = worker.write(sink, &delivery.commit);
        self.updates += delivery.commit.len();
        self.since.get_or_insert_with(Instant::now);
        self.held.push(delivery);
        if let Err(error) = written {
            return self.recover(error, sink, worker);
        }
        let is_due = self.updates >= HELD_UPDATES || self.since.is_some_and(|since| since.elapsed() >= HELD_TIME);
        if is_due { self.flush(sink, worker) } else { Ok(()) }
    }

    pub(super) fn flush(&mut self, sink: &mut dyn Sink<S>, worker: &Worker) -> RunResult {
        match worker.flush(sink) {
            Ok(()) => {
                self.release(worker);
                self.refusals.check()
            }
            Err(error) => self.recover(error, sink, worker),
        }
    }

    /// Drops the commits, because the sink has flushed them.
    fn release(&mut self, worker: &Worker) {
        for delivery in self.held.drain(..) {
            self.flushed = delivery.commit.time();
            worker.part.progress.taken(delivery.commit.len());
        }
        self.updates = 0;
        self.since = None;
        self.attempts = Attempts::default();
        self.is_last = false;
    }

    /// Retries until all kept commits are flushed.
    fn recover(&mut self, mut error: BoxError, sink: &mut dyn Sink<S>, worker: &Worker) -> RunResult {
        loop {
            let caught_up = if self.refusals.apply_to(&error) {
                match self.leave_out(sink, worker) {
                    // The sink refuses a commit without updates, or its own recovery: there is nothing to leave out.
                    Err(refusal) if self.refusals.apply_to(&refusal) => return Err(refusal),
                    left_out => left_out,
                }
            } else {
                self.pause(error, worker)?;
                self.catch_up(sink, worker)
            };
            match caught_up {
                Ok(()) => {
                    info!(sink = &*worker.part.name, "recovered");
                    worker.part.progress.recovered();
                    return Ok(());
                }
                Err(next) => error = next,
            }
        }
    }

    /// Writes the kept commits, without the updates that the sink refuses permanently.
    fn leave_out(&mut self, sink: &mut dyn Sink<S>, worker: &Worker) -> RunResult {
        let held: Vec<Commit<S>> = self.held.iter().map(|delivery| delivery.commit.clone()).collect();
        self.refusals.write_rest(&held, sink, worker)?;
        self.release(worker);
        Ok(())
    }

    /// Asks the sink for the time of its last commit, and writes later commits again.
    fn catch_up(&mut self, sink: &mut dyn Sink<S>, worker: &Worker) -> RunResult {
        let time = worker.recover(sink)?;
        // A transactional sink must report a time that is possible here. Any other sink may receive a commit twice.
        if sink.is_transactional() {
            let (flushed, last) = (self.flushed, self.held.last().map_or(self.flushed, |last| last.commit.time()));
            if time < flushed || time > last {
                return Err(fatal(format!(
                    "after an error it has commits up to time {time}, but the pipeline has flushed commits up to \
                     {flushed} and written commits up to {last}: another program has changed it"
                )));
            }
        }
        for delivery in self.held.iter().filter(|delivery| delivery.commit.time() > time) {
            worker.write(sink, &delivery.commit)?;
        }
        worker.flush(sink)?;
        self.release(worker);
        Ok(())
    }

    /// Waits for the next attempt.
    ///
    /// # Errors
    ///
    /// Returns `error` if no other attempt follows.
    pub(super) fn pause(&mut self, error: BoxError, worker: &Worker) -> RunResult {
        if self.is_last || is_fatal(&*error) {
            return Err(error);
        }
        let Some(wait) = self.attempts.failed(&self.restart, self.began.elapsed()) else { return Err(error) };
        let (name, text) = (&*worker.part.name, text_with_causes(&*error));
        worker.part.progress.retry(text.clone());
        let retries = worker.part.progress.retries();
        warn!(sink = name, retries, ?wait, "is tried again: it failed: {text}");
        worker.control.write_notice(Notice::Attempt, || {
            format!("sink {name}: failed, retry {retries} in {:.1} s: {text}", wait.as_secs_f64())
        });
        worker.method.set(DROP_OF_ERROR);
        drop(error);
        self.is_last = worker.control.sleep(wait);
        self.began = Instant::now();
        Ok(())
    }
}
