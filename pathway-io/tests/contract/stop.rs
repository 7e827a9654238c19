//! Part 5 of the contract: the effects of a stop, and the end of a run.

use std::io::Read;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};
use std::{fmt, io};

use pathway_io::Subject as BlockingSubject;
use pathway_io::{Closed, Commit, Connector, Error, FailureKind, ReadOptions, RunResult, Sink, Stop, Table, csv};

use crate::common::{
    Cat, DEADLINE, Number, Subject, TempDir, by_commit, commits, next, numbers, pipeline, read, run, source, within,
};
use crate::hook::connection;

/// A grace period that is short enough for a test, and long enough for every part that need not be abandoned.
const SHORT: Duration = Duration::from_secs(1);

/// A source that waits for a stop.
pub fn waiting() -> impl Connector<Tables = Table<Number>> {
    source(|subject: Subject<Number>| {
        subject.next(Number { n: 1 })?;
        Ok(subject.wait_closed()?)
    })
}

/// The threads on which `run` and `on_stop` were called.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<(&'static str, ThreadId)>>>);

impl Calls {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push((what, thread::current().id()));
    }

    /// Checks that `run` and then `on_stop` were called once each, on the same thread, which is not the test's thread.
    #[track_caller]
    fn assert_run_and_stopped(&self) {
        let calls = self.0.lock().unwrap();
        let names: Vec<_> = calls.iter().map(|(what, _)| *what).collect();
        assert_eq!(names, ["run", "run ended", "on_stop", "drop"]);
        assert!(calls.iter().all(|(_, thread)| *thread == calls[0].1), "the calls were on several threads");
        assert_ne!(calls[0].1, thread::current().id());
    }

    #[track_caller]
    fn assert_never_run(&self) {
        let calls = self.0.lock().unwrap();
        assert!(calls.iter().all(|(what, _)| *what == "drop"), "{calls:?}");
    }
}

/// A connector that records its calls.
struct Noted<F> {
    calls: Calls,
    run: F,
}

fn noted<F: FnMut(BlockingSubject<Number>) -> RunResult + Send + 'static>(calls: &Calls, run: F) -> Noted<F> {
    Noted { calls: calls.clone(), run }
}

impl<F: FnMut(BlockingSubject<Number>) -> RunResult + Send + 'static> Connector for Noted<F> {
    type Subjects = BlockingSubject<Number>;
    type Tables = Table<Number>;

    fn run(&mut self, subject: BlockingSubject<Number>) -> RunResult {
        struct Ended<'a>(&'a Calls);
        impl Drop for Ended<'_> {
            fn drop(&mut self) {
                self.0.note("run ended");
            }
        }
        self.calls.note("run");
        let _ended = Ended(&self.calls);
        (self.run)(subject)
    }

    fn on_stop(&mut self) {
        self.calls.note("on_stop");
    }
}

impl<F> Drop for Noted<F> {
    fn drop(&mut self) {
        self.calls.note("drop");
    }
}

// Contract 5.1
#[test]
fn a_stop_handle_ends_a_source_that_waits() {
    let calls = Calls::default();
    let pipeline = pipeline();
    let (ready, is_ready) = mpsc::channel();
    let table = pipeline.read(noted(&calls, move |subject| {
        subject.next(Number { n: 1 })?;
        ready.send(())?;
        Ok(subject.wait_closed()?)
    }));
    let seen = commits(&table);
    let stop = pipeline.stop_handle();
    let running = pipeline.start().unwrap();
    next(&is_ready);
    stop.clone().stop();
    stop.stop();
    let summary = within(move || running.join()).unwrap();
    assert_eq!(summary.stop, Some(Stop::Handle));
    assert_eq!(summary.sources[0].error.as_deref(), Some("the subject is closed"));
    assert_eq!(by_commit(&seen), [[1]]);
    calls.assert_run_and_stopped();
    // A second stop has no effect.
    stop.stop();
}

