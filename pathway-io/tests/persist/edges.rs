//! Edge cases of sources: no rows, large transactions, many bad rows, and a clock that was set back.

use std::fs;
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize, Serializer};

use pathway_io::{BadRows, Durability, Error, FailureKind, Restart, csv, jsonlines};

use crate::common::{Number, Subject, TempDir, cat, next, read, run, set_checkpoint_time, source};
use crate::restart::{options, persistent, rows, run_cats};

#[test]
fn a_source_without_rows_leaves_a_header_and_a_state() {
    let directory = TempDir::new();
    for offset in [None, None, Some(1), Some(1)] {
        let summary = run_cats(&directory, Durability::EveryCommit, move |cats| match offset {
            Some(offset) if cats.resume().is_none() => Ok(cats.advance(offset)?),
            _ => {
                assert_eq!(cats.resume(), offset);
                Ok(())
            }
        })
        .unwrap();
        assert_eq!(summary.sources[0].commits, 0, "an offset without rows is not a commit of rows");
        assert_eq!(read(directory.path("cats.csv")), "key,genus,time,diff\n");
        assert_eq!(read(directory.path("cats.jsonl")), "");
        assert!(directory.path("state").join("log-1").exists());
    }
}

#[test]
fn a_transaction_larger_than_the_backlog_is_committed_whole_with_its_offset() {
    let directory = TempDir::new();
    let (durable, telling) = mpsc::channel();
    for round in 0..3_u64 {
        let pipeline = persistent(&directory);
        let durable = durable.clone();
        let numbers = pipeline.read_with(
            source(move |numbers: Subject<Number, u64>| {
                let durable = durable.clone();
                numbers.on_durable(move |offset| durable.send(*offset).unwrap());
                assert_eq!(numbers.resume(), (round > 0).then_some(round));
                numbers.next(Number { n: 1000 * round })?;
                let unit = numbers.transaction();
                for n in 1..=50 {
                    unit.next(Number { n: 1000 * round + n })?;
                }
                unit.commit_at(round + 1)?;
                // This transaction stays open until the end, so it is dropped.
                let open = numbers.transaction();
                open.next(Number { n: 7 })?;
                std::mem::forget(open);
                Ok(())
            }),
            options("numbers").backlog(4),
        );
        csv::write(&numbers, directory.path("numbers.csv"));
        run(pipeline).unwrap();
    }
    let expected = (0..3).flat_map(|round| (0..=50).map(move |n| format!("{} 1", 1000 * round + n)));
    assert!(rows(&directory, "numbers.csv").into_iter().eq(expected));
    let text = read(directory.path("numbers.csv"));
    let times: std::collections::BTreeSet<_> = text.lines().skip(1).map(|line| line.split(',').nth(1)).collect();
    assert_eq!(times.len(), 3);
    assert!(telling.try_iter().eq(1..=3));
}

#[test]
fn the_limit_of_bad_rows_spans_all_attempts() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let restart = Restart::backoff(Duration::ZERO..Duration::ZERO).attempts(50);
    let bad = directory.path("bad.jsonl");
    let numbers = pipeline.read_with(
        source(|numbers: Subject<Number, u64>| {
            let from = numbers.resume().unwrap_or(0);
            numbers.next_at(from + 1, Number { n: from })?;
            numbers.next_json_at(from + 2, "torn")?;
            Err("torn".into())
        }),
        options("numbers").restart(restart).bad_rows(BadRows::Quarantine(bad.clone())).bad_rows_limit(3),
    );
    csv::write(&numbers, directory.path("numbers.csv"));
    let error = run(pipeline).unwrap_err();
    assert!(error.to_string().contains("more bad rows than its limit of 3"), "{error}");
    let source = &error.summary().unwrap().sources[0];
    assert_eq!((source.attempts, source.bad_rows), (4, 4));
    assert_eq!(rows(&directory, "numbers.csv"), ["0 1", "2 1", "4 1", "6 1"]);
    assert_eq!(read(bad).lines().count(), 4);
}

