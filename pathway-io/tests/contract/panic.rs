//! Part 5 of the contract: a panic or an error anywhere is an `Err` that names the part, and no row is lost.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::{fmt, thread};

use pathway_io::{
    Commit, Connector, Error, FailureKind, ReadOptions, RunResult, Schema, Sink, Stop, Table, TableSchema, csv,
};

use crate::common::{
    Number, Subject, TempDir, by_commit, cat, commits, next, numbers, pipeline, run, source, updates, within,
};

// Contract 4.1
#[test]
fn a_panic_in_run_commits_the_rows_before_it() {
    let stopped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&stopped);
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Number>| {
            subject.next(Number { n: 1 })?;
            let transaction = subject.transaction();
            transaction.next(Number { n: 2 })?;
            panic!("out of {}", "cheese")
        })
        .on_stop(move || {
            count.fetch_add(1, Ordering::Relaxed);
        }),
        ReadOptions::new().name("cats").autocommit(None),
    );
    let seen = commits(&table);
    let error = run(pipeline).unwrap_err();
    assert_eq!(error.to_string(), "connector `cats` panicked in run: out of cheese");
    assert_eq!(error.summary().unwrap().stop, Some(Stop::Failure));
    assert_eq!(by_commit(&seen), [[1]]);
    assert_eq!(stopped.load(Ordering::Relaxed), 1);
}

// Contract 5.6
#[test]
fn a_panic_in_run_is_an_error_after_a_stop_too() {
    let pipeline = pipeline();
    let (ready, is_ready) = mpsc::channel();
    pipeline.read(source(move |subject: Subject<Number>| {
        ready.send(())?;
        subject.wait_closed().unwrap();
        Ok(())
    }));
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "connector `Source` panicked in run: called `Result::unwrap()` on an `Err` value: Closed"
    );
}

// Contract 5.6
#[test]
fn a_panic_in_on_stop_is_an_error() {
    let pipeline = pipeline();
    let table = pipeline.read(
        source(|subject: Subject<Number>| Ok(subject.next(Number { n: 1 })?)).on_stop(|| panic!("no way to stop")),
    );
    let seen = commits(&table);
    let error = run(pipeline).unwrap_err();
    assert_eq!(error.to_string(), "connector `Source` panicked in on_stop: no way to stop");
    assert_eq!(by_commit(&seen), [[1]]);
}

#[test]
fn a_panic_in_the_drop_of_a_source_is_an_error() {
    use pathway_io::Subject;

    struct Fragile(bool);
    impl Connector for Fragile {
        type Subjects = Subject<Number>;
        type Tables = Table<Number>;

        fn run(&mut self, _: Subject<Number>) -> RunResult {
            self.0 = true;
            Ok(())
        }
    }
    impl Drop for Fragile {
        fn drop(&mut self) {
            assert!(!self.0, "it breaks");
        }
    }
    let fragile = pipeline();
    fragile.read(Fragile(false));
    let error = run(fragile).unwrap_err();
    assert_eq!(error.to_string(), "connector `Fragile` panicked in its drop: it breaks");

    // The connector is also dropped if its source never ran.
    let stopped = pipeline();
    stopped.read(Fragile(true));
    stopped.stop_handle().stop();
    let error = run(stopped).unwrap_err();
    assert_eq!(error.to_string(), "connector `Fragile` panicked in its drop: it breaks");

    // A start that is refused drops all connectors, and its panic does not leave `run` either.
    let refused = pipeline();
    let table = refused.read(Fragile(true));
    let directory = TempDir::new();
    for _ in 0..2 {
        csv::write(&table, directory.path("numbers.csv"));
    }
    let error = run(refused).unwrap_err();
    assert_eq!(error.to_string(), "the pipeline panicked in its start: it breaks");
}

// Contract 5.6
#[test]
fn a_panic_in_a_hook_is_an_error() {
    let pipeline = pipeline();
    let (ready, is_ready) = mpsc::channel();
    pipeline.read(source(move |subject: Subject<Number>| {
        let (called, is_called) = mpsc::channel::<()>();
        subject.on_interrupt(move || {
            let _called = called;
            panic!("no socket")
        });
        ready.send(())?;
        // If `run` returned before the hook is called, the hook would be dropped without a call.
        let _ = is_called.recv();
        Ok(())
    }));
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    assert_eq!(error.to_string(), "connector `Source` panicked in an `on_interrupt` hook: no socket");
    assert_eq!(error.summary().unwrap().stop, Some(Stop::Handle));
}

