//! Parts 1, 2 and 4 of the contract: rows become visible, commits are whole and ordered, and no row is lost.

use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pathway_io::{Closed, ReadOptions};

use crate::common::{
    Cat, Number, Subject, by_commit, cat, commits, next, numbers, pipeline, run, source, updates, within,
};

fn manual() -> ReadOptions {
    ReadOptions::new().autocommit(None)
}

fn now_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

// Contract 1.1
#[test]
fn commit_makes_rows_visible_while_the_source_continues() {
    let (go, gone) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            subject.next(Number { n: 1 })?;
            subject.next(Number { n: 2 })?;
            subject.commit()?;
            next(&gone);
            Ok(())
        }),
        manual(),
    );
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    assert_eq!(next(&seen).updates, [(Number { n: 1 }, 1), (Number { n: 2 }, 1)]);
    go.send(()).unwrap();
    let summary = within(move || running.join()).unwrap();
    assert_eq!((summary.sources[0].rows, summary.sources[0].commits), (2, 1));
    assert_eq!(summary.stop, None);
}

// Contract 1.2
#[test]
fn autocommit_makes_rows_visible_while_the_source_is_blocked() {
    let (go, gone) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            for n in 0..3 {
                subject.next(Number { n })?;
                next(&gone);
            }
            Ok(())
        }),
        ReadOptions::new().autocommit(Duration::from_millis(5)),
    );
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    for n in 0..3 {
        assert_eq!(next(&seen).updates, [(Number { n }, 1)]);
        go.send(()).unwrap();
    }
    within(move || running.join()).unwrap();
}

#[test]
fn autocommit_of_zero_commits_at_once() {
    let (go, gone) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            for n in 0..100 {
                subject.next(Number { n })?;
                next(&gone);
            }
            Ok(())
        }),
        ReadOptions::new().autocommit(Duration::ZERO),
    );
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    for n in 0..100 {
        assert_eq!(next(&seen).updates, [(Number { n }, 1)]);
        go.send(()).unwrap();
    }
    within(move || running.join()).unwrap();
}

// Contract 1.2
#[test]
fn the_default_autocommit_is_1500_ms_after_the_first_row() {
    let (pushed, push) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read(source(move |subject: Subject<Number>| {
        let before = Instant::now();
        subject.next(Number { n: 1 })?;
        subject.next(Number { n: 2 })?;
        pushed.send(before)?;
        Ok(subject.wait_closed()?)
    }));
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    let before = next(&push);
    assert_eq!(next(&seen).updates.len(), 2);
    let waited = before.elapsed();
    assert!(waited >= Duration::from_millis(1500), "visible after {waited:?}");
    running.stop();
    within(move || running.join()).unwrap();
}

/// The interval is longer than the test may take, so a row that waits for it is not visible before the end.
#[test]
fn an_eager_source_commits_a_row_after_a_quiet_interval_at_once_and_the_next_ones_together() {
    let (go, gone) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            for n in 0..4 {
                subject.next(Number { n })?;
            }
            next(&gone);
            Ok(())
        }),
        ReadOptions::new().autocommit(Duration::from_secs(3600)).eager(true),
    );
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    assert_eq!(next(&seen).updates, [(Number { n: 0 }, 1)]);
    go.send(()).unwrap();
    let summary = within(move || running.join()).unwrap();
    assert_eq!(by_commit(&seen), [[1, 2, 3]]);
    assert_eq!(summary.sources[0].commits, 2);
}

#[test]
fn an_eager_source_makes_no_more_commits_than_the_interval_allows() {
    let interval = Duration::from_millis(20);
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            let start = Instant::now();
            for n in 0.. {
                subject.next(Number { n })?;
                if start.elapsed() > 4 * interval {
                    break;
                }
            }
            Ok(())
        }),
        ReadOptions::new().autocommit(interval).eager(true).backlog(usize::MAX),
    );
    let seen = commits(&table);
    let start = Instant::now();
    run(pipeline).unwrap();
    let most = start.elapsed().as_millis() / interval.as_millis() + 2;
    let commits = by_commit(&seen);
    assert_eq!(commits[0], [0]);
    assert!(commits.len() >= 2 && commits.len() as u128 <= most, "{} commits, {most} allowed", commits.len());
}

// Contract 1.3
#[test]
fn a_full_backlog_is_committed_also_without_autocommit() {
    let (go, gone) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            for n in 0..4 {
                subject.next(Number { n })?;
            }
            next(&gone);
            Ok(())
        }),
        manual().backlog(3),
    );
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    assert_eq!(next(&seen).updates.len(), 3);
    go.send(()).unwrap();
    within(move || running.join()).unwrap();
    assert_eq!(by_commit(&seen), [[3]]);
}

