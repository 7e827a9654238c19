//! Offsets in a pipeline that is not persistent: an offset is committed with its rows, and commits end at an offset.

use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

use pathway_io::{BadRows, ReadOptions, Table, connector};

use crate::common::{
    Cat, Number, Subject, TempDir, by_commit, cat, commits, next, pipeline, run, source, updates, within,
};

fn options() -> ReadOptions {
    ReadOptions::new().autocommit(None)
}

/// Returns the numbers of each commit of a source.
fn numbers_by_commit(
    options: ReadOptions,
    mut push: impl FnMut(&Subject<Number, u64>) -> pathway_io::Result<()> + Send + 'static,
) -> Vec<Vec<u64>> {
    let pipeline = pipeline();
    let table = pipeline.read_with(source(move |subject: Subject<Number, u64>| Ok(push(&subject)?)), options);
    let seen = commits(&table);
    run(pipeline).unwrap();
    by_commit(&seen)
}

fn n(n: u64) -> Number {
    Number { n }
}

/// Runs a source that pushes and then waits until the test has seen these commits.
fn seen_before_the_end(
    push: impl FnMut(&Subject<Number, u64>) -> pathway_io::Result<()> + Send + 'static,
    expected: &[&[u64]],
) {
    let (go, gone) = mpsc::channel();
    let pipeline = pipeline();
    let mut push = push;
    let connector = source(move |numbers: Subject<Number, u64>| {
        push(&numbers)?;
        next(&gone);
        Ok(())
    });
    let seen = commits(&pipeline.read_with(connector, options()));
    let running = pipeline.start().unwrap();
    for commit in expected {
        assert_eq!(next(&seen).updates.iter().map(|(row, _)| row.n).collect::<Vec<_>>(), *commit);
    }
    go.send(()).unwrap();
    within(move || running.join()).unwrap();
}

#[test]
fn a_commit_holds_for_the_rows_after_the_last_offset_too() {
    let push = |numbers: &Subject<Number, u64>| {
        numbers.next_at(1, n(1))?;
        numbers.next(n(2))?;
        numbers.commit()?;
        numbers.advance(2)?;
        numbers.next(n(3))?;
        numbers.commit()?;
        Ok(numbers.advance(3)?)
    };
    seen_before_the_end(push, &[&[1], &[2], &[3]]);
}

#[test]
fn a_commit_that_waited_for_a_dropped_transaction_comes_with_the_next_offset() {
    let push = |numbers: &Subject<Number, u64>| {
        let (first, second) = (numbers.transaction(), numbers.transaction());
        first.next(n(1))?;
        second.next(n(90))?;
        first.commit_at(1)?;
        drop(second);
        Ok(numbers.next_at(2, n(2))?)
    };
    seen_before_the_end(push, &[&[1, 2]]);
}

#[test]
fn an_offset_waits_for_a_transaction_after_another_one_was_dropped() {
    let push = |numbers: &Subject<Number, u64>| {
        let dropped = numbers.transaction();
        dropped.next(n(90))?;
        numbers.next_at(1, n(1))?;
        drop(dropped);
        numbers.next_at(2, n(2))?;
        numbers.commit()?;
        let transaction = numbers.transaction();
        transaction.next(n(4))?;
        numbers.next_at(3, n(3))?;
        Ok(transaction.commit()?)
    };
    seen_before_the_end(push, &[&[1, 2], &[3, 4]]);
}

#[test]
fn an_offset_does_not_wait_for_a_transaction_that_was_refused() {
    let (go, gone) = mpsc::channel();
    let pipeline = pipeline();
    let connector = source(move |(numbers, cats): (Subject<Number, u64>, Subject<Cat, u64>)| {
        let transaction = numbers.transaction();
        transaction.with(&cats).next(cat(1, "felis"))?;
        cats.clone().close()?;
        transaction.commit().unwrap_err();
        numbers.next_at(1, n(1))?;
        numbers.commit()?;
        next(&gone);
        Ok(())
    });
    let (numbers, _cats) = pipeline.read_with(connector, options());
    let seen = commits(&numbers);
    let running = pipeline.start().unwrap();
    assert_eq!(next(&seen).updates, [(n(1), 1)]);
    go.send(()).unwrap();
    within(move || running.join()).unwrap();
}