#[test]
fn a_panic_payload_without_text_is_reported() {
    let pipeline = pipeline();
    pipeline.read(source(|_: Subject<Number>| std::panic::panic_any(7)));
    let error = run(pipeline).unwrap_err();
    let Error::Connector(failure) = &error else { panic!("{error:?}") };
    assert!(matches!(failure.kind(), FailureKind::Panicked { place: "run", .. }));
}

/// An error whose text panics.
#[derive(Debug)]
struct Speechless;

impl fmt::Display for Speechless {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no words")
    }
}

impl std::error::Error for Speechless {}

#[test]
fn an_error_whose_display_panics_does_not_hang_the_run() {
    for after_a_stop in [false, true] {
        let pipeline = pipeline();
        let stop = pipeline.stop_handle();
        let stopped = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&stopped);
        pipeline.read(
            source(move |_: Subject<Number>| {
                if after_a_stop {
                    stop.stop();
                }
                Err(Speechless.into())
            })
            .on_stop(move || {
                count.fetch_add(1, Ordering::Relaxed);
            }),
        );
        let error = run(pipeline).unwrap_err();
        assert_eq!(error.to_string(), "connector `Source` panicked in the text of its error: no words");
        assert_eq!(stopped.load(Ordering::Relaxed), 1);
    }
    let pipeline = pipeline();
    let table = pipeline.read(numbers(0..1));
    table.write_to(SpeechlessSink);
    let error = run(pipeline).unwrap_err();
    assert!(error.to_string().ends_with("no words"), "{error}");
}

struct SpeechlessSink;

impl Sink<Number> for SpeechlessSink {
    fn write(&mut self, _: &Commit<Number>) -> RunResult {
        Err(Speechless.into())
    }
}

/// The method in which a sink fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Open,
    Write,
    Flush,
    Close,
}

/// A sink that fails in one method, and records its calls.
struct Breaking {
    place: Place,
    panics: bool,
    calls: mpsc::Sender<Place>,
}

impl Breaking {
    fn at(&self, place: Place) -> RunResult {
        self.calls.send(place)?;
        if self.place != place {
            Ok(())
        } else if self.panics {
            panic!("torn in {place:?}")
        } else {
            Err(format!("torn in {place:?}").into())
        }
    }
}

impl<S: Schema> Sink<S> for Breaking {
    fn open(&mut self, _: &'static TableSchema) -> RunResult {
        self.at(Place::Open)
    }

    fn write(&mut self, _: &Commit<S>) -> RunResult {
        self.at(Place::Write)
    }

    fn flush(&mut self) -> RunResult {
        self.at(Place::Flush)
    }

    fn close(&mut self) -> RunResult {
        self.at(Place::Close)
    }
}

// Contract 5.6
#[test]
fn a_failing_sink_stops_the_run_and_is_not_called_again() {
    for place in [Place::Open, Place::Write, Place::Flush, Place::Close] {
        for panics in [false, true] {
            let (calls, called) = mpsc::channel();
            let stopped = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&stopped);
            let pipeline = pipeline();
            let endless = place != Place::Close;
            let table = pipeline.read_with(
                source(move |subject: Subject<Number>| {
                    for n in 0.. {
                        subject.next(Number { n })?;
                        subject.commit()?;
                        if n == 10 && !endless {
                            break;
                        }
                    }
                    Ok(())
                })
                .on_stop(move || {
                    count.fetch_add(1, Ordering::Relaxed);
                }),
                ReadOptions::new().name("numbers").autocommit(None).backlog(5),
            );
            let seen = commits(&table);
            table.write_to(Breaking { place, panics, calls });
            let error = run(pipeline).unwrap_err();
            let text = error.to_string();
            let (start, end) = ("sink `numbers` ", format!("torn in {place:?}"));
            assert!(text.starts_with(start) && text.ends_with(&end), "{text}");
            let Error::Sink(failure) = &error else { panic!("{error:?}") };
            assert_eq!(matches!(failure.kind(), FailureKind::Panicked { .. }), panics);
            assert!(error.others().is_empty(), "{error:?}");
            let called: Vec<Place> = called.try_iter().collect();
            assert_eq!(called.last(), Some(&place), "the sink was called again: {called:?}");
            assert_eq!(called.iter().filter(|call| **call == place).count(), 1);
            // The other sink has received all pushed rows. If a sink fails to open, no source has run.
            let rows = error.summary().unwrap().rows();
            assert_eq!(by_commit(&seen).len() as u64, rows);
            assert_eq!(stopped.load(Ordering::Relaxed), usize::from(place != Place::Open));
            assert_eq!(rows > 0, place != Place::Open);
        }
    }
}

