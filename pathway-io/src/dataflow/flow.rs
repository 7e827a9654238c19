//! What the sequencer and the workers of a running pipeline share: [`Flow`].
//!
//! **The frontier** is the time before which nothing can come any more into any table of this process. The sequencer
//! alone hands out times, so a commit at time `t` moves it to `t + 1` for all tables at once: one that is silent
//! holds up nobody, and while nothing happens nothing runs. Each worker is woken by its activations, and reads the
//! frontier before it empties its queues: what lies in them later is not older.
//!
//! Where sources are read in parts by several processes, each tells the others of its commits, and they move their
//! frontiers beyond them as if it was their own.
//!
//! **The ledger** keeps each commit's right to its room in the backlog, until the results of its time were taken by
//! their sinks. So memory stays bounded, whichever of source, engine and sink is the slowest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use timely::scheduling::activate::SyncActivations;

use crate::run::control::Control;
use crate::run::error::Error;
use crate::run::lock::Lock;
use crate::sequencer::feed::Downstream;
use crate::source::intake::Credit;

/// See the module's text.
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

/// What wakes a worker, and the operators that take something in.
struct Waker {
    activations: SyncActivations,
    inlets: Vec<Vec<usize>>,
}

#[derive(Default)]
struct Ledger {
    credits: BTreeMap<u64, Arc<Credit>>,
    /// Nothing will be taken any more, so nothing is kept.
    closed: bool,
}

/// How far a worker may go.
#[derive(Clone, Copy)]
pub(crate) struct Horizon {
    pub(crate) frontier: u64,
    pub(crate) finished: bool,
}

impl Flow {
    /// A worker has built its dataflow, and is to be woken from now on.
    pub(crate) fn join(&self, activations: SyncActivations, inlets: Vec<Vec<usize>>) {
        // What came in before is found now.
        let _ = activations.activate_batch(inlets.iter().cloned());
        self.wakers.lock().push(Waker { activations, inlets });
    }

    fn wake(&self) {
        for waker in &*self.wakers.lock() {
            // A worker that is gone has said why.
            let _ = waker.activations.activate_batch(waker.inlets.iter().cloned());
        }
    }

    pub(super) fn announce(&self, time: u64) {
        if let Some(announce) = self.announce.get() {
            announce(time);
        }
    }

    /// Has other processes told of each commit: theirs must not wait for this one's clock. It must not take long.
    pub(crate) fn announce_by(&self, announce: impl Fn(u64) + Send + Sync + 'static) {
        // A run has one cluster.
        let _ = self.announce.set(Box::new(announce));
    }

    /// Something has failed: the workers leave everything as it is and end. What fails after that is a consequence,
    /// and not reported.
    pub(crate) fn fail(&self, control: &Control, error: Error) {
        // The failure is known before anybody ends because of it, or the run could end without.
        if !self.failed.swap(true, Ordering::AcqRel) {
            control.fail(error);
        }
        self.abort();
    }

    /// A failure is known, or about to be, that ends the workers.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// The workers leave everything as it is and end.
    pub(crate) fn abort(&self) {
        self.aborted.store(true, Ordering::Release);
        self.close();
        self.wake();
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire)
    }

    pub(crate) fn horizon(&self) -> Horizon {
        // In this order: once it is finished, the frontier does not move.
        let finished = self.finished.load(Ordering::Acquire);
        Horizon { frontier: self.frontier.load(Ordering::Acquire), finished }
    }

    /// The results of all times before `frontier` were taken.
    pub(crate) fn release(&self, frontier: Option<u64>) {
        let released = {
            let mut ledger = self.ledger.lock();
            let kept = frontier.map_or_else(BTreeMap::new, |frontier| ledger.credits.split_off(&frontier));
            std::mem::replace(&mut ledger.credits, kept)
        };
        // Outside the lock: it makes a source commit, perhaps.
        drop(released);
    }

    /// Nothing will be taken any more.
    pub(crate) fn close(&self) {
        self.ledger.lock().closed = true;
        self.release(None);
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
