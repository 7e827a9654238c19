//! Kills a process between the `write` and the `flush` of a sink.
//!
//! A test starts its own binary again, with its own name and a directory. In that process the same test makes the
//! sink, writes to it, and prints a line. Then the first process kills it, so that no destructor runs and no buffer of
//! the process is written.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crossbeam_channel::bounded;

use super::check::Verdict;
use crate::pipeline::testing::clock::DEADLINE;
use crate::run::threads;

/// The directory for the sink, in the environment of the process that is killed.
const DIRECTORY: &str = "PATHWAY_IO_SINK_TEST";
/// The line that this process prints between `write` and `flush`.
const WRITTEN: &str = "pathway-io: the sink has written";

/// Returns the directory for the sink if this is the process that is killed.
pub(super) fn directory() -> Option<PathBuf> {
    env::var_os(DIRECTORY).map(PathBuf::from)
}

/// Prints that the sink has written, and waits for the kill.
pub(super) fn wait_for_kill() -> Verdict {
    // The test harness would capture the output of `println`.
    let mut out = io::stdout().lock();
    let said = writeln!(out, "{WRITTEN}").and_then(|()| out.flush());
    drop(out);
    said.map_err(|error| format!("cannot write to the standard output: {error}"))?;
    // If the first process ends without the kill, this input ends, too.
    let _ = io::stdin().read_to_end(&mut Vec::new());
    Err("the process that started this one has ended, and has not killed it".to_owned())
}

/// Runs a test in another process, and kills the process once its sink has written.
pub(super) fn kill(test: &str, directory: &Path) -> Verdict {
    // The name of a test does not include the name of its crate.
    let name = test.split_once("::").map_or(test, |(_, name)| name);
    let cannot = |error: io::Error| format!("cannot run the test in another process: {error}");
    let mut child = Command::new(env::current_exe().map_err(cannot)?)
        .args([name, "--exact"])
        .env(DIRECTORY, directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(cannot)?;
    let output = child.stdout.take();
    let (sender, written) = bounded(1);
    let reader = threads::spawn("output of a test", move || {
        let mut before = String::new();
        for line in output.into_iter().flat_map(|output| BufReader::new(output).split(b'\n')).map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if line.contains(WRITTEN) {
                let _ = sender.send(Ok(()));
                return;
            }
            before.push_str(&line);
            before.push('\n');
        }
        let _ = sender.send(Err(before));
    });
    let written = reader.map(|_| written.recv_timeout(DEADLINE));
    let killed = child.kill().and_then(|()| child.wait());
    match written.map_err(cannot)? {
        Ok(Ok(())) => killed.map(|_| ()).map_err(|error| format!("cannot kill the process of the sink: {error}")),
        Ok(Err(output)) => Err(format!("the process of the sink has ended before it was killed:\n{output}")),
        Err(_) => Err(format!("the process of the sink has not written two commits within {DEADLINE:?}")),
    }
}
