//! What the tests share: a source made of a closure, and results with a deadline.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use pathway_io::dataflow::Workers;
use pathway_io::{Connector, Pipeline, Result, RunResult, Schema, Subjects, Summary, Table};

/// What only a hang can reach.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A source made of a closure.
pub struct Source<T, F> {
    run: F,
    _subjects: std::marker::PhantomData<fn(T)>,
}

pub fn source<T: Subjects, F: FnMut(T) -> RunResult + Send + 'static>(run: F) -> Source<T, F> {
    Source { run, _subjects: std::marker::PhantomData }
}

impl<T: Subjects, F: FnMut(T) -> RunResult + Send + 'static> Connector for Source<T, F> {
    type Subjects = T;
    type Tables = T::Tables;

    fn run(&mut self, subjects: T) -> RunResult {
        (self.run)(subjects)
    }
}

/// A pipeline that leaves the signals of the test program alone.
pub fn pipeline() -> Pipeline {
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    pipeline
}

/// The result of `work`, which must not hang.
#[track_caller]
pub fn within<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || {
        // Nobody waits any more after the deadline.
        let _ = sender.send(work());
    });
    match receiver.recv_timeout(DEADLINE) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(RecvTimeoutError::Disconnected) => std::panic::resume_unwind(worker.join().expect_err("it sent nothing")),
    }
}

/// Runs a pipeline to its end, which must come.
#[track_caller]
pub fn run(pipeline: Pipeline) -> Result<Summary> {
    within(move || pipeline.run())
}

/// The same on several workers.
#[track_caller]
pub fn run_on(pipeline: Pipeline, workers: Workers) -> Result<Summary> {
    within(move || pipeline.run_on(workers))
}

/// A commit as a sink has seen it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen<S> {
    pub time: u64,
    pub updates: Vec<(S, i64)>,
}

/// The commits of a table as they come.
pub fn commits<S: Schema + Send>(table: &Table<S>) -> Receiver<Seen<S>> {
    let (sender, receiver) = mpsc::channel();
    table.subscribe_commits(move |commit| {
        let updates = commit.iter().map(|update| (update.row, update.diff)).collect();
        // A test that has seen enough does not look any more.
        let _ = sender.send(Seen { time: commit.time(), updates });
    });
    receiver
}

/// The next event, which must come.
#[track_caller]
pub fn next<T>(events: &Receiver<T>) -> T {
    events.recv_timeout(DEADLINE).expect("the event comes before the deadline")
}

/// A directory that is removed with the test.
pub struct TempDir(tempfile::TempDir);

impl TempDir {
    pub fn new() -> Self {
        TempDir(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
