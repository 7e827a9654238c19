//! Part 6 of the contract: memory is bounded, whatever the speed of sources and sinks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use pathway_io::{BadRows, BytesRow, ReadOptions, RunResult, Schema, TryNextError};

use crate::common::{
    Cat, Number, Seen, Subject, TempDir, by_commit, cat, commits, next, pipeline, read, run, source, within,
};

fn options() -> ReadOptions {
    ReadOptions::new().autocommit(None)
}

/// Counts the rows that a source can push into a table whose sink takes nothing. Also returns the numbers of each
/// commit.
fn capacity<S: Schema + Send>(
    options: ReadOptions,
    fill: impl Fn(&Subject<S>) -> RunResult + Send + 'static,
) -> Vec<Seen<S>> {
    let (full, is_full) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<S>| {
            fill(&subject)?;
            full.send(())?;
            Ok(())
        }),
        options,
    );
    let seen = commits(&table);
    table.subscribe_commits(move |_| {
        let _ = is_full.recv();
    });
    run(pipeline).unwrap();
    seen.try_iter().collect()
}

// Contract 6.1
#[test]
fn a_blocked_sink_blocks_the_source_after_two_backlogs() {
    let pushed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&pushed);
    let seen = capacity(options().backlog(5), move |subject: &Subject<Number>| {
        for n in 0..1_000 {
            match subject.try_next(Number { n }) {
                Ok(()) => count.fetch_add(1, Ordering::Relaxed),
                Err(refused) => {
                    assert!(matches!(&refused, TryNextError::Full(row) if row.n == n));
                    assert!(!refused.is_closed());
                    assert_eq!(refused.into_row(), Number { n });
                    break;
                }
            };
        }
        Ok(())
    });
    // Five rows that the sink has not taken, and five that wait for the next commit.
    assert_eq!(pushed.load(Ordering::Relaxed), 10);
    assert_eq!(seen.iter().map(|commit| commit.updates.len()).collect::<Vec<_>>(), [5, 5]);
}

#[test]
fn pushes_of_json_and_removals_can_refuse_to_wait() {
    let directory = TempDir::new();
    let path = directory.path("bad.jsonl");
    let seen = capacity(options().backlog(2).bad_rows(BadRows::Quarantine(path.clone())), |cats: &Subject<Cat>| {
        cats.try_next_json(r#"{"key": 1, "genus": "felis"}"#)?;
        cats.try_next_json(r#"{"key": 2, "genus": "lynx"}"#)?;
        cats.try_remove(1)?;
        cats.try_next_json(r#"{"key": 3, "genus": 5}"#)?;
        cats.try_remove(2)?;
        let full = cats.try_next_json(r#"{"key": 4, "genus": "puma"}"#).unwrap_err();
        assert!(full.is_full() && !full.is_closed());
        assert_eq!(full.to_string(), "the backlog is full");
        // The text is not read, so it does not count as a bad row.
        assert!(cats.try_next_json("torn").unwrap_err().is_full());
        assert!(matches!(cats.try_remove(7), Err(TryNextError::Full(7))));
        Ok(())
    });
    let seen: Vec<_> = seen.into_iter().map(|commit| commit.updates).collect();
    assert_eq!(
        seen,
        [vec![(cat(1, "felis"), 1), (cat(2, "lynx"), 1)], vec![(cat(1, "felis"), -1), (cat(2, "lynx"), -1)]]
    );
    assert_eq!(read(path).lines().count(), 1);
}

#[test]
fn a_closed_subject_refuses_pushes_that_never_wait() {
    let pipeline = pipeline();
    pipeline.read(source(|cats: Subject<Cat>| {
        cats.clone().close()?;
        let closed = cats.try_next_json("torn").unwrap_err();
        assert!(closed.is_closed() && !closed.is_full());
        assert!(matches!(cats.try_remove(7), Err(TryNextError::Closed(7))));
        Ok(())
    }));
    assert_eq!(run(pipeline).unwrap().sources[0].bad_rows, 0);
}

#[test]
fn small_commits_are_bounded_by_the_backlog_too() {
    let seen = capacity(options().backlog(5), |subject: &Subject<Number>| {
        for n in 0..5 {
            subject.next(Number { n })?;
            // The fifth row fills the backlog.
            subject.commit()?;
        }
        for n in 5..10 {
            subject.try_next(Number { n }).unwrap();
        }
        assert!(subject.try_next(Number { n: 10 }).is_err());
        Ok(())
    });
    assert_eq!(seen.iter().map(|commit| commit.updates.len()).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 5]);
}

// Contract 6.1
#[test]
fn a_slow_sink_is_never_more_than_two_backlogs_behind() {
    const ROWS: usize = 500;
    let pushed = Arc::new(AtomicUsize::new(0));
    let pipeline = pipeline();
    let count = Arc::clone(&pushed);
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            for n in 0..ROWS as u64 {
                subject.next(Number { n })?;
                count.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        }),
        options().backlog(5),
    );
    let mut taken = 0;
    let (worst, is_worst) = mpsc::channel();
    table.subscribe_commits(move |commit| {
        std::thread::yield_now();
        worst.send(pushed.load(Ordering::SeqCst) - taken).unwrap();
        taken += commit.len();
    });
    run(pipeline).unwrap();
    let worst = is_worst.iter().max().unwrap();
    assert!(worst <= 10, "{worst} rows in flight");
}

#[test]
fn the_slowest_sink_limits_the_source() {
    let (release, released) = mpsc::channel::<()>();
    let (result, results) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            let pushed = (0..1_000).take_while(|n| subject.try_next(Number { n: *n }).is_ok()).count();
            result.send(pushed)?;
            Ok(())
        }),
        options().backlog(7),
    );
    let fast = commits(&table);
    table.subscribe_commits(move |_| {
        let _ = released.recv();
    });
    let running = pipeline.start().unwrap();
    assert_eq!(next(&results), 14);
    drop(release);
    within(move || running.join()).unwrap();
    assert_eq!(by_commit(&fast).concat().len(), 14);
}