#[test]
fn a_transaction_is_committed_although_an_offset_that_waits_for_it_fills_the_backlog() {
    let seen = numbers_by_commit(options().backlog(2), |numbers| {
        let transaction = numbers.transaction();
        transaction.next(n(4))?;
        numbers.next_at(1, n(1))?;
        numbers.next(n(2))?;
        numbers.next(n(3))?;
        transaction.commit()?;
        Ok(numbers.next_at(5, n(5))?)
    });
    assert_eq!(seen, [[1, 2, 3, 4, 5]]);
}

#[test]
fn an_offset_that_waits_for_a_dropped_transaction_is_committed_at_the_end() {
    let seen = numbers_by_commit(options(), |numbers| {
        let dropped = numbers.transaction();
        dropped.next(n(90))?;
        Ok(numbers.next_at(1, n(1))?)
    });
    assert_eq!(seen, [[1]]);
}

#[test]
fn the_macro_carries_offsets_through() {
    use pathway_io::Subject;

    struct Two;
    type Cats = Subject<Cat, String>;

    #[connector(autocommit = off)]
    impl Two {
        fn run(&mut self, cats: Cats, numbers: Subject<Number, String>) -> pathway_io::Result<()> {
            assert_eq!(cats.resume(), None);
            cats.next(cat(1, "felis"))?;
            numbers.next_json_at("one".to_string(), r#"{"n": 1}"#)?;
            cats.commit()?;
            assert_eq!(cats.resume().as_deref(), Some("one"), "one offset covers all tables");
            assert_eq!(numbers.resume().as_deref(), Some("one"));
            Ok(())
        }
    }

    struct One;

    #[connector]
    impl One {
        fn run(&mut self, numbers: Subject<Number, (String, u64)>) -> pathway_io::Result<()> {
            numbers.next_at(("file".to_string(), 5), n(1))?;
            numbers.commit()?;
            assert_eq!(numbers.resume(), Some(("file".to_string(), 5)));
            Ok(())
        }
    }

    let pipeline = pipeline();
    let (cats, _numbers) = pipeline.read(Two);
    let cats = commits(&cats);
    let numbers = commits(&pipeline.read(One));
    run(pipeline).unwrap();
    assert_eq!(updates(&cats), [(cat(1, "felis"), 1)]);
    assert_eq!(updates(&numbers), [(n(1), 1)]);
}

// Contract 9.2
#[test]
fn a_full_backlog_is_committed_up_to_the_last_offset() {
    let cuts = numbers_by_commit(options().backlog(5), |numbers| {
        for group in 0..4 {
            numbers.next(n(3 * group))?;
            numbers.next(n(3 * group + 1))?;
            numbers.next_at(group, n(3 * group + 2))?;
        }
        Ok(())
    });
    assert_eq!(cuts, [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]);
}

#[test]
fn a_commit_takes_the_rows_up_to_the_last_offset_and_leaves_the_rest() {
    let cuts = numbers_by_commit(options(), |numbers| {
        numbers.next_at(1, n(1))?;
        numbers.next(n(2))?;
        numbers.commit()?;
        numbers.next(n(3))?;
        numbers.commit()?;
        // The commit was requested earlier, and is made as soon as the offset is set.
        numbers.advance(3)?;
        assert_eq!(numbers.resume(), Some(3));
        numbers.next(n(4))?;
        numbers.next(n(5))?;
        numbers.commit_at(5)?;
        numbers.next_at(6, n(6)).map_err(Into::into)
    });
    assert_eq!(cuts, [vec![1], vec![2, 3], vec![4, 5], vec![6]]);
}

#[test]
fn a_commit_splits_a_batch_at_the_offset() {
    // On both sides of the offset there are more rows than fit into a batch.
    let cuts = numbers_by_commit(options(), |numbers| {
        for i in 0..10_000 {
            numbers.next(n(i))?;
        }
        numbers.advance(1)?;
        for i in 10_000..20_000 {
            numbers.next(n(i))?;
        }
        numbers.commit()?;
        numbers.commit_at(2)?;
        Ok(())
    });
    assert_eq!(cuts.iter().map(Vec::len).collect::<Vec<_>>(), [10_000, 10_000]);
    assert!(cuts.concat().into_iter().eq(0..20_000));
}

#[test]
fn autocommit_cuts_only_after_an_offset() {
    let options = ReadOptions::new().autocommit(Duration::ZERO);
    let cuts = numbers_by_commit(options, |numbers| {
        // From this first offset on, commits end only at offsets.
        numbers.advance(0)?;
        for i in 1..=3_000 {
            match i % 3 {
                0 => numbers.next_at(i, n(i))?,
                _ => numbers.next(n(i))?,
            }
            if i % 100 == 0 {
                // Lets the sequencer make an autocommit here.
                thread::yield_now();
            }
        }
        Ok(())
    });
    assert!(cuts.iter().all(|cut| cut.last().is_some_and(|last| last % 3 == 0)), "{cuts:?}");
    assert!(cuts.concat().into_iter().eq(1..=3_000));
}

#[test]
fn an_autocommit_without_an_offset_is_made_at_the_next_offset() {
    let pipeline = pipeline();
    let (seen_first, first_is_seen) = mpsc::channel();
    let (seen_second, second_is_seen) = mpsc::channel();
    let (ticked, ticks) = mpsc::channel();
    let options = ReadOptions::new().autocommit(Duration::ZERO);
    let table = pipeline.read_with(
        source(move |numbers: Subject<Number, u64>| {
            numbers.next_at(1, n(1))?;
            next(&first_is_seen);
            numbers.next(n(2))?;
            // Rows of the other source are committed later, and so are the autocommits of both sources.
            next(&ticks);
            numbers.advance(2)?;
            next(&second_is_seen);
            Ok(())
        }),
        options.clone().name("numbers"),
    );
    let clock = pipeline.read_with(
        source(move |clock: Subject<Number>| {
            clock.next(n(0))?;
            Ok(clock.wait_closed()?)
        }),
        options.name("clock"),
    );
    clock.subscribe(move |_| ticked.send(()).unwrap());
    table.subscribe(move |update| match update.row.n {
        1 => seen_first.send(()).unwrap(),
        _ => seen_second.send(()).unwrap(),
    });
    let stop = pipeline.stop_handle();
    table.subscribe(move |update| {
        if update.row.n == 2 {
            stop.stop();
        }
    });
    run(pipeline).unwrap();
}

// Contract 9.5
#[test]
fn more_than_a_backlog_without_an_offset_fails_the_source() {
    for (with_try, backlog, limit) in
        [(false, 10, "10 rows or 16 MiB"), (true, 10, "10 rows or "), (false, 1, "1 row or ")]
    {
        let pipeline = pipeline();
        let table = pipeline.read_with(
            source(move |numbers: Subject<Number, u64>| {
                numbers.next_at(1, n(1))?;
                for i in 2.. {
                    if with_try {
                        numbers.try_next(n(i))?;
                    } else {
                        numbers.next(n(i))?;
                    }
                }
                Ok(())
            }),
            options().backlog(backlog).name("careless"),
        );
        let seen = commits(&table);
        let error = run(pipeline).unwrap_err().to_string();
        let expected = format!("connector `careless` failed: it pushed more than its backlog of {limit}");
        assert!(error.starts_with(&expected), "{error}");
        // The pipeline is not persistent, so no restart reads the rows again, and they are committed.
        assert_eq!(by_commit(&seen).concat(), (1..=backlog as u64 + 1).collect::<Vec<_>>());
    }
}

#[test]
fn a_row_with_an_offset_is_accepted_by_a_backlog_full_of_rows_without_offset() {
    // An offset that is set beside an open transaction also waits for the transaction.
    for opened in [&[][..], &[4]] {
        let cuts = numbers_by_commit(options().backlog(3), |numbers| {
            numbers.commit_at(0)?;
            let transaction = numbers.transaction();
            opened.iter().try_for_each(|i| transaction.next(n(*i)))?;
            (0..3).try_for_each(|i| numbers.next(n(i)))?;
            numbers.next_at(1, n(3))?;
            Ok(transaction.commit()?)
        });
        assert_eq!(cuts, [[&[0, 1, 2, 3], opened].concat()]);
    }
}

/// The rows before the transaction have an offset, and wait only for the next commit.
#[test]
fn rows_with_an_earlier_offset_take_no_room_from_an_open_transaction() {
    let cuts = numbers_by_commit(options().backlog(4), |numbers| {
        (1..=3).try_for_each(|i| numbers.next_at(i, n(i)))?;
        let transaction = numbers.transaction();
        transaction.next(n(100))?;
        (4..=7).try_for_each(|i| numbers.next_at(i, n(i)))?;
        Ok(transaction.commit_at(8)?)
    });
    assert_eq!(cuts, [[1, 2, 3, 4, 5, 6, 7, 100]]);
}

#[test]
fn a_row_with_an_offset_is_accepted_after_a_transaction_was_dropped() {
    let cuts = numbers_by_commit(options().backlog(2), |numbers| {
        let transaction = numbers.transaction();
        transaction.next(n(100))?;
        numbers.next_at(1, n(1))?;
        drop(transaction);
        numbers.next(n(2))?;
        Ok(numbers.next_at(3, n(3))?)
    });
    assert_eq!(cuts, [[1, 2, 3]]);
}

#[test]
fn a_transaction_is_committed_whole_at_its_offset_or_at_the_next() {
    let cuts = numbers_by_commit(options().backlog(4), |numbers| {
        numbers.next_at(1, n(1))?;
        let transaction = numbers.transaction();
        transaction.next(n(10))?;
        transaction.next(n(11))?;
        numbers.next(n(2))?;
        transaction.commit_at(2)?;
        assert_eq!(numbers.resume(), Some(2));
        // The transaction has no offset, so it waits although other commits are requested.
        let transaction = numbers.transaction();
        for i in 20..26 {
            transaction.next(n(i))?;
        }
        transaction.commit()?;
        numbers.commit()?;
        assert_eq!(numbers.resume(), Some(2));
        numbers.next_at(3, n(3))?;
        // Waits for space in the backlog, if it is full.
        numbers.commit()?;
        assert_eq!(numbers.resume(), Some(3));
        Ok(())
    });
    assert_eq!(cuts, [vec![1, 2, 10, 11], vec![20, 21, 22, 23, 24, 25, 3]]);
}

#[test]
fn an_offset_without_rows_makes_no_output_and_is_the_resume_point() {
    let cuts = numbers_by_commit(options(), |numbers| {
        numbers.commit_at(7)?;
        assert_eq!(numbers.resume(), Some(7));
        numbers.advance(8)?;
        assert_eq!(numbers.resume(), Some(7), "the offset is not committed yet");
        Ok(())
    });
    assert_eq!(cuts, [[0_u64; 0]; 0]);
}

#[test]
fn the_offset_of_a_skipped_bad_row_is_set() {
    let directory = TempDir::new();
    let path = directory.path("bad.jsonl");
    let cuts = numbers_by_commit(options().bad_rows(BadRows::Quarantine(path.clone())).name("numbers"), |numbers| {
        numbers.next_json_at(1, r#"{"n": 1}"#)?;
        numbers.next_json_at(2, r#"{"n": "two"}"#)?;
        numbers.commit()?;
        assert_eq!(numbers.resume(), Some(2));
        numbers.next_json_at(3, r#"{"n": 3}"#)?;
        Ok(())
    });
    assert_eq!(cuts, [[1], [3]]);
    let line: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(
        (&line["source"], &line["offset"], &line["raw"]),
        (&"numbers".into(), &2.into(), &r#"{"n": "two"}"#.into())
    );
}

#[test]
fn the_offset_of_a_failing_bad_row_is_not_set() {
    numbers_by_commit(options(), |numbers| {
        numbers.next_json_at(1, r#"{"n": 1}"#)?;
        assert!(numbers.next_json_at(2, r#"{"n": "two"}"#).is_err());
        numbers.commit()?;
        assert_eq!(numbers.resume(), Some(1));
        Ok(())
    });
}

#[test]
fn a_closed_subject_refuses_offsets() {
    let pipeline = pipeline();
    pipeline.read_with(
        source(|numbers: Subject<Number, u64>| {
            numbers.commit_at(1)?;
            numbers.clone().close()?;
            assert!(numbers.advance(2).is_err());
            assert!(numbers.commit_at(2).is_err());
            assert!(numbers.next_at(2, n(2)).is_err());
            assert!(numbers.next_json_at(2, "{}").is_err_and(|error| error.is_closed()));
            assert!(numbers.transaction().commit_at(2).is_err());
            assert_eq!(numbers.resume(), Some(1));
            Ok(())
        }),
        options(),
    );
    run(pipeline).unwrap();
}

/// A connector that is written by hand can have offsets too.
#[test]
fn a_connector_written_by_hand_has_offsets() {
    use pathway_io::Subject;

    struct ByHand;
    impl pathway_io::Connector for ByHand {
        type Subjects = Subject<Number, u64>;
        type Tables = Table<Number>;

        fn run(&mut self, numbers: Subject<Number, u64>) -> pathway_io::RunResult {
            Ok(numbers.next_at(1, n(1))?)
        }
    }
    assert_eq!(pathway_io::testing::collect(ByHand).unwrap().len(), 1);
}
