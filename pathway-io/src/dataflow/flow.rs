//! The state that the sequencer and the workers of a running pipeline share: [`Flow`].
//!
//! **The frontier** is the time before which no table of this process receives another commit. Only the sequencer
//! assigns times, so a commit at time `t` moves the frontier of all tables to `t + 1`. An idle table therefore
//! never delays the others, and an idle pipeline uses no CPU. Each worker reads the frontier before it empties its
//! queues. A commit that enters a queue later has a time at or after that frontier.
//!
//! If several processes read partitions, each process announces its commits to the others. They then move their
//! frontiers past these times, as for their own commits.
//!
//! **The ledger** keeps the backlog credit of each commit until the sinks have taken the results of its time. Memory
//! therefore stays bounded, no matter which of source, engine and sink is the slowest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use timely::scheduling::activate::SyncActivations;

use crate::run::control::Control;
use crate::run::error::Error;
use crate::run::lock::Lock;
use crate::sequencer::feed::Downstream;
use crate::source::intake::Credit;

/// The shared state. The module documentation describes it.
#[derive(Default)]
pub(crate) struct Flow {
    frontier: AtomicU64,
    finished: AtomicBool,
    aborted: AtomicBool,
    failed: AtomicBool,
    wakers: Lock<Vec<Waker>>,
    ledger: Lock<Ledger>,
    announce: OnceLock<Box<dyn Fn(u64) + Send + Sync>>,
}

/// Wakes a worker at the operators that bring commits into the dataflow.
struct Waker {
    activations: SyncActivations,
    inlets: Vec<Vec<usize>>,
}

#[derive(Default)]
struct Ledger {
    credits: BTreeMap<u64, Arc<Credit>>,
    /// Set when no more results will be taken. Credits are then returned immediately.
    closed: bool,
}

/// The time that a worker may advance to.
#[derive(Clone, Copy)]
pub(crate) struct Horizon {
    pub(crate) frontier: u64,
    pub(crate) finished: bool,
}

impl Flow {
    /// Registers a worker that has built its dataflow. From now on every commit wakes it.
    pub(crate) fn join(&self, activations: SyncActivations, inlets: Vec<Vec<usize>>) {
        // Commits that were queued before the registration woke no worker, so the worker looks for them now.
        let _ = activations.activate_batch(inlets.iter().cloned());
        self.wakers.lock().push(Waker { activations, inlets });
    }

    fn wake(&self) {
        for waker in &*self.wakers.lock() {
            // This fails only if the worker has ended, and a worker that fails reports its own error.
            let _ = waker.activations.activate_batch(waker.inlets.iter().cloned());
        }
    }

    pub(super) fn announce(&self, time: u64) {
        if let Some(announce) = self.announce.get() {
            announce(time);
        }
    }

    /// Sets the callback that tells other processes of each commit, so that they do not wait for this process's clock.
    /// The callback must return quickly.
    pub(crate) fn announce_by(&self, announce: impl Fn(u64) + Send + Sync + 'static) {
        // The cell is empty: a run has one cluster.
        let _ = self.announce.set(Box::new(announce));
    }

    /// Reports a failure and ends the workers. Later failures follow from the first one and are not reported.
    pub(crate) fn fail(&self, control: &Control, error: Error) {
        // The control must know the failure before any worker ends. Otherwise the run could end without an error.
        if !self.failed.swap(true, Ordering::AcqRel) {
            control.fail(error);
        }
        self.abort();
    }

    /// Returns whether a failure has ended the workers, or is about to.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Ends the workers without finishing their work.
    pub(crate) fn abort(&self) {
        self.aborted.store(true, Ordering::Release);
        // No more results will be taken, so all credits return.
        self.ledger.lock().closed = true;
        self.release(None);
        self.wake();
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire)
    }

    pub(crate) fn horizon(&self) -> Horizon {
        // The order matters: after `finished` is set, the frontier does not move, so this frontier is the last one.
        let finished = self.finished.load(Ordering::Acquire);
        Horizon { frontier: self.frontier.load(Ordering::Acquire), finished }
    }

    /// Returns the credits of all times before `frontier`, since the sinks have taken the results of these times.
    pub(crate) fn release(&self, frontier: Option<u64>) {
        let released = {
            let mut ledger = self.ledger.lock();
            let kept = frontier.map_or_else(BTreeMap::new, |frontier| ledger.credits.split_off(&frontier));
            std::mem::replace(&mut ledger.credits, kept)
        };
        // Dropped outside the lock, because a returned credit can let a source commit, which takes the lock.
        drop(released);
    }
}

impl Downstream for Flow {
    fn committed(&self, time: u64, credit: &Arc<Credit>) {
        {
            let mut ledger = self.ledger.lock();
            if !ledger.closed {
                ledger.credits.insert(time, Arc::clone(credit));
            }
        }
        self.advance(time + 1);
        self.announce(time);
    }

    fn advance(&self, frontier: u64) {
        self.frontier.fetch_max(frontier, Ordering::AcqRel);
        self.wake();
    }

    fn finish(&self) {
        self.finished.store(true, Ordering::Release);
        self.wake();
    }
}
