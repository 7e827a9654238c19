//! Runs that continue from the state of the previous run.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use pathway_io::{BadRows, Durability, Pipeline, ReadOptions, Restart, RunResult, Schema, TextRow, csv, jsonlines};

use crate::common::{Cat, Number, Subject, TempDir, cat, commits, next, read, run, source, updates};

/// Returns a pipeline that continues from the state in a directory.
pub fn persistent(directory: &TempDir) -> Pipeline {
    let pipeline = Pipeline::persistent(directory.path("state")).unwrap();
    pipeline.handle_signals(false);
    pipeline
}

pub fn options(name: &str) -> ReadOptions {
    ReadOptions::new().name(name).autocommit(None)
}

/// Returns the rows of a CSV file without their times, after a check that the times increase.
pub fn rows(directory: &TempDir, name: &str) -> Vec<String> {
    let text = read(directory.path(name));
    let mut last = 0;
    let mut rows = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (row, time, diff) = (&fields[..fields.len() - 2], fields[fields.len() - 2], fields[fields.len() - 1]);
        let time: u64 = time.parse().unwrap();
        assert!(time >= last, "times increase:\n{text}");
        last = time;
        rows.push(format!("{} {diff}", row.join(",")));
    }
    rows
}

/// Runs a source of cats with offsets once. The outputs are `cats.csv` and `cats.jsonl`.
pub fn run_cats(
    directory: &TempDir,
    durability: Durability,
    push: impl FnMut(Subject<Cat, u64>) -> RunResult + Send + 'static,
) -> pathway_io::Result<pathway_io::Summary> {
    let pipeline = persistent(directory);
    pipeline.durability(durability);
    let cats = pipeline.read_with(source(push), options("cats"));
    csv::write(&cats, directory.path("cats.csv"));
    jsonlines::write(&cats, directory.path("cats.jsonl"));
    run(pipeline)
}

// Contract 9.1
#[test]
fn a_second_run_continues_offset_state_files_and_clock() {
    for durability in [Durability::EveryCommit, Durability::Interval(Duration::from_secs(3600)), Durability::NoSync] {
        let directory = TempDir::new();
        run_cats(&directory, durability, |cats| {
            assert_eq!(cats.resume(), None);
            cats.next_at(1, cat(1, "felis"))?;
            cats.next_at(2, cat(2, "lynx"))?;
            cats.commit()?;
            cats.next_at(3, cat(3, "puma"))?;
            Ok(())
        })
        .unwrap();
        run_cats(&directory, durability, |cats| {
            assert_eq!(cats.resume(), Some(3));
            // The unchanged row makes no output, exactly as within one run.
            cats.next_at(4, cat(1, "felis"))?;
            cats.next_at(5, cat(2, "leo"))?;
            cats.remove(3)?;
            cats.advance(6)?;
            Ok(())
        })
        .unwrap();
        run_cats(&directory, durability, |cats| {
            assert_eq!(cats.resume(), Some(6));
            cats.next_at(7, cat(3, "uncia"))?;
            Ok(())
        })
        .unwrap();
        let expected = ["1,felis 1", "2,lynx 1", "3,puma 1", "2,lynx -1", "2,leo 1", "3,puma -1", "3,uncia 1"];
        assert_eq!(rows(&directory, "cats.csv"), expected);
        assert_eq!(read(directory.path("cats.jsonl")).lines().count(), expected.len());
        assert_eq!(read(directory.path("cats.csv")).matches("time").count(), 1, "one header");
    }
}

#[test]
fn output_after_the_checkpoint_is_truncated() {
    let directory = TempDir::new();
    run_cats(&directory, Durability::EveryCommit, |cats| Ok(cats.next_at(1, cat(1, "felis"))?)).unwrap();
    let before = read(directory.path("cats.csv"));
    std::fs::write(directory.path("cats.csv"), format!("{before}2,torn")).unwrap();
    run_cats(&directory, Durability::EveryCommit, |_| Ok(())).unwrap();
    assert_eq!(read(directory.path("cats.csv")), before);
}

// Contract 9.4
#[test]
fn rows_after_the_last_offset_are_dropped_if_run_fails_and_kept_if_it_ends() {
    let directory = TempDir::new();
    run_cats(&directory, Durability::EveryCommit, |cats| {
        cats.next_at(1, cat(1, "felis"))?;
        cats.next(cat(2, "lynx"))?;
        Err("torn".into())
    })
    .unwrap_err();
    assert_eq!(rows(&directory, "cats.csv"), ["1,felis 1"]);
    run_cats(&directory, Durability::EveryCommit, |cats| {
        assert_eq!(cats.resume(), Some(1));
        cats.next(cat(2, "leo"))?;
        Ok(())
    })
    .unwrap();
    assert_eq!(rows(&directory, "cats.csv"), ["1,felis 1", "2,leo 1"]);
}

