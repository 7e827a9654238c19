//! `on_durable`: who wants to know what has become durable.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::run::control::panicked;
use crate::run::error::FailureKind;
use crate::source::offset::{AnyOffset, Offset};

type Callback = Box<dyn FnMut(&dyn Any) + Send>;

/// The callbacks of one source.
#[derive(Default)]
pub(crate) struct Durables(Mutex<State>);

#[derive(Default)]
struct State {
    /// Callbacks of an attempt before this one are not wanted any more.
    attempt: u32,
    callbacks: Vec<Callback>,
}

impl Durables {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add<O: Offset>(&self, attempt: u32, mut callback: impl FnMut(&O) + Send + 'static) {
        let callback: Callback = Box::new(move |offset| {
            if let Some(offset) = offset.downcast_ref() {
                callback(offset);
            }
        });
        let mut state = self.lock();
        if attempt == state.attempt {
            state.callbacks.push(callback);
        }
    }

    /// Drops the callbacks before `run` is run again.
    ///
    /// # Errors
    ///
    /// If the drop of one panics.
    pub(crate) fn end_attempt(&self) -> Result<(), FailureKind> {
        let unwanted = {
            let mut state = self.lock();
            state.attempt += 1;
            std::mem::take(&mut state.callbacks)
        };
        catch_unwind(AssertUnwindSafe(|| drop(unwanted)))
            .map_err(|payload| panicked("the drop of an `on_durable` callback", &*payload))
    }

    pub(crate) fn is_wanted(&self) -> bool {
        !self.lock().callbacks.is_empty()
    }

    /// Calls each with an offset that a checkpoint holds.
    ///
    /// # Errors
    ///
    /// If one panics.
    pub(crate) fn tell(&self, offset: &dyn AnyOffset) -> Result<(), FailureKind> {
        // Outside the lock, since a callback may register another.
        let (attempt, mut callbacks) = {
            let mut state = self.lock();
            (state.attempt, std::mem::take(&mut state.callbacks))
        };
        let told = catch_unwind(AssertUnwindSafe(move || {
            for callback in &mut callbacks {
                callback(offset);
            }
            let mut state = self.lock();
            if state.attempt == attempt {
                callbacks.append(&mut state.callbacks);
                state.callbacks = callbacks;
            } else {
                drop(state);
                drop(callbacks);
            }
        }));
        told.map_err(|payload| panicked("an `on_durable` callback", &*payload))
    }
}
