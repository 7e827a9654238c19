//! [`Lock`]: a mutex that stays usable after a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutex that ignores poison, for values that are consistent between any two statements.
#[derive(Default)]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Lock(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