#[test]
fn a_stop_ends_every_wait() {
    type Wait = fn(&Subject<Number>) -> Result<(), Closed>;
    let waits: [(bool, Wait); 4] = [
        (false, |subject| subject.wait_closed()),
        (false, |subject| subject.sleep(Duration::MAX)),
        // The backlog is full, since the sink takes nothing.
        (true, |subject| {
            loop {
                subject.next(Number { n: 1 })?;
            }
        }),
        (true, |subject| {
            subject.next(Number { n: 1 })?;
            subject.commit()?;
            subject.next(Number { n: 1 })?;
            subject.next(Number { n: 1 })?;
            subject.commit()
        }),
    ];
    for (for_the_sink, wait) in waits {
        let pipeline = pipeline();
        let (ready, is_ready) = mpsc::channel();
        let (taken, is_taken) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let table = pipeline.read_with(
            source(move |subject: Subject<Number>| {
                ready.send(())?;
                assert_eq!(wait(&subject), Err(Closed));
                assert!(subject.is_closed());
                Ok(())
            }),
            ReadOptions::new().autocommit(None).backlog(2),
        );
        table.subscribe_commits(move |_| {
            taken.send(()).unwrap();
            let _ = released.recv();
        });
        let running = pipeline.start().unwrap();
        next(&is_ready);
        if for_the_sink {
            next(&is_taken);
        }
        running.stop();
        drop(release);
        assert_eq!(within(move || running.join()).unwrap().stop, Some(Stop::Handle));
    }
}

#[test]
fn a_transaction_that_waits_for_space_is_refused_whole_at_a_stop() {
    let pipeline = pipeline();
    let (taken, is_taken) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            subject.next(Number { n: 1 })?;
            subject.commit()?;
            let transaction = subject.transaction();
            for n in 10..20 {
                transaction.next(Number { n })?;
            }
            subject.next(Number { n: 2 })?;
            ready.send(()).unwrap();
            assert_eq!(transaction.commit(), Err(Closed));
            Ok(())
        }),
        ReadOptions::new().autocommit(None).backlog(2),
    );
    let seen = commits(&table);
    table.subscribe_commits(move |_| {
        let _ = taken.send(());
        let _ = released.recv();
    });
    let running = pipeline.start().unwrap();
    next(&is_taken);
    next(&is_ready);
    running.stop();
    drop(release);
    within(move || running.join()).unwrap();
    assert_eq!(by_commit(&seen), [[1], [2]]);
}

#[test]
fn a_pipeline_stopped_before_its_start_runs_no_source() {
    let dir = TempDir::new();
    let path = dir.path("output.csv");
    let calls = Calls::default();
    let pipeline = pipeline();
    let table = pipeline.read(noted(&calls, |_| Ok(())));
    csv::write(&table, &path);
    pipeline.stop_handle().stop();
    let summary = run(pipeline).unwrap();
    assert_eq!(summary.stop, Some(Stop::Handle));
    assert_eq!(summary.rows(), 0);
    assert_eq!(read(path), "n,time,diff\n");
    calls.assert_never_run();
}

#[test]
fn dropping_a_running_pipeline_stops_it_and_waits_for_the_end() {
    let calls = Calls::default();
    let pipeline = pipeline();
    let table = pipeline.read(noted(&calls, |subject| Ok(subject.wait_closed()?)));
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    within(move || drop(running));
    // The stop may come before the source runs.
    if calls.0.lock().unwrap().len() > 1 {
        calls.assert_run_and_stopped();
    }
    assert_eq!(seen.recv(), Err(mpsc::RecvError), "the sinks have ended");
}

