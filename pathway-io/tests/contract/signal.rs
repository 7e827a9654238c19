//! SIGINT, SIGTERM and SIGHUP, and output to the terminal. The test program starts itself as a child process for these
//! tests.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use pathway_io::{BadRows, Pipeline, ReadOptions, Subject, csv};

use crate::common::{Cat, DEADLINE, Number, TempDir, next, numbers, read, source, within};
use crate::hook::connection;

/// The environment variable that names the role of the child.
const PART: &str = "PATHWAY_IO_TEST_CHILD";
const OUTPUT: &str = "PATHWAY_IO_TEST_OUTPUT";

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// Prints a line from the child to its parent, marked so that output of the test harness does not match.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "\n@{line}").and_then(|()| out.flush()).expect("the parent reads");
}

/// Runs the role of a child process; in the parent it does nothing.
#[test]
fn child() {
    let Ok(part) = env::var(PART) else { return };
    match part.as_str() {
        "blocked" => blocked(true),
        "unhandled" => blocked(false),
        "deaf" => deaf(),
        "after" => {
            Pipeline::new().run().unwrap();
            say("ready");
            thread::sleep(Duration::from_secs(3600));
        }
        "one of two" => one_of_two(),
        "unread log" => {
            tracing::subscriber::set_global_default(Unread).unwrap();
            deaf();
        }
        "silent" => silent(),
        _ => unreachable!("{part}"),
    }
    std::process::exit(0);
}

/// A source that waits in a read of a socket, which its hook closes.
fn blocked(handle_signals: bool) {
    let (socket, _peer) = connection();
    let pipeline = Pipeline::new();
    pipeline.handle_signals(handle_signals);
    let table = pipeline.read(
        source(move |subject: Subject<Number>| {
            for n in 0..3 {
                subject.next(Number { n })?;
            }
            subject.on_interrupt({
                let socket = socket.try_clone()?;
                move || socket.shutdown(std::net::Shutdown::Both)
            });
            say("ready");
            (&socket).read_exact(&mut [0])?;
            Ok(())
        })
        .on_stop(|| say("on_stop")),
    );
    if let Ok(path) = env::var(OUTPUT) {
        csv::write(&table, path);
    }
    let summary = pipeline.run().unwrap();
    say(&format!("{:?}", summary.stop));
}

fn deaf() {
    let pipeline = Pipeline::new();
    pipeline.grace_period(Duration::from_secs(3600));
    pipeline.read(source(|subject: Subject<Number>| {
        subject.on_interrupt(|| say("stopping"));
        say("ready");
        thread::sleep(Duration::from_secs(3600));
        Ok(())
    }));
    pipeline.run().unwrap();
}

/// A subscriber that blocks at the event of a stop, like one that writes into a full pipe.
struct Unread;

impl tracing::Subscriber for Unread {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= tracing::Level::INFO
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::Id {
        tracing::Id::from_u64(1)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut is_stop = false;
        event.record(&mut |_: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            is_stop |= format!("{value:?}") == "stop";
        });
        if !is_stop {
            return;
        }
        say("logging");
        loop {
            thread::park();
        }
    }

    fn record(&self, _: &tracing::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::Id, _: &tracing::Id) {}
    fn enter(&self, _: &tracing::Id) {}
    fn exit(&self, _: &tracing::Id) {}
}

/// The end of one pipeline does not remove the signal handling of another.
fn one_of_two() {
    let ended = Pipeline::new();
    ended.read(source(|subject: Subject<Number>| Ok(subject.wait_closed()?)));
    let ended = ended.start().unwrap();
    let pipeline = Pipeline::new();
    pipeline.read(source(|subject: Subject<Number>| Ok(subject.wait_closed()?)));
    let running = pipeline.start().unwrap();
    drop(ended);
    say("alone");
    say(&format!("{:?}", running.join().unwrap().stop));
    // A new pipeline handles signals again.
    let pipeline = Pipeline::new();
    pipeline.read(source(|subject: Subject<Number>| {
        say("again");
        Ok(subject.wait_closed()?)
    }));
    say(&format!("{:?}", pipeline.run().unwrap().stop));
}

/// A run with every event that the library might print.
fn silent() {
    // The panic message itself is printed by the standard library.
    std::panic::set_hook(Box::new(|_| {}));
    let dir = TempDir::new();
    say("begin");
    let pipeline = Pipeline::new();
    csv::write(&pipeline.read(numbers(0..10)), dir.path("output.csv"));
    pipeline.run().unwrap();

    let pipeline = Pipeline::new();
    pipeline.read(source(|_: Subject<Number>| Err("no such device".into())).on_stop(|| panic!("out of cheese")));
    pipeline.run().unwrap_err();

    let pipeline = Pipeline::new();
    pipeline.read(numbers(0..10)).subscribe(|_| panic!("enough"));
    pipeline.run().unwrap_err();

    let pipeline = Pipeline::new();
    let rejecting = source(|cats: Subject<Cat>| Ok(cats.next_json("no JSON")?));
    pipeline.read_with(rejecting, ReadOptions::new().bad_rows(BadRows::Skip));
    pipeline.run().unwrap();

    let pipeline = Pipeline::new();
    pipeline.grace_period(Duration::ZERO);
    let stop = pipeline.stop_handle();
    let updates = pipeline
        .read(source(move |subject: Subject<Number>| {
            subject.next(Number { n: 1 })?;
            stop.stop();
            thread::sleep(Duration::from_secs(3600));
            Ok(())
        }))
        .commits(0);
    pipeline.run().unwrap_err();
    drop(updates);

    let pipeline = Pipeline::new();
    pipeline.read(source(|subject: Subject<Number>| Ok(subject.wait_closed()?)));
    drop(pipeline.start().unwrap());
    drop(dir);
    say("end");
}

