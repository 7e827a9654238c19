//! Sinks that are called on the committing thread: the same commits as for any sink, and failures that name the sink.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pathway_io::{Commit, Error, FailureKind, ReadOptions, Restart, RunResult, Schema, Sink, SinkOptions, Table};
use pathway_io::{Subject, TableSchema};

use crate::common::{Cat, DEADLINE, Number, cat, next, pipeline, run, source, within};

/// A call of a sink: its method, the thread, and the numbers of a commit.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    method: &'static str,
    thread: ThreadId,
    time: u64,
    rows: Vec<u64>,
}

/// Records each call, and calls a function of the test in `write`.
struct Noting<F> {
    calls: Arc<Mutex<Vec<Call>>>,
    write: F,
}

impl<F> Noting<F> {
    fn note(&self, method: &'static str, time: u64, rows: Vec<u64>) -> RunResult {
        self.calls.lock().unwrap().push(Call { method, thread: thread::current().id(), time, rows });
        Ok(())
    }
}

impl<F: FnMut(&[u64]) -> RunResult + Send> Sink<Number> for Noting<F> {
    fn open(&mut self, _: &'static TableSchema) -> RunResult {
        self.note("open", 0, Vec::new())
    }

    fn write(&mut self, commit: &Commit<Number>) -> RunResult {
        let rows: Vec<u64> = commit.iter().map(|update| update.row.n).collect();
        (self.write)(&rows)?;
        self.note("write", commit.time(), rows)
    }

    fn flush(&mut self) -> RunResult {
        self.note("flush", 0, Vec::new())
    }

    fn close(&mut self) -> RunResult {
        self.note("close", 0, Vec::new())
    }
}

fn inline() -> SinkOptions {
    SinkOptions::new().inline(true)
}

/// Attaches an inline sink, and returns its calls.
fn attach(table: &Table<Number>, write: impl FnMut(&[u64]) -> RunResult + Send + 'static) -> Arc<Mutex<Vec<Call>>> {
    let calls = Arc::<Mutex<Vec<Call>>>::default();
    table.write_to_with(Noting { calls: Arc::clone(&calls), write }, inline());
    calls
}

fn manual() -> ReadOptions {
    ReadOptions::new().name("numbers").autocommit(None)
}

/// Commits numbers from 0 on, each alone, until one is written on this thread. Returns the number of commits.
fn commit_until_called_here(subject: &Subject<Number>, called: impl Fn() -> Option<ThreadId>) -> Result<u64, String> {
    // Less than the deadline of the whole run.
    let until = Instant::now() + DEADLINE / 2;
    for n in 0.. {
        subject.next(Number { n }).and_then(|()| subject.commit()).map_err(|closed| closed.to_string())?;
        if called() == Some(thread::current().id()) {
            return Ok(n + 1);
        }
        if Instant::now() > until {
            break;
        }
        // The sequencer's thread makes the commit if it is awake. Without a pause, the next commit can keep it awake.
        thread::sleep(Duration::from_millis(1));
    }
    Err("the sink was not called on this thread".into())
}

#[test]
fn commit_calls_it_before_it_returns() {
    let pipeline = pipeline();
    let (sent, called) = mpsc::channel::<Arc<Mutex<Vec<Call>>>>();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            let calls = next(&called);
            let last = || Some(calls.lock().unwrap().iter().rfind(|call| call.method == "write")?.thread);
            let rows = commit_until_called_here(&subject, last)?;
            assert_eq!(
                calls.lock().unwrap().last().unwrap().method,
                "flush",
                "a write is flushed before `commit` returns"
            );
            // A transaction is a commit of this thread, too.
            let both = subject.transaction();
            both.next(Number { n: rows })?;
            both.next(Number { n: rows + 1 })?;
            both.commit()?;
            Ok(())
        }),
        manual(),
    );
    let calls = attach(&table, |_| Ok(()));
    sent.send(Arc::clone(&calls)).unwrap();
    let summary = run(pipeline).unwrap();
    let calls = calls.lock().unwrap();
    let methods: Vec<&str> = calls.iter().map(|call| call.method).collect();
    assert_eq!((methods[0], methods[methods.len() - 1]), ("open", "close"));
    assert!(methods[1..methods.len() - 1].chunks(2).all(|pair| pair == ["write", "flush"]), "{methods:?}");
    let writes: Vec<&Call> = calls.iter().filter(|call| call.method == "write").collect();
    let rows: Vec<u64> = writes.iter().flat_map(|call| call.rows.iter().copied()).collect();
    assert_eq!(rows, (0..summary.rows()).collect::<Vec<_>>());
    assert_eq!(writes.last().unwrap().rows.len(), 2, "the transaction was split");
    assert!(writes.windows(2).all(|pair| pair[0].time < pair[1].time));
}