#[test]
fn incomplete_output_after_the_checkpoint_is_truncated_in_every_file() {
    let directory = TempDir::new();
    let run_once = |to: u64| {
        let pipeline = persistent(&directory);
        let numbers = pipeline.read_with(
            source(move |numbers: Subject<Number, u64>| {
                for n in numbers.resume().unwrap_or(0)..to {
                    numbers.next_json_at(n + 1, if n % 2 == 0 { format!(r#"{{"n": {n}}}"#) } else { "bad".into() })?;
                }
                Ok(())
            }),
            options("numbers").bad_rows(BadRows::Quarantine(directory.path("bad.jsonl"))),
        );
        csv::write(&numbers, directory.path("numbers.csv"));
        jsonlines::write(&numbers, directory.path("numbers.jsonl"));
        run(pipeline).unwrap();
    };
    run_once(4);
    let names = ["numbers.csv", "numbers.jsonl", "bad.jsonl"];
    for name in names {
        let text = read(directory.path(name));
        let last = text.lines().last().unwrap();
        // One complete line, and one of which only a part was written.
        fs::write(directory.path(name), format!("{text}{last}\n{}", &last[..last.len() / 2])).unwrap();
    }
    run_once(6);
    assert_eq!(rows(&directory, "numbers.csv"), ["0 1", "2 1", "4 1"]);
    for name in ["numbers.jsonl", "bad.jsonl"] {
        let text = read(directory.path(name));
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{text}");
    }
}

#[test]
fn times_continue_after_the_checkpoint_if_the_clock_was_set_back() {
    let directory = TempDir::new();
    run_cats(&directory, Durability::EveryCommit, |cats| Ok(cats.next_at(1, cat(1, "felis"))?)).unwrap();
    // Simulates that the clock of the previous run was one day ahead.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let ahead = now + 24 * 3600 * 1000;
    set_checkpoint_time(&directory.path("state").join("log-1"), ahead);
    for n in 1..=3 {
        run_cats(&directory, Durability::EveryCommit, move |cats| {
            assert_eq!(cats.resume(), Some(n));
            Ok(cats.next_at(n + 1, cat(2, &n.to_string()))?)
        })
        .unwrap();
        let text = read(directory.path("cats.csv"));
        let time = text.lines().last().unwrap().split(',').nth(2).unwrap();
        assert_eq!(time.parse(), Ok(ahead + n));
    }
}

#[test]
fn a_run_with_an_abandoned_sink_keeps_the_state_locked() {
    // With offset 2, the checkpointer fails, so it no longer holds the lock when the sink is abandoned.
    for offset in [1, 2] {
        let directory = TempDir::new();
        let pipeline = persistent(&directory);
        pipeline.grace_period(Duration::from_secs(1));
        let numbers = pipeline.read_with(
            source(move |numbers: Subject<Number, Formless>| {
                numbers.next_at(Formless(offset), Number { n: 1 })?;
                numbers.commit()?;
                Ok(numbers.wait_closed()?)
            }),
            options("numbers"),
        );
        let stop = pipeline.stop_handle();
        let (release, released) = mpsc::channel::<()>();
        let (ended, has_ended) = mpsc::channel::<()>();
        numbers.subscribe(move |_| {
            let _ = &ended;
            if offset == 1 {
                stop.stop();
            }
            // Blocks until the test is over.
            let _ = released.recv();
        });
        csv::write(&numbers, directory.path("numbers.csv"));
        let error = run(pipeline).unwrap_err();
        let mut errors = std::iter::once(&error).chain(error.others());
        let is_overdue = |error: &Error| matches!(error, Error::Sink(failure) if matches!(failure.kind(), FailureKind::TimedOut { .. }));
        assert!(errors.any(is_overdue), "{error:?}");
        // The abandoned sink may still write, so the state directory stays locked.
        let refused = pathway_io::Pipeline::persistent(directory.path("state")).map(drop).unwrap_err().to_string();
        assert!(refused.contains("is in use by another pipeline"), "{refused}");
        drop(release);
        assert_eq!(has_ended.recv(), Err(mpsc::RecvError));
    }
}

/// An offset whose `Serialize` fails or panics.
#[derive(Debug, Clone, Deserialize)]
struct Formless(u64);

impl Serialize for Formless {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        match self.0 {
            2 => Err(serde::ser::Error::custom("not serializable")),
            3 => panic!("it breaks"),
            n => serializer.serialize_newtype_struct("Formless", &n),
        }
    }
}

#[test]
fn an_offset_that_cannot_be_serialized_fails_its_source() {
    for (offset, expected) in [
        (2, "connector `numbers` failed: its offset cannot be written: not serializable"),
        (3, "connector `numbers` panicked in the form of its offset: it breaks"),
    ] {
        let directory = TempDir::new();
        for round in 0..2 {
            let pipeline = persistent(&directory);
            let numbers = pipeline.read_with(
                source(move |numbers: Subject<Number, Formless>| {
                    let from = numbers.resume().map_or(0, |offset| offset.0);
                    assert_eq!(from, round);
                    numbers.next_at(Formless(1), Number { n: 1 })?;
                    numbers.commit()?;
                    if round == 0 {
                        // Waits until the first offset is durable.
                        let (told, durable) = mpsc::channel();
                        numbers.on_durable(move |_| _ = told.send(()));
                        numbers.commit_at(Formless(1))?;
                        next(&durable);
                    }
                    numbers.next_at(Formless(offset), Number { n: 2 })?;
                    Ok(())
                }),
                options("numbers"),
            );
            csv::write(&numbers, directory.path("numbers.csv"));
            let error = run(pipeline).unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(error.others().is_empty(), "{:?}", error.others());
        }
    }
}
