//! Tasks that wait for the same events as the threads on a condition variable: [`Wakers`].

use std::collections::BTreeMap;
use std::task::Waker;

use crate::run::panics::caught;

/// The tasks that wait for one event, in order. The intake's mutex guards the list, so that a task which finds no space
/// is in the list before space can be returned.
///
/// Waking or dropping a waker runs code of its runtime, which must not happen under the lock. Each method therefore
/// returns the wakers that it removes.
#[derive(Default)]
pub(super) struct Wakers {
    #[cfg(feature = "async")]
    last: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl Wakers {
    /// Removes all tasks. A task that still finds no space registers again.
    pub(super) fn take(&mut self) -> Woken {
        Woken(std::mem::take(&mut self.waiting))
    }

    /// Adds a task, and returns the number by which it can be removed.
    #[cfg(feature = "async")]
    pub(super) fn add(&mut self, waker: Waker) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, waker);
        self.last
    }

    /// Removes a task, unless it was removed already.
    #[cfg(feature = "async")]
    pub(super) fn remove(&mut self, number: u64) -> Option<Waker> {
        self.waiting.remove(&number)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Tasks that must be woken once the lock is released.
#[must_use]
pub(super) struct Woken(BTreeMap<u64, Waker>);

impl Woken {
    pub(super) fn wake(self) {
        for waker in self.0.into_values() {
            // A waker is code of the task's runtime. If it panics, the thread that wakes is not to blame, and the other
            // tasks must be woken too. The panic hook has printed the text.
            let _ = caught(|| waker.wake());
        }
    }
}
