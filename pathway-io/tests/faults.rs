//! Faults at every boundary: the process ends by itself with one sentence and an exit code other than 0, after one call
//! of `on_stop`. Each fault runs in a child process, which is the test program itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fmt, io, thread};

use pathway_io::{
    Commit, Connector, Error, FailureKind, Pipeline, ReadOptions, Restart, RunResult, Schema, Sink, Subject, Table,
    TableSchema,
};
use serde::{Deserialize, Serialize};

/// The longest wait, which only a hang can reach.
const DEADLINE: Duration = Duration::from_secs(30);
/// The environment variable that names the role of the child.
const PART: &str = "PATHWAY_IO_FAULT";
/// The environment variable for the number of seconds that the slow sink is watched.
const SECONDS: &str = "PATHWAY_IO_FAULT_SECONDS";

/// Prints a line from the child to its parent, marked so that output of the test harness does not match.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "\n@{line}").and_then(|()| out.flush()).expect("the parent reads");
}

/// Runs the role of a child process and exits like a `main` that returns a `pathway_io::Result`. In the parent it does
/// nothing.
#[test]
fn child() {
    let Ok(part) = env::var(PART) else { return };
    let result = match part.as_str() {
        "slow sink" => slow_sink(),
        "printing" => printing(),
        boundary => break_at(boundary),
    };
    if let Err(error) = result {
        eprintln!("Error: {error:?}");
        std::process::exit(1);
    }
    std::process::exit(0);
}

/// The output of a child that has ended.
struct Ended {
    status: ExitStatus,
    said: Vec<String>,
    errors: String,
}

struct Child {
    process: std::process::Child,
    said: mpsc::Receiver<String>,
    errors: mpsc::Receiver<String>,
}

impl Child {
    fn start(part: &str, settings: &[(&str, &str)]) -> Self {
        let mut child = Child::start_unheard(part, settings);
        let (line, said) = mpsc::channel();
        child.said = said;
        let out = BufReader::new(child.process.stdout.take().unwrap());
        thread::spawn(move || {
            let said = out.lines().map_while(Result::ok).filter_map(|text| Some(text.strip_prefix('@')?.to_owned()));
            // Sends lines until the receiver is dropped.
            said.map(|text| line.send(text)).find(Result::is_err)
        });
        child
    }

    /// Starts a child whose standard output is not read.
    fn start_unheard(part: &str, settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env(PART, part)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, errors) = mpsc::channel();
        let mut err = process.stderr.take().unwrap();
        thread::spawn(move || {
            let mut text = String::new();
            // If the output is not UTF-8, the comparison with the expected text fails.
            let _ = err.read_to_string(&mut text);
            sender.send(text)
        });
        Child { process, said: mpsc::channel().1, errors }
    }

    #[track_caller]
    fn ends(self) -> Ended {
        self.ends_within(DEADLINE)
    }

    #[track_caller]
    fn ends_within(mut self, time: Duration) -> Ended {
        let deadline = Instant::now() + time;
        let status = loop {
            // The status is polled, so that a child that does not end can still be killed.
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the child does not end");
            thread::sleep(Duration::from_millis(1));
        };
        let errors = self.errors.recv_timeout(DEADLINE).unwrap();
        Ended { status, said: self.said.iter().collect(), errors }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The process may have ended already, and then the call fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Schema)]
struct Row {
    n: u64,
    #[schema(json)]
    value: Fragile,
    #[schema(default = default())]
    text: String,
}

/// A value whose `Serialize` panics if the flag is set.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
struct Fragile(bool);

impl Serialize for Fragile {
    fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        assert!(!self.0, "{}", text("conversion"));
        serializer.serialize_newtype_struct("Fragile", &self.0)
    }
}

fn default() -> String {
    panic!("{}", text("default"))
}

/// An offset whose `Clone` panics if the flag is set.
#[derive(Debug, Serialize, Deserialize)]
struct Offset(bool);

impl Clone for Offset {
    fn clone(&self) -> Self {
        assert!(!self.0, "{}", text("offset"));
        Offset(self.0)
    }
}

fn text(boundary: &str) -> String {
    format!("it breaks at: {boundary}")
}

/// Panics at its boundary, and nowhere else.
struct Breaking(String);

impl Breaking {
    fn same(&self) -> Self {
        Breaking(self.0.clone())
    }

    fn at(&self, boundary: &str) {
        assert_ne!(self.0, boundary, "{}", text(boundary));
    }
}

/// A value that panics when it is dropped.
struct Dropped(Breaking, &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.at(self.1);
    }
}

#[derive(Debug)]
struct TornText;

impl fmt::Display for TornText {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("{}", text("error text"))
    }
}

impl std::error::Error for TornText {}

struct BreakingSource(Breaking);

impl Drop for BreakingSource {
    fn drop(&mut self) {
        self.0.at("drop");
    }
}