// Contract 1.4
#[test]
fn a_source_shorter_than_its_autocommit_loses_nothing() {
    for options in [ReadOptions::new(), manual(), ReadOptions::new().autocommit(Duration::MAX)] {
        let pipeline = pipeline();
        let table = pipeline.read_with(numbers(0..3), options);
        let seen = commits(&table);
        run(pipeline).unwrap();
        assert_eq!(by_commit(&seen), [[0, 1, 2]]);
    }
}

// Contract 2.1
#[test]
fn one_commit_spans_the_tables_of_its_connector_at_one_time() {
    let pipeline = pipeline();
    let (cats, counts) = pipeline.read_with(
        source(|(cats, counts): (Subject<Cat>, Subject<Number>)| {
            cats.next(cat(1, "felis"))?;
            counts.next(Number { n: 1 })?;
            // A commit through a handle of the other table covers both tables.
            counts.clone().commit()?;
            cats.next(cat(2, "lynx"))?;
            cats.commit()?;
            counts.next(Number { n: 2 })?;
            Ok(())
        }),
        manual(),
    );
    let (cats, counts) = (commits(&cats), commits(&counts));
    let summary = run(pipeline).unwrap();
    let cats: Vec<_> = cats.try_iter().collect();
    let counts: Vec<_> = counts.try_iter().collect();
    assert_eq!((cats.len(), counts.len()), (2, 2));
    assert_eq!(cats[0].time, counts[0].time);
    assert!(cats[0].time < cats[1].time && cats[1].time < counts[1].time);
    assert_eq!((summary.sources[0].rows, summary.sources[0].commits), (4, 3));
}

// Contract 2.4
#[test]
fn empty_commits_make_no_output() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Cat>| {
            subject.commit()?;
            subject.transaction().commit()?;
            subject.remove(7)?;
            subject.commit()?;
            subject.next(cat(1, "felis"))?;
            subject.commit()?;
            subject.next(cat(1, "felis"))?;
            subject.commit()?;
            subject.commit()?;
            Ok(())
        }),
        manual(),
    );
    let seen = commits(&table);
    run(pipeline).unwrap();
    let seen: Vec<_> = seen.try_iter().collect();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].updates, [(cat(1, "felis"), 1)]);
}

// Contract 2.3
#[test]
fn times_increase_strictly_across_sources_and_stay_near_the_wall_clock() {
    const SOURCES: usize = 3;
    const COMMITS: usize = 2_000;
    let before = now_millis();
    let pipeline = pipeline();
    let seen: Vec<_> = (0..SOURCES)
        .map(|_| {
            let table = pipeline.read_with(
                source(|subject: Subject<Number>| {
                    for n in 0..COMMITS as u64 {
                        subject.next(Number { n })?;
                        subject.commit()?;
                    }
                    Ok(())
                }),
                manual(),
            );
            commits(&table)
        })
        .collect();
    run(pipeline).unwrap();
    let after = now_millis();
    let mut all = Vec::new();
    for seen in seen {
        let times: Vec<u64> = seen.try_iter().map(|commit| commit.time).collect();
        assert!(times.is_sorted_by(|a, b| a < b));
        all.extend(times);
    }
    assert_eq!(all.len(), SOURCES * COMMITS);
    all.sort_unstable();
    assert!(all.is_sorted_by(|a, b| a < b), "two commits have the same time");
    assert!(all[0] >= before);
    // If the wall clock is behind, a time is one more than the last.
    assert!(all.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair[1] <= after));
}

// Contract 2.2
#[test]
fn rows_of_a_commit_come_in_push_order() {
    let pipeline = pipeline();
    let table = pipeline.read_with(numbers(0..20_000), manual());
    let seen = commits(&table);
    run(pipeline).unwrap();
    assert_eq!(by_commit(&seen), [(0..20_000).collect::<Vec<_>>()]);
}

// Contract 2.2
#[test]
fn a_push_that_returns_before_another_begins_comes_first() {
    let pipeline = pipeline();
    let table = pipeline.read(source(|subject: Subject<Number>| {
        // The threads pass a ball to and fro. The thread that holds the ball pushes.
        let (throw, thrown) = mpsc::channel();
        let (throw_back, thrown_back) = mpsc::channel();
        let other = subject.clone();
        let thrower = thread::spawn(move || -> Result<(), Closed> {
            for n in thrown {
                other.next(Number { n })?;
                throw_back.send(()).expect("the other thread waits for the ball");
            }
            Ok(())
        });
        for n in (0..1_000).step_by(2) {
            subject.next(Number { n })?;
            throw.send(n + 1)?;
            next(&thrown_back);
        }
        drop(throw);
        thrower.join().unwrap()?;
        Ok(())
    }));
    let seen = commits(&table);
    run(pipeline).unwrap();
    let pushed: Vec<u64> = updates(&seen).into_iter().map(|(row, _)| row.n).collect();
    assert_eq!(pushed, (0..1_000).collect::<Vec<_>>());
}