#[test]
fn a_panic_in_a_callback_names_the_connector_of_its_table() {
    for by_commit in [false, true] {
        let pipeline = pipeline();
        let table = pipeline.read_with(numbers(0..3), ReadOptions::new().name("numbers"));
        if by_commit {
            table.subscribe_commits(|_| panic!("no commits please"));
        } else {
            table.subscribe(|update| assert_ne!(update.row.n, 1, "no ones please"));
        }
        let error = run(pipeline).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("sink `numbers` panicked") && text.contains("please"), "{text}");
    }
}

#[test]
fn a_failing_sink_wakes_a_source_that_waits_for_it() {
    let pipeline = pipeline();
    let (go, gone) = mpsc::channel();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            subject.next(Number { n: 0 })?;
            subject.try_next(Number { n: 1 }).unwrap();
            assert!(subject.try_next(Number { n: 2 }).is_err(), "the backlog is full");
            go.send(())?;
            Ok(subject.next(Number { n: 2 })?)
        }),
        ReadOptions::new().autocommit(None).backlog(1),
    );
    table.subscribe_commits(move |_| {
        next(&gone);
        panic!("enough")
    });
    let error = run(pipeline).unwrap_err();
    assert!(error.to_string().ends_with("enough"), "{error}");
}

#[derive(Schema, Debug)]
struct Explosive {
    n: u8,
    #[schema(default = explode())]
    other: u8,
}

fn explode() -> u8 {
    panic!("boom")
}

/// A default is user code that runs during a push.
#[test]
fn a_panic_in_a_default_keeps_earlier_rows_complete() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Explosive>| {
            subject.next_json(r#"{"n": 1, "other": 2}"#)?;
            let clone = subject.clone();
            thread::spawn(move || clone.next_json(r#"{"n": 30}"#)).join().unwrap_err();
            let transaction = subject.transaction();
            transaction.next_json(r#"{"n": 5, "other": 6}"#)?;
            thread::scope(|scope| {
                scope.spawn(|| transaction.next_json(r#"{"n": 70}"#)).join().unwrap_err();
            });
            transaction.next(Explosive { n: 7, other: 8 })?;
            subject.next_json(r#"{"n": 3, "other": 4}"#)?;
            transaction.commit()?;
            Ok(())
        }),
        ReadOptions::new().autocommit(None),
    );
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    let rows: Vec<_> = updates(&seen).into_iter().map(|(row, _)| (row.n, row.other)).collect();
    assert_eq!(rows, [(1, 2), (3, 4), (5, 6), (7, 8)]);
    assert_eq!(summary.rows(), 4);
}

#[test]
fn a_transaction_with_a_subject_of_another_connector_panics() {
    let pipeline = pipeline();
    let (give, given) = mpsc::channel();
    pipeline.read(source(move |subject: Subject<Number>| {
        give.send(subject.clone())?;
        Ok(subject.wait_closed()?)
    }));
    pipeline.read_with(
        source(move |cats: Subject<crate::common::Cat>| {
            let other = next(&given);
            let transaction = cats.transaction();
            transaction.next(cat(1, "felis"))?;
            transaction.with(&other).next(Number { n: 1 })?;
            Ok(())
        }),
        ReadOptions::new().name("cats"),
    );
    let error = run(pipeline).unwrap_err();
    assert!(error.to_string().starts_with("connector `cats` panicked in run: a transaction spans"), "{error}");
}