// Contract 5.2
#[test]
fn on_stop_runs_once_on_the_sources_thread_however_run_ended() {
    use pathway_io::Subject;

    type Run = fn(Subject<Number>) -> RunResult;
    let runs: [Run; 5] = [
        |_| Ok(()),
        |subject| {
            subject.next(Number { n: 1 })?;
            Err("no such device".into())
        },
        |subject| {
            subject.next(Number { n: 1 })?;
            panic!("out of cheese")
        },
        |subject| Ok(subject.wait_closed()?),
        |subject| Ok(subject.close()?),
    ];
    for run_source in runs {
        let calls = Calls::default();
        let pipeline = pipeline();
        pipeline.read(noted(&calls, run_source));
        let running = pipeline.start().unwrap();
        within({
            let calls = calls.clone();
            move || {
                while calls.0.lock().unwrap().is_empty() {
                    thread::yield_now();
                }
            }
        });
        running.stop();
        let _ = within(move || running.join());
        calls.assert_run_and_stopped();
    }
}

/// A sink that cannot be opened.
struct Unopenable;

impl Sink<Number> for Unopenable {
    fn open(&mut self, _: &'static pathway_io::TableSchema) -> RunResult {
        Err("no such database".into())
    }

    fn write(&mut self, _: &Commit<Number>) -> RunResult {
        unreachable!("the sink is not open")
    }
}

// Contract 5.2
#[test]
fn on_stop_does_not_run_if_run_was_never_called() {
    let calls = Calls::default();
    let pipeline = pipeline();
    let table = pipeline.read(noted(&calls, |_| Ok(())));
    table.write_to(Unopenable);
    let error = run(pipeline).unwrap_err();
    assert_eq!(error.to_string(), "sink `Noted` failed: no such database");
    assert_eq!(error.summary().unwrap().stop, Some(Stop::Failure));
    calls.assert_never_run();
}

#[test]
fn start_returns_an_error_if_a_sink_cannot_be_opened() {
    let dir = TempDir::new();
    let path = dir.path("none").join("output.csv");
    let pipeline = pipeline();
    csv::write(&pipeline.read(numbers(0..1)), &path);
    let error = within(move || pipeline.start()).unwrap_err();
    assert!(error.to_string().starts_with(&format!("sink `{}` failed: ", path.display())), "{error}");
}

/// A source may fail before or after `start` returns. In both cases `start` returns `Ok`.
#[test]
fn start_does_not_report_failures_of_sources() {
    for _ in 0..10 {
        let pipeline = pipeline();
        pipeline.read(source(|_: Subject<Number>| Err("at once".into())));
        // The first source has time to fail while these are started.
        for _ in 0..20 {
            pipeline.read(numbers(0..1));
        }
        let running = within(move || pipeline.start()).expect("all sinks could be opened");
        within(move || running.join()).unwrap_err();
    }
}

/// An error that hides its cause from a downcast, as `anyhow::Error` and many others do.
#[derive(Debug)]
struct Wrapped(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "while reading: {}", self.0)
    }
}

impl std::error::Error for Wrapped {}

// Contract 5.5
#[test]
fn closed_is_a_clean_end_whatever_it_is_wrapped_in() {
    type Wrap = fn(Closed) -> Box<dyn std::error::Error + Send + Sync>;
    let wraps: [Wrap; 5] = [
        |closed| closed.into(),
        |closed| closed.to_string().into(),
        |closed| io::Error::other(closed).into(),
        |closed| Wrapped(closed.into()).into(),
        |closed| anyhow::Error::from(closed).context("while reading").into(),
    ];
    for wrap in wraps {
        // `run` returns the error after a stop.
        let pipeline = pipeline();
        let (ready, is_ready) = mpsc::channel();
        pipeline.read(source(move |subject: Subject<Number>| {
            ready.send(())?;
            subject.wait_closed().map_err(wrap)
        }));
        let running = pipeline.start().unwrap();
        next(&is_ready);
        running.stop();
        within(move || running.join()).unwrap();

        // `run` returns the error after it has called `close` itself, which is not a stop.
        let pipeline = crate::common::pipeline();
        let table = pipeline.read(source(move |subject: Subject<Number>| {
            subject.next(Number { n: 1 })?;
            subject.clone().close()?;
            subject.next(Number { n: 2 }).map_err(wrap)
        }));
        let seen = commits(&table);
        let summary = run(pipeline).unwrap();
        assert_eq!(summary.stop, None);
        assert!(summary.sources[0].error.is_some());
        assert_eq!(by_commit(&seen), [[1]]);
    }
}

