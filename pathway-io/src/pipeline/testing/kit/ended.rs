//! The check that a source has ended after a stop.

use std::time::Duration;

use super::check::Verdict;
use crate::pipeline::testing::report::Report;
use crate::run::error::{Error, FailureKind};

/// The time that a connector under test has after a stop.
pub(super) const GRACE_PERIOD: Duration = Duration::from_secs(5);

/// Checks that `run` has returned, and `on_stop` was called once.
pub(super) fn ended<S>(report: &Report<S>, when: &str) -> Verdict {
    if !report.returned {
        return Err(format!(
            "{when}, `run` has not returned within {GRACE_PERIOD:?}: return when a push or `sleep` returns `Closed`, and \
             unblock foreign reads with `on_interrupt` (`docs/guarantees.md`, section 5)"
        ));
    }
    if report.on_stops() != 1 {
        return Err(format!("{when}, `on_stop` was called {} times", report.on_stops()));
    }
    match report.result() {
        // The source was not abandoned, which is all that counts here. Another test checks errors of an undisturbed
        // run.
        Err(error) if matches!(error, Error::Connector(failure) if matches!(failure.kind(), FailureKind::Panicked { .. })) => {
            Err(format!("{when}, the source panics: {error}"))
        }
        _ => Ok(()),
    }
}
