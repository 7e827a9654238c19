//! Shared code of the test programs: rows, a source that calls closures, and waits with a deadline.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{fs, thread};

use pathway_io::{Connector, Pipeline, Result, RunResult, Schema, Subjects, Summary, Table};
#[allow(unused_imports, reason = "some tests have handles of another kind")]
pub use pathway_io::{Subject, Transaction};

/// The longest wait, which only a hang can reach.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A row with a key.
#[derive(Schema, Debug, Clone, PartialEq)]
pub struct Cat {
    #[schema(primary_key)]
    pub key: i64,
    pub genus: String,
}

pub fn cat(key: i64, genus: &str) -> Cat {
    Cat { key, genus: genus.into() }
}

/// A row without a key.
#[derive(Schema, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    pub n: u64,
}

/// A source that calls closures.
pub struct Source<T, F> {
    run: F,
    on_stop: Box<dyn FnMut() + Send>,
    _subjects: std::marker::PhantomData<fn(T)>,
}

pub fn source<T: Subjects, F: FnMut(T) -> RunResult + Send + 'static>(run: F) -> Source<T, F> {
    Source { run, on_stop: Box::new(|| {}), _subjects: std::marker::PhantomData }
}

impl<T, F> Source<T, F> {
    pub fn on_stop(mut self, on_stop: impl FnMut() + Send + 'static) -> Self {
        self.on_stop = Box::new(on_stop);
        self
    }
}

impl<T: Subjects, F: FnMut(T) -> RunResult + Send + 'static> Connector for Source<T, F> {
    type Subjects = T;
    type Tables = T::Tables;

    fn run(&mut self, subjects: T) -> RunResult {
        (self.run)(subjects)
    }

    fn on_stop(&mut self) {
        (self.on_stop)();
    }
}

/// A source that pushes the numbers and ends.
pub fn numbers(numbers: std::ops::Range<u64>) -> impl Connector<Tables = Table<Number>> {
    source(move |subject: Subject<Number>| {
        for n in numbers.clone() {
            subject.next(Number { n })?;
        }
        Ok(())
    })
}

/// A pipeline that does not handle signals, so that the test program keeps their default actions.
///
/// Its grace period ends only a hang, however busy the machine is.
pub fn pipeline() -> Pipeline {
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false).grace_period(DEADLINE);
    pipeline
}

/// Returns the result of `work`, and fails if it takes longer than the deadline.
#[track_caller]
pub fn within<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || {
        // After the deadline the receiver is gone.
        let _ = sender.send(work());
    });
    match receiver.recv_timeout(DEADLINE) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(worker.join().expect_err("the worker sent no result"))
        }
    }
}

/// Runs a pipeline to its end, and fails if it does not end.
#[track_caller]
pub fn run(pipeline: Pipeline) -> Result<Summary> {
    within(move || pipeline.run())
}

/// Returns the next event, and fails if none arrives.
#[track_caller]
pub fn next<T>(events: &Receiver<T>) -> T {
    events.recv_timeout(DEADLINE).expect("the event comes before the deadline")
}

/// Waits until `done` is true, and fails with the message if it is not before the deadline.
#[allow(dead_code, reason = "most tests wait for messages")]
#[track_caller]
pub fn wait_until(message: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < deadline, "{message}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Changes the time of the last checkpoint of a log, as if the clock of the run had been wrong.
#[allow(dead_code, reason = "only persistent pipelines have a log")]
pub fn set_checkpoint_time(path: &Path, time: u64) {
    let mut log = fs::read(path).unwrap();
    let len = |at: usize| u32::from_le_bytes(log[at + 4..at + 8].try_into().unwrap()) as usize;
    let (mut at, mut end) = (0, 0);
    while end < log.len() {
        (at, end) = (end, end + 13 + len(end));
    }
    assert_eq!(log[at + 12], b'C');
    let mut checkpoint: serde_json::Value = serde_json::from_slice(&log[at + 13..]).unwrap();
    checkpoint["time"] = time.into();
    let body = [b"C".as_slice(), checkpoint.to_string().as_bytes()].concat();
    log.truncate(at);
    log.extend_from_slice(b"pwf1");
    log.extend_from_slice(&((body.len() - 1) as u32).to_le_bytes());
    log.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    log.extend_from_slice(&body);
    fs::write(path, log).unwrap();
}

/// A commit as a sink has received it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen<S> {
    pub time: u64,
    pub updates: Vec<(S, i64)>,
}

/// Returns a receiver of the table's commits.
pub fn commits<S: Schema + Send>(table: &Table<S>) -> Receiver<Seen<S>> {
    let (sender, receiver) = mpsc::channel();
    table.subscribe_commits(move |commit| {
        let updates = commit.iter().map(|update| (update.row, update.diff)).collect();
        // The send fails if the test has dropped the receiver.
        let _ = sender.send(Seen { time: commit.time(), updates });
    });
    receiver
}

/// Returns the updates of all commits, without their times.
pub fn updates<S>(commits: &Receiver<Seen<S>>) -> Vec<(S, i64)> {
    commits.try_iter().flat_map(|commit| commit.updates).collect()
}

/// Returns the numbers of each commit.
pub fn by_commit(commits: &Receiver<Seen<Number>>) -> Vec<Vec<u64>> {
    commits.try_iter().map(|commit| commit.updates.into_iter().map(|(row, _)| row.n).collect()).collect()
}

/// A directory that is removed at the end of the test.
pub struct TempDir(tempfile::TempDir);

impl TempDir {
    pub fn new() -> Self {
        TempDir(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

pub fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

/// Returns the records of a CSV text, with each time replaced by its rank, as in the files that Pathway wrote.
pub fn ranked(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut records: Vec<Vec<String>> =
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
    let column = records[0].iter().position(|name| name == "time").unwrap();
    let times: BTreeSet<u64> = records[1..].iter().map(|record| record[column].parse().unwrap()).collect();
    for record in &mut records[1..] {
        let time: u64 = record[column].parse().unwrap();
        record[column] = times.range(..time).count().to_string();
    }
    records
}