/// Otherwise a slow sink would delay a source that does not use it.
#[test]
fn a_source_calls_no_sink_of_another_one() {
    let pipeline = pipeline();
    let (enter, entered) = mpsc::channel();
    let (commit, committed) = mpsc::channel();
    let (started, threads) = mpsc::channel();
    let started_too = started.clone();
    let first = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            started.send(thread::current().id())?;
            subject.next(Number { n: 1 })?;
            Ok(subject.commit()?)
        }),
        manual().name("first"),
    );
    let second = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            started_too.send(thread::current().id())?;
            next(&entered);
            subject.next(Number { n: 2 })?;
            // It returns while the first sink is being called.
            subject.commit()?;
            Ok(commit.send(())?)
        }),
        manual().name("second"),
    );
    attach(&first, move |_| {
        enter.send(())?;
        next(&committed);
        Ok(())
    });
    let calls = attach(&second, |_| Ok(()));
    run(pipeline).unwrap();
    let write = calls.lock().unwrap().iter().find(|call| call.method == "write").cloned().unwrap();
    assert_eq!(write.rows, [2]);
    assert!(threads.iter().all(|source| source != write.thread), "not on the sequencer's thread");
}

#[test]
fn commits_of_many_threads_come_whole_one_at_a_time_and_in_order() {
    const THREADS: u64 = 4;
    const EACH: u64 = 300;
    let pipeline = pipeline();
    let inside = Arc::new(AtomicUsize::new(0));
    // Two sources, with autocommit beside the commits, and a backlog that is often full.
    let all: Vec<_> = (0..2)
        .map(|_| {
            let table = pipeline.read_with(
                source(|subject: Subject<Number>| {
                    thread::scope(|scope| {
                        for thread in 0..THREADS {
                            let subject = &subject;
                            scope.spawn(move || {
                                for n in (0..EACH).map(|n| (thread * EACH + n) * 10) {
                                    let pair = subject.transaction();
                                    pair.next(Number { n }).unwrap();
                                    pair.next(Number { n: n + 1 }).unwrap();
                                    pair.commit().unwrap();
                                    subject.next(Number { n: n + 2 }).unwrap();
                                }
                            });
                        }
                    });
                    Ok(())
                }),
                ReadOptions::new().autocommit(Duration::from_micros(50)).backlog(8),
            );
            let inside = Arc::clone(&inside);
            attach(&table, move |_| {
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two commits at once");
                inside.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
        })
        .collect();
    run(pipeline).unwrap();
    for calls in all {
        let calls = calls.lock().unwrap();
        let writes: Vec<&Call> = calls.iter().filter(|call| call.method == "write").collect();
        assert!(writes.windows(2).all(|pair| pair[0].time < pair[1].time));
        for call in &writes {
            for (at, first) in call.rows.iter().enumerate().filter(|(_, n)| *n % 10 == 0) {
                assert_eq!(call.rows.get(at + 1), Some(&(first + 1)), "a transaction was split");
            }
        }
        let rows: Vec<u64> = writes.iter().flat_map(|call| call.rows.iter().copied()).collect();
        for thread in 0..THREADS {
            let own: Vec<u64> = rows.iter().copied().filter(|n| n / 10 / EACH == thread).collect();
            let pushed: Vec<u64> =
                (thread * EACH..(thread + 1) * EACH).flat_map(|n| [10 * n, 10 * n + 1, 10 * n + 2]).collect();
            assert_eq!(own, pushed);
        }
    }
}

#[test]
fn tables_with_a_key_get_their_updates() {
    struct Updates(mpsc::Sender<Vec<(Cat, i64)>>);
    impl Sink<Cat> for Updates {
        fn write(&mut self, commit: &Commit<Cat>) -> RunResult {
            Ok(self.0.send(commit.iter().map(|update| (update.row, update.diff)).collect())?)
        }
    }
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|cats: Subject<Cat>| {
            // More rows than a committing thread looks up itself.
            (0..100).try_for_each(|key| cats.next(cat(key, "felis")))?;
            cats.commit()?;
            cats.next(cat(7, "lynx"))?;
            cats.commit()?;
            let all = cats.transaction().replace_all();
            all.next(cat(7, "puma"))?;
            Ok(all.commit()?)
        }),
        ReadOptions::new().autocommit(None),
    );
    let (sender, seen) = mpsc::channel();
    table.write_to_with(Updates(sender), inline());
    run(pipeline).unwrap();
    let seen: Vec<Vec<(Cat, i64)>> = seen.iter().collect();
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [100, 2, 101]);
    assert_eq!(seen[1], [(cat(7, "felis"), -1), (cat(7, "lynx"), 1)]);
}

