//! [`Running`]: a started pipeline, as the program has it that goes on beside it.

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::run::control::Control;
use crate::run::error::{Error, Result};
use crate::run::guard::panicked;
use crate::run::summary::{Stop, Summary};

/// A pipeline that runs. Dropped, it stops and waits for the end.
///
/// ```
/// # use pathway_io::{connector, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Tick { n: u64 }
/// # struct Endless;
/// # #[connector] impl Endless {
/// #     fn run(&mut self, ticks: Subject<Tick>) -> pathway_io::Result<()> { loop { ticks.next(Tick { n: 1 })?; } }
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
#[must_use = "a running pipeline that is dropped stops"]
pub struct Running {
    control: Arc<Control>,
    /// Of the supervisor; `None` once it was joined.
    supervisor: Option<JoinHandle<Result<Summary>>>,
}

impl Running {
    pub(crate) fn new(control: Arc<Control>, supervisor: JoinHandle<Result<Summary>>) -> Self {
        Running { control, supervisor: Some(supervisor) }
    }

    /// Asks for a stop, and returns at once; [`join`](Self::join) waits for the end.
    pub fn stop(&self) {
        self.control.stop(Stop::Handle);
    }

    /// Waits for the end of the run.
    ///
    /// # Errors
    ///
    /// As [`Pipeline::run`](crate::Pipeline::run).
    pub fn join(mut self) -> Result<Summary> {
        self.end()
    }

    fn end(&mut self) -> Result<Summary> {
        let Some(supervisor) = self.supervisor.take() else {
            return Ok(Summary::default());
        };
        supervisor.join().unwrap_or_else(|payload| Err(Error::pipeline_failure(panicked("its supervisor", payload))))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.supervisor.is_some() {
            self.stop();
            // Who drops a running pipeline does not ask how it ended; failures are in the log.
            let _ = self.end();
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}