#[test]
fn eight_threads_push_at_once() {
    const THREADS: u64 = 8;
    const ROWS: u64 = 2_000;
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Number>| {
            let start = Arc::new(Barrier::new(THREADS as usize));
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (subject, start) = (subject.clone(), Arc::clone(&start));
                    thread::spawn(move || -> Result<(), Closed> {
                        start.wait();
                        for n in 0..ROWS {
                            subject.next(Number { n: thread * ROWS + n })?;
                            if n % 97 == 0 {
                                subject.commit()?;
                            }
                            if n % 101 == 0 {
                                let transaction = subject.transaction();
                                transaction.next(Number { n: (THREADS + thread) * ROWS + n })?;
                                transaction.commit()?;
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
        ReadOptions::new().autocommit(Duration::from_millis(1)).backlog(50),
    );
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    let rows: Vec<u64> = updates(&seen).into_iter().map(|(row, _)| row.n).collect();
    let transactions = THREADS * ROWS.div_ceil(101);
    assert_eq!(rows.len() as u64, THREADS * ROWS + transactions);
    assert_eq!(summary.rows(), rows.len() as u64);
    for thread in 0..2 * THREADS {
        let own: Vec<u64> = rows.iter().copied().filter(|n| n / ROWS == thread).collect();
        assert!(own.is_sorted_by(|a, b| a < b), "the rows of thread {thread} are out of order");
    }
    let mut rows = rows;
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len() as u64, THREADS * ROWS + transactions);
}

// Contract 2.5
#[test]
fn a_transaction_is_not_split_by_three_autocommits_and_manual_commits() {
    let (go, gone) = mpsc::channel();
    let pipeline = pipeline();
    let (cats, counts) = pipeline.read_with(
        source(move |(cats, counts): (Subject<Cat>, Subject<Number>)| {
            let transaction = cats.transaction();
            for n in 0..3 {
                transaction.next(cat(n, "felis"))?;
                transaction.with(&counts).next(Number { n: 100 + n as u64 })?;
                counts.next(Number { n: n as u64 })?;
                // Waits until an autocommit has made the plain row visible.
                next(&gone);
            }
            counts.next(Number { n: 3 })?;
            counts.commit()?;
            next(&gone);
            transaction.next_json(r#"{"key": 3, "genus": "lynx"}"#)?;
            transaction.remove(0)?;
            counts.next(Number { n: 4 })?;
            transaction.commit()?;
            next(&gone);
            Ok(())
        }),
        ReadOptions::new().autocommit(Duration::from_millis(5)),
    );
    let (cats, counts) = (commits(&cats), commits(&counts));
    let running = pipeline.start().unwrap();
    for n in 0..4 {
        assert_eq!(next(&counts).updates, [(Number { n }, 1)]);
        go.send(()).unwrap();
    }
    // Earlier plain rows come first in the same commit, unless an autocommit has already taken them.
    let mut unit = next(&counts);
    if unit.updates.len() == 1 {
        assert_eq!(unit.updates, [(Number { n: 4 }, 1)]);
        unit = next(&counts);
    } else {
        assert_eq!(unit.updates.remove(0), (Number { n: 4 }, 1));
    }
    assert_eq!(unit.updates, [100, 101, 102].map(|n| (Number { n }, 1)));
    go.send(()).unwrap();
    within(move || running.join()).unwrap();
    let cats: Vec<_> = cats.try_iter().collect();
    assert_eq!(cats.len(), 1);
    assert_eq!(cats[0].time, unit.time);
    assert_eq!(cats[0].updates, [(cat(1, "felis"), 1), (cat(2, "felis"), 1), (cat(3, "lynx"), 1)]);
}

#[test]
fn plain_rows_pushed_before_a_transaction_commits_are_in_its_commit() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Number>| {
            let transaction = subject.transaction();
            transaction.next(Number { n: 2 })?;
            subject.next(Number { n: 1 })?;
            transaction.commit()?;
            subject.next(Number { n: 3 })?;
            Ok(())
        }),
        manual(),
    );
    let seen = commits(&table);
    run(pipeline).unwrap();
    assert_eq!(by_commit(&seen), [vec![1, 2], vec![3]]);
}

// Contract 4.3
#[test]
fn a_dropped_transaction_writes_nothing() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Number>| {
            let transaction = subject.transaction();
            transaction.next(Number { n: 1 })?;
            subject.next(Number { n: 2 })?;
            drop(transaction);
            let open = subject.transaction();
            open.next(Number { n: 3 })?;
            // The error drops the transaction. The plain row is still committed.
            Err("torn".into())
        }),
        manual(),
    );
    let seen = commits(&table);
    let error = run(pipeline).unwrap_err();
    assert_eq!(by_commit(&seen), [[2]]);
    assert_eq!(error.summary().unwrap().rows(), 1);
}

