//! Rows that a sink can never hold are bad rows at their push, and never durable. Rows that only the sink can refuse
//! can be left out.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod common;
mod left_out;
#[cfg(all(unix, feature = "postgres"))]
mod postgres;
#[cfg(all(unix, feature = "postgres"))]
#[allow(dead_code, reason = "these tests use a part of it")]
#[path = "../common/server.rs"]
mod server;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::sync::mpsc::{self, Receiver, Sender};

use pathway_io::{BadRows, Commit, Connector, Pipeline, ReadOptions, RowCheck, RunResult, Sink, Summary, TryNextError};
use serde_json::Value;

use self::common::{Cat, Subject, TempDir, cat, pipeline, read, run, source};

/// A sink that accepts names of up to five bytes, and sends its updates to the test.
struct Short(Sender<(i64, String, i64)>);

impl Sink<Cat> for Short {
    fn row_check(&self) -> Option<RowCheck<Cat>> {
        Some(RowCheck::new(|cat: &Cat| match cat.genus.len() {
            0..=5 => Ok(()),
            len => Err(format!("column `genus` has {len} bytes, and it takes 5")),
        }))
    }

    fn write(&mut self, commit: &Commit<Cat>) -> RunResult {
        for update in commit.iter() {
            self.0.send((update.row.key, update.row.genus, update.diff))?;
        }
        Ok(())
    }
}

fn options(bad_rows: BadRows) -> ReadOptions {
    ReadOptions::new().name("cats").autocommit(None).bad_rows(bad_rows)
}

/// Runs a source into `Short`.
fn short<C: Connector<Tables = pathway_io::Table<Cat>>>(
    pipeline: Pipeline,
    connector: C,
    bad_rows: BadRows,
) -> (pathway_io::Result<Summary>, Receiver<(i64, String, i64)>) {
    let (sender, seen) = mpsc::channel();
    pipeline.read_with(connector, options(bad_rows)).write_to(Short(sender));
    (run(pipeline), seen)
}

/// Pushes a change that a database refuses, and a row with the value that the changed row had.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn refused_change(cats: Subject<Cat, u64>) -> RunResult {
    cats.next(cat(1, "lynx"))?;
    cats.commit()?;
    cats.next(cat(1, "panthera"))?;
    Ok(cats.next(cat(2, "lynx"))?)
}

fn keys(seen: &Receiver<(i64, String, i64)>) -> Vec<i64> {
    seen.try_iter().map(|(key, ..)| key).collect()
}