// Contract 6.2
#[test]
fn rows_of_a_megabyte_are_bounded_by_their_bytes() {
    const ROW: usize = 1 << 20;
    let seen = capacity(options(), |subject: &Subject<BytesRow>| {
        let _ = (0..100).take_while(|_| subject.try_next(BytesRow { data: vec![7; ROW] }).is_ok()).count();
        Ok(())
    });
    let rows: Vec<usize> = seen.iter().map(|commit| commit.updates.len()).collect();
    // 16 MiB of column data that the sink has not taken, and as much that waits. The backlog is slightly larger than
    // that, since each row also stores where it ends.
    assert_eq!(rows, [16, 16]);
}

// Contract 6.3
#[test]
fn a_row_larger_than_the_backlog_is_committed_alone() {
    let seen = capacity(options(), |subject: &Subject<BytesRow>| {
        assert!(subject.try_next(BytesRow { data: vec![7; 17 << 20] }).is_ok());
        assert!(subject.try_next(BytesRow { data: vec![7] }).is_ok());
        assert!(subject.try_next(BytesRow { data: vec![7; 17 << 20] }).is_ok());
        assert!(subject.try_next(BytesRow { data: vec![7] }).is_err());
        Ok(())
    });
    assert_eq!(seen.iter().map(|commit| commit.updates.len()).collect::<Vec<_>>(), [1, 2]);
}

// Contract 6.3
#[test]
fn a_transaction_larger_than_the_backlog_is_committed_alone_and_whole() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Number>| {
            for round in 0..20 {
                subject.next(Number { n: round })?;
                let transaction = subject.transaction();
                for n in 0..100 {
                    transaction.next(Number { n: 100 + n })?;
                }
                transaction.commit()?;
                subject.next(Number { n: round })?;
                subject.commit()?;
            }
            Ok(())
        }),
        options().backlog(5),
    );
    let seen = commits(&table);
    run(pipeline).unwrap();
    let rows: Vec<usize> = by_commit(&seen).iter().map(Vec::len).collect();
    assert_eq!(rows, [101, 1].repeat(20));
}

