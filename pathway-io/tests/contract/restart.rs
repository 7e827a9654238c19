//! A source whose `run` fails is run again: the effect on its rows, handles, hooks and offsets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use pathway_io::{Closed, Error, ReadOptions, Restart, RunResult, Stop};

use crate::common::{Number, Subject, by_commit, commits, next, pipeline, run, source, updates, within};

fn at_once(attempts: u32) -> ReadOptions {
    options(Restart::backoff(Duration::from_millis(1)..Duration::from_millis(2)).attempts(attempts))
}

/// Turns autocommit off, so that the tests control every commit.
fn options(restart: Restart) -> ReadOptions {
    ReadOptions::new().name("numbers").autocommit(None).restart(restart)
}

fn never() -> ReadOptions {
    let hour = Duration::from_secs(3600);
    options(Restart::backoff(hour..hour))
}

/// Returns a counter, and a function that increments it and returns the new count.
fn counter() -> (Arc<AtomicUsize>, impl FnMut() -> usize + Send + 'static) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    (count, move || counted.fetch_add(1, Ordering::SeqCst) + 1)
}

// Contract 8.1
#[test]
fn an_error_or_a_panic_is_followed_by_another_attempt() {
    let (stops, mut stop) = counter();
    let mut attempt = 0;
    let pipeline = pipeline();
    let numbers = source(move |subject: Subject<Number>| {
        attempt += 1;
        subject.next(Number { n: attempt })?;
        match attempt {
            1 => Err("the connection is lost".into()),
            2 => panic!("out of patience"),
            _ => Ok(()),
        }
    })
    .on_stop(move || {
        stop();
    });
    let commits = commits(&pipeline.read_with(numbers, at_once(5)));
    let summary = run(pipeline).unwrap();
    assert_eq!(by_commit(&commits), [[1], [2], [3]]);
    let source = &summary.sources[0];
    assert_eq!((source.rows, source.commits, source.attempts), (3, 3, 3));
    assert_eq!(source.error.as_deref(), Some("panicked in run: out of patience"));
    assert!(source.to_string().ends_with(", 3 attempts, last error: panicked in run: out of patience"), "{source}");
    assert_eq!(stops.load(Ordering::SeqCst), 1);
    assert_eq!(summary.stop, None);
}

// Contract 8.1
#[test]
fn the_error_of_an_attempt_is_reported_with_its_causes() {
    let mut attempt = 0;
    let pipeline = pipeline();
    let numbers = source(move |_: Subject<Number>| {
        attempt += 1;
        if attempt == 3 { Ok(()) } else { Err(anyhow::anyhow!("refused {attempt}").context("cannot connect").into()) }
    });
    pipeline.read_with(numbers, at_once(3));
    assert_eq!(run(pipeline).unwrap().sources[0].error.as_deref(), Some("cannot connect: refused 2"));
}

// Contract 8.1
#[test]
fn the_last_attempt_fails_the_pipeline() {
    let (stops, mut stop) = counter();
    let (runs, mut enter) = counter();
    let pipeline = pipeline();
    let numbers = source(move |subject: Subject<Number>| {
        subject.next(Number { n: 1 })?;
        Err(format!("loss {}", enter()).into())
    })
    .on_stop(move || {
        stop();
    });
    let commits = commits(&pipeline.read_with(numbers, at_once(3)));
    let error = run(pipeline).unwrap_err();
    assert_eq!(error.to_string(), "connector `numbers` failed: loss 3");
    let shown = "connector `numbers` failed: loss 3\n  attempts: 3, the error before this one: loss 2";
    assert_eq!(format!("{error:?}"), shown);
    let source = &error.summary().unwrap().sources[0];
    assert_eq!((source.attempts, source.error.as_deref()), (3, Some("loss 2")));
    assert_eq!(updates(&commits).len(), 3);
    assert_eq!((runs.load(Ordering::SeqCst), stops.load(Ordering::SeqCst)), (3, 1));
}

