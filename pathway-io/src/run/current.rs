//! The run to which the current thread belongs.

use std::cell::RefCell;
use std::sync::Arc;

use crate::run::control::Control;

thread_local! {
    static RUN: RefCell<Option<Arc<Control>>> = const { RefCell::new(None) };
}

/// Marks the thread as one of a run, until the thread ends.
pub(crate) fn enter(run: &Arc<Control>) {
    RUN.set(Some(Arc::clone(run)));
}

/// Returns the run of the thread; `None` if the thread belongs to no run.
pub(crate) fn run() -> Option<Arc<Control>> {
    RUN.with_borrow(Option::clone)
}
