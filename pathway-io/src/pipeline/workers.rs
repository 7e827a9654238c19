//! [`Workers`]: the number of threads and processes that a pipeline runs on.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The workers of a pipeline: the threads that run computations, in one process or in several.
///
/// ```
/// use pathway_io::Pipeline;
/// use pathway_io::dataflow::Workers;
///
/// let pipeline = Pipeline::new();
/// pipeline.run_on(Workers::threads(2))?;
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Workers {
    /// The number of threads in each process.
    pub(crate) threads: usize,
    /// The number of this process.
    pub(crate) process: usize,
    /// The address on which each process listens. Empty if there is only one process.
    pub(crate) addresses: Vec<String>,
    /// The secret that the processes share. Empty without one.
    pub(crate) key: Vec<u8>,
    /// The engine that a command line selects: an `EngineChoice`.
    pub(crate) engine: Option<Arc<dyn Any + Send + Sync>>,
}

impl Workers {
    /// Returns workers with this many threads in this process, at least one.
    pub fn threads(threads: usize) -> Self {
        Workers { threads: threads.max(1), process: 0, addresses: Vec::new(), key: Vec::new(), engine: None }
    }

    pub(crate) fn processes(&self) -> usize {
        self.addresses.len().max(1)
    }

    /// Returns the number of workers in all processes.
    pub(crate) fn count(&self) -> usize {
        self.processes() * self.threads
    }

    /// Returns the workers of this process, numbered over all processes.
    pub(crate) fn numbers(&self) -> Range<usize> {
        let first = self.process * self.threads;
        first..first + self.threads
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("threads", &self.threads)
            .field("process", &self.process)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}
