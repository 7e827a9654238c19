//! Without the feature `progress`, nothing is drawn, and a call of `Pipeline::progress` is a compile error.

use crate::pipeline::monitor::Monitor;
use crate::run::control::Notice;
use crate::run::error::Result;
use crate::run::summary::Summary;

/// A type whose name the compiler's message about `Pipeline::progress` shows.
///
/// The lifetime defers the check of `Progress: IsEnabled` from the method to its calls.
#[doc(hidden)]
#[derive(Debug)]
pub struct Progress<'a>(std::marker::PhantomData<&'a ()>);

/// Never implemented.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`Pipeline::progress` needs the feature `progress` of `pathway-io`",
    label = "the feature `progress` is off",
    note = "turn it on: `cargo add pathway-io --features progress`"
)]
pub trait IsEnabled {}

pub(crate) struct Display;

impl Display {
    pub(crate) fn start(_: &Monitor) -> Option<Self> {
        None
    }

    pub(crate) fn finish(self, _: &Result<Summary>) {}
}

pub(crate) fn is_shown() -> bool {
    false
}

pub(crate) fn write_notice(_: Notice, _: &str) {}

pub(crate) fn end_terminal(then: impl FnOnce()) {
    then();
}

pub(crate) fn pause_terminal(then: impl FnOnce()) {
    then();
}
