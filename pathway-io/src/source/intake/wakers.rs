//! Tasks that wait for the same events as the threads on a condition variable: [`Wakers`].

use std::collections::BTreeMap;
use std::task::Waker;

/// The tasks that wait for one event, in the order in which they came. The intake's mutex guards them, so that a task which
/// has found no room is here before the room can come back.
///
/// Wakers run code of the runtime that they belong to, when they are woken and when they are dropped. Both happen without
/// the lock: each method hands out what it takes away.
#[derive(Default)]
pub(super) struct Wakers {
    #[cfg(feature = "async")]
    last: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl Wakers {
    /// Takes all of them away. A task that still finds no room comes again.
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

    /// Removes a task, unless it was taken away.
    #[cfg(feature = "async")]
    pub(super) fn remove(&mut self, number: u64) -> Option<Waker> {
        self.waiting.remove(&number)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Tasks that are to be woken once the lock is released.
#[must_use]
pub(super) struct Woken(BTreeMap<u64, Waker>);

impl Woken {
    pub(super) fn wake(self) {
        for waker in self.0.into_values() {
            waker.wake();
        }
    }
}
