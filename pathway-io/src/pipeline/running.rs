//! [`Running`]: a started pipeline that runs while the program continues.

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::monitor::Monitor;
use crate::run::control::Control;
use crate::run::error::{Error, FailureKind, Result};
use crate::run::guard::{DROP_OF_ERROR, dropped};
use crate::run::panics::message;
use crate::run::summary::{Stop, Summary};

/// A pipeline that is running.
///
/// If you drop it, the pipeline stops, and the drop waits for its end.
///
/// ```
/// # use pathway_io::{connector, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Tick { n: u64 }
/// # struct Endless;
/// # #[connector] impl Endless {
/// #     fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::RunResult { loop { ticks.next(Tick { n: 1 })?; } }
/// # }
/// let pipeline = Pipeline::new();
/// let updates = pipeline.read(Endless).commits(8);
/// let running = pipeline.start()?;
/// let first = updates.recv().expect("a commit");
/// drop(updates);
/// running.stop();
/// let summary = running.join()?;
/// assert!(summary.sources[0].rows >= first.len() as u64);
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[must_use = "the pipeline stops when this value is dropped"]
pub struct Running {
    control: Arc<Control>,
    monitor: Monitor,
    /// The supervisor's thread, or `None` once it has been joined.
    supervisor: Option<JoinHandle<Result<Summary>>>,
}

impl Running {
    pub(crate) fn new(control: Arc<Control>, monitor: Monitor, supervisor: JoinHandle<Result<Summary>>) -> Self {
        Running { control, monitor, supervisor: Some(supervisor) }
    }

    /// Asks the pipeline to stop, and returns immediately.
    ///
    /// [`join`](Self::join) waits for the end.
    pub fn stop(&self) {
        self.control.stop(Stop::Handle);
    }

    /// Returns a handle that takes snapshots of the pipeline from any thread. See [`monitor`](crate::monitor).
    ///
    /// ```
    /// # use pathway_io::Pipeline;
    /// let running = Pipeline::new().start()?;
    /// let snapshot = running.monitor().snapshot();
    /// # drop(snapshot);
    /// running.join()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// Waits for the end of the run and returns its summary.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Pipeline::run`](crate::Pipeline::run).
    pub fn join(mut self) -> Result<Summary> {
        self.end()
    }

    fn end(&mut self) -> Result<Summary> {
        let Some(supervisor) = self.supervisor.take() else {
            return Ok(Summary::default());
        };
        supervisor.join().unwrap_or_else(|payload| {
            let kind = FailureKind::Panicked { place: "its supervisor", message: message(payload) };
            Err(Error::pipeline_failure(kind))
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.supervisor.is_some() {
            self.stop();
            // A drop cannot return the result. Failures were logged when they happened.
            let _ = dropped(DROP_OF_ERROR, [self.end()]);
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}
