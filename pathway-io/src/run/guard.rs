//! Calls into code of the user's: a panic there becomes a [`FailureKind`], and never unwinds into the runtime.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::run::error::{BoxError, FailureKind};

/// Calls `call`, and names `place` if it panics.
///
/// # Errors
///
/// If `call` panics.
pub(crate) fn guarded<T>(place: &'static str, call: impl FnOnce() -> T) -> Result<T, FailureKind> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| panicked(place, payload))
}

/// Returns the failure of a part that returned an error. The error's text is the user's code too: if that panics, the
/// panic is reported.
pub(crate) fn failed(error: BoxError) -> FailureKind {
    match guarded("the text of its error", || error.to_string()) {
        Ok(_) => FailureKind::Failed(error),
        Err(kind) => kind,
    }
}

/// Returns the failure of a part that panicked.
pub(crate) fn panicked(place: &'static str, payload: Box<dyn Any + Send>) -> FailureKind {
    let message = if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "(no text)".to_owned()
    };
    // A payload can be of any type, and its `Drop` can panic in turn. That of a second payload is not tried.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    FailureKind::Panicked { place, message }
}