#[test]
fn a_backlog_of_zero_counts_as_one() {
    let pipeline = pipeline();
    let table = pipeline.read_with(crate::common::numbers(0..3), options().backlog(0));
    let seen = commits(&table);
    run(pipeline).unwrap();
    assert_eq!(by_commit(&seen), [[0], [1], [2]]);
}

// Contract 6.2
#[test]
fn the_default_backlog_is_65536_rows() {
    let seen = capacity(options(), |subject: &Subject<Number>| {
        let _ = (0..1_000_000).take_while(|_| subject.try_next(Number { n: 1 }).is_ok()).count();
        Ok(())
    });
    assert_eq!(seen.iter().map(|commit| commit.updates.len()).collect::<Vec<_>>(), [65_536, 65_536]);
}

/// A commit, an autocommit and a transaction compete for the space. Each of them must make progress.
#[test]
fn all_kinds_of_pushes_make_progress_in_a_small_backlog() {
    const ROWS: u64 = 300;
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Number>| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let subject = subject.clone();
                    std::thread::spawn(move || -> Result<(), pathway_io::Closed> {
                        for n in 0..ROWS {
                            match thread {
                                0 => {
                                    subject.next(Number { n })?;
                                    subject.commit()?;
                                }
                                1 => {
                                    let transaction = subject.transaction();
                                    for _ in 0..n % 5 {
                                        transaction.next(Number { n })?;
                                    }
                                    transaction.next(Number { n })?;
                                    transaction.commit()?;
                                }
                                2 => {
                                    while subject.try_next(Number { n }).is_err() {
                                        std::thread::yield_now();
                                    }
                                }
                                _ => subject.next(Number { n })?,
                            }
                        }
                        Ok(())
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap()?;
            }
            Ok(())
        }),
        ReadOptions::new().autocommit(Duration::ZERO).backlog(2),
    );
    let seen = commits(&table);
    run(pipeline).unwrap();
    assert_eq!(by_commit(&seen).concat().len() as u64, 4 * ROWS + (0..ROWS).map(|n| n % 5).sum::<u64>());
}

/// No push follows that could notice the free space.
#[test]
fn a_delayed_commit_is_made_when_the_sink_has_taken_its_rows() {
    let (release, released) = mpsc::channel::<()>();
    let (pushed, is_pushed) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            for n in 0..4 {
                subject.next(Number { n })?;
            }
            pushed.send(())?;
            Ok(subject.wait_closed()?)
        }),
        options().backlog(2),
    );
    let seen = commits(&table);
    table.subscribe_commits(move |_| {
        let _ = released.recv();
    });
    let running = pipeline.start().unwrap();
    next(&is_pushed);
    assert_eq!(next(&seen).updates.len(), 2);
    drop(release);
    assert_eq!(next(&seen).updates.len(), 2);
    running.stop();
    within(move || running.join()).unwrap();
}

/// The transaction needs the whole backlog, while small commits could use the rest of it without end.
#[test]
fn a_large_transaction_does_not_starve_among_small_commits() {
    let (committed, is_committed) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            let transaction = subject.transaction();
            for n in 0..10 {
                transaction.next(Number { n: 10 + n })?;
            }
            let done = Arc::new(AtomicBool::new(false));
            let thread = std::thread::spawn({
                let done = Arc::clone(&done);
                move || {
                    let result = transaction.commit();
                    done.store(true, Ordering::Relaxed);
                    result
                }
            });
            while !done.load(Ordering::Relaxed) {
                subject.next(Number { n: 0 })?;
                subject.commit()?;
                committed.send(())?;
            }
            thread.join().unwrap()?;
            Ok(())
        }),
        options().backlog(4),
    );
    let seen = commits(&table);
    table.subscribe_commits(move |_| {
        // Drops a commit only when the next one has been sent, so that the backlog is never empty.
        is_committed.try_iter().for_each(drop);
        let _ = is_committed.recv_timeout(Duration::from_millis(5));
    });
    run(pipeline).unwrap();
    assert_eq!(by_commit(&seen).iter().filter(|commit| commit.contains(&10)).count(), 1);
}
