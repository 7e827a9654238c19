//! `on_durable`: who wants to know what has become durable.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crate::control::panicked;
use crate::error::FailureKind;
use crate::offset::{AnyOffset, Offset};

type Callback = Box<dyn FnMut(&dyn Any) + Send>;

/// The callbacks of one source.
#[derive(Default)]
pub(crate) struct Durables(Mutex<Vec<Callback>>);

impl Durables {
    pub(crate) fn add<O: Offset>(&self, mut callback: impl FnMut(&O) + Send + 'static) {
        let callback: Callback = Box::new(move |offset| {
            if let Some(offset) = offset.downcast_ref() {
                callback(offset);
            }
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(callback);
    }

    /// Calls each with an offset that a checkpoint holds.
    ///
    /// # Errors
    ///
    /// If one panics.
    pub(crate) fn tell(&self, offset: &dyn AnyOffset) -> Result<(), FailureKind> {
        // Outside the lock, since a callback may register another.
        let mut callbacks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let told = catch_unwind(AssertUnwindSafe(|| {
            for callback in &mut callbacks {
                callback(offset);
            }
        }));
        let mut registered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        callbacks.append(&mut registered);
        *registered = callbacks;
        told.map_err(|payload| panicked("an `on_durable` callback", &*payload))
    }
}