/// Sends the thread on which it is dropped.
struct Dropped(mpsc::Sender<ThreadId>);

impl Drop for Dropped {
    fn drop(&mut self) {
        // The receiver is gone if the test has failed.
        let _ = self.0.send(thread::current().id());
    }
}

#[test]
fn a_panic_in_it_is_the_failure_of_the_sink() {
    for (panics, expected) in [(true, "sink `numbers` panicked in write: no 5"), (false, "sink `numbers` failed: no 5")]
    {
        let pipeline = pipeline();
        let (report, reported) = mpsc::channel();
        let (dropped, is_dropped) = mpsc::channel();
        let dropped = Dropped(dropped);
        let table = pipeline.read_with(
            source(move |subject: Subject<Number>| {
                for n in 0..6 {
                    subject.next(Number { n })?;
                    report.send((n, subject.commit()))?;
                }
                Ok(subject.wait_closed()?)
            }),
            manual(),
        );
        let calls = attach(&table, move |rows| {
            let _owned = &dropped;
            match rows.contains(&5) {
                true if panics => panic!("no 5"),
                true => Err("no 5".into()),
                false => Ok(()),
            }
        });
        let error = run(pipeline).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(reported.iter().last(), Some((5, Ok(()))), "the rows were committed");
        // It is not called again, neither for a commit nor to close it. Its own thread drops it.
        let calls = calls.lock().unwrap();
        assert_eq!(calls.last().unwrap().method, "flush");
        assert_eq!(next(&is_dropped), calls[0].thread);
    }
}

/// Blocks in one method until the test drops the sender.
struct Blocks {
    at: &'static str,
    ready: mpsc::Sender<()>,
    released: mpsc::Receiver<()>,
}

impl Blocks {
    fn call(&self, method: &str) -> RunResult {
        if method == self.at {
            self.ready.send(())?;
            let _ = self.released.recv();
        }
        Ok(())
    }
}

impl Sink<Number> for Blocks {
    fn write(&mut self, _: &Commit<Number>) -> RunResult {
        self.call("write")
    }

    fn flush(&mut self) -> RunResult {
        self.call("flush")
    }
}

