//! Runs examples as child processes: starts and interrupts them, reads their output line by line, and checks their exit
//! status.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The longest wait for an event, which only a hang can reach.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A running example.
pub struct Program {
    child: Child,
    lines: Receiver<(Stream, String)>,
    stdout: String,
    stderr: String,
}

/// The exit status and output of an example that has ended.
#[derive(Debug)]
pub struct End {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

impl Program {
    pub fn start<A: AsRef<OsStr>>(example: &str, args: impl IntoIterator<Item = A>) -> Self {
        Self::spawn(Command::new(executable(example)).args(args))
    }

    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let (sender, lines) = channel();
        read_lines(Stream::Out, child.stdout.take().expect("a pipe"), sender.clone());
        read_lines(Stream::Err, child.stderr.take().expect("a pipe"), sender);
        Program { child, lines, stdout: String::new(), stderr: String::new() }
    }

    /// Waits until a line of its standard output satisfies a condition, and returns the line.
    pub fn wait_for(&mut self, is_awaited: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.next_line(deadline) {
                Some((Stream::Out, line)) if is_awaited(&line) => return line,
                Some(_) => {}
                None => self.give_up("the line that the test waits for did not come"),
            }
        }
    }

    /// Waits until a line of its standard error satisfies a condition.
    pub fn wait_for_error(&mut self, is_awaited: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.next_line(deadline) {
                Some((Stream::Err, line)) if is_awaited(&line) => return,
                Some(_) => {}
                None => self.give_up("the line that the test waits for did not come"),
            }
        }
    }

    /// Sends SIGINT, as Ctrl-C does.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        let kill = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(kill.expect("`kill` runs").success());
    }

    /// Waits for its end.
    pub fn end(mut self) -> End {
        let deadline = Instant::now() + DEADLINE;
        while self.next_line(deadline).is_some() {}
        // Both streams are closed, so the process ends soon.
        let status = loop {
            match self.child.try_wait().expect("a child of this process") {
                Some(status) => break status,
                None if Instant::now() > deadline => self.give_up("it did not end"),
                None => thread::yield_now(),
            }
        };
        End { status, stdout: std::mem::take(&mut self.stdout), stderr: std::mem::take(&mut self.stderr) }
    }

    /// Returns the next line, or `None` when both streams are closed.
    fn next_line(&mut self, deadline: Instant) -> Option<(Stream, String)> {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((stream, line)) => {
                let seen = match stream {
                    Stream::Out => &mut self.stdout,
                    Stream::Err => &mut self.stderr,
                };
                seen.push_str(&line);
                seen.push('\n');
                Some((stream, line))
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => self.give_up("nothing came before the deadline"),
        }
    }

    fn give_up(&mut self, why: &str) -> ! {
        panic!("{why}; stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // If the child has ended already, the call fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl End {
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert!(self.status.success(), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn failed(self) -> Self {
        assert_eq!(self.status.code(), Some(1), "{self:#?}");
        self
    }
}

fn read_lines(stream: Stream, from: impl Read + Send + 'static, to: Sender<(Stream, String)>) {
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            if to.send((stream, text.trim_end_matches(['\r', '\n']).to_owned())).is_err() {
                return;
            }
            line.clear();
        }
    });
}

/// Returns the path of an example's binary. Cargo puts tests in `deps`, beside the directory `examples`.
pub fn executable(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.parent().and_then(Path::parent).expect("tests are in `deps`");
    let path = profile.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} does not exist: `cargo test` builds it, `cargo test --test ..` does not",
        path.display()
    );
    path
}

/// Returns an empty directory for a test.
pub fn fresh_dir(test: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    if dir.exists() {
        std::fs::remove_dir_all(&dir).expect("the directory of the last run can be removed");
    }
    std::fs::create_dir_all(&dir).expect("a directory for the test");
    dir
}

/// Writes a hosts file with two addresses that are free at the moment.
pub fn hosts(dir: &Path) -> PathBuf {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let lines = listeners.map(|listener| format!("{}\n", listener.local_addr().expect("it is bound")));
    let path = dir.join("hosts.txt");
    std::fs::write(&path, lines.concat()).expect("a file");
    path
}

/// Waits until a file contains a text. A file sends no events, so the test polls it.
pub fn wait_for_text(path: &Path, text: &str) {
    let deadline = Instant::now() + DEADLINE;
    while !std::fs::read_to_string(path).is_ok_and(|all| all.contains(text)) {
        assert!(Instant::now() < deadline, "{} does not contain `{text}`", path.display());
        thread::sleep(Duration::from_millis(5));
    }
}

/// Returns the records of a CSV file without quoted fields, each without its `time`.
pub fn records(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("the output is there");
    let mut records = Vec::new();
    for line in text.lines() {
        let mut fields: Vec<&str> = line.split(',').collect();
        fields.remove(fields.len() - 2);
        records.push(fields.join(","));
    }
    records
}