// Contract 5.5
#[test]
fn any_error_of_run_after_the_stop_is_a_clean_end() {
    let pipeline = pipeline();
    let (ready, is_ready) = mpsc::channel();
    pipeline.read(source(move |subject: Subject<Number>| {
        let _ = ready.send(());
        // No handle returns `Closed` to this source.
        while !subject.is_closed() {
            thread::yield_now();
        }
        Err("connection reset".into())
    }));
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    let summary = within(move || running.join()).unwrap();
    assert_eq!(summary.sources[0].error.as_deref(), Some("connection reset"));
}

// Contract 4.1
#[test]
fn a_failing_source_stops_the_other_and_loses_nothing() {
    let calls = Calls::default();
    let pipeline = pipeline();
    let (pushed, is_pushed) = mpsc::channel();
    let healthy = pipeline.read_with(
        noted(&calls, move |subject| {
            subject.next(Number { n: 1 })?;
            pushed.send(())?;
            Ok(subject.wait_closed()?)
        }),
        ReadOptions::new().autocommit(None),
    );
    let failing = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            next(&is_pushed);
            subject.next(Number { n: 2 })?;
            Err("no such device".into())
        }),
        ReadOptions::new().autocommit(None).name("device"),
    );
    let (healthy, failing) = (commits(&healthy), commits(&failing));
    let error = run(pipeline).unwrap_err();
    assert_eq!(error.to_string(), "connector `device` failed: no such device");
    assert!(error.others().is_empty());
    let summary = error.summary().unwrap();
    assert_eq!(summary.stop, Some(Stop::Failure));
    assert_eq!(summary.source("Noted").unwrap().rows, 1);
    assert_eq!(summary.source("device").unwrap().rows, 1);
    assert_eq!((by_commit(&healthy), by_commit(&failing)), (vec![vec![1]], vec![vec![2]]));
    calls.assert_run_and_stopped();
}

#[test]
fn a_source_that_ends_leaves_the_others_running() {
    let pipeline = pipeline();
    pipeline.read(numbers(0..1));
    let (ready, is_ready) = mpsc::channel();
    let table = pipeline.read(source(move |subject: Subject<Number>| {
        let _ = ready.send(subject.clone());
        Ok(subject.wait_closed()?)
    }));
    let running = pipeline.start().unwrap();
    let subject = next(&is_ready);
    drop(table);
    assert!(!subject.is_closed());
    running.stop();
    within(move || running.join()).unwrap();
}

// Contract 5.7
#[test]
fn later_failures_are_listed_after_the_first() {
    let pipeline = pipeline();
    pipeline.read_with(
        source(|_: Subject<Number>| Err("first".into())).on_stop(|| panic!("second")),
        ReadOptions::new().name("a"),
    );
    pipeline.read_with(
        source(|subject: Subject<Number>| Ok(subject.wait_closed()?)).on_stop(|| panic!("third")),
        ReadOptions::new().name("b"),
    );
    let error = run(pipeline).unwrap_err();
    assert_eq!(error.to_string(), "connector `a` failed: first");
    let mut others: Vec<String> = error.others().iter().map(Error::to_string).collect();
    // If `a` fails before `b` runs, the failure of `b` does not occur.
    others.sort();
    assert_eq!(others[0], "connector `a` panicked in on_stop: second");
    assert!(others.len() == 1 || others[1] == "connector `b` panicked in on_stop: third", "{others:?}");
    let debug = format!("{error:?}");
    assert!(debug.contains("second"), "{debug}");
}