#[test]
fn one_that_blocks_is_abandoned_and_named() {
    for (at, left) in [("write", 1), ("flush", 0)] {
        let (release, released) = mpsc::channel::<()>();
        let (ready, is_ready) = mpsc::channel();
        let pipeline = pipeline();
        pipeline.grace_period(Duration::from_millis(100));
        let table = pipeline.read_with(
            source(|subject: Subject<Number>| {
                for n in 0.. {
                    subject.next(Number { n })?;
                    subject.commit()?;
                }
                Ok(())
            }),
            manual(),
        );
        table.write_to_with(Blocks { at, ready, released }, inline());
        // Another source is not delayed in its commit, and its sink, which waits for commits, is not named.
        let (committed, is_committed) = mpsc::channel();
        let (go, gone) = mpsc::channel();
        let other = pipeline.read_with(
            source(move |subject: Subject<Number>| {
                next(&gone);
                subject.next(Number { n: 0 })?;
                committed.send(subject.commit())?;
                Ok(subject.wait_closed()?)
            }),
            ReadOptions::new().name("other").autocommit(None),
        );
        other.subscribe(|_| {});
        let running = pipeline.start().unwrap();
        next(&is_ready);
        go.send(()).unwrap();
        assert_eq!(next(&is_committed), Ok(()));
        running.stop();
        let error = within(move || running.join()).unwrap_err();
        let sinks = [&error].into_iter().chain(error.others()).filter_map(|error| match error {
            Error::Sink(failure) => Some((failure.name(), failure.kind())),
            _ => None,
        });
        let sinks: Vec<_> = sinks.collect();
        let is_named =
            matches!(&*sinks, [("numbers", FailureKind::TimedOut { undelivered: Some(updates) })] if *updates == left);
        assert!(is_named, "{at}: {error:?}");
        drop(release);
    }
}

#[test]
fn it_may_push_into_its_own_source() {
    let pipeline = pipeline();
    let own = Arc::<Mutex<Option<Subject<Number>>>>::default();
    let (done, is_done) = mpsc::channel();
    let table = pipeline.read_with(
        source({
            let own = Arc::clone(&own);
            move |subject: Subject<Number>| {
                *own.lock().unwrap() = Some(subject.clone());
                subject.next(Number { n: 1 })?;
                subject.commit()?;
                // The sink sends the rest.
                next(&is_done);
                own.lock().unwrap().take();
                Ok(())
            }
        }),
        manual(),
    );
    let calls = attach(&table, move |rows| {
        let subject = own.lock().unwrap().clone().ok_or("a subject")?;
        match rows.iter().sum() {
            100 => done.send(())?,
            n => {
                subject.try_next(Number { n: n + 1 })?;
                subject.commit()?;
            }
        }
        Ok(())
    });
    run(pipeline).unwrap();
    let calls = calls.lock().unwrap();
    let rows: Vec<u64> = calls.iter().flat_map(|call| call.rows.iter().copied()).collect();
    assert_eq!(rows, (1..=100).collect::<Vec<_>>());
}

#[test]
fn one_that_is_retried_is_called_on_its_own_thread() {
    let pipeline = pipeline();
    let (sender, committed) = mpsc::channel();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            sender.send(thread::current().id())?;
            for n in 0..20 {
                subject.next(Number { n })?;
                subject.commit()?;
            }
            Ok(())
        }),
        manual(),
    );
    let calls = Arc::<Mutex<Vec<Call>>>::default();
    let waits = Duration::from_millis(1)..Duration::from_millis(2);
    let sink = Noting { calls: Arc::clone(&calls), write: |_: &[u64]| Ok(()) };
    table.write_to_with(sink, inline().retry(Restart::backoff(waits)));
    run(pipeline).unwrap();
    let source = next(&committed);
    let calls = calls.lock().unwrap();
    let opened = calls[0].thread;
    assert!(opened != source && calls.iter().all(|call| call.thread == opened));
}

#[test]
fn one_that_cannot_be_opened_keeps_the_pipeline_from_starting() {
    struct Shut;
    impl<S: Schema> Sink<S> for Shut {
        fn open(&mut self, _: &'static TableSchema) -> RunResult {
            Err("shut".into())
        }

        fn write(&mut self, _: &Commit<S>) -> RunResult {
            unreachable!("it is not open")
        }
    }
    let pipeline = pipeline();
    pipeline
        .read_with(source(|_: Subject<Number>| unreachable!("no source runs")), manual())
        .write_to_with(Shut, inline());
    assert_eq!(run(pipeline).unwrap_err().to_string(), "sink `numbers` failed: shut");
}
