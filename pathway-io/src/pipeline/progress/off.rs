//! Without the feature `progress`, nothing is drawn.

use crate::pipeline::monitor::Monitor;
use crate::run::control::Notice;
use crate::run::error::Result;
use crate::run::summary::Summary;

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

pub(crate) fn leave_terminal(_: bool, then: impl FnOnce()) {
    then();
}