/// A source that ignores a stop until it is released.
fn deaf(released: Receiver<()>) -> impl Connector<Tables = Table<Number>> {
    source(move |subject: Subject<Number>| {
        for n in 0..3 {
            subject.next(Number { n })?;
        }
        let _ = released.recv();
        let _ = subject.next(Number { n: 3 });
        Ok(())
    })
}

// Contract 5.3
#[test]
fn a_source_that_ignores_the_stop_is_abandoned_and_named() {
    let (release, released) = mpsc::channel();
    let pipeline = pipeline();
    pipeline.grace_period(SHORT);
    let (ready, is_ready) = mpsc::channel();
    let table = pipeline.read_with(deaf(released), ReadOptions::new().name("deaf").autocommit(None).backlog(3));
    let seen = commits(&table);
    table.subscribe_commits(move |_| {
        let _ = ready.send(());
    });
    let running = pipeline.start().unwrap();
    next(&is_ready);
    let before = Instant::now();
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    assert!(before.elapsed() >= SHORT);
    assert!(error.to_string().starts_with("connector `deaf` did not finish"), "{error}");
    assert!(error.to_string().contains("help: end a call that blocks `run` with a hook"), "{error}");
    let Error::Connector(failure) = &error else { panic!("{error:?}") };
    assert!(matches!(failure.kind(), FailureKind::TimedOut { undelivered: None }));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, format!("the grace period of {SHORT:?} was over"));
    assert_eq!(error.summary().unwrap().stop, Some(Stop::Handle));
    assert_eq!(by_commit(&seen), [[0, 1, 2]]);
    drop(release);
}

// Contract 5.4
#[test]
fn the_rows_of_an_abandoned_source_are_delivered() {
    let dir = TempDir::new();
    let path = dir.path("output.csv");
    let (release, released) = mpsc::channel();
    let pipeline = pipeline();
    pipeline.grace_period(SHORT);
    let (pushed, is_pushed) = mpsc::channel();
    let (back, is_back) = mpsc::channel();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            subject.next(Number { n: 1 })?;
            let transaction = subject.transaction();
            transaction.next(Number { n: 2 })?;
            pushed.send(())?;
            let _: Result<(), _> = released.recv();
            back.send((subject.next(Number { n: 3 }), transaction.commit()))?;
            Ok(())
        }),
        ReadOptions::new().autocommit(None),
    );
    csv::write(&table, &path);
    let running = pipeline.start().unwrap();
    next(&is_pushed);
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    assert_eq!(error.summary().unwrap().rows(), 1);
    let written = read(&path);
    assert_eq!(written.lines().count(), 2);
    // When the source returns at last, its pushes are refused, and nothing more is written.
    drop::<mpsc::Sender<()>>(release);
    assert_eq!(next(&is_back), (Err(Closed), Err(Closed)));
    assert_eq!(read(&path), written);
}

#[test]
fn the_grace_period_includes_on_stop_and_the_drop_of_a_source() {
    use pathway_io::Subject;

    struct Slow(mpsc::Sender<()>, Receiver<()>, bool);
    impl Connector for Slow {
        type Subjects = Subject<Number>;
        type Tables = Table<Number>;

        fn run(&mut self, subject: Subject<Number>) -> RunResult {
            self.0.send(())?;
            Ok(subject.wait_closed()?)
        }

        fn on_stop(&mut self) {
            if self.2 {
                let _ = self.1.recv();
            }
        }
    }
    impl Drop for Slow {
        fn drop(&mut self) {
            let _ = self.1.recv();
        }
    }
    for in_on_stop in [true, false] {
        let (release, released) = mpsc::channel();
        let (ready, is_ready) = mpsc::channel();
        let pipeline = pipeline();
        pipeline.grace_period(SHORT);
        pipeline.read(Slow(ready, released, in_on_stop));
        let running = pipeline.start().unwrap();
        next(&is_ready);
        running.stop();
        let error = within(move || running.join()).unwrap_err();
        assert!(error.to_string().starts_with("connector `Slow` did not finish"), "{error}");
        drop(release);
    }
}