// Contract 9.4
#[test]
fn rows_after_the_last_offset_are_dropped_at_a_stop() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let stop = pipeline.stop_handle();
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat, u64>| {
            cats.next_at(1, cat(1, "felis"))?;
            cats.next(cat(2, "lynx"))?;
            stop.stop();
            // A clean end. The next run still reads the second row again.
            Ok(())
        }),
        options("cats"),
    );
    csv::write(&cats, directory.path("cats.csv"));
    run(pipeline).unwrap();
    assert_eq!(rows(&directory, "cats.csv"), ["1,felis 1"]);
}

// Contract 9.2
#[test]
fn no_commit_is_made_before_the_first_offset() {
    let directory = TempDir::new();
    let error = run_cats(&directory, Durability::EveryCommit, |cats| {
        cats.next(cat(1, "felis"))?;
        cats.commit()?;
        Err("torn".into())
    });
    error.unwrap_err();
    assert_eq!(rows(&directory, "cats.csv"), [""; 0]);
}

// Contract 9.2
#[test]
fn one_offset_covers_all_tables_and_the_order_of_the_sources_may_change() {
    let directory = TempDir::new();
    for round in 0..4_u64 {
        let pipeline = persistent(&directory);
        let two = source(move |(cats, numbers): (Subject<Cat, u64>, Subject<Number, u64>)| {
            assert_eq!(cats.resume(), (round > 0).then_some(round));
            cats.next(cat(7, &format!("genus{round}")))?;
            numbers.next_at(round + 1, Number { n: round })?;
            Ok(())
        });
        let other = source(move |cats: Subject<Cat, String>| {
            assert_eq!(cats.resume(), (round > 0).then(|| round.to_string()));
            cats.next_at((round + 1).to_string(), cat(round as i64 / 2, "other"))?;
            Ok(())
        });
        let (cats, numbers, others);
        if round % 2 == 0 {
            (cats, numbers) = pipeline.read_with(two, options("two"));
            others = pipeline.read_with(other, options("other"));
        } else {
            others = pipeline.read_with(other, options("other"));
            (cats, numbers) = pipeline.read_with(two, options("two"));
        }
        csv::write(&numbers, directory.path("numbers.csv"));
        csv::write(&cats, directory.path("cats.csv"));
        csv::write(&others, directory.path("others.csv"));
        run(pipeline).unwrap();
    }
    assert_eq!(rows(&directory, "numbers.csv"), ["0 1", "1 1", "2 1", "3 1"]);
    let cats = ["7,genus0 1", "7,genus0 -1", "7,genus1 1", "7,genus1 -1", "7,genus2 1", "7,genus2 -1", "7,genus3 1"];
    assert_eq!(rows(&directory, "cats.csv"), cats);
    assert_eq!(rows(&directory, "others.csv"), ["0,other 1", "1,other 1"]);
}

