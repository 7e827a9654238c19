//! Progress on a terminal and on a pipe, and the screen after the process was stopped or has ended.
//!
//! The test program starts itself as a child process. `script` gives the child a terminal.

#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "each test program uses a part of it")]
mod common;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use common::{DEADLINE, Number, TempDir, read, source};
use pathway_io::{Commit, Pipeline, ReadOptions, Restart, RunResult, Sink, SinkOptions, Subject, TableSchema, csv};

/// The environment variable that names the role of the child.
const PART: &str = "PATHWAY_IO_TERMINAL_CHILD";
const OUTPUT: &str = "PATHWAY_IO_TERMINAL_OUTPUT";

/// Runs the role of a child process; in the parent it does nothing.
#[test]
fn child() {
    let Ok(part) = env::var(PART) else { return };
    let pipeline = Pipeline::new();
    pipeline.progress(true);
    match part.as_str() {
        "deaf" => {
            println!("\n@{}@", std::process::id());
            pipeline.grace_period(Duration::from_secs(3600));
            let deaf = source(|rows: Subject<Number>| {
                rows.next(Number { n: 1 })?;
                thread::sleep(Duration::from_secs(3600));
                Ok(())
            });
            pipeline.read_with(deaf, ReadOptions::new().name("deaf"));
        }
        "many" => {
            println!("\n@{}@", std::process::id());
            for _ in 0..9 {
                let quiet = source(|rows: Subject<Number>| Ok(rows.wait_closed()?));
                pipeline.read_with(quiet, ReadOptions::new().name("a name that is wider than the window"));
            }
        }
        "restarted" => {
            println!("\n@ready");
            let mut go = String::new();
            std::io::stdin().read_line(&mut go).unwrap();
            let mut attempts = 0;
            let failing = source(move |rows: Subject<Number>| {
                attempts += 1;
                rows.next(Number { n: attempts })?;
                if attempts < 3 { Err(format!("loss {attempts}\nof the line").into()) } else { Ok(()) }
            });
            let restart = Restart::backoff(Duration::from_millis(1)..Duration::from_millis(1));
            let rows = pipeline.read_with(failing, ReadOptions::new().name("line").restart(restart.clone()));
            csv::write(&rows, env::var(OUTPUT).unwrap());
            rows.write_to_with(Late { failures: 2 }, SinkOptions::new().retry(restart));
        }
        "late" => {
            println!("\n@{}@", std::process::id());
            let hour = Duration::from_secs(3600);
            let quiet = source(|rows: Subject<Number>| Ok(rows.wait_closed()?));
            let retry = SinkOptions::new().retry(Restart::backoff(hour..hour));
            pipeline.read_with(quiet, ReadOptions::new().name("late")).write_to_with(Late { failures: 1 }, retry);
        }
        "unread" => {
            let mut attempts = 0;
            let failing = source(move |rows: Subject<Number>| {
                attempts += 1;
                rows.next(Number { n: attempts })?;
                if attempts < 1_000 { Err("x".repeat(1_000).into()) } else { Ok(()) }
            });
            let restart = Restart::backoff(Duration::ZERO..Duration::ZERO);
            let rows = pipeline.read_with(failing, ReadOptions::new().name("line").restart(restart));
            csv::write(&rows, env::var(OUTPUT).unwrap());
        }
        _ => unreachable!("{part}"),
    }
    let summary = pipeline.run().unwrap();
    // The other side of the pipe may be closed.
    let _ = writeln!(std::io::stdout(), "\n{summary}");
    std::process::exit(0);
}

/// A sink that cannot be opened at first.
struct Late {
    failures: u32,
}

impl Sink<Number> for Late {
    fn open(&mut self, _: &'static TableSchema) -> RunResult {
        let Some(rest) = self.failures.checked_sub(1) else { return Ok(()) };
        self.failures = rest;
        Err(format!("no route {rest}\nto the host").into())
    }