// Contract 5.3
#[test]
fn a_sink_that_blocks_is_abandoned_and_named_with_its_undelivered_updates() {
    let (release, released) = mpsc::channel::<()>();
    let pipeline = pipeline();
    pipeline.grace_period(SHORT);
    let (pushed, is_pushed) = mpsc::channel();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            for n in 0..7 {
                subject.next(Number { n })?;
                subject.commit()?;
            }
            pushed.send(())?;
            Ok(subject.wait_closed()?)
        }),
        ReadOptions::new().name("numbers").autocommit(None),
    );
    let seen = commits(&table);
    let mut taken = 0;
    table.subscribe_commits(move |_| {
        taken += 1;
        if taken == 3 {
            let _ = released.recv();
        }
    });
    let running = pipeline.start().unwrap();
    next(&is_pushed);
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "sink `numbers` did not finish within the grace period and was abandoned; 5 updates were not delivered"
    );
    let Error::Sink(failure) = &error else { panic!("{error:?}") };
    assert!(matches!(failure.kind(), FailureKind::TimedOut { undelivered: Some(5) }));
    let shown = format!("{error:?}");
    assert!(shown.ends_with(&format!("\n  caused by: the grace period of {SHORT:?} was over")), "{shown}");
    // The other sink of the table has received all commits.
    assert_eq!(by_commit(&seen).len(), 7);
    drop(release);
}

#[test]
fn an_unread_receiver_of_commits_is_abandoned_and_named_too() {
    let pipeline = pipeline();
    pipeline.grace_period(SHORT);
    let (pushed, is_pushed) = mpsc::channel();
    let updates = pipeline
        .read_with(
            source(move |subject: Subject<Number>| {
                for n in 0..7 {
                    subject.next(Number { n })?;
                    subject.commit()?;
                }
                pushed.send(())?;
                Ok(subject.wait_closed()?)
            }),
            ReadOptions::new().name("numbers").autocommit(None),
        )
        .commits(2);
    let running = pipeline.start().unwrap();
    next(&is_pushed);
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    assert!(error.to_string().starts_with("sink `numbers` did not finish"), "{error}");
    assert!(error.to_string().ends_with("; 5 updates were not delivered"), "{error}");
    // The receiver can still take the queued commits.
    let late: Vec<usize> = updates.iter().map(|commit| commit.len()).collect();
    assert_eq!(late.len(), 7);
}

// Contract 5.3
#[test]
fn after_a_normal_end_the_drain_has_no_deadline() {
    let (release, released) = mpsc::channel::<()>();
    let (done, is_done) = mpsc::channel();
    let pipeline = pipeline();
    pipeline.grace_period(Duration::ZERO);
    let table = pipeline.read(numbers(0..3));
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    table.subscribe(move |_| {
        let _ = released.recv();
        count.fetch_add(1, Ordering::Relaxed);
    });
    let runner = thread::spawn(move || {
        let _ = done.send(pipeline.run());
    });
    assert!(matches!(is_done.recv_timeout(Duration::from_millis(200)), Err(RecvTimeoutError::Timeout)));
    drop(release);
    next(&is_done).unwrap();
    runner.join().unwrap();
    assert_eq!(taken.load(Ordering::Relaxed), 3);
}

#[test]
fn a_stop_during_the_drain_starts_the_grace_period_of_the_sinks() {
    let (release, released) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let pipeline = pipeline();
    pipeline.grace_period(SHORT);
    let table = pipeline.read_with(numbers(0..3), ReadOptions::new().name("numbers"));
    table.subscribe_commits(move |_| {
        let _ = ready.send(());
        let _ = released.recv();
    });
    let stop = pipeline.stop_handle();
    let runner = thread::spawn(move || pipeline.run());
    next(&is_ready);
    stop.stop();
    let error = within(move || runner.join().unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("; 3 updates were not delivered"), "{error}");
    drop(release);
}

