//! The choice of workers from the command line: [`Workers::from_args`].

use std::num::NonZero;
use std::sync::Arc;

use crate::pipeline::extensions::EngineChoice;
use crate::pipeline::workers::Workers;
use crate::run::error::{Error, Result};

/// The environment variable with the cluster key.
const KEY: &str = "PATHWAY_CLUSTER_KEY";

/// Returns whether a string is an address, or several addresses with white space between them.
fn are_addresses(text: &str) -> bool {
    let is_address = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<NonZero<u16>>().is_ok();
    let mut addresses = text.split_whitespace().map(|address| address.rsplit_once(':').is_some_and(is_address));
    addresses.next() == Some(true) && addresses.all(|is_address| is_address)
}

impl Workers {
    /// Reads the number of workers and processes from command-line arguments, with the options of Timely:
    ///
    /// | option | meaning |
    /// |---|---|
    /// | `-w 2` | the number of threads in each process, at least one |
    /// | `-n 2` | the number of processes |
    /// | `-p 0` | the number of this process, counted from 0 |
    /// | `-h hosts.txt` | a file with the address of each process, such as `a.example:2101`, one per line; the default is `localhost:2101` and the ports after it |
    ///
    /// All processes run the same program with the same options, except for `-p`. Process 0 runs the sources and writes
    /// the sinks. Two exceptions: each worker of every process reads a partition of a partitioned source, and writes
    /// its own file with [`csv::Options::per_worker`](crate::csv::Options::per_worker). Positional arguments and
    /// everything after `--` are ignored.
    ///
    /// If the environment variable `PATHWAY_CLUSTER_KEY` is set, it is the [cluster key](Self::cluster_key).
    ///
    /// # Errors
    ///
    /// Returns an error if an option is unknown or its value is invalid, or if `PATHWAY_CLUSTER_KEY` is set and empty.
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
    pub fn from_args(args: impl IntoIterator<Item = String>) -> Result<Self> {
        use timely::CommunicationConfig::{Cluster, Process, ProcessBinary, Thread};

        let refused = |text: String| Error::pipeline(format!("invalid command-line arguments: {text}"));
        let help = "help: `-w`, `-n` and `-p` take numbers, and `-h` a file with the address of each process";
        let config = timely::Config::from_args(args.into_iter()).map_err(|text| refused(format!("{text}\n{help}")))?;
        let (threads, process, addresses) = match config.communication {
            Thread => (1, 0, Vec::new()),
            Process(threads) | ProcessBinary(threads) => (threads, 0, Vec::new()),
            Cluster { threads, process, addresses, .. } => (threads, process, addresses),
        };
        if !addresses.is_empty() && process >= addresses.len() {
            return Err(refused(format!(
                "`-p {process}` is out of range: with {} processes, expected 0 to {}",
                addresses.len(),
                addresses.len() - 1
            )));
        }
        if let Some((process, address)) = addresses.iter().enumerate().find(|(_, address)| !are_addresses(address)) {
            return Err(refused(format!(
                "process {process} has the address `{address}`; expected a host and a port, as in `localhost:2101`"
            )));
        }
        let key = std::env::var_os(KEY).map(std::ffi::OsString::into_encoded_bytes);
        if key.as_ref().is_some_and(Vec::is_empty) && !addresses.is_empty() {
            return Err(Error::pipeline(format!(
                "the environment variable `{KEY}` is empty\nhelp: set it or remove it"
            )));
        }
        let engine = EngineChoice { find: super::engine::find, options: Box::new(config.worker) };
        Ok(Workers {
            threads: threads.max(1),
            process,
            addresses,
            key: key.unwrap_or_default(),
            engine: Some(Arc::new(engine)),
        })
    }

    /// Sets the secret that all processes of the pipeline share. A process that does not know it cannot take part.
    ///
    /// Each connection begins with a challenge and a response (HMAC-SHA-256), so that the key itself is never sent. The
    /// key should be long and random. The data that follows is neither encrypted nor signed: a program that can read or
    /// change the packets of the network can read or change the rows. Without a key, make sure that only trusted
    /// programs can reach the ports.
    ///
    /// ```
    /// use pathway_io::dataflow::Workers;
    ///
    /// let workers = Workers::from_args(std::env::args().take(1))?.cluster_key("a long and random text");
    /// # drop(workers);
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    pub fn cluster_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = key.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Result<(usize, usize, Vec<String>), String> {
        let args = ["program"].iter().chain(args).map(|arg| (*arg).to_owned());
        let workers = Workers::from_args(args).map_err(|error| error.to_string())?;
        Ok((workers.threads, workers.process, workers.addresses))
    }

    #[test]
    fn a_command_line_sets_threads_processes_and_addresses() {
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
    fn an_invalid_command_line_is_rejected() {
        for args in [&["-w", "many"][..], &["-n", "2", "-p", "2"], &["-x"]] {
            let error = of(args).unwrap_err();
            assert!(error.starts_with("the pipeline failed: invalid command-line arguments: "), "{error}");
        }
        for address in ["", "b.example", "b.example:0", "b.example:1 c.example:"] {
            let hosts = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(&hosts, format!("a.example:7 [::1]:7\n{address}\n")).unwrap();
            let error = of(&["-n", "2", "-h", hosts.path().to_str().unwrap()]).unwrap_err();
            let says = format!("process 1 has the address `{address}`; expected a host and a port");
            assert!(error.contains(&says), "{error}");
        }
        let missing = of(&["-n", "2", "-p", "0", "-h", "missing/hosts.txt"]).unwrap_err();
        assert!(missing.contains("No such file") || missing.contains("cannot find"), "{missing}");
        assert!(missing.ends_with("`-h` a file with the address of each process"), "{missing}");
    }
}