impl Connector for BreakingSource {
    type Subjects = Subject<Row, Offset>;
    type Tables = Table<Row>;

    fn options() -> ReadOptions {
        // With a restart policy, the last attempt must behave as a single one does.
        let wait = Duration::from_millis(1);
        ReadOptions::new().name("rows").autocommit(None).restart(Restart::backoff(wait..wait).attempts(2))
    }

    fn run(&mut self, rows: Subject<Row, Offset>) -> RunResult {
        let (before, inside) = (self.0.same(), self.0.same());
        let unused = Dropped(self.0.same(), "hook drop");
        let (called, is_called) = mpsc::channel::<()>();
        rows.on_interrupt(move || {
            let _called = called;
            inside.at("hook");
            // The hook is dropped without a call if no stop comes.
            let _ = &unused;
        });
        for n in 0..3 {
            let value = Fragile(n == 2 && self.0.0 == "conversion");
            rows.next(Row { n, value, text: String::new() })?;
            rows.commit_at(Offset(n == 1 && self.0.0 == "offset"))?;
        }
        if self.0.0 == "default" {
            rows.next_json(r#"{"n": 1, "value": false}"#)?;
        }
        if self.0.0 == "error text" {
            return Err(TornText.into());
        }
        if self.0.0 == "hook" {
            // Another part stops the pipeline. The hook of a source that has returned is not called.
            let _ = is_called.recv();
            return Ok(());
        }
        before.at("run");
        Ok(())
    }

    fn on_stop(&mut self) {
        say("on_stop");
        self.0.at("on_stop");
    }
}

impl Sink<Row> for Dropped {
    fn open(&mut self, _: &'static TableSchema) -> RunResult {
        self.0.at("open");
        Ok(())
    }

    fn write(&mut self, _: &Commit<Row>) -> RunResult {
        self.0.at("write");
        Ok(())
    }

    fn flush(&mut self) -> RunResult {
        self.0.at("flush");
        Ok(())
    }

    fn close(&mut self) -> RunResult {
        self.0.at("close");
        Ok(())
    }
}

fn break_at(boundary: &str) -> pathway_io::Result<()> {
    let breaking = Breaking(boundary.to_owned());
    let pipeline = Pipeline::new();
    let rows = pipeline.read(BreakingSource(breaking.same()));
    rows.write_to(Dropped(breaking.same(), "sink drop"));
    let (update, commit) = (breaking.same(), breaking.same());
    rows.subscribe(move |_| update.at("subscribe"));
    rows.subscribe_commits(move |_| commit.at("subscribe_commits"));
    let stop = pipeline.stop_handle();
    if boundary == "hook" {
        // After the last row, no push is refused.
        rows.subscribe(move |update| {
            if update.row.n == 2 {
                stop.stop();
            }
        });
    }
    pipeline.run()?;
    Ok(())
}

/// Each boundary, with the part that the error must name.
const BOUNDARIES: [(&str, &str); 17] = [
    ("run", "connector `rows` panicked in run"),
    ("conversion", "connector `rows` panicked in run"),
    ("default", "connector `rows` panicked in run"),
    ("offset", "connector `rows` panicked in the clone of its offset"),
    ("error text", "connector `rows` panicked in the text of its error"),
    ("hook", "connector `rows` panicked in an `on_interrupt` hook"),
    ("hook drop", "connector `rows` panicked in the drop of an `on_interrupt` hook"),
    ("on_stop", "connector `rows` panicked in on_stop"),
    ("drop", "connector `rows` panicked in its drop"),
    ("open", "sink `rows` panicked in open"),
    ("write", "sink `rows` panicked in write"),
    ("flush", "sink `rows` panicked in flush"),
    ("close", "sink `rows` panicked in close"),
    ("sink drop", "sink `rows` panicked in its drop"),
    ("subscribe", "sink `rows` panicked in write"),
    ("subscribe_commits", "sink `rows` panicked in write"),
    ("none", ""),
];

#[test]
fn a_panic_at_any_boundary_ends_the_process_with_one_sentence() {
    let children: Vec<_> =
        BOUNDARIES.iter().map(|(boundary, named)| (boundary, named, Child::start(boundary, &[]))).collect();
    for (boundary, named, child) in children {
        let ended = child.ends();
        let code = ended.status.code();
        if *boundary == "none" {
            assert_eq!((code, ended.said), (Some(0), vec!["on_stop".to_owned()]), "{}", ended.errors);
            continue;
        }
        assert_eq!(code, Some(1), "{boundary}: {}", ended.errors);
        let stops = usize::from(*boundary != "open");
        assert_eq!(ended.said.len(), stops, "{boundary}: on_stop was called {} times", ended.said.len());
        let sentence = format!("Error: {named}: ");
        let line = ended.errors.lines().find(|line| line.starts_with(&sentence));
        assert!(line.is_some_and(|line| line.contains(&text(boundary))), "{boundary}: {}", ended.errors);
    }
}

/// Prints each row until standard output is closed.
fn printing() -> pathway_io::Result<()> {
    let pipeline = Pipeline::new();
    let rows = pipeline.read(Printed);
    rows.subscribe(|update| println!("{}", update.row.n));
    say("ready");
    pipeline.run()?;
    Ok(())
}

#[derive(Schema)]
struct Number {
    n: u64,
}

struct Printed;

impl Connector for Printed {
    type Subjects = Subject<Number>;
    type Tables = Table<Number>;

