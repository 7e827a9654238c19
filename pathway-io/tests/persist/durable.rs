//! `on_durable`.

use std::sync::mpsc;
use std::time::Duration;

use pathway_io::{Commit, Durability, Error, FailureKind, Pipeline, Restart, RunResult, Schema, Sink, csv};

use crate::common::{Number, Subject, TempDir, next, read, run, source};
use crate::restart::{options, persistent};

// Contract 9.9
#[test]
fn tells_each_committed_offset_in_order_once_it_is_durable() {
    for durability in [Durability::EveryCommit, Durability::NoSync] {
        let directory = TempDir::new();
        let pipeline = persistent(&directory);
        pipeline.durability(durability);
        let (told, telling) = mpsc::channel();
        let path = directory.path("numbers.csv");
        let numbers = pipeline.read_with(
            source(move |numbers: Subject<Number, u64>| {
                let (told, path) = (told.clone(), path.clone());
                numbers.on_durable(move |offset: &u64| {
                    // What an offset stands for is in the file before it is told.
                    let lines = read(&path).lines().count() as u64;
                    told.send((*offset, lines)).unwrap();
                });
                for n in 1..=100 {
                    numbers.next(Number { n })?;
                    numbers.commit_at(n)?;
                }
                // Set, and not asked to be committed: it comes with the end of the run.
                numbers.next_at(101, Number { n: 101 })?;
                Ok(())
            }),
            options("numbers"),
        );
        csv::write(&numbers, directory.path("numbers.csv"));
        run(pipeline).unwrap();
        let told: Vec<(u64, u64)> = telling.try_iter().collect();
        assert!(told.iter().map(|(offset, _)| *offset).eq(1..=101), "{told:?}");
        assert!(told.iter().all(|(offset, lines)| lines > offset), "{told:?}");
    }
}

#[test]
fn tells_over_restarts_what_is_new_in_order_and_never_before_it_is_found_again() {
    let directory = TempDir::new();
    let (told, telling) = mpsc::channel();
    for round in 0..4_u64 {
        let pipeline = persistent(&directory);
        let told = told.clone();
        let mut attempt = 0;
        pipeline.read_with(
            source(move |numbers: Subject<Number, u64>| {
                let told = told.clone();
                numbers.on_durable(move |offset: &u64| told.send(*offset).unwrap());
                let from = numbers.resume().unwrap_or(0);
                assert_eq!(from, 20 * round + 10 * attempt);
                for n in from + 1..=from + 10 {
                    numbers.next_at(n, Number { n })?;
                    numbers.commit()?;
                }
                attempt += 1;
                if attempt == 1 { Err("torn".into()) } else { Ok(()) }
            }),
            options("numbers").restart(Restart::backoff(Duration::ZERO..Duration::ZERO)),
        );
        run(pipeline).unwrap();
    }
    let told: Vec<u64> = telling.try_iter().collect();
    assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
    // Those of an attempt that has failed may have become durable when nobody was there to be told.
    let second_attempts = (1..=80).filter(|n| (n - 1) % 20 >= 10);
    assert!(second_attempts.clone().all(|n| told.contains(&n)), "{told:?}");
}

/// A sink that has seen nothing before it is flushed, and lets the checkpoint come before that, if it does.
pub struct Late {
    pub durable: mpsc::Receiver<u64>,
    pub seen: mpsc::Sender<bool>,
    pub written: bool,
}

impl<S: Schema> Sink<S> for Late {
    fn write(&mut self, _commit: &Commit<S>) -> RunResult {
        self.written = true;
        Ok(())
    }

    fn flush(&mut self) -> RunResult {
        if std::mem::take(&mut self.written) {
            // Not waited for: it is not to come.
            self.seen.send(self.durable.recv_timeout(Duration::from_millis(300)).is_err())?;
        }
        Ok(())
    }
}

/// A kill in between would lose it otherwise: it is to be seen at least once.
// Contract 9.8
#[test]
fn nothing_is_durable_before_a_sink_that_keeps_no_time_has_seen_it() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let (tell, durable) = mpsc::channel();
    let (seen, seeing) = mpsc::channel();
    let numbers = pipeline.read_with(
        source(move |numbers: Subject<Number, u64>| {
            let tell = tell.clone();
            numbers.on_durable(move |offset: &u64| tell.send(*offset).unwrap());
            Ok(numbers.next_at(1, Number { n: 1 })?)
        }),
        options("numbers"),
    );
    csv::write(&numbers, directory.path("numbers.csv"));
    numbers.write_to(Late { durable, seen, written: false });
    run(pipeline).unwrap();
    assert_eq!(seeing.try_iter().collect::<Vec<_>>(), [true]);
}

#[test]
fn a_panic_in_it_fails_the_pipeline_and_names_the_connector() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    pipeline.read_with(
        source(move |numbers: Subject<Number, u64>| {
            numbers.on_durable(|_| panic!("no acknowledgement"));
            numbers.commit_at(1)?;
            Ok(numbers.wait_closed()?)
        }),
        options("numbers"),
    );
    let error = run(pipeline).unwrap_err();
    assert!(matches!(&error, Error::Connector(failure)
        if failure.name() == "numbers" && matches!(failure.kind(), FailureKind::Panicked { place: "an `on_durable` callback", .. })));
}

#[test]
fn without_a_state_nothing_is_durable() {
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    let (told, telling) = mpsc::channel();
    pipeline.read_with(
        source(move |numbers: Subject<Number, u64>| {
            let told = told.clone();
            numbers.on_durable(move |offset| told.send(*offset).unwrap());
            Ok(numbers.commit_at(1)?)
        }),
        options("numbers"),
    );
    run(pipeline).unwrap();
    assert_eq!(telling.try_iter().count(), 0);
}

#[test]
fn is_told_while_a_callback_registers_another() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let (told, telling) = mpsc::channel();
    pipeline.read_with(
        source(move |numbers: Subject<Number, u64>| {
            let (told, again) = (told.clone(), numbers.clone());
            let mut first = true;
            numbers.on_durable(move |offset| {
                let told = told.clone();
                if std::mem::take(&mut first) {
                    again.on_durable(move |offset| told.send(*offset).unwrap());
                } else {
                    told.send(*offset).unwrap();
                }
            });
            numbers.commit_at(1)?;
            numbers.commit_at(2)?;
            Ok(())
        }),
        options("numbers"),
    );
    run(pipeline).unwrap();
    assert_eq!((next(&telling), next(&telling)), (2, 2));
}
