//! Sinks that fail and are retried: no row is lost or doubled, the sources wait meanwhile, and some errors end the
//! retries.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use pathway_io::{Commit, Error, FailureKind, ReadOptions, Restart, Result, RunResult, Schema, Sink, SinkOptions};
use pathway_io::{Subject, TableSchema};

use crate::common::{DEADLINE, Number, pipeline, run, source, within};

/// A store outside the pipeline, like a database: committed rows stay, even if the sink fails.
#[derive(Default)]
struct Store {
    rows: Vec<u64>,
    time: u64,
    /// Calls so far, and the ones that fail.
    calls: usize,
    failing: Vec<usize>,
    recovered: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    Before,
    /// The transaction is committed, and the answer is lost.
    After,
}

/// A transactional sink that fails when its store says so.
struct Flaky {
    store: Arc<Mutex<Store>>,
    at: At,
    pending: Vec<u64>,
    last: u64,
}

impl Flaky {
    fn call(&self) -> RunResult {
        let mut store = self.store.lock().unwrap();
        store.calls += 1;
        if store.failing.contains(&store.calls) { Err("the connection is gone".into()) } else { Ok(()) }
    }
}

impl Sink<Number> for Flaky {
    fn open(&mut self, _: &'static TableSchema) -> RunResult {
        self.call()?;
        let mut store = self.store.lock().unwrap();
        store.rows.clear();
        store.time = 0;
        Ok(())
    }

    fn write(&mut self, commit: &Commit<Number>) -> RunResult {
        self.call()?;
        self.pending.extend(commit.iter().map(|update| update.row.n));
        self.last = commit.time();
        Ok(())
    }

    fn flush(&mut self) -> RunResult {
        if self.at == At::Before {
            self.call()?;
        }
        {
            let mut store = self.store.lock().unwrap();
            store.rows.append(&mut self.pending);
            store.time = store.time.max(self.last);
        }
        if self.at == At::After { self.call() } else { Ok(()) }
    }

    fn is_transactional(&self) -> bool {
        true
    }

    fn recover(&mut self, _: &'static TableSchema) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> {
        self.pending.clear();
        self.call()?;
        let mut store = self.store.lock().unwrap();
        store.recovered += 1;
        Ok(Some(store.time).filter(|time| *time > 0))
    }
}

fn soon() -> Restart {
    Restart::backoff(Duration::from_millis(1)..Duration::from_millis(2))
}

/// Pushes ten rows, each in its own commit.
fn ten(numbers: &Subject<Number>) -> RunResult {
    for n in 0..10 {
        numbers.next(Number { n })?;
        numbers.commit()?;
    }
    Ok(())
}

#[test]
fn whichever_calls_fail_each_row_is_there_once() {
    for at in [At::Before, At::After] {
        let mut recovered = 0;
        for first in 1..16 {
            // The first failure alone, and with failures of the next attempts.
            for failing in [vec![first], vec![first, first + 1], vec![first, first + 1, first + 2, first + 4]] {
                let store = Arc::new(Mutex::new(Store { failing: failing.clone(), ..Store::default() }));
                let sink = Flaky { store: Arc::clone(&store), at, pending: Vec::new(), last: 0 };
                let pipeline = pipeline();
                let numbers = pipeline.read(source(|numbers: Subject<Number>| ten(&numbers)));
                numbers.write_to_with(sink, SinkOptions::new().retry(soon()));
                run(pipeline).unwrap();
                let store = store.lock().unwrap();
                assert_eq!(store.rows, (0..10).collect::<Vec<_>>(), "{failing:?}");
                recovered += store.recovered;
            }
        }
        assert!(recovered > 20, "{recovered} recoveries");
    }
}

/// Fails until the test releases it.
struct Down {
    down: Arc<Mutex<bool>>,
    failures: Arc<AtomicUsize>,
    told: mpsc::Sender<usize>,
    written: Arc<AtomicU64>,
    fatal: bool,
}

impl<S: Schema> Sink<S> for Down {
    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        if *self.down.lock().unwrap() {
            let failures = self.failures.fetch_add(1, Ordering::SeqCst) + 1;
            // The send fails if the test has dropped the receiver.
            let _ = self.told.send(failures);
            let error = format!("failure {failures}");
            return Err(if self.fatal { Error::fatal(error).into() } else { error.into() });
        }
        self.written.fetch_add(commit.len() as u64, Ordering::SeqCst);
        Ok(())
    }
}

fn down(fatal: bool) -> (Down, mpsc::Receiver<usize>) {
    let (told, failures) = mpsc::channel();
    let sink =
        Down { down: Arc::new(Mutex::new(true)), failures: Arc::default(), told, written: Arc::default(), fatal };
    (sink, failures)
}

