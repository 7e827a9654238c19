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
    #[cfg(feature = "dataflow")]
    pub(crate) config: timely::WorkerConfig,
}

impl Workers {
    /// This many threads in this process, at least one.
    pub fn threads(threads: usize) -> Self {
        Workers {
            threads: threads.max(1),
            process: 0,
            addresses: Vec::new(),
            #[cfg(feature = "dataflow")]
            config: timely::WorkerConfig::default(),
        }
    }

    /// The workers that a command line asks for, in the options that Timely has for it:
    ///
    /// | option | meaning |
    /// |---|---|
    /// | `-w 2` | threads in each process, at least one |
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
    #[cfg(feature = "dataflow")]
    pub fn from_args(args: impl IntoIterator<Item = String>) -> crate::Result<Self> {
        use timely::CommunicationConfig::{Cluster, Process, ProcessBinary, Thread};

        let refused = |text: String| crate::Error::pipeline(format!("its arguments do not fit: {text}"));
        let config = timely::Config::from_args(args.into_iter()).map_err(refused)?;
        let (threads, process, addresses) = match config.communication {
            Thread => (1, 0, Vec::new()),
            Process(threads) | ProcessBinary(threads) => (threads, 0, Vec::new()),
            Cluster { threads, process, addresses, .. } => (threads, process, addresses),
        };
        if !addresses.is_empty() && process >= addresses.len() {
            return Err(refused(format!("there is no process {process} of {}, they count from 0", addresses.len())));
        }
        Ok(Workers { threads: threads.max(1), process, addresses, config: config.worker })
    }

    /// How many processes there are.
    pub(crate) fn processes(&self) -> usize {
        self.addresses.len().max(1)
    }
}

#[cfg(all(test, feature = "dataflow"))]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Result<(usize, usize, Vec<String>), String> {
        let args = ["program"].iter().chain(args).map(|arg| (*arg).to_owned());
        let workers = Workers::from_args(args).map_err(|error| error.to_string())?;
        Ok((workers.threads, workers.process, workers.addresses))
    }

    #[test]
    fn a_command_line_says_how_many_there_are_and_where() {
        let local = || vec!["localhost:2101".to_owned(), "localhost:2102".to_owned()];
        assert_eq!(of(&[]), Ok((1, 0, vec![])));
        assert_eq!(of(&["-w", "3", "input.csv"]), Ok((3, 0, vec![])));
        assert_eq!(of(&["-w", "0"]), Ok((1, 0, vec![])));
        assert_eq!(of(&["-w", "0", "-n", "2"]), Ok((1, 0, local())));
        assert_eq!(of(&["-n", "2"]), Ok((1, 0, local())));
        assert_eq!(of(&["-n", "2", "-p", "1", "-w", "4", "--", "-w", "5"]), Ok((4, 1, local())));
        let hosts = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&hosts, "a.example:7\nb.example:8\n").unwrap();
        let path = hosts.path().to_str().unwrap();
        let addresses = vec!["a.example:7".to_owned(), "b.example:8".to_owned()];
        assert_eq!(of(&["-w", "2", "-n", "2", "-p", "1", "-h", path]), Ok((2, 1, addresses)));
    }

    #[test]
    fn a_command_line_that_does_not_fit_is_refused() {
        for args in [&["-w", "many"][..], &["-n", "2", "-p", "2"], &["-x"]] {
            let error = of(args).unwrap_err();
            assert!(error.starts_with("the pipeline failed: its arguments do not fit: "), "{error}");
        }
        let missing = of(&["-n", "2", "-p", "0", "-h", "missing/hosts.txt"]).unwrap_err();
        assert!(missing.contains("No such file") || missing.contains("cannot find"), "{missing}");
    }
}
