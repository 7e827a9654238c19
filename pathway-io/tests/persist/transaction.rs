//! Offsets that are set while a transaction is open.

use std::sync::mpsc;
use std::time::Duration;

use pathway_io::{BadRows, Restart, RunResult, Subject, csv};

use crate::common::{Number, TempDir, read, run, source};
use crate::restart::{options, persistent, rows};

fn run_numbers(
    directory: &TempDir,
    push: impl FnMut(Subject<Number, u64>) -> RunResult + Send + 'static,
) -> pathway_io::Result<pathway_io::Summary> {
    let pipeline = persistent(directory);
    let numbers = pipeline.read_with(source(push), options("numbers").backlog(100));
    csv::write(&numbers, directory.path("numbers.csv"));
    run(pipeline)
}

// Contract 9.10
#[test]
fn an_offset_waits_for_the_transaction_that_was_open_when_it_was_set() {
    let directory = TempDir::new();
    let (told, telling) = mpsc::channel();
    let path = directory.path("numbers.csv");
    run_numbers(&directory, move |numbers| {
        let (told, path) = (told.clone(), path.clone());
        numbers.on_durable(move |offset: &u64| told.send((*offset, read(&path).lines().count())).unwrap());
        let transaction = numbers.transaction();
        transaction.next(Number { n: 0 })?;
        numbers.next(Number { n: 1 })?;
        numbers.commit_at(2)?;
        assert_eq!(numbers.resume(), None);
        transaction.commit()?;
        assert_eq!(numbers.resume(), Some(2));
        numbers.next_at(3, Number { n: 3 })?;
        Ok(())
    })
    .unwrap();
    assert_eq!(rows(&directory, "numbers.csv"), ["1 1", "0 1", "3 1"]);
    // Every offset that was reported as durable covers the row of the transaction.
    let told: Vec<_> = telling.try_iter().collect();
    assert!(told.iter().all(|(_, lines)| *lines >= 3), "{told:?}");
    assert_eq!(told.last(), Some(&(3, 4)));
}

// Contract 9.10
#[test]
fn a_push_without_a_row_does_not_keep_an_offset_from_its_transaction() {
    for text in ["bad", "\n"] {
        let directory = TempDir::new();
        let pipeline = persistent(&directory);
        let connector = source(move |numbers: Subject<Number, u64>| {
            let transaction = numbers.transaction();
            transaction.next(Number { n: 0 })?;
            numbers.next(Number { n: 1 })?;
            numbers.commit_at(2)?;
            assert_eq!(numbers.next_json_lines(text)?, 0);
            transaction.commit()?;
            assert_eq!(numbers.resume(), Some(2));
            Ok(())
        });
        let numbers = pipeline.read_with(connector, options("numbers").bad_rows(BadRows::Skip));
        csv::write(&numbers, directory.path("numbers.csv"));
        run(pipeline).unwrap();
        assert_eq!(rows(&directory, "numbers.csv"), ["1 1", "0 1"]);
    }
}

#[test]
fn an_offset_is_not_kept_if_its_transaction_was_not_committed_before_a_failure() {
    for by_next_at in [false, true] {
        let directory = TempDir::new();
        let error = run_numbers(&directory, move |numbers| {
            let transaction = numbers.transaction();
            transaction.next(Number { n: 0 })?;
            if by_next_at {
                numbers.next_at(2, Number { n: 1 })?;
            } else {
                numbers.next(Number { n: 1 })?;
                numbers.advance(2)?;
            }
            numbers.commit()?;
            Err("gone")?
        });
        assert!(error.unwrap_err().to_string().contains("gone"));
        run_numbers(&directory, |numbers| {
            assert_eq!(numbers.resume(), None);
            let transaction = numbers.transaction();
            transaction.next(Number { n: 0 })?;
            transaction.commit_at(1)?;
            Ok(numbers.next_at(2, Number { n: 1 })?)
        })
        .unwrap();
        assert_eq!(rows(&directory, "numbers.csv"), ["0 1", "1 1"]);
    }
}