#[test]
fn bad_rows_belong_to_the_checkpoint_and_the_next_good_row_arrives() {
    let directory = TempDir::new();
    for round in 0..2_u64 {
        let pipeline = persistent(&directory);
        let numbers = pipeline.read_with(
            source(move |numbers: Subject<Number, u64>| {
                assert_eq!(numbers.resume(), (round > 0).then_some(10 * round + 2));
                let at = 10 * (round + 1);
                numbers.next_json_at(at, format!(r#"{{"n": {at}}}"#))?;
                numbers.next_json_at(at + 1, format!(r#"{{"n": "bad {at}"}}"#))?;
                numbers.next_json_at(at + 2, format!(r#"{{"n": {}}}"#, at + 2))?;
                numbers.commit()?;
                // This bad row comes after the last offset, so it is read again.
                numbers.next_json(r#"{"n": "torn"}"#)?;
                Err("torn".into())
            }),
            options("numbers").bad_rows(BadRows::Quarantine(directory.path("bad.jsonl"))),
        );
        csv::write(&numbers, directory.path("numbers.csv"));
        let error = run(pipeline).unwrap_err();
        assert_eq!(error.summary().unwrap().sources[0].rows, 2);
        assert_eq!(error.summary().unwrap().sources[0].bad_rows, 2);
    }
    assert_eq!(rows(&directory, "numbers.csv"), ["10 1", "12 1", "20 1", "22 1"]);
    let bad = read(directory.path("bad.jsonl"));
    let bad: Vec<serde_json::Value> = bad.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let offsets: Vec<_> = bad.iter().map(|line| line["offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, [11, 21]);
    assert!(bad[1]["raw"].as_str().unwrap().contains("bad 20"));
}

#[test]
fn the_bad_row_that_exceeds_the_limit_is_quarantined_and_not_read_again() {
    let directory = TempDir::new();
    for (round, expected) in [(0, 2), (1, 3)] {
        let pipeline = persistent(&directory);
        let numbers = pipeline.read_with(
            source(move |numbers: Subject<Number, u64>| {
                for at in numbers.resume().unwrap_or(0)..3 {
                    numbers.next_json_at(at + 1, format!("torn {at}"))?;
                }
                Ok(())
            }),
            options("numbers").bad_rows(BadRows::Quarantine(directory.path("bad.jsonl"))).bad_rows_limit(1),
        );
        csv::write(&numbers, directory.path("numbers.csv"));
        let result = run(pipeline);
        assert_eq!(result.is_err(), round == 0);
        let bad = read(directory.path("bad.jsonl"));
        let raw = bad.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["raw"].clone());
        assert!(raw.eq((0..expected).map(|at| format!("torn {at}"))), "{bad}");
    }
}

// Contract 9.6
#[test]
fn a_quarantine_that_was_changed_after_a_run_without_bad_rows_is_rejected() {
    let directory = TempDir::new();
    let path = directory.path("bad.jsonl");
    let lay_out = |path: &Path| {
        let pipeline = persistent(&directory);
        let connector = source(
            |numbers: Subject<Number, u64>| {
                if numbers.resume().is_none() { Ok(numbers.next_json_at(1, "torn")?) } else { Ok(()) }
            },
        );
        pipeline.read_with(connector, options("numbers").bad_rows(BadRows::Quarantine(path.to_owned())));
        pipeline
    };
    run(lay_out(&path)).unwrap();
    run(lay_out(&path)).unwrap();
    let refused = |expected: &str| {
        let error = run(lay_out(&path)).unwrap_err().to_string();
        let is_named = error.contains("the quarantine file `") && error.contains(&format!("bad.jsonl` {expected}"));
        assert!(
            is_named && error.ends_with("help: put it back as it was, or choose another path for further bad rows")
        );
    };
    std::fs::write(&path, read(&path).replace("torn", "born")).unwrap();
    refused("was changed since the last run");
    std::fs::remove_file(&path).unwrap();
    refused("is gone");
    run(lay_out(&directory.path("bad-2.jsonl"))).unwrap();
    run(lay_out(&path)).unwrap();
}

#[test]
fn the_skipped_row_that_exceeds_the_limit_is_read_again() {
    let directory = TempDir::new();
    for from in [0, 1] {
        let pipeline = persistent(&directory);
        let connector = source(move |numbers: Subject<Number, u64>| {
            assert_eq!(numbers.resume().unwrap_or(0), from);
            (from..3).try_for_each(|at| Ok(numbers.next_json_at(at + 1, "torn")?))
        });
        let _numbers = pipeline.read_with(connector, options("numbers").bad_rows(BadRows::Skip).bad_rows_limit(1));
        let error = run(pipeline).unwrap_err().to_string();
        assert!(error.contains("more bad rows than its limit of 1; the last: row 2"), "{error}");
    }
}

#[test]
fn bad_rows_after_the_last_offset_are_in_the_quarantine_once() {
    let directory = TempDir::new();
    for is_cut_short in [true, false] {
        let pipeline = persistent(&directory);
        let connector = source(move |numbers: Subject<Number, u64>| {
            if numbers.resume().is_none() {
                numbers.next_at(1, Number { n: 1 })?;
            }
            let transaction = numbers.transaction();
            transaction.next_json("torn 1")?;
            transaction.commit()?;
            numbers.next_json("torn 2")?;
            numbers.commit()?;
            if is_cut_short { Err("gone".into()) } else { Ok(numbers.advance(2)?) }
        });
        let quarantine = BadRows::Quarantine(directory.path("bad.jsonl"));
        let _numbers = pipeline.read_with(connector, options("numbers").bad_rows(quarantine));
        assert_eq!(run(pipeline).is_err(), is_cut_short);
    }
    assert_eq!(read(directory.path("bad.jsonl")).lines().count(), 2);
}

#[test]
fn a_bad_row_after_the_last_offset_that_exceeds_the_limit_is_not_said_to_be_in_the_file() {
    let directory = TempDir::new();
    let path = directory.path("bad.jsonl");
    let pipeline = persistent(&directory);
    let connector = source(move |numbers: Subject<Number, u64>| {
        numbers.next_json("torn 1")?;
        numbers.advance(1)?;
        Ok(numbers.next_json("torn 2")?)
    });
    let limited = options("numbers").bad_rows(BadRows::Quarantine(path.clone())).bad_rows_limit(1);
    csv::write(&pipeline.read_with(connector, limited), directory.path("numbers.csv"));
    let error = run(pipeline).unwrap_err().to_string();
    let expected = format!("more bad rows than its limit of 1, those before the last offset in `{}`", path.display());
    assert!(error.contains(&expected), "{error}");
    let bad = read(path);
    assert!(bad.lines().count() == 1 && bad.contains("torn 1"), "{bad}");
}

#[test]
fn the_log_has_no_rows_of_a_table_without_a_key() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let lines = source(|lines: Subject<TextRow, u64>| Ok(lines.next_at(1, TextRow { data: "needle".into() })?));
    csv::write(&pipeline.read_with(lines, options("lines")), directory.path("lines.csv"));
    run(pipeline).unwrap();
    assert_eq!(rows(&directory, "lines.csv"), ["needle 1"]);
    let log = std::fs::read(directory.path("state").join("log-1")).unwrap();
    assert!(!String::from_utf8_lossy(&log).contains("needle"));
}

#[test]
fn the_size_of_the_log_is_bounded_by_the_keys() {
    let directory = TempDir::new();
    for round in 0..4_u64 {
        run_cats(&directory, Durability::NoSync, move |cats| {
            let text = "x".repeat(1000);
            for i in 0..5_000_u64 {
                let key = (i % 50) as i64;
                cats.next_at(round * 5_000 + i + 1, cat(key, &format!("{text}{round}.{i}")))?;
                if i % 10 == 9 {
                    cats.commit()?;
                }
            }
            Ok(())
        })
        .unwrap();
        let size: u64 = std::fs::read_dir(directory.path("state"))
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        // Five megabytes pass through in each round, but the fifty current rows take only fifty kilobytes.
        assert!(size < 7_000_000, "{size} bytes after round {round}");
    }
    let all = rows(&directory, "cats.csv");
    assert_eq!(all.len(), 4 * 5_000 * 2 - 50);
    run_cats(&directory, Durability::NoSync, move |cats| {
        assert_eq!(cats.resume(), Some(20_000));
        for key in 0..50 {
            cats.remove(key)?;
        }
        Ok(cats.advance(20_001)?)
    })
    .unwrap();
    let last = rows(&directory, "cats.csv").split_off(all.len());
    assert_eq!(last.len(), 50);
    assert!(last.iter().all(|row| row.ends_with(" -1")));
}

/// A row with every column type, with values that an inexact encoding would change.
#[derive(Schema, Debug, Clone, PartialEq)]
struct Everything {
    #[schema(primary_key)]
    key: String,
    flag: bool,
    tiny: i8,
    big: u64,
    small: i64,
    single: f32,
    double: f64,
    maybe: Option<f64>,
    bytes: Vec<u8>,
    value: serde_json::Value,
    span: Duration,
    list: Vec<Option<String>>,
    array: [f32; 2],
    tuple: (i64, Vec<u8>, Option<bool>),
}

fn everything() -> Vec<Everything> {
    let row = |key: &str, double: f64, single: f32| Everything {
        key: key.into(),
        flag: true,
        tiny: i8::MIN,
        big: u64::MAX,
        small: i64::MIN,
        single,
        double,
        maybe: None,
        bytes: (0..=255).collect(),
        value: serde_json::json!({"a": [1, 1.5, null, "\u{0}\n\"", 18_446_744_073_709_551_615_u64], "b": {}}),
        span: Duration::MAX,
        list: vec![None, Some(String::new()), Some("a\tb".into())],
        array: [single, -0.0],
        tuple: (-1, Vec::new(), Some(false)),
    };
    let mut rows = vec![
        row("", 0.1 + 0.2, 0.1),
        row("zero", -0.0, -0.0),
        row("\u{0}\r\n\"\\\u{7f}\u{2028}𝄞", f64::MIN_POSITIVE, f32::from_bits(1)),
        row("nan", f64::NAN, f32::NAN),
        row("-nan", f64::from_bits(0xfff8_0000_0000_0001), f32::from_bits(0xffc0_0001)),
        row("signalling", f64::from_bits(0x7ff0_0000_0000_0001), f32::from_bits(0x7f80_0001)),
        row("inf", f64::INFINITY, f32::NEG_INFINITY),
        row("max", f64::MAX, 7.038531e-26),
    ];
    rows[1].maybe = Some(f64::from_bits(0x7ff8_0000_0000_0009));
    rows[1].value = serde_json::Value::Null;
    rows
}

#[test]
fn every_column_type_is_restored_exactly() {
    let directory = TempDir::new();
    for round in 0..3 {
        let pipeline = persistent(&directory);
        let table = pipeline.read_with(
            source(move |rows: Subject<Everything, u64>| {
                for row in everything() {
                    rows.next(row)?;
                }
                Ok(rows.advance(round)?)
            }),
            options("everything"),
        );
        let seen = commits(&table);
        run(pipeline).unwrap();
        // A row whose restored value differs in any bit would be retracted and added again.
        assert_eq!(updates(&seen).len(), if round == 0 { everything().len() } else { 0 }, "round {round}");
    }
}

#[test]
fn a_source_that_is_run_again_continues_from_its_offset_in_the_same_files() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let restart = Restart::backoff(Duration::ZERO..Duration::ZERO).attempts(5);
    let mut attempt = 0;
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat, u64>| {
            attempt += 1;
            let from = cats.resume().unwrap_or(0);
            assert_eq!(from, 2 * (attempt - 1));
            cats.next_at(from + 1, cat(1, &attempt.to_string()))?;
            cats.next_json_at(from + 2, "torn")?;
            // This row comes after the last offset, so it is pushed again.
            cats.next(cat(2, "tail"))?;
            if attempt < 4 { Err("torn".into()) } else { Ok(cats.advance(100)?) }
        }),
        options("cats").restart(restart).bad_rows(BadRows::Quarantine(directory.path("bad.jsonl"))),
    );
    csv::write(&cats, directory.path("cats.csv"));
    let summary = run(pipeline).unwrap();
    assert_eq!(summary.sources[0].attempts, 4);
    let expected = ["1,1 1", "1,1 -1", "1,2 1", "1,2 -1", "1,3 1", "1,3 -1", "1,4 1", "2,tail 1"];
    assert_eq!(rows(&directory, "cats.csv"), expected);
    assert_eq!(read(directory.path("bad.jsonl")).lines().count(), 4);
    run_to_its_end(&directory);
}

/// Checks the state after the test above with another run.
fn run_to_its_end(directory: &TempDir) {
    let pipeline = persistent(directory);
    let cats = pipeline.read_with(
        source(|cats: Subject<Cat, u64>| {
            assert_eq!(cats.resume(), Some(100));
            Ok(())
        }),
        options("cats").bad_rows(BadRows::Quarantine(directory.path("bad.jsonl"))),
    );
    csv::write(&cats, directory.path("cats.csv"));
    run(pipeline).unwrap();
}

#[test]
fn a_callback_receives_only_the_updates_after_the_restart() {
    let directory = TempDir::new();
    for round in 0..2_u64 {
        let pipeline = persistent(&directory);
        let cats = pipeline.read_with(
            source(move |cats: Subject<Cat, u64>| Ok(cats.next_at(round, cat(1, &round.to_string()))?)),
            options("cats"),
        );
        let seen = commits(&cats);
        run(pipeline).unwrap();
        let expected = match round {
            0 => vec![(cat(1, "0"), 1)],
            _ => vec![(cat(1, "0"), -1), (cat(1, "1"), 1)],
        };
        assert_eq!(updates(&seen), expected);
    }
}

#[test]
fn a_checkpoint_comes_while_the_source_waits() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let (durable, is_durable) = mpsc::channel();
    pipeline.read_with(
        source(move |cats: Subject<Cat, u64>| {
            let durable = durable.clone();
            cats.on_durable(move |offset: &u64| durable.send(*offset).unwrap());
            cats.next_at(1, cat(1, "felis"))?;
            cats.commit()?;
            assert_eq!(next(&is_durable), 1);
            Ok(())
        }),
        options("cats"),
    );
    run(pipeline).unwrap();
}