    fn write(&mut self, _: &Commit<Number>) -> RunResult {
        Ok(())
    }
}

/// A child on a terminal, and what the terminal has received.
struct Terminal {
    script: Child,
    bytes: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn start(part: &str, rows: u16, columns: u16) -> Self {
        let program = env::current_exe().unwrap();
        let command =
            format!("stty rows {rows} cols {columns}; exec '{}' child --exact --nocapture", program.display());
        let mut script = Command::new("script");
        script.args(["-qfec", &command, "/dev/null"]).env(PART, part).env("TERM", "xterm");
        let mut script = script.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = script.stdout.take().unwrap();
        let (sender, bytes) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { script, bytes, seen: String::new() }
    }

    /// Waits until the terminal has received what the test waits for.
    #[track_caller]
    fn wait(&mut self, until: impl FnMut(&str) -> bool) {
        assert!(self.wait_for(DEADLINE, until), "it does not come: {:?}", self.seen);
    }

    /// Waits for a time, and returns whether the terminal has received what the test waits for.
    #[track_caller]
    fn wait_for(&mut self, time: Duration, mut until: impl FnMut(&str) -> bool) -> bool {
        let deadline = Instant::now() + time;
        while !until(&self.seen) {
            match self.bytes.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Disconnected) => panic!("the child has ended: {:?}", self.seen),
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
        true
    }

    /// Waits until the progress is drawn, and returns the number of the process.
    fn is_drawn(&mut self) -> u32 {
        self.wait(|seen| seen.contains("rows/s") || seen.matches("\x1b8").count() > 3);
        self.seen.split('@').nth(1).unwrap().parse().unwrap()
    }

    /// Waits for the end.
    fn end(mut self) -> (Option<i32>, String) {
        while let Ok(bytes) = self.bytes.recv_timeout(DEADLINE) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        // The terminal puts a carriage return before each line feed.
        (self.script.wait().unwrap().code(), self.seen.replace("\r\r\n", "\r\n"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

fn send(signal: &str, process: u32) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {process}")]).status();
    assert!(sent.unwrap().success());
}

const STOPPING: &str = "stopping: waiting up to 3600 s for `deaf`; Ctrl-C again ends at once";

#[test]
fn a_second_ctrl_c_leaves_the_cursor_below_the_lines() {
    let mut terminal = Terminal::start("deaf", 24, 80);
    let process = terminal.is_drawn();
    send("INT", process);
    terminal.wait(|seen| seen.contains(STOPPING));
    // The lines come back below what was said.
    terminal.wait(|seen| seen.split(STOPPING).nth(1).is_some_and(|after| after.contains("\x1b8")));
    send("INT", process);
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(128 + 2), "the default action of the signal");
    assert_eq!(seen.matches("stopping:").count(), 1, "it is said once: {seen:?}");
    let (_, last) = seen.rsplit_once("\x1b[J").unwrap();
    let lines: Vec<&str> = last.split("\r\n").collect();
    let [cursor, head, deaf, below] = lines[..] else { panic!("{last:?}") };
    assert!(head.ends_with("backlog") && deaf.starts_with("deaf "), "{last:?}");
    assert_eq!((cursor, below), ("", ""), "{last:?}");
}

#[test]
fn ctrl_z_takes_the_lines_off_and_they_come_back() {
    let mut terminal = Terminal::start("deaf", 24, 80);
    let process = terminal.is_drawn();
    send("TSTP", process);
    let deadline = Instant::now() + DEADLINE;
    let is_stopped = || fs::read_to_string(format!("/proc/{process}/stat")).unwrap().contains(") T ");
    while !is_stopped() {
        assert!(Instant::now() < deadline, "it does not stop");
        thread::sleep(Duration::from_millis(1));
    }
    // The signal removes the lines, and the next drawing does so again.
    let off = "\x1b[J\x1b[J";
    let is_back = |seen: &str| seen.split(off).nth(1).is_some_and(|after| after.contains("rows/s"));
    // `script` stops itself some time after its child has stopped, so one signal could come too early.
    while !terminal.wait_for(Duration::from_millis(50), is_back) {
        assert!(Instant::now() < deadline, "it does not come back: {:?}", terminal.seen);
        send("CONT", terminal.script.id());
        send("CONT", process);
    }
    send("INT", process);
    terminal.wait(|seen| seen.contains(STOPPING));
    send("TERM", process);
    assert_eq!(terminal.end().0, Some(128 + 15));
}

#[test]
fn the_lines_fit_into_the_window() {
    let mut terminal = Terminal::start("many", 5, 30);
    let process = terminal.is_drawn();
    send("INT", process);
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(0), "{seen:?}");
    // One index command makes the place of one line. Two rows stay for the cursor and what the program writes.
    assert!(seen.contains(&"\x1bD".repeat(3)) && !seen.contains(&"\x1bD".repeat(4)), "{seen:?}");
    let drawn = seen.split("\x1b7").skip(1).filter_map(|drawing| Some(drawing.split_once("\x1b8")?.0));
    let widest = drawn.flat_map(|drawing| drawing.split("\r\n")).map(|line| line.chars().count()).max();
    assert_eq!(widest, Some(29), "{seen:?}");
}

#[test]
fn a_sink_that_cannot_be_opened_is_shown_while_the_start_waits() {
    let mut terminal = Terminal::start("late", 24, 80);
    let process = terminal.is_drawn();
    terminal.wait(|seen| seen.contains("→ late: 1 failure so far, the last error: no route 0 to the host"));
    send("INT", process);
    assert_eq!(terminal.end().0, Some(0));
}

/// A child whose source fails twice, and whose sink cannot be opened twice. It waits for a line of its input.
fn restarted(output: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["child", "--exact", "--nocapture"]).env(PART, "restarted").env(OUTPUT, output);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line != "@ready\n" {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "the child has ended");
    }
    // The child writes no more until it has read its line.
    child.stdout = Some(out.into_inner());
    child
}

