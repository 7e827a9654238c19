//! The locks of the intake, which a model checker can replace: `.ci/loom` tries every order in which threads can lock
//! them.

#[cfg(all(test, pathway_loom))]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(all(test, pathway_loom)))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(all(test, pathway_loom))]
pub(crate) use loom::thread;
#[cfg(all(test, not(pathway_loom)))]
pub(crate) use std::thread;

/// Makes a mutex usable again after a panic.
pub(crate) fn clear_poison<T>(mutex: &Mutex<T>) {
    #[cfg(not(all(test, pathway_loom)))]
    mutex.clear_poison();
    // In a model every panic is a failure, so the mutex is not used again.
    #[cfg(all(test, pathway_loom))]
    let _ = mutex;
}
