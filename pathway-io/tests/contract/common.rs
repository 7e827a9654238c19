//! What the tests share: rows, a source made of a closure, and waits with a deadline.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use std::{fs, thread};

use pathway_io::{Connector, Pipeline, Result, RunResult, Schema, Subject, Subjects, Summary, Table};

/// What only a hang can reach.
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

/// A source made of closures.
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
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(worker.join().expect_err("it sent nothing"))
        }
    }
}

/// Runs a pipeline to its end, which must come.
#[track_caller]
pub fn run(pipeline: Pipeline) -> Result<Summary> {
    within(move || pipeline.run())
}

/// The next event, which must come.
#[track_caller]
pub fn next<T>(events: &Receiver<T>) -> T {
    events.recv_timeout(DEADLINE).expect("the event comes before the deadline")
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

/// The updates of all commits, without their times.
pub fn updates<S>(commits: &Receiver<Seen<S>>) -> Vec<(S, i64)> {
    commits.try_iter().flat_map(|commit| commit.updates).collect()
}

/// The numbers of each commit.
pub fn by_commit(commits: &Receiver<Seen<Number>>) -> Vec<Vec<u64>> {
    commits.try_iter().map(|commit| commit.updates.into_iter().map(|(row, _)| row.n).collect()).collect()
}

/// A directory that is removed with the test.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pathway-io-contract-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        TempDir(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // A test that has failed may have left it in any state.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}