    fn options() -> ReadOptions {
        ReadOptions::new().name("numbers")
    }

    fn run(&mut self, numbers: Subject<Number>) -> RunResult {
        for n in 0.. {
            numbers.next(Number { n })?;
        }
        Ok(())
    }

    fn on_stop(&mut self) {
        eprintln!("on_stop");
    }
}

#[test]
fn a_closed_stdout_fails_the_sink_that_prints() {
    let mut child = Child::start_unheard("printing", &[]);
    // Closes standard output after some lines, as `head` does.
    let mut out = BufReader::new(child.process.stdout.take().unwrap()).lines();
    assert!(out.any(|line| line.is_ok_and(|line| line == "@ready")));
    drop(out);
    let ended = child.ends();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.errors);
    let text = &ended.errors;
    assert!(text.contains("Error: sink `numbers` panicked in write: failed printing to stdout"), "{text}");
    assert_eq!(text.lines().filter(|line| *line == "on_stop").count(), 1, "{text}");
}

/// A sink that takes a row from time to time while its source pushes at full speed. The pipeline is stopped after a
/// while.
fn slow_sink() -> pathway_io::Result<()> {
    let seconds: u64 = env::var(SECONDS).expect("the parent sets the variable").parse().expect("a number");
    let pipeline = Pipeline::new();
    pipeline.grace_period(Duration::from_secs(1));
    let numbers = pipeline.read(Printed);
    let (sender, took) = mpsc::channel();
    numbers.subscribe(move |_| {
        sender.send(()).expect("the receiver exists");
        thread::sleep(Duration::from_secs(1));
    });
    let running = pipeline.start()?;
    // From the first row on, all buffers fill up. They are full when the second row arrives.
    took.recv().expect("the sink is running");
    took.recv().expect("the sink is running");
    let before = resident();
    let mut taken = 2;
    for _ in 0..seconds {
        took.recv().expect("the sink is running");
        taken += 1;
    }
    say(&format!("grown {}", resident().saturating_sub(before)));
    let stopped = Instant::now();
    running.stop();
    let Err(error) = running.join() else { panic!("the slow sink should have undelivered updates") };
    say(&format!("ended {}", stopped.elapsed().as_millis()));
    let Error::Sink(failure) = &error else { panic!("{error}") };
    let FailureKind::TimedOut { undelivered: Some(undelivered) } = failure.kind() else { panic!("{error}") };
    let rows = error.summary().expect("it ran").rows();
    let taken = taken + took.try_iter().count() as u64;
    say(&format!("undelivered {undelivered}"));
    say(&format!("unaccounted {}", rows.abs_diff(*undelivered).saturating_sub(taken)));
    Err(error)
}

/// Returns the resident memory of the process in KiB, or 0 if it is unknown.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn watch_slow_sink(seconds: u64) {
    let child = Child::start("slow sink", &[(SECONDS, &seconds.to_string())]);
    let ended = child.ends_within(DEADLINE + Duration::from_secs(seconds));
    assert_eq!(ended.status.code(), Some(1), "{}", ended.errors);
    assert!(ended.errors.contains("Error: sink `numbers` did not finish within the grace period"), "{}", ended.errors);
    let figure = |what: &str| -> u64 {
        let line = ended.said.iter().find_map(|line| line.strip_prefix(what)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {what}: {:?}", ended.said)).parse().unwrap()
    };
    println!("{:?}", ended.said);
    // The backlog of 16 MiB is full before the first measurement.
    assert!(figure("grown") < 4 * 1024, "memory grows: {:?}", ended.said);
    // The grace period is one second, and a loaded machine adds some time.
    assert!((900..6_000).contains(&figure("ended")), "{:?}", ended.said);
    // A commit that was taken in part counts as undelivered as a whole, so the two counts may overlap.
    assert_eq!(figure("unaccounted"), 0, "{:?}", ended.said);
    assert!(
        ended.errors.contains(&format!("{} updates were not delivered", figure("undelivered"))),
        "{}",
        ended.errors
    );
}

#[test]
fn a_slow_sink_blocks_the_source_and_is_named_at_the_stop() {
    watch_slow_sink(1);
}

#[test]
#[ignore = "takes a minute"]
fn memory_stays_bounded_for_a_minute_with_a_slow_sink() {
    watch_slow_sink(60);
}
