//! Calls the user's code. A panic there becomes a [`FailureKind`], and never unwinds into the runtime.

use crate::run::control::{Control, PartId};
use crate::run::error::{BoxError, FailureKind};
use crate::run::panics::caught;
use crate::run::part::Phase;

/// Calls `call`, and names `place` if it panics.
///
/// # Errors
///
/// Returns an error if `call` panics.
pub(crate) fn guarded<T>(place: &'static str, call: impl FnOnce() -> T) -> Result<T, FailureKind> {
    caught(call).map_err(|message| FailureKind::Panicked { place, message })
}

/// Drops values of the user, each in its own call, because two simultaneous panics would abort the process.
///
/// # Errors
///
/// Returns the first panic, if one of the drops panics.
pub(crate) fn dropped<T>(place: &'static str, values: impl IntoIterator<Item = T>) -> Result<(), FailureKind> {
    let mut result = Ok(());
    for value in values {
        result = result.and(guarded(place, || drop(value)));
    }
    result
}

/// The place of a panic in the drop of an error.
pub(crate) const DROP_OF_ERROR: &str = "the drop of its error";

/// Returns the failure of a part that returned an error. The text of the error comes from the user's code. If that
/// panics, the panic is reported.
pub(crate) fn failed(error: BoxError) -> FailureKind {
    match guarded("the text of its error", || error.to_string()) {
        Ok(_) => FailureKind::Failed(error),
        Err(kind) => {
            // One panic of this error is reported already.
            let _ = dropped(DROP_OF_ERROR, [error]);
            kind
        }
    }
}

/// Marks a part as ended when it is dropped, however its thread ends. Without this mark, a run that waits for the part
/// would never end.
pub(crate) struct Ending<'a> {
    pub(crate) control: &'a Control,
    pub(crate) id: PartId,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.control.set_phase(self.id, Phase::Ended);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::run::part::{Part, Role};

    struct Nothing;

    impl Part for Nothing {
        fn role(&self) -> Role {
            Role::Downstream
        }
    }

    // FAULTS 38
    #[test]
    fn a_part_has_ended_though_its_thread_panics() {
        let control = Control::default();
        let id = control.add(Arc::new(Nothing), Phase::Running);
        let panicked = caught(|| {
            let _ending = Ending { control: &control, id };
            panic!("no call caught it");
        });
        assert!(panicked.is_err() && control.phases::<Nothing>()[0].1 == Phase::Ended);
    }
}