#[test]
fn an_offset_does_not_cover_a_transaction_that_commits_after_it() {
    let directory = TempDir::new();
    let error = run_numbers(&directory, |numbers| {
        let transaction = numbers.transaction();
        transaction.next(Number { n: 0 })?;
        numbers.next_at(2, Number { n: 1 })?;
        // The transaction is committed after this row, which belongs to the next offset.
        numbers.next(Number { n: 2 })?;
        transaction.commit()?;
        numbers.commit()?;
        assert_eq!(numbers.resume(), None);
        Err("gone")?
    });
    assert!(error.unwrap_err().to_string().contains("gone"));
    run_numbers(&directory, |numbers| {
        assert_eq!(numbers.resume(), None);
        let transaction = numbers.transaction();
        transaction.next(Number { n: 0 })?;
        numbers.next_at(2, Number { n: 1 })?;
        numbers.next(Number { n: 2 })?;
        transaction.commit()?;
        numbers.advance(3)?;
        Ok(numbers.commit()?)
    })
    .unwrap();
    assert_eq!(rows(&directory, "numbers.csv"), ["1 1", "2 1", "0 1"]);
}

// Contract 9.2
#[test]
fn an_offset_does_not_cover_rows_that_are_pushed_into_an_open_transaction_after_it() {
    for by_lines in [false, true] {
        let directory = TempDir::new();
        let push = move |numbers: &Subject<Number, u64>| -> RunResult {
            let transaction = numbers.transaction();
            transaction.next(Number { n: 0 })?;
            numbers.advance(1)?;
            if by_lines {
                transaction.next_json_lines(r#"{"n": 1}"#)?;
            } else {
                transaction.next(Number { n: 1 })?;
            }
            Ok(transaction.commit()?)
        };
        let error = run_numbers(&directory, move |numbers| {
            push(&numbers)?;
            numbers.commit()?;
            assert_eq!(numbers.resume(), None);
            Err("gone")?
        });
        assert!(error.unwrap_err().to_string().contains("gone"));
        run_numbers(&directory, move |numbers| {
            assert_eq!(numbers.resume(), None);
            push(&numbers)?;
            numbers.commit_at(2)?;
            assert_eq!(numbers.resume(), Some(2));
            Err("gone")?
        })
        .unwrap_err();
        run_numbers(&directory, |numbers| {
            assert_eq!(numbers.resume(), Some(2));
            Ok(())
        })
        .unwrap();
        assert_eq!(rows(&directory, "numbers.csv"), ["0 1", "1 1"]);
    }
}

#[test]
fn an_offset_of_one_transaction_waits_for_the_others_and_one_after_them_for_nothing() {
    let directory = TempDir::new();
    let error = run_numbers(&directory, |numbers| {
        let (one, other) = (numbers.transaction(), numbers.transaction());
        one.next(Number { n: 0 })?;
        other.next(Number { n: 1 })?;
        one.commit_at(1)?;
        drop(other);
        // A transaction that began after the offset is not waited for, and an empty one never.
        let empty = numbers.transaction();
        numbers.next_at(2, Number { n: 2 })?;
        let later = numbers.transaction();
        later.next(Number { n: 3 })?;
        numbers.commit()?;
        drop((empty, later));
        Err("gone")?
    });
    assert!(error.unwrap_err().to_string().contains("gone"));
    run_numbers(&directory, |numbers| {
        assert_eq!(numbers.resume(), Some(2));
        Ok(())
    })
    .unwrap();
    assert_eq!(rows(&directory, "numbers.csv"), ["0 1", "2 1"]);
}

#[test]
fn a_transaction_that_never_ends_is_named_before_memory_is_full() {
    let directory = TempDir::new();
    let error = run_numbers(&directory, |numbers| {
        let transaction = numbers.transaction();
        transaction.next(Number { n: 0 })?;
        for n in 1.. {
            numbers.next_at(n, Number { n })?;
        }
        drop(transaction);
        Ok(())
    });
    let text = error.unwrap_err().to_string();
    assert!(text.contains("while an offset waited for an open transaction"), "{text}");
}

#[test]
fn the_drop_of_a_transaction_of_an_earlier_attempt_ends_no_other() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let mut earlier = None;
    let connector = source(move |numbers: Subject<Number, u64>| {
        let transaction = numbers.transaction();
        transaction.next(Number { n: 0 })?;
        if earlier.is_none() {
            earlier = Some(transaction);
            return Err("gone".into());
        }
        earlier = None;
        numbers.next_at(1, Number { n: 1 })?;
        numbers.commit()?;
        assert_eq!(numbers.resume(), None);
        transaction.commit()?;
        assert_eq!(numbers.resume(), Some(1));
        Ok(())
    });
    let restart = Restart::backoff(Duration::ZERO..Duration::ZERO).attempts(2);
    let numbers = pipeline.read_with(connector, options("numbers").restart(restart));
    csv::write(&numbers, directory.path("numbers.csv"));
    run(pipeline).unwrap();
    assert_eq!(rows(&directory, "numbers.csv"), ["1 1", "0 1"]);
}
