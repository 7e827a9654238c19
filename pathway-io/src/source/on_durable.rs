//! The callbacks of `on_durable`, which receive the offsets that have become durable.

use std::any::Any;

use crate::run::error::FailureKind;
use crate::run::guard::{dropped, guarded};
use crate::run::lock::Lock;
use crate::source::offset::{AnyOffset, Offset};

/// The place of a panic in the drop of a callback.
const ITS_DROP: &str = "the drop of an `on_durable` callback";

type DurableCallback = Box<dyn FnMut(&dyn Any) + Send>;

/// The callbacks of one source.
#[derive(Default)]
pub(crate) struct DurableCallbacks(Lock<AttemptCallbacks>);

#[derive(Default)]
struct AttemptCallbacks {
    /// The number of the current attempt. Callbacks of earlier attempts are dropped.
    attempt: u32,
    callbacks: Vec<DurableCallback>,
}

impl DurableCallbacks {
    pub(crate) fn add<O: Offset>(&self, attempt: u32, mut callback: impl FnMut(&O) + Send + 'static) {
        let callback: DurableCallback = Box::new(move |offset| {
            if let Some(offset) = offset.downcast_ref() {
                callback(offset);
            }
        });
        let mut state = self.0.lock();
        if attempt == state.attempt {
            state.callbacks.push(callback);
        }
    }

    /// Drops the callbacks before `run` is called again, and at the end of the run.
    ///
    /// # Errors
    ///
    /// Returns an error if the drop of a callback panics.
    pub(crate) fn end_attempt(&self) -> Result<(), FailureKind> {
        let callbacks_to_drop = {
            let mut state = self.0.lock();
            state.attempt += 1;
            std::mem::take(&mut state.callbacks)
        };
        dropped(ITS_DROP, callbacks_to_drop)
    }

    pub(crate) fn has_any(&self) -> bool {
        !self.0.lock().callbacks.is_empty()
    }

    /// Calls each callback with an offset that a checkpoint holds.
    ///
    /// # Errors
    ///
    /// Returns an error if a callback panics.
    pub(crate) fn call(&self, offset: &dyn AnyOffset) -> Result<(), FailureKind> {
        // The callbacks run outside the lock, since a callback may register another.
        let (attempt, mut callbacks) = {
            let mut state = self.0.lock();
            (state.attempt, std::mem::take(&mut state.callbacks))
        };
        let called = guarded("an `on_durable` callback", || callbacks.iter_mut().for_each(|callback| callback(offset)));
        let callbacks_to_drop = {
            let mut state = self.0.lock();
            if called.is_ok() && state.attempt == attempt {
                callbacks.append(&mut state.callbacks);
                std::mem::replace(&mut state.callbacks, callbacks)
            } else {
                callbacks
            }
        };
        // The drop is outside the lock, and not during another panic.
        called.and(dropped(ITS_DROP, callbacks_to_drop))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_callback_whose_attempt_ends_during_its_call_is_dropped() {
        let callbacks = Arc::new(DurableCallbacks::default());
        let calls = Arc::new(AtomicU32::new(0));
        let (of_attempt, counted) = (Arc::clone(&callbacks), Arc::clone(&calls));
        callbacks.add(0, move |_: &u64| {
            counted.fetch_add(1, Ordering::Relaxed);
            of_attempt.end_attempt().unwrap();
        });
        callbacks.call(&1_u64).unwrap();
        callbacks.call(&2_u64).unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }
}