#[test]
fn a_transaction_moves_to_another_thread_and_takes_pushes_by_reference() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Number>| {
            let transaction = subject.transaction();
            thread::scope(|scope| {
                for n in 0..4 {
                    let transaction = &transaction;
                    scope.spawn(move || transaction.next(Number { n }).unwrap());
                }
            });
            thread::spawn(move || transaction.commit()).join().unwrap()?;
            Ok(())
        }),
        manual(),
    );
    let seen = commits(&table);
    run(pipeline).unwrap();
    let mut seen = by_commit(&seen);
    assert_eq!(seen.len(), 1);
    seen[0].sort_unstable();
    assert_eq!(seen[0], [0, 1, 2, 3]);
}

#[test]
fn close_commits_and_closes_one_table_for_all_its_clones() {
    let (go, gone) = mpsc::channel();
    let pipeline = pipeline();
    let (numbers, cats) = pipeline.read_with(
        source(move |(numbers, cats): (Subject<Number>, Subject<Cat>)| {
            let clone = numbers.clone();
            let transaction = numbers.transaction();
            transaction.next(Number { n: 9 })?;
            let waiting = numbers.clone();
            let waiter = thread::spawn(move || waiting.wait_closed());
            numbers.next(Number { n: 1 })?;
            numbers.close()?;
            assert_eq!(waiter.join().unwrap(), Err(Closed));
            assert!(clone.is_closed() && !cats.is_closed());
            assert_eq!(clone.next(Number { n: 2 }), Err(Closed));
            assert!(clone.next_json(r#"{"n": 2}"#).unwrap_err().is_closed());
            assert!(clone.next_json("no JSON").unwrap_err().is_closed());
            let refused = clone.try_next(Number { n: 2 }).unwrap_err();
            assert!(refused.is_closed());
            assert_eq!(refused.into_row(), Number { n: 2 });
            assert_eq!(clone.commit(), Err(Closed));
            assert_eq!(clone.sleep(Duration::from_secs(3600)), Err(Closed));
            assert_eq!(transaction.next(Number { n: 9 }), Err(Closed));
            assert_eq!(transaction.commit(), Err(Closed));
            assert_eq!(clone.close(), Err(Closed));
            cats.next(cat(1, "felis"))?;
            next(&gone);
            Ok(())
        }),
        manual(),
    );
    let (numbers, cats) = (commits(&numbers), commits(&cats));
    let running = pipeline.start().unwrap();
    assert_eq!(next(&numbers).updates, [(Number { n: 1 }, 1)]);
    go.send(()).unwrap();
    let summary = within(move || running.join()).unwrap();
    assert_eq!(updates(&cats), [(cat(1, "felis"), 1)]);
    assert!(by_commit(&numbers).is_empty());
    assert_eq!((summary.sources[0].rows, summary.sources[0].bad_rows), (2, 0));
}

#[test]
fn all_handles_are_closed_once_run_has_ended() {
    let (keep, kept) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read(source(move |subject: Subject<Number>| {
        keep.send((subject.clone(), subject.transaction()))?;
        Ok(())
    }));
    let seen = commits(&table);
    run(pipeline).unwrap();
    let (subject, transaction) = next(&kept);
    assert!(subject.is_closed());
    assert_eq!(subject.next(Number { n: 1 }), Err(Closed));
    assert_eq!(transaction.commit(), Err(Closed));
    assert!(by_commit(&seen).is_empty());
}

#[test]
fn sleep_waits_for_the_given_duration() {
    let pipeline = pipeline();
    pipeline.read(source(|subject: Subject<Number>| {
        let before = Instant::now();
        subject.sleep(Duration::from_millis(20))?;
        assert!(before.elapsed() >= Duration::from_millis(20));
        Ok(())
    }));
    run(pipeline).unwrap();
}