#[test]
fn an_attempt_that_ran_long_enough_resets_the_count() {
    for (healthy_after, expected) in [(Duration::ZERO, 6), (Duration::from_secs(3600), 2)] {
        let wait = Restart::backoff(Duration::from_millis(1)..Duration::from_millis(2));
        let mut attempt = 0;
        let pipeline = pipeline();
        let source = source(move |_: Subject<Number>| {
            attempt += 1;
            if attempt < 6 { Err("the connection is lost".into()) } else { Ok(()) }
        });
        let _numbers = pipeline.read_with(source, options(wait.attempts(2).healthy_after(healthy_after)));
        let result = run(pipeline);
        let attempts = result.as_ref().unwrap_or_else(|error| error.summary().unwrap()).sources[0].attempts;
        assert_eq!((result.is_ok(), attempts), (expected == 6, expected));
    }
}

#[test]
fn a_closed_subject_does_not_hide_the_error_of_an_earlier_attempt() {
    let ways: [fn(&Subject<Number>) -> RunResult; 5] = [
        |numbers| Ok(numbers.next(Number { n: 1 })?),
        |numbers| Ok(numbers.next_json(r#"{"n": 1}"#)?),
        |numbers| Ok(numbers.next_json_lines(r#"{"n": 1}"#).map(drop)?),
        |numbers| Ok(numbers.reject("torn", "the frame is torn")?),
        |numbers| Ok(numbers.next_json(r#"{"n": 1}"#).map_err(Error::from)?),
    ];
    for way in ways {
        let mut attempt = 0;
        let pipeline = pipeline();
        let stop = pipeline.stop_handle();
        let source = source(move |numbers: Subject<Number>| {
            attempt += 1;
            if attempt == 1 {
                return Err("the connection is lost".into());
            }
            stop.stop();
            let Err(Closed) = numbers.wait_closed() else { return Ok(()) };
            way(&numbers)
        });
        let _numbers = pipeline.read_with(source, at_once(5));
        let summary = run(pipeline).unwrap();
        assert_eq!(summary.sources[0].error.as_deref(), Some("the connection is lost"));
    }
}

#[test]
fn there_is_one_attempt_by_default() {
    let (runs, mut enter) = counter();
    let pipeline = pipeline();
    let _numbers = pipeline.read(source(move |_: Subject<Number>| Err(format!("loss {}", enter()).into())));
    assert!(run(pipeline).is_err());
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[derive(Debug)]
struct Wrapped(Error);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("at the door")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

// Contract 8.6
#[test]
fn a_fatal_error_prevents_another_attempt() {
    let fatal = || Error::fatal("no such account");
    let ways: [fn() -> RunResult; 4] = [
        || Err(Error::fatal("no such account"))?,
        || Err(std::io::Error::other(Error::fatal("no such account")))?,
        || Err(anyhow::Error::from(Error::fatal("no such account")).context("at the door"))?,
        || Err(Wrapped(Error::fatal("no such account")))?,
    ];
    assert!(fatal().is_fatal());
    for way in ways {
        let pipeline = pipeline();
        let _numbers = pipeline.read_with(source(move |_: Subject<Number>| way()), at_once(5));
        let error = run(pipeline).unwrap_err();
        assert!(error.is_fatal(), "{error}");
        assert_eq!(error.summary().unwrap().sources[0].attempts, 1);
    }
}

// Contract 8.2
#[test]
fn handles_of_a_failed_attempt_stay_closed() {
    let (closed, closings) = mpsc::channel();
    let mut attempt = 0;
    let mut old = None;
    let pipeline = pipeline();
    let numbers = source(move |subject: Subject<Number>| {
        attempt += 1;
        if attempt == 1 {
            old = Some((subject.clone(), subject.transaction()));
            let (waiting, closed) = (subject.clone(), closed.clone());
            // The client's own thread, which keeps running after the attempt.
            thread::spawn(move || closed.send(waiting.wait_closed()));
            return Err("the connection is lost".into());
        }
        let (old, transaction) = old.take().expect("it was kept");
        assert!(old.is_closed() && !subject.is_closed());
        assert_eq!(old.next(Number { n: 1 }), Err(Closed));
        assert!(old.try_next(Number { n: 1 }).unwrap_err().is_closed());
        assert!(old.next_json(r#"{"n": 1}"#).unwrap_err().is_closed());
        assert_eq!(old.commit(), Err(Closed));
        assert_eq!(old.transaction().next(Number { n: 1 }), Err(Closed));
        assert_eq!(transaction.next(Number { n: 1 }), Err(Closed));
        assert_eq!(transaction.with(&subject).next(Number { n: 1 }), Err(Closed));
        assert_eq!(transaction.commit(), Err(Closed));
        let mixed = subject.transaction();
        assert_eq!(mixed.with(&old).next(Number { n: 1 }), Err(Closed));
        assert_eq!(old.clone().close(), Err(Closed));
        assert_eq!(subject.next(Number { n: 2 }), Ok(()), "only the table of the first attempt was closed");
        // A handle of the first attempt has returned `Closed`, but no handle of this attempt has. So this is not a
        // clean end.
        Err("another loss".into())
    });
    let commits = commits(&pipeline.read_with(numbers, at_once(2)));
    assert_eq!(run(pipeline).unwrap_err().to_string(), "connector `numbers` failed: another loss");
    assert_eq!(next(&closings), Err(Closed));
    assert_eq!(by_commit(&commits), [[2]]);
}

/// An offset waits for the open transactions of its attempt. A transaction of an earlier attempt is not one of them.
#[test]
fn a_transaction_of_a_failed_attempt_does_not_hold_back_offsets() {
    let mut attempt = 0;
    let mut old = None;
    let pipeline = pipeline();
    let numbers = source(move |subject: Subject<Number, u64>| {
        attempt += 1;
        if attempt == 1 {
            old = Some(subject.transaction());
            return Err("the connection is lost".into());
        }
        let old = old.take().expect("it was kept");
        assert_eq!(old.with(&subject).next(Number { n: 9 }), Err(Closed));
        assert!(old.with(&subject).next_json_lines(r#"{"n": 9}"#).unwrap_err().is_closed());
        assert_eq!(old.commit(), Err(Closed));
        (0..8).try_for_each(|n| subject.next_at(n + 1, Number { n }))?;
        Ok(())
    });
    let commits = commits(&pipeline.read_with(numbers, at_once(2).backlog(2)));
    run(pipeline).unwrap();
    assert_eq!(by_commit(&commits).concat(), [0, 1, 2, 3, 4, 5, 6, 7]);
}

// Contract 8.2
#[test]
fn handles_of_a_failed_attempt_set_no_offset() {
    type Handle = Subject<Number, u64>;
    type SetOffset = fn(&Handle) -> Result<(), Closed>;
    let ways: [SetOffset; 5] = [
        |old| old.next_at(9, Number { n: 9 }),
        |old| old.next_json_at(9, r#"{"n": 9}"#).map_err(|_| Closed),
        |old| old.advance(9),
        |old| old.commit_at(9),
        |old| old.transaction().commit_at(9),
    ];
    for set_offset in ways {
        let mut old = None;
        let pipeline = pipeline();
        let numbers = source(move |subject: Handle| {
            let Some(old) = &old else {
                old = Some(subject);
                return Err("the connection is lost".into());
            };
            assert_eq!(set_offset(old), Err(Closed));
            subject.next(Number { n: 1 })?;
            subject.commit()?;
            assert_eq!(subject.resume(), None);
            Ok(())
        });
        let commits = commits(&pipeline.read_with(numbers, at_once(2)));
        run(pipeline).unwrap();
        assert_eq!(by_commit(&commits), [[1]]);
    }
}

#[test]
fn a_push_that_waits_for_room_is_refused_when_its_attempt_fails() {
    let (refused, refusals) = mpsc::channel();
    let (filled, when_filled) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let mut attempt = 0;
    let pipeline = pipeline();
    let numbers = source(move |subject: Subject<Number>| {
        attempt += 1;
        if attempt == 2 {
            return Ok(subject.next(Number { n: 99 })?);
        }
        let (pusher, refused, filled) = (subject.clone(), refused.clone(), filled.clone());
        thread::spawn(move || {
            for n in 0.. {
                if pusher.try_next(Number { n }).is_err() {
                    // If the backlog is full, the next push waits.
                    let _ = filled.send(n);
                    let _ = refused.send((n, pusher.next(Number { n })));
                    return;
                }
            }
        });
        next(&when_filled);
        Err("the connection is lost".into())
    });
    let table = pipeline.read_with(numbers, at_once(2).backlog(4));
    let (sender, seen) = mpsc::channel();
    table.subscribe(move |update| {
        sender.send(update.row.n).unwrap();
        // Once the sink is released, it takes everything.
        let _ = released.recv();
    });
    let running = pipeline.start().unwrap();
    let (n, result) = next(&refusals);
    assert_eq!(result, Err(Closed));
    drop(release);
    let summary = within(move || running.join()).unwrap();
    let all: Vec<u64> = seen.try_iter().collect();
    assert!(all.iter().copied().eq((0..n).chain([99])), "{all:?}");
    assert_eq!(summary.sources[0].attempts, 2);
}

/// A value that reports its drop.
struct Noted(mpsc::Sender<&'static str>);

impl Drop for Noted {
    fn drop(&mut self) {
        // The receiver may be gone.
        let _ = self.0.send("dropped");
    }
}

// Contract 8.2
#[test]
fn hooks_of_a_failed_attempt_are_dropped_and_never_called() {
    let (sender, events) = mpsc::channel();
    let mut attempt = 0;
    let mut old = None;
    let pipeline = pipeline();
    let stop = pipeline.stop_handle();
    let numbers = source(move |subject: Subject<Number>| {
        attempt += 1;
        let noted = Noted(sender.clone());
        if attempt == 1 {
            subject.on_interrupt(move || {
                noted.0.send("called of the first").unwrap();
            });
            old = Some(subject);
            return Err("the connection is lost".into());
        }
        assert_eq!(events.try_recv(), Ok("dropped"), "before the second attempt");
        // A client that has not noticed the new attempt yet.
        old.as_ref().unwrap().on_interrupt(move || {
            noted.0.send("called of the late").unwrap();
        });
        assert_eq!(events.try_recv(), Ok("dropped"), "at once");
        let called = sender.clone();
        subject.on_interrupt(move || called.send("called of the second"));
        stop.stop();
        assert_eq!(next(&events), "called of the second");
        Ok(())
    });
    let _table = pipeline.read_with(numbers, at_once(2));
    let summary = run(pipeline).unwrap();
    assert_eq!((summary.stop, summary.sources[0].attempts), (Some(Stop::Handle), 2));
}

// Contract 8.5
#[test]
fn a_stop_ends_the_wait_between_attempts() {
    let (stops, mut stopped) = counter();
    let pipeline = pipeline();
    let numbers = source(|subject: Subject<Number>| {
        subject.next(Number { n: 7 })?;
        Err("the connection is lost".into())
    })
    .on_stop(move || {
        stopped();
    });
    let commits = commits(&pipeline.read_with(numbers, never()));
    let stop = pipeline.stop_handle();
    let running = pipeline.start().unwrap();
    // The row is committed only when the first attempt has failed.
    assert_eq!(next(&commits).updates, [(Number { n: 7 }, 1)]);
    stop.stop();
    let summary = within(move || running.join()).unwrap();
    assert_eq!(summary.stop, Some(Stop::Handle));
    let source = &summary.sources[0];
    assert_eq!((source.attempts, source.error.as_deref()), (1, Some("the connection is lost")));
    assert_eq!(stops.load(Ordering::SeqCst), 1);
}

#[test]
fn a_failure_after_a_stop_is_not_followed_by_another_attempt() {
    for panics in [false, true] {
        let pipeline = pipeline();
        let stop = pipeline.stop_handle();
        let _table = pipeline.read_with(
            source(move |subject: Subject<Number>| {
                stop.stop();
                assert_eq!(subject.wait_closed(), Err(Closed));
                assert!(!panics, "out of patience");
                Err("the socket is closed".into())
            }),
            at_once(5),
        );
        let result = run(pipeline);
        if panics {
            assert_eq!(result.unwrap_err().summary().unwrap().sources[0].attempts, 1);
        } else {
            assert_eq!(result.unwrap().sources[0].attempts, 1);
        }
    }
}

// Contract 8.3
#[test]
fn a_source_with_offsets_continues_after_the_last_one() {
    let mut attempt = 0;
    let pipeline = pipeline();
    let numbers = source(move |subject: Subject<Number, u64>| {
        attempt += 1;
        let from = subject.resume().unwrap_or(0);
        assert_eq!(from, [0, 5, 7][attempt - 1]);
        for n in from..10 {
            // The row is pushed before its offset, and the attempt fails between the two.
            subject.next(Number { n })?;
            if (attempt, n) == (1, 5) || (attempt, n) == (2, 7) {
                return Err("the connection is lost".into());
            }
            subject.advance(n + 1)?;
        }
        Ok(())
    });
    let commits = commits(&pipeline.read_with(numbers, at_once(3)));
    let summary = run(pipeline).unwrap();
    let rows: Vec<u64> = updates(&commits).into_iter().map(|(row, _)| row.n).collect();
    assert!(rows.iter().copied().eq(0..10), "{rows:?}");
    assert_eq!(summary.sources[0].rows, 10);
}

// Contract 8.4
#[test]
fn rows_after_the_last_offset_are_kept_if_no_attempt_reads_them_again() {
    let pipeline = pipeline();
    let numbers = source(move |subject: Subject<Number, u64>| {
        subject.next_at(1, Number { n: 0 })?;
        subject.next(Number { n: 1 })?;
        Err(Error::fatal("no such account").into())
    });
    let commits = commits(&pipeline.read_with(numbers, at_once(3)));
    assert!(run(pipeline).is_err());
    assert_eq!(updates(&commits).len(), 2);
}

// Contract 8.4
#[test]
fn an_open_transaction_is_dropped() {
    let mut attempt = 0;
    let mut open = None;
    let pipeline = pipeline();
    let numbers = source(move |subject: Subject<Number>| {
        attempt += 1;
        if attempt == 1 {
            subject.next(Number { n: 1 })?;
            let transaction = subject.transaction();
            transaction.next(Number { n: 2 })?;
            open = Some(transaction);
            return Err("the connection is lost".into());
        }
        assert_eq!(open.take().unwrap().commit(), Err(Closed));
        Ok(subject.next(Number { n: 3 })?)
    });
    let commits = commits(&pipeline.read_with(numbers, at_once(2)));
    run(pipeline).unwrap();
    assert_eq!(by_commit(&commits), [[1], [3]]);
}

#[test]
fn a_closed_table_is_open_in_the_next_attempt() {
    let mut attempt = 0;
    let pipeline = pipeline();
    let numbers = source(move |(a, b): (Subject<Number>, Subject<Number>)| {
        attempt += 1;
        a.next(Number { n: attempt })?;
        a.close()?;
        b.next(Number { n: attempt })?;
        if attempt == 1 { Err("the connection is lost".into()) } else { Ok(()) }
    });
    let (a, b) = pipeline.read_with(numbers, at_once(2));
    let (a, b) = (commits(&a), commits(&b));
    run(pipeline).unwrap();
    assert_eq!(by_commit(&a), [[1], [2]]);
    assert_eq!(by_commit(&b), [[1], [2]]);
}

#[test]
fn a_failing_sink_ends_a_source_that_would_otherwise_run_again() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Number>| {
            subject.next(Number { n: 1 })?;
            Err("the connection is lost".into())
        }),
        never(),
    );
    table.subscribe(|_| panic!("the disk is full"));
    let error = run(pipeline).unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert!(error.others().is_empty(), "{error:?}");
}

#[test]
fn a_stop_does_not_replace_the_error_of_an_earlier_attempt() {
    let mut attempts = 0;
    let pipeline = pipeline();
    let stop = pipeline.stop_handle();
    let numbers = source(move |numbers: Subject<Number>| {
        attempts += 1;
        if attempts == 1 {
            return Err("the connection is lost".into());
        }
        stop.stop();
        Ok(numbers.wait_closed()?)
    });
    let _numbers = pipeline.read_with(numbers, at_once(5));
    let summary = run(pipeline).unwrap();
    assert_eq!(summary.sources[0].error.as_deref(), Some("the connection is lost"));
}

#[test]
fn the_end_of_an_attempt_commits_no_row_of_the_next() {
    let mut attempts = 0;
    let pipeline = pipeline();
    let numbers = source(move |numbers: Subject<Number>| {
        attempts += 1;
        if attempts == 1 {
            return Err("the connection is lost".into());
        }
        numbers.next(Number { n: 1 })?;
        Ok(numbers.next(Number { n: 2 })?)
    });
    let commits = commits(&pipeline.read_with(numbers, at_once(5)));
    run(pipeline).unwrap();
    assert_eq!(by_commit(&commits), [[1, 2]]);
}