#[track_caller]
fn failed(result: Result<pathway_io::Summary>) -> String {
    match result.expect_err("the sink has failed") {
        Error::Sink(failure) => match failure.kind() {
            FailureKind::Failed(error) => error.to_string(),
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn while_a_sink_is_down_the_source_waits_and_then_all_arrives() {
    let (sink, failures) = down(false);
    let (is_down, written) = (Arc::clone(&sink.down), Arc::clone(&sink.written));
    let pushed = Arc::new(AtomicU64::new(0));
    let pipeline = pipeline();
    let counter = Arc::clone(&pushed);
    let rows = source(move |numbers: Subject<Number>| {
        for n in 0..5_000 {
            numbers.next(Number { n })?;
            counter.store(n + 1, Ordering::SeqCst);
            if n % 7 == 0 {
                numbers.commit()?;
            }
        }
        Ok(())
    });
    let numbers = pipeline.read_with(rows, ReadOptions::new().backlog(50));
    numbers.write_to_with(sink, SinkOptions::new().retry(soon()));
    let running = pipeline.start().unwrap();
    while failures.recv_timeout(DEADLINE).expect("it is tried again") < 50 {}
    // A backlog of rows that wait for their commit, a backlog in flight, and the row that waits.
    let ahead = pushed.load(Ordering::SeqCst);
    assert!(ahead > 0 && ahead <= 2 * 50 + 1, "{ahead} rows were pushed while the sink was down");
    *is_down.lock().unwrap() = false;
    within(move || running.join()).unwrap();
    assert_eq!(written.load(Ordering::SeqCst), 5_000);
}

#[test]
fn a_fatal_error_and_the_last_attempt_fail_the_pipeline() {
    for (fatal, restart, expected) in [
        (true, soon(), "failure 1"),
        (false, soon().attempts(3), "failure 3"),
        (false, soon().attempts(1), "failure 1"),
    ] {
        let (sink, _failures) = down(fatal);
        let pipeline = pipeline();
        let numbers = pipeline.read(source(|numbers: Subject<Number>| ten(&numbers)));
        numbers.write_to_with(sink, SinkOptions::new().retry(restart));
        assert_eq!(failed(run(pipeline)), expected);
    }
}

#[test]
fn without_a_policy_the_first_error_is_the_last() {
    let (sink, _failures) = down(false);
    let pipeline = pipeline();
    pipeline.read(source(|numbers: Subject<Number>| ten(&numbers))).write_to(sink);
    assert_eq!(failed(run(pipeline)), "failure 1");
}

#[test]
fn a_stop_ends_the_wait_with_one_more_attempt() {
    let hour = Duration::from_secs(3600);
    for comes_back in [false, true] {
        let (sink, failures) = down(false);
        let (is_down, written) = (Arc::clone(&sink.down), Arc::clone(&sink.written));
        let pipeline = pipeline();
        let (done, pushed) = mpsc::channel();
        let rows = source(move |numbers: Subject<Number>| {
            ten(&numbers)?;
            done.send(())?;
            Ok(numbers.wait_closed()?)
        });
        pipeline.read(rows).write_to_with(sink, SinkOptions::new().retry(Restart::backoff(hour..hour)));
        let running = pipeline.start().unwrap();
        failures.recv_timeout(DEADLINE).expect("it fails");
        // The first commit fails before the others are pushed, and a stop would refuse those.
        pushed.recv_timeout(DEADLINE).expect("the backlog has room for ten");
        *is_down.lock().unwrap() = !comes_back;
        running.stop();
        let result = within(move || running.join());
        if comes_back {
            result.unwrap();
            assert_eq!(written.load(Ordering::SeqCst), 10);
        } else {
            assert_eq!(failed(result), "failure 2");
        }
    }
}

/// Another program has changed the store between two attempts.
#[test]
fn a_sink_that_lost_flushed_commits_is_an_error() {
    struct Emptied {
        time: u64,
        flushes: u32,
    }
    impl Sink<Number> for Emptied {
        fn write(&mut self, commit: &Commit<Number>) -> RunResult {
            if self.flushes > 0 {
                return Err("gone".into());
            }
            self.time = commit.time();
            Ok(())
        }
        fn flush(&mut self) -> RunResult {
            self.flushes += u32::from(self.time > 0);
            Ok(())
        }
        fn is_transactional(&self) -> bool {
            true
        }
    }
    let pipeline = pipeline();
    let rows = source(move |numbers: Subject<Number>| {
        // Pushes until the sink has flushed one row and refused another.
        for n in 0.. {
            numbers.next(Number { n })?;
            numbers.commit()?;
        }
        Ok(())
    });
    pipeline.read(rows).write_to_with(Emptied { time: 0, flushes: 0 }, SinkOptions::new().retry(soon()));
    let error = failed(run(pipeline));
    assert!(error.starts_with("after an error it has commits up to time 0, but the pipeline has flushed"), "{error}");
}
