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
#[derive(Debug, Clone)]
#[must_use]
pub struct Workers {
    /// In each process.
    pub(crate) threads: usize,
    /// The number of this process.
    pub(crate) process: usize,
    /// Where each process listens; empty where there is only one.
    pub(crate) addresses: Vec<String>,
    /// Timely's own options.
    #[cfg(feature = "differential")]
    pub(crate) config: timely::WorkerConfig,
}

impl Workers {
    /// This many threads in this process, at least one.
    pub fn threads(threads: usize) -> Self {
        Workers {
            threads: threads.max(1),
            process: 0,
            addresses: Vec::new(),
            #[cfg(feature = "differential")]
            config: timely::WorkerConfig::default(),
        }
    }

    /// The workers that a command line asks for, in the options that Timely has for it:
    ///
    /// | option | meaning |
    /// |---|---|
    /// | `-w 2` | threads in each process |
    /// | `-n 2` | how many processes there are |
    /// | `-p 0` | the number of this one |
    /// | `-h hosts.txt` | a file with the address of each process, one a line; otherwise `localhost:2101` and on |
    ///
    /// The processes hold the same program, and are started with the same options but for `-p`. Sources are run and sinks
    /// are written in process 0; the others compute. Arguments that are no options are left alone, and so is all behind
    /// `--`.
    ///
    /// # Errors
    ///
    /// If an option is unknown, or its value does not fit.
    ///
    /// ```
    /// use pathway_io::dataflow::Workers;
    ///
    /// let args = ["program", "-w", "2"];
    /// let workers = Workers::from_args(args.into_iter().map(str::to_owned))?;
    /// assert!(Workers::from_args(["program".to_owned(), "-x".to_owned()]).is_err());
    /// # drop(workers);
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    #[cfg(feature = "differential")]
    pub fn from_args(args: impl IntoIterator<Item = String>) -> crate::Result<Self> {
        use timely::CommunicationConfig::{Cluster, Process, ProcessBinary, Thread};

        let refused = |text: String| crate::Error::pipeline(format!("its arguments do not fit: {text}"));
        let config = timely::Config::from_args(args.into_iter()).map_err(refused)?;
        let (threads, process, addresses) = match config.communication {
            Thread => (1, 0, Vec::new()),
            Process(threads) | ProcessBinary(threads) => (threads, 0, Vec::new()),
            Cluster { threads, process, addresses, .. } => (threads, process, addresses),
        };
        if threads == 0 {
            return Err(refused("a process has at least one thread".to_owned()));
        }
        if !addresses.is_empty() && process >= addresses.len() {
            return Err(refused(format!("there is no process {process} of {}, they count from 0", addresses.len())));
        }
        Ok(Workers { threads, process, addresses, config: config.worker })
    }

    /// How many processes there are.
    pub(crate) fn processes(&self) -> usize {
        self.addresses.len().max(1)
    }
}