/// Pushes good rows around refused ones, by every method.
fn push_by_all(cats: &Subject<Cat, u64>) -> RunResult {
    cats.next(cat(1, "felis"))?;
    cats.next(cat(-1, "panthera"))?;
    cats.next_json(r#"{"key": 2, "genus": "lynx"}"#)?;
    cats.next_json(r#"{"key": -2, "genus": "panthera"}"#)?;
    let lines =
        "{\"key\": 3, \"genus\": \"puma\"}\n{\"key\": -3, \"genus\": \"panthera\"}\n{\"key\": 4, \"genus\": \"lynx\"}";
    assert_eq!(cats.next_json_lines(lines)?, 2);
    cats.next_value(serde_json::json!({"key": -4, "genus": "panthera"}))?;
    assert!(cats.try_next(cat(-5, "panthera")).is_ok());
    cats.try_next_json(r#"{"key": -6, "genus": "panthera"}"#)?;
    let both = cats.transaction();
    both.next(cat(5, "felis"))?;
    both.next(cat(-7, "panthera"))?;
    both.with(cats).next(cat(-8, "panthera"))?;
    both.next_json(r#"{"key": -9, "genus": "panthera"}"#)?;
    both.commit()?;
    cats.next_at(1, cat(-10, "panthera"))?;
    cats.next_json_at(2, r#"{"key": -11, "genus": "panthera"}"#)?;
    cats.next_at(3, cat(6, "felis"))?;
    // Such a key is in no row, so its removal does nothing, and a key alone is not a row to check.
    cats.remove(-1)?;
    cats.remove(1)?;
    Ok(cats.advance(4)?)
}

// Contract 7.6
#[test]
fn every_push_leaves_out_rows_that_a_sink_cannot_hold() {
    let (ran, seen) = short(pipeline(), source(|cats: Subject<Cat, u64>| push_by_all(&cats)), BadRows::Skip);
    let summary = ran.unwrap();
    assert_eq!(keys(&seen), [1, 2, 3, 4, 5, 6, 1]);
    assert_eq!(summary.sources[0].bad_rows, 11);
}

#[test]
fn a_quarantine_has_the_row_and_the_reason() {
    let directory = TempDir::new();
    let path = directory.path("bad.jsonl");
    let (ran, _seen) =
        short(pipeline(), source(|cats: Subject<Cat, u64>| push_by_all(&cats)), BadRows::Quarantine(path.clone()));
    ran.unwrap();
    let lines: Vec<Value> = read(&path).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys: Vec<i64> = lines
        .iter()
        .map(|line| {
            let reason = line["reason"].as_str().unwrap();
            assert!(reason.ends_with("column `genus` has 8 bytes, and it takes 5"), "{reason}");
            serde_json::from_str::<Value>(line["raw"].as_str().unwrap()).unwrap()["key"].as_i64().unwrap()
        })
        .collect();
    assert_eq!(keys, [-1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11]);
    assert_eq!(lines[0]["reason"], "row 2: column `genus` has 8 bytes, and it takes 5");
    assert_eq!(lines[9]["offset"], 1);
}

#[test]
fn a_push_with_an_error_of_rows_returns_it() {
    let run = |cats: Subject<Cat>| {
        let error = cats.next_json(r#"{"key": 1, "genus": "panthera"}"#).unwrap_err();
        assert_eq!(error.to_string(), "row 1: column `genus` has 8 bytes, and it takes 5");
        Ok(cats.next(cat(2, "lynx"))?)
    };
    let (ran, seen) = short(pipeline(), source(run), BadRows::Fail);
    ran.unwrap();
    assert_eq!(keys(&seen), [2]);
}

#[test]
fn a_push_without_such_an_error_fails_the_pipeline_from_any_thread() {
    let wrong = || cat(2, "panthera");
    type Push = fn(Subject<Cat, u64>, Cat) -> bool;
    let pushes: [Push; 5] = [
        |cats, row| cats.next(row).is_err(),
        |cats, row| cats.next_at(1, row).is_err(),
        |cats, row| cats.transaction().next(row).is_err(),
        |cats, row| matches!(cats.try_next(row), Err(TryNextError::Closed(row)) if row == cat(2, "panthera")),
        // A thread of a client: its panics do not reach `run`.
        |cats, row| std::thread::spawn(move || cats.next(row).is_err()).join().unwrap(),
    ];
    for push in pushes {
        let run = move |cats: Subject<Cat, u64>| {
            cats.next_at(0, cat(1, "felis"))?;
            assert!(push(cats.clone(), wrong()));
            assert!(cats.is_closed());
            Ok(())
        };
        let (ran, seen) = short(pipeline(), source(run), BadRows::Fail);
        let error = ran.unwrap_err().to_string();
        assert_eq!(error, "connector `cats` failed: row 2: column `genus` has 8 bytes, and it takes 5");
        assert_eq!(keys(&seen), [1], "what came before is delivered");
    }
}

#[test]
fn the_checks_of_all_sinks_of_a_table_are_made_and_of_no_other_table() {
    struct Even(Sender<(i64, String, i64)>);
    impl Sink<Cat> for Even {
        fn row_check(&self) -> Option<RowCheck<Cat>> {
            Some(RowCheck::new(|cat: &Cat| if cat.key % 2 == 0 { Ok(()) } else { Err("column `key` is odd") }))
        }
        fn write(&mut self, commit: &Commit<Cat>) -> RunResult {
            Short(self.0.clone()).write(commit)
        }
    }
    let (sender, seen) = mpsc::channel();
    let pipeline = pipeline();
    let run = |(cats, others): (Subject<Cat>, Subject<Cat>)| {
        for key in 1..=4 {
            cats.next(cat(key, if key > 2 { "panthera" } else { "lynx" }))?;
            others.next(cat(key + 10, "panthera"))?;
        }
        Ok(())
    };
    let (cats, others) = pipeline.read_with(source(run), options(BadRows::Skip));
    cats.write_to(Even(sender.clone()));
    cats.write_to(Short(sender));
    let others = common::commits(&others);
    common::run(pipeline).unwrap();
    assert_eq!(keys(&seen), [2, 2]);
    assert_eq!(common::updates(&others).len(), 4);
}

#[test]
fn a_check_that_panics_is_named() {
    struct Panics;
    impl Sink<Cat> for Panics {
        fn row_check(&self) -> Option<RowCheck<Cat>> {
            panic!("no check")
        }
        fn write(&mut self, _: &Commit<Cat>) -> RunResult {
            Ok(())
        }
    }
    let pipeline = pipeline();
    pipeline.read(source(|_: Subject<Cat>| Ok(()))).write_to(Panics);
    let error = run(pipeline).unwrap_err().to_string();
    assert!(error.contains("row_check") && error.contains("no check"), "{error}");
}

#[cfg(feature = "tokio")]
mod tasks {
    use pathway_io::{AsyncSubject, connector};

    use super::*;

    struct Tasks;

    #[connector]
    impl Tasks {
        async fn run(&mut self, cats: AsyncSubject<Cat, u64>) -> RunResult {
            cats.next(cat(1, "felis")).await?;
            cats.next(cat(-1, "panthera")).await?;
            cats.next_json(r#"{"key": -2, "genus": "panthera"}"#).await?;
            assert_eq!(cats.next_json_lines(r#"{"key": -3, "genus": "panthera"}"#).await?, 0);
            cats.next_value(serde_json::json!({"key": -4, "genus": "panthera"})).await?;
            cats.reserve().await?.next(cat(-5, "panthera"))?;
            cats.reserve().await?.next_json(r#"{"key": -6, "genus": "panthera"}"#)?;
            let both = cats.transaction();
            both.next(cat(2, "lynx"))?;
            both.next(cat(-7, "panthera"))?;
            both.commit().await?;
            cats.next_at(1, cat(-8, "panthera")).await?;
            cats.reserve().await?.next_at(2, cat(-9, "panthera"))?;
            Ok(cats.next_at(3, cat(3, "puma")).await?)
        }
    }

    #[test]
    fn every_async_push_leaves_out_rows_that_a_sink_cannot_hold() {
        let (ran, seen) = short(pipeline(), Tasks, BadRows::Skip);
        assert_eq!(ran.unwrap().sources[0].bad_rows, 9);
        assert_eq!(keys(&seen), [1, 2, 3]);
    }
}
