//! The handle that stops a pipeline.

use std::fmt;
use std::sync::Arc;

use crate::run::control::Control;
use crate::run::summary::Stop;

/// A handle that stops a pipeline from any thread; see [`Pipeline::stop_handle`](crate::Pipeline::stop_handle).
#[derive(Clone)]
pub struct StopHandle(pub(super) Arc<Control>);

impl StopHandle {
    /// Asks the pipeline to stop, and returns immediately.
    ///
    /// Before the start of the pipeline, this prevents all sources from running. After its end, it has no effect.
    pub fn stop(&self) {
        self.0.stop(Stop::Handle);
    }
}

impl fmt::Debug for StopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopHandle").finish_non_exhaustive()
    }
}