/// A child process and its output.
struct Child {
    process: std::process::Child,
    lines: Receiver<String>,
}

impl Child {
    fn start(part: &str, output: Option<&Path>) -> Self {
        Self::start_by(Command::new(env::current_exe().unwrap()), part, output)
    }

    /// Starts it as `nohup` does.
    fn start_without_hangups(part: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(env::current_exe().unwrap());
        Self::start_by(shell, part, None)
    }

    fn start_by(mut command: Command, part: &str, output: Option<&Path>) -> Self {
        command.args(["signal::child", "--exact", "--nocapture"]).env(PART, part);
        if let Some(path) = output {
            command.env(OUTPUT, path);
        }
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let (line, lines) = mpsc::channel();
        let out = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            let said = out.lines().map_while(Result::ok).filter_map(|text| Some(text.strip_prefix('@')?.to_owned()));
            // Sends lines until the receiver is dropped.
            said.map(|text| line.send(text)).find(Result::is_err)
        });
        Child { process, lines }
    }

    #[track_caller]
    fn says(&self, line: &str) {
        assert_eq!(next(&self.lines), line);
    }

    fn send(&self, signal: impl std::fmt::Display) {
        let kill = format!("kill -{signal} {}", self.process.id());
        assert!(Command::new("sh").arg("-c").arg(kill).status().unwrap().success());
    }

    #[track_caller]
    fn ends(mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            // The status is polled, so that a child that does not end can still be killed.
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the child does not end");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The process may have ended already, and then the call fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the signals that stop a pipeline. Under `nohup`, this program and those that it starts ignore SIGHUP.
fn stopping_signals() -> Vec<i32> {
    let shell = Command::new("sh").args(["-c", "kill -HUP $$"]).status().unwrap();
    let mut signals = vec![SIGINT, SIGTERM];
    if shell.signal() == Some(SIGHUP) {
        signals.push(SIGHUP);
    } else {
        eprintln!("SIGHUP is ignored, and not tested");
    }
    signals
}

// Contract 5.1
#[test]
fn a_signal_stops_a_source_that_is_blocked_in_a_read() {
    for signal in stopping_signals() {
        let dir = TempDir::new();
        let path = dir.path("output.csv");
        let child = Child::start("blocked", Some(&path));
        child.says("ready");
        child.send(signal);
        child.says("on_stop");
        child.says(&format!("Some(Signal({signal}))"));
        assert!(child.ends().success());
        assert_eq!(read(&path).lines().count(), 1 + 3);
    }
}

// Contract 5.8
#[test]
fn a_second_signal_ends_the_process_at_once() {
    let signals = stopping_signals();
    let pairs = [(SIGINT, SIGINT), (SIGINT, SIGTERM), (SIGTERM, SIGINT), (SIGHUP, SIGHUP)];
    for (first, second) in pairs.into_iter().filter(|(first, _)| signals.contains(first)) {
        let child = Child::start("deaf", None);
        child.says("ready");
        child.send(first);
        child.says("stopping");
        child.send(second);
        assert_eq!(child.ends().signal(), Some(second));
    }
}

// Contract 5.8
#[test]
fn a_subscriber_that_blocks_holds_up_neither_the_stop_nor_the_second_signal() {
    let child = Child::start("unread log", None);
    child.says("ready");
    child.send(SIGINT);
    let said = [next(&child.lines), next(&child.lines)];
    assert!(said.contains(&"stopping".to_owned()) && said.contains(&"logging".to_owned()), "{said:?}");
    child.send(SIGINT);
    assert_eq!(child.ends().signal(), Some(SIGINT));
}

/// Both are pending when the process continues, so that they arrive at once.
#[test]
fn two_signals_at_the_same_time_count_as_two() {
    let child = Child::start("deaf", None);
    child.says("ready");
    for signal in ["STOP", "TERM", "INT", "CONT"] {
        child.send(signal);
    }
    // One of them has asked for the stop, and the other has ended the process.
    let ended_by = child.ends().signal();
    assert!(matches!(ended_by, Some(SIGINT | SIGTERM)), "{ended_by:?}");
}

#[test]
fn signals_are_handled_only_while_a_pipeline_runs() {
    for signal in stopping_signals() {
        let child = Child::start("after", None);
        child.says("ready");
        child.send(signal);
        assert_eq!(child.ends().signal(), Some(signal));
    }
}

#[test]
fn a_hangup_that_was_ignored_at_the_start_stays_ignored() {
    if !Path::new("/proc/self/status").exists() {
        return;
    }
    let child = Child::start_without_hangups("blocked");
    child.says("ready");
    child.send(SIGHUP);
    child.send(SIGTERM);
    child.says("on_stop");
    // The first signal that was heard.
    child.says("Some(Signal(15))");
    assert!(child.ends().success());
}

#[test]
fn signals_are_not_handled_if_the_option_is_off() {
    let child = Child::start("unhandled", None);
    child.says("ready");
    child.send(SIGTERM);
    assert_eq!(child.ends().signal(), Some(SIGTERM));
}

#[test]
fn each_pipeline_has_its_own_signals() {
    let child = Child::start("one of two", None);
    child.says("alone");
    child.send(SIGTERM);
    child.says("Some(Signal(15))");
    child.says("again");
    child.send(SIGINT);
    child.says("Some(Signal(2))");
    assert!(child.ends().success());
}

#[test]
fn the_library_writes_nothing_to_the_terminal() {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["signal::child", "--exact", "--nocapture"]).env(PART, "silent");
    let output = within(move || command.output().unwrap());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let (_, after) = said.split_once("@begin\n").unwrap();
    assert_eq!(after, "\n@end\n");
}