#[test]
fn without_a_terminal_each_failed_attempt_is_a_line() {
    let dir = TempDir::new();
    let mut child = restarted(&dir.path("out.csv"));
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let output = common::within(move || child.wait_with_output().unwrap());
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "sink line: failed, retry 1 in 0.0 s: no route 1 to the host\n\
         sink line: failed, retry 2 in 0.0 s: no route 0 to the host\n\
         line: attempt 1 failed, attempt 2 in 0.0 s: loss 1 of the line\n\
         line: attempt 2 failed, attempt 3 in 0.0 s: loss 2 of the line\n"
    );
    let summary = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(summary.contains("line: 3 rows in 3 commits, "), "{summary}");
    assert!(summary.contains(", 3 attempts, last error: loss 2 of the line\n"), "{summary}");
}

#[test]
fn closed_outputs_do_not_end_the_run() {
    let dir = TempDir::new();
    let path = dir.path("out.csv");
    let mut child = restarted(&path);
    drop((child.stdout.take(), child.stderr.take()));
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let status = common::within(move || child.wait().unwrap());
    assert!(status.success(), "{status}");
    assert_eq!(read(&path).lines().count(), 1 + 3);
}

#[test]
fn an_unread_standard_error_does_not_hold_up_the_run() {
    let directory = TempDir::new();
    let output = directory.path("rows.csv");
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["child", "--exact", "--nocapture"]).env(PART, "unread").env(OUTPUT, &output);
    // Far more lines than a pipe holds.
    let mut child = child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + DEADLINE;
    let ended = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                child.kill().unwrap();
                panic!("it waits for a reader");
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    assert!(ended.success(), "{ended}");
    assert_eq!(read(&output).lines().count(), 1 + 1_000);
}
