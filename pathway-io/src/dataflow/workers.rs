//! [`Workers`]: on how many threads, and in how many processes, a pipeline runs.

/// The workers of a pipeline: threads that compute, in one process or in several.
///
/// ```
/// use pathway_io::Pipeline;
/// use pathway_io::dataflow::Workers;
///
/// let pipeline = Pipeline::new();
/// pipeline.run_on(Workers::threads(2))?;
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Workers {
    /// In each process.
    pub(crate) threads: usize,
    /// The number of this process.
    pub(crate) process: usize,
    /// Where each process listens; empty where there is only one.
    pub(crate) addresses: Vec<String>,
}

impl Workers {
    /// This many threads in this process, at least one.
    pub fn threads(threads: usize) -> Self {
        Workers { threads: threads.max(1), process: 0, addresses: Vec::new() }
    }

    /// How many processes there are.
    pub(crate) fn processes(&self) -> usize {
        self.addresses.len().max(1)
    }
}