#[test]
fn the_summary_counts_the_rows_and_commits_of_each_source() {
    let pipeline = pipeline();
    pipeline.read_with(numbers(0..10), ReadOptions::new().name("a").autocommit(None).backlog(4));
    pipeline.read_with(
        source(|cats: Subject<Cat>| {
            cats.next_json(r#"{"key": 1, "genus": "felis"}"#)?;
            cats.remove(1)?;
            assert!(cats.next_json("{}").is_err());
            cats.sleep(Duration::from_millis(3))?;
            Ok(())
        }),
        ReadOptions::new().name("b").autocommit(None),
    );
    let summary = run(pipeline).unwrap();
    let [a, b] = &summary.sources[..] else { panic!("{summary:?}") };
    assert_eq!((a.name.as_str(), a.rows, a.commits, a.bad_rows), ("a", 10, 3, 0));
    assert_eq!((b.name.as_str(), b.rows, b.commits, b.bad_rows), ("b", 2, 1, 1));
    assert!(b.duration >= Duration::from_millis(3) && b.duration < DEADLINE);
    assert_eq!(summary.rows(), 12);
    assert_eq!((summary.stop, &a.error), (None, &None));
    assert!(summary.to_string().starts_with("a: 10 rows in 3 commits, "), "{summary}");
}

#[test]
fn a_second_source_with_the_same_name_gets_a_suffix() {
    let pipeline = pipeline();
    for _ in 0..3 {
        pipeline.read_with(numbers(0..1), ReadOptions::new().name("cats"));
    }
    pipeline.read(waiting());
    pipeline.stop_handle().stop();
    let summary = run(pipeline).unwrap();
    let names: Vec<&str> = summary.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["cats", "cats-2", "cats-3", "Source"]);
}

#[test]
fn a_pipeline_without_sources_ends_at_once() {
    let summary = run(pipeline()).unwrap();
    assert!(summary.sources.is_empty());
}

#[test]
fn a_stop_from_within_the_source_is_a_stop() {
    let pipeline = pipeline();
    let stop = pipeline.stop_handle();
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopped);
    pipeline.read(source(move |subject: Subject<Number>| {
        stop.stop();
        assert_eq!(subject.next(Number { n: 1 }), Err(Closed));
        flag.store(true, Ordering::Relaxed);
        Ok(())
    }));
    assert_eq!(run(pipeline).unwrap().stop, Some(Stop::Handle));
    assert!(stopped.load(Ordering::Relaxed));
}

/// A program that reads `commits` until the channel is disconnected does not have to join first.
#[test]
fn a_run_ends_without_a_join() {
    let (release, released) = mpsc::channel();
    let pipeline = pipeline();
    pipeline.grace_period(SHORT);
    let ended = pipeline.read(numbers(0..3)).commits(0);
    let left = pipeline.read_with(deaf(released), ReadOptions::new().backlog(3)).commits(0);
    let running = pipeline.start().unwrap();
    assert_eq!(left.recv_timeout(DEADLINE).unwrap().len(), 3);
    running.stop();
    within(move || (ended.iter().count(), left.iter().count()));
    assert!(within(move || running.join()).unwrap_err().to_string().contains("was abandoned"));
    drop(release);
}

