//! `on_durable`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use pathway_io::{
    Commit, Durability, Error, FailureKind, Pipeline, Restart, RunResult, Schema, Sink, SinkOptions, csv,
};

use crate::common::{Cat, Number, Subject, TempDir, cat, next, read, run, source};
use crate::restart::{options, persistent};

// Contract 9.9
#[test]
fn the_callback_receives_each_committed_offset_once_it_is_durable() {
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
                    // The rows that an offset covers are in the file before the callback receives the offset.
                    let lines = read(&path).lines().count() as u64;
                    told.send((*offset, lines)).unwrap();
                });
                for n in 1..=100 {
                    numbers.next(Number { n })?;
                    numbers.commit_at(n)?;
                }
                // This offset is set without a commit. It is committed at the end of the run.
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
fn an_inline_sink_has_every_commit_before_it_is_durable() {
    struct Count(Arc<AtomicU64>);
    impl Sink<Number> for Count {
        fn write(&mut self, commit: &Commit<Number>) -> RunResult {
            let rows = commit.iter().map(|update| update.row.n);
            let before = self.0.fetch_add(commit.len() as u64, Ordering::SeqCst);
            assert!(rows.eq(before + 1..=before + commit.len() as u64), "commits come in the order of their offsets");
            Ok(())
        }
    }
    let directory = TempDir::new();
    // Compaction asks the sequencer for a snapshot, and the sinks for a sync, in between.
    for round in 0..2_u64 {
        let pipeline = persistent(&directory);
        let written = Arc::new(AtomicU64::new(200 * round));
        let (told, telling) = mpsc::channel();
        let seen = Arc::clone(&written);
        let numbers = pipeline.read_with(
            source(move |numbers: Subject<Number, u64>| {
                let (told, seen) = (told.clone(), Arc::clone(&seen));
                numbers.on_durable(move |offset: &u64| told.send((*offset, seen.load(Ordering::SeqCst))).unwrap());
                let from = numbers.resume().unwrap_or(0);
                assert_eq!(from, 200 * round);
                for n in from + 1..=from + 200 {
                    numbers.next(Number { n })?;
                    numbers.commit_at(n)?;
                }
                Ok(())
            }),
            options("numbers"),
        );
        numbers.write_to_with(Count(Arc::clone(&written)), SinkOptions::new().inline(true));
        run(pipeline).unwrap();
        let told: Vec<(u64, u64)> = telling.try_iter().collect();
        assert_eq!(told.last().map(|(offset, _)| *offset), Some(200 * (round + 1)));
        assert!(told.iter().all(|(offset, written)| written >= offset), "{told:?}");
    }
}

#[test]
fn the_callback_receives_new_offsets_in_order_across_restarts() {
    let directory = TempDir::new();
    let (told, telling) = mpsc::channel();
    for round in 0..4_u64 {
        let pipeline = persistent(&directory);
        let told = told.clone();
        let mut attempt = 0;
        pipeline.read_with(
            source(move |numbers: Subject<Number, u64>| {
                let told = told.clone();
                numbers.on_durable(move |offset: &u64| told.send((*offset, attempt)).unwrap());
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
    let told: Vec<(u64, u64)> = telling.try_iter().collect();
    assert!(told.is_sorted_by(|a, b| a.0 < b.0), "{told:?}");
    // Offsets of a failed attempt may have become durable after its callback was dropped.
    let mut second_attempts = (1..=80).filter(|n| (n - 1) % 20 >= 10);
    assert!(second_attempts.all(|n| told.contains(&(n, 1))), "{told:?}");
}

#[test]
fn a_callback_that_is_registered_on_a_handle_of_an_earlier_attempt_is_not_called() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let mut earlier = None;
    pipeline.read_with(
        source(move |numbers: Subject<Number, u64>| {
            let Some(earlier) = &earlier else {
                earlier = Some(numbers.clone());
                return Err("torn".into());
            };
            Subject::on_durable(earlier, |_| panic!("its attempt has ended"));
            Ok(numbers.commit_at(1)?)
        }),
        options("numbers").restart(Restart::backoff(Duration::ZERO..Duration::ZERO)),
    );
    run(pipeline).unwrap();
}

// docs/durability.md
#[test]
fn many_commits_or_bytes_do_not_wait_for_the_interval() {
    for (commits, bytes) in [(4096, 1), (5, 1024 * 1024)] {
        let directory = TempDir::new();
        let pipeline = persistent(&directory);
        pipeline.durability(Durability::Interval(Duration::from_secs(3600)));
        pipeline.read_with(
            source(move |cats: Subject<Cat, u64>| {
                let (told, telling) = mpsc::channel();
                // The later calls have no receiver.
                cats.on_durable(move |offset: &u64| _ = told.send(*offset));
                for n in 1..=commits {
                    cats.next_at(n, cat(n as i64, &"x".repeat(bytes)))?;
                    cats.commit()?;
                }
                next(&telling);
                Ok(())
            }),
            options("cats"),
        );
        run(pipeline).unwrap();
    }
}

#[test]
fn an_interval_without_an_end_leaves_the_checkpoint_to_the_end_of_the_run() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    pipeline.durability(Durability::Interval(Duration::MAX));
    let (told, telling) = mpsc::channel();
    let pushed = Arc::new(AtomicBool::new(false));
    let (seen, is_seen) = mpsc::channel();
    let table = pipeline.read_with(
        source(move |cats: Subject<Cat, u64>| {
            let (told, has_pushed) = (told.clone(), Arc::clone(&pushed));
            cats.on_durable(move |offset: &u64| told.send((*offset, has_pushed.load(Ordering::Relaxed))).unwrap());
            for n in 1..=50 {
                cats.next_at(n, cat(n as i64, "felis"))?;
                cats.commit()?;
                next(&is_seen);
            }
            pushed.store(true, Ordering::Relaxed);
            Ok(())
        }),
        options("cats"),
    );
    table.subscribe(move |_| seen.send(()).unwrap());
    run(pipeline).unwrap();
    assert!(telling.iter().eq((1..=50).map(|offset| (offset, true))));
}

/// A sink that has seen nothing before its flush. It gives an early checkpoint time to happen before the flush.
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
            // Checks that no message comes within this time.
            self.seen.send(self.durable.recv_timeout(Duration::from_millis(300)).is_err())?;
        }
        Ok(())
    }
}

/// Otherwise a kill between the two would lose the row, which must be seen at least once.
// Contract 9.8
#[test]
fn a_row_is_not_durable_before_a_plain_sink_has_seen_it() {
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
fn a_panic_in_the_callback_fails_the_pipeline_and_names_the_connector() {
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
fn the_callback_is_not_called_without_a_state_directory() {
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
fn a_callback_can_register_another() {
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