/// Every reason for a stop closes the subjects and calls the hooks of the other source.
// Contract 5.1
#[test]
fn any_failure_interrupts_a_source_that_is_blocked_in_a_read() {
    #[derive(Clone, Copy, Debug)]
    enum Reason {
        Error,
        Panic,
        OnStop,
        Sink,
    }
    for reason in [Reason::Error, Reason::Panic, Reason::OnStop, Reason::Sink] {
        let (socket, peer) = connection();
        let calls = Calls::default();
        let pipeline = pipeline();
        let (ready, is_ready) = mpsc::channel();
        let blocked = pipeline.read(noted(&calls, move |subject| {
            subject.next(Number { n: 1 })?;
            subject.on_interrupt({
                let socket = socket.try_clone()?;
                move || socket.shutdown(Shutdown::Both)
            });
            ready.send(())?;
            (&socket).read_exact(&mut [0])?;
            Ok(())
        }));
        let seen = commits(&blocked);
        let failing = source(move |subject: Subject<Number>| {
            next(&is_ready);
            match reason {
                Reason::Error => Err("torn".into()),
                Reason::Panic => panic!("torn"),
                Reason::OnStop => Ok(()),
                Reason::Sink => Ok(subject.next(Number { n: 2 })?),
            }
        });
        let failing = failing.on_stop(move || assert!(!matches!(reason, Reason::OnStop), "torn"));
        let table = pipeline.read_with(failing, ReadOptions::new().name("failing"));
        table.subscribe(|_| panic!("torn"));
        let error = run(pipeline).unwrap_err();
        assert!(error.to_string().contains("`failing`") && error.to_string().ends_with("torn"), "{error}");
        assert!(error.others().is_empty(), "{error:?}");
        let summary = error.summary().unwrap();
        assert_eq!(summary.stop, Some(Stop::Failure));
        assert!(
            summary.source("Noted").unwrap().error.is_some(),
            "the error of the interrupted read is in the summary"
        );
        assert_eq!(by_commit(&seen), [[1]]);
        calls.assert_run_and_stopped();
        drop(peer);
    }
}

// Contract 5.3
#[test]
fn sources_and_then_sinks_each_have_the_grace_period() {
    const GRACE: Duration = Duration::from_millis(100);
    let (release, released) = mpsc::channel();
    let (open, opened) = mpsc::channel::<()>();
    let pipeline = pipeline();
    pipeline.grace_period(GRACE);
    let (taken, is_taken) = mpsc::channel();
    let table = pipeline.read_with(deaf(released), ReadOptions::new().name("deaf").backlog(3));
    table.subscribe_commits(move |_| {
        let _ = taken.send(());
        let _ = opened.recv();
    });
    let running = pipeline.start().unwrap();
    next(&is_taken);
    let before = Instant::now();
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    assert!(before.elapsed() >= 2 * GRACE);
    assert!(error.to_string().starts_with("connector `deaf` did not finish"), "{error}");
    let others: Vec<String> = error.others().iter().map(Error::to_string).collect();
    assert_eq!(others.len(), 1);
    assert!(others[0].starts_with("sink `deaf` did not finish"), "{others:?}");
    drop((release, open));
}

#[test]
fn a_sink_that_never_finishes_opening_is_abandoned() {
    struct Stuck(mpsc::Sender<()>, Receiver<()>);
    impl Sink<Number> for Stuck {
        fn open(&mut self, _: &'static pathway_io::TableSchema) -> RunResult {
            self.0.send(())?;
            let _ = self.1.recv();
            Ok(())
        }

        fn write(&mut self, _: &Commit<Number>) -> RunResult {
            Ok(())
        }
    }
    let calls = Calls::default();
    let (release, released) = mpsc::channel();
    let (opening, is_opening) = mpsc::channel();
    let pipeline = pipeline();
    pipeline.grace_period(SHORT);
    pipeline.read(noted(&calls, |_| Ok(()))).write_to(Stuck(opening, released));
    let stop = pipeline.stop_handle();
    let runner = thread::spawn(move || pipeline.run());
    next(&is_opening);
    stop.stop();
    let error = within(move || runner.join().unwrap()).unwrap_err();
    assert!(error.to_string().starts_with("sink `Noted` did not finish"), "{error}");
    calls.assert_never_run();
    drop(release);
}
