//! Part 7 of the contract: bad rows are never dropped silently.

use std::sync::mpsc;

use pathway_io::{BadRows, LinesError, ReadOptions, RowError, Schema, Stop};
use serde_json::{Value, json};

use crate::common::{
    Cat, Number, Subject, TempDir, by_commit, cat, commits, next, pipeline, read, run, source, updates, within,
};

fn options() -> ReadOptions {
    ReadOptions::new().name("cats").autocommit(None)
}

/// Two good rows with three bad ones between them.
const ROWS: [&str; 5] = [
    r#"{"key": 1, "genus": "felis"}"#,
    r#"{"key": 2, "genus": 5}"#,
    "{\"key\": 3",
    r#"{"key": 4}"#,
    r#"{"key": 5, "genus": "lynx"}"#,
];

// Contract 7.1
#[test]
fn next_json_returns_the_error_and_the_next_good_row_arrives() {
    let pipeline = pipeline();
    let (give, given) = mpsc::channel::<RowError>();
    let table = pipeline.read_with(
        source(move |cats: Subject<Cat>| {
            for row in ROWS {
                if let Err(error) = cats.next_json(row) {
                    give.send(error)?;
                }
            }
            Ok(())
        }),
        options(),
    );
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    assert_eq!(updates(&seen), [(cat(1, "felis"), 1), (cat(5, "lynx"), 1)]);
    assert_eq!((summary.sources[0].rows, summary.sources[0].bad_rows), (2, 3));
    let errors: Vec<RowError> = given.try_iter().collect();
    let places: Vec<_> = errors.iter().map(|error| (error.row(), error.column(), error.position())).collect();
    assert_eq!(places[0], (Some(2), Some("genus"), Some(20)));
    assert_eq!((places[1].0, places[1].2), (Some(3), Some(9)));
    assert_eq!((places[2].0, places[2].1), (Some(4), Some("genus")));
    let error = &errors[0];
    assert!(!error.is_closed() && !error.reason().is_empty());
    assert_eq!(error.to_string(), format!("row 2, column `genus`, byte 20: {}", error.reason()));
}

#[test]
fn an_unhandled_error_fails_the_run_and_keeps_the_rows_before_it() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|cats: Subject<Cat>| {
            for row in ROWS {
                cats.next_json(row)?;
            }
            Ok(())
        }),
        options(),
    );
    let seen = commits(&table);
    let error = run(pipeline).unwrap_err();
    assert!(error.to_string().starts_with("connector `cats` failed: row 2, column `genus`, byte 20: "), "{error}");
    assert_eq!(updates(&seen), [(cat(1, "felis"), 1)]);
    assert_eq!(error.summary().unwrap().sources[0].bad_rows, 1);
}

// Contract 7.2
#[test]
fn skip_counts_bad_rows_and_continues() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|cats: Subject<Cat>| {
            let transaction = cats.transaction();
            for row in ROWS {
                cats.next_json(row)?;
                transaction.next_json(row)?;
                if let Ok(value) = serde_json::from_str(row) {
                    cats.next_value(value)?;
                }
            }
            cats.reject("torn", "a frame without an end")?;
            transaction.commit()?;
            Ok(())
        }),
        options().bad_rows(BadRows::Skip),
    );
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    assert_eq!(updates(&seen), [(cat(1, "felis"), 1), (cat(5, "lynx"), 1)]);
    assert_eq!((summary.sources[0].rows, summary.sources[0].bad_rows), (6, 3 + 3 + 2 + 1));
    assert!(summary.to_string().ends_with(", 9 bad rows"), "{summary}");
}

// Contract 7.2
#[test]
fn quarantine_writes_each_bad_row_to_the_file_at_once() {
    let dir = TempDir::new();
    let path = dir.path("bad.jsonl");
    std::fs::write(&path, "of an earlier run").unwrap();
    let pipeline = pipeline();
    let bad = path.clone();
    let table = pipeline.read_with(
        source(move |cats: Subject<Cat>| {
            assert_eq!(read(&bad), "");
            for row in ROWS {
                cats.next_json(row)?;
            }
            assert_eq!(read(&bad).lines().count(), 3);
            cats.reject(b"\xff\x00", "a frame without an end")?;
            Ok(())
        }),
        options().bad_rows(BadRows::Quarantine(path.clone())),
    );
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    assert_eq!(updates(&seen).len(), 2);
    assert_eq!(summary.sources[0].bad_rows, 4);
    let lines: Vec<Value> = read(&path).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let raw: Vec<&Value> = lines[..3].iter().map(|line| &line["raw"]).collect();
    assert_eq!(raw, ROWS[1..4].iter().map(|row| json!(row)).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    assert!(lines.iter().all(|line| line["source"] == "cats" && line["offset"].is_null()));
    assert!(lines[0]["reason"].as_str().unwrap().contains("column `genus`"), "{}", lines[0]);
    assert_eq!(lines[3]["raw_base64"], "/wA=");
    assert_eq!(lines[3]["reason"], "row 6: a frame without an end");
}

/// A program's log is not emptied.
#[cfg(unix)]
#[test]
fn the_quarantine_can_be_the_standard_error() {
    use std::process::Command;
    const CHILD: &str = "PATHWAY_IO_TEST_QUARANTINE";
    if std::env::var_os(CHILD).is_some() {
        let pipeline = pipeline();
        let bad_rows = BadRows::Quarantine("/dev/stderr".into());
        let table =
            pipeline.read_with(source(|cats: Subject<Cat>| Ok(cats.next_json("[]")?)), options().bad_rows(bad_rows));
        let _seen = commits(&table);
        eprintln!("before");
        run(pipeline).unwrap();
        eprintln!("after");
        return;
    }
    let dir = TempDir::new();
    let log = dir.path("log");
    std::fs::write(&log, "earlier\n").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["bad_rows::the_quarantine_can_be_the_standard_error", "--exact", "--nocapture"]).env(CHILD, "1");
    child.stderr(std::fs::File::options().append(true).open(&log).unwrap());
    assert!(within(move || child.output().unwrap()).status.success());
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(matches!(lines[..], ["earlier", "before", bad, "after"] if bad.contains("\"raw\":\"[]\"")), "{text}");
}

// FAULTS 13
#[test]
fn a_quarantine_file_that_is_removed_under_a_run_fails_it() {
    for goes_on in [false, true] {
        let dir = TempDir::new();
        let path = dir.path("bad.jsonl");
        let bad = path.clone();
        let pipeline = pipeline();
        pipeline.read_with(
            source(move |cats: Subject<Cat>| {
                cats.next_json("none")?;
                std::fs::remove_file(&bad)?;
                if goes_on {
                    cats.next_json("none")?;
                    unreachable!("the row is in no file");
                }
                Ok(())
            }),
            options().bad_rows(BadRows::Quarantine(path)),
        );
        let error = run(pipeline).unwrap_err().to_string();
        assert!(error.contains("bad.jsonl` failed: it was removed or renamed"), "{goes_on}: {error}");
    }
}

// Contract 7.3
#[test]
fn the_bad_row_that_exceeds_the_limit_fails_the_run() {
    let dir = TempDir::new();
    let path = dir.path("bad.jsonl");
    for (policy, place) in [
        (BadRows::Skip, String::new()),
        (BadRows::Quarantine(path.clone()), format!(", all of them in `{}`", path.display())),
    ] {
        let pipeline = pipeline();
        let table = pipeline.read_with(
            source(|cats: Subject<Cat>| {
                for row in &ROWS[..3] {
                    cats.next_json(row)?;
                }
                assert!(cats.next_json(ROWS[3]).unwrap_err().is_closed());
                assert!(cats.next_json(ROWS[4]).unwrap_err().is_closed());
                Ok(())
            }),
            options().bad_rows(policy).bad_rows_limit(2),
        );
        let seen = commits(&table);
        let error = run(pipeline).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "connector `cats` failed: more bad rows than its limit of 2{place}; the last: row 4, column `genus`: \
                 missing"
            )
        );
        assert_eq!(error.summary().unwrap().sources[0].bad_rows, 3);
        assert_eq!(updates(&seen), [(cat(1, "felis"), 1)]);
    }
    // The row that exceeds the limit is in the quarantine too.
    assert_eq!(read(&path).lines().count(), 3);
}

#[test]
fn the_run_continues_up_to_the_limit_of_bad_rows() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|cats: Subject<Cat>| {
            for row in ROWS {
                cats.next_json(row)?;
            }
            Ok(())
        }),
        options().bad_rows(BadRows::Skip).bad_rows_limit(3),
    );
    let seen = commits(&table);
    assert_eq!(run(pipeline).unwrap().sources[0].bad_rows, 3);
    assert_eq!(updates(&seen), [(cat(1, "felis"), 1), (cat(5, "lynx"), 1)]);
}

#[test]
fn several_threads_that_exceed_the_limit_make_one_failure() {
    let pipeline = pipeline();
    let _table = pipeline.read_with(
        source(|cats: Subject<Cat>| {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| while cats.next_json("{}").is_ok() {});
                }
            });
            Ok(())
        }),
        options().bad_rows(BadRows::Skip).bad_rows_limit(100),
    );
    let error = run(pipeline).unwrap_err();
    assert!(error.to_string().contains("more bad rows than its limit of 100;"), "{error}");
    assert!(error.others().is_empty(), "{error:?}");
}

#[test]
fn a_quarantine_file_that_cannot_be_opened_prevents_the_start() {
    let dir = TempDir::new();
    let path = dir.path("none").join("bad.jsonl");
    let pipeline = pipeline();
    pipeline.read_with(
        source(|_: Subject<Cat>| panic!("the source must not run")),
        options().bad_rows(BadRows::Quarantine(path.clone())),
    );
    let error = run(pipeline).unwrap_err();
    let expected = format!("sink `{}` failed: cannot open the quarantine file: ", path.display());
    assert!(error.to_string().starts_with(&expected), "{error}");
}

// Contract 7.4
#[test]
fn reject_fails_as_next_json_does() {
    let pipeline = pipeline();
    pipeline.read_with(
        source(|cats: Subject<Cat>| {
            cats.next(cat(1, "felis"))?;
            let error = cats.reject("torn", "a frame without an end").unwrap_err();
            assert_eq!(error.to_string(), "row 2: a frame without an end");
            Err(error.into())
        }),
        options(),
    );
    let error = run(pipeline).unwrap_err();
    assert_eq!(error.to_string(), "connector `cats` failed: row 2: a frame without an end");
    assert_eq!(error.summary().unwrap().sources[0].bad_rows, 1);
}

/// Each table counts all rows that were offered: good and bad ones, in a transaction or not.
#[test]
fn an_error_has_the_number_of_the_row_in_its_table() {
    let pipeline = pipeline();
    pipeline.read(source(|(cats, numbers): (Subject<Cat>, Subject<Number>)| {
        let row = |result: Result<(), RowError>| result.unwrap_err().row();
        for n in 0..10 {
            numbers.next(Number { n })?;
        }
        cats.next(cat(1, "a"))?;
        cats.remove(1)?;
        assert_eq!(row(cats.next_json("3")), Some(3));
        let transaction = cats.transaction();
        transaction.next(cat(1, "a"))?;
        for n in 0..10 {
            transaction.with(&numbers).next(Number { n })?;
        }
        assert_eq!(row(transaction.next_json("5")), Some(5));
        assert_eq!(row(transaction.with(&cats).next_json("6")), Some(6));
        assert_eq!(row(transaction.with(&numbers).next_json("21")), Some(21));
        transaction.next(cat(1, "a"))?;
        assert_eq!(row(transaction.reject("8", "no")), Some(8));
        transaction.commit()?;
        assert_eq!(row(cats.next_json("9")), Some(9));
        assert_eq!(row(numbers.next_value(json!(22))), Some(22));
        Ok(())
    }));
    run(pipeline).unwrap();
}

// Contract 7.5
#[test]
fn a_row_on_a_closed_subject_does_not_count_as_bad() {
    let dir = TempDir::new();
    let path = dir.path("bad.jsonl");
    for bad_rows in [BadRows::Fail, BadRows::Skip, BadRows::Quarantine(path.clone())] {
        let pipeline = pipeline();
        let (ready, is_ready) = mpsc::channel();
        pipeline.read_with(
            source(move |cats: Subject<Cat>| {
                let transaction = cats.transaction();
                ready.send(())?;
                let _ = cats.wait_closed();
                for row in ROWS {
                    assert!(cats.next_json(row).unwrap_err().is_closed());
                    assert!(transaction.next_json(row).unwrap_err().is_closed());
                    assert!(transaction.with(&cats).next_json(row).unwrap_err().is_closed());
                }
                assert!(cats.next_value(json!(1)).unwrap_err().is_closed());
                assert!(cats.reject("torn", "by the stop").unwrap_err().is_closed());
                Err(transaction.reject("torn", "by the stop").unwrap_err().into())
            }),
            options().bad_rows(bad_rows),
        );
        let running = pipeline.start().unwrap();
        next(&is_ready);
        running.stop();
        let summary = within(move || running.join()).unwrap();
        assert_eq!((summary.stop, summary.sources[0].bad_rows), (Some(Stop::Handle), 0));
    }
    assert_eq!(read(path), "");
}

#[derive(Schema, Debug, PartialEq)]
struct Pair {
    a: u8,
    b: String,
    c: Vec<u8>,
    #[schema(default)]
    d: Option<f64>,
}

/// Whatever is wrong with a row, and in whichever column: none of its values stays in the columns.
/// An offset that calls a function when it is written to the quarantine file.
#[derive(Clone)]
struct Telling(std::sync::Arc<dyn Fn() + Send + Sync>);

impl serde::Serialize for Telling {
    fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        (self.0)();
        serializer.serialize_unit()
    }
}

impl<'de> serde::Deserialize<'de> for Telling {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Telling(std::sync::Arc::new(|| ())))
    }
}

/// The text of a bad row, which closes its subject when it is read, as another thread can do at that moment.
struct Closing(Subject<Cat>);

impl AsRef<[u8]> for Closing {
    fn as_ref(&self) -> &[u8] {
        let _ = self.0.clone().close();
        b"torn"
    }
}

// Contract 7.5
#[test]
fn a_bad_row_whose_subject_is_closed_before_it_is_counted_does_not_count() {
    let dir = TempDir::new();
    let path = dir.path("bad.jsonl");
    for bad_rows in [BadRows::Fail, BadRows::Skip, BadRows::Quarantine(path.clone())] {
        let pipeline = pipeline();
        let run_source = source(|cats: Subject<Cat>| {
            assert!(cats.reject(Closing(cats.clone()), "torn").unwrap_err().is_closed());
            Ok(())
        });
        pipeline.read_with(run_source, options().bad_rows(bad_rows));
        assert_eq!(run(pipeline).unwrap().sources[0].bad_rows, 0);
    }
    assert_eq!(read(path), "");
}

// Contract 7.5
#[test]
fn a_bad_row_that_was_admitted_before_a_stop_counts_and_its_push_returns_ok() {
    let pipeline = pipeline();
    let stop = pipeline.stop_handle();
    let offset = Telling(std::sync::Arc::new(move || stop.stop()));
    let (sender, results) = mpsc::channel();
    let run_source = source(move |cats: Subject<Cat, Telling>| {
        // The stop comes after the row was found bad, and before its offset is set.
        sender.send(cats.next_json_at(offset.clone(), r#"{"key": true}"#).is_ok())?;
        sender.send(cats.next_json_at(offset.clone(), r#"{"key": true}"#).is_err_and(|error| error.is_closed()))?;
        Ok(())
    });
    pipeline.read_with(run_source, options().bad_rows(BadRows::Skip));
    let summary = run(pipeline).unwrap();
    assert_eq!(results.iter().collect::<Vec<_>>(), [true, true]);
    assert_eq!(summary.sources[0].bad_rows, 1);
}

#[test]
fn a_bad_row_leaves_no_values_in_the_columns() {
    let good = r#"{"a": 1, "b": "x", "c": "AQI=", "d": 1.5}"#;
    let bad = [
        "",
        "null",
        "[]",
        "{}",
        "{",
        r#"{"a": 256, "b": "x", "c": ""}"#,
        r#"{"a": -1, "b": "x", "c": ""}"#,
        r#"{"a": 1.5, "b": "x", "c": ""}"#,
        r#"{"a": null, "b": "x", "c": ""}"#,
        r#"{"a": 1, "b": "x"}"#,
        r#"{"a": 1, "a": 1, "b": "x", "c": ""}"#,
        r#"{"a": 1, "b": "x", "c": "!"}"#,
        r#"{"a": 1, "b": "x", "c": "", "d": "much"}"#,
        r#"{"a": 1, "b": "x", "c": ""} {"#,
        r#"{"a": 1, "b": "x", "c": "", "e": tru}"#,
        "{\"a\": 1, \"b\": \"x\ny\", \"c\": \"\"}",
        r#"{"d": 1, "c": "AQ==", "b": "x"}"#,
    ];
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |pairs: Subject<Pair>| {
            let transaction = pairs.transaction();
            for bad in bad {
                pairs.next_json(good)?;
                pairs.next_json(bad).expect_err(bad);
                transaction.next_json(good)?;
                transaction.next_json(bad).expect_err(bad);
            }
            pairs.next_json(b"{\"a\": 1, \"b\": \"\xff\", \"c\": \"\"}").unwrap_err();
            transaction.commit()?;
            Ok(())
        }),
        options(),
    );
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    assert_eq!(summary.sources[0].bad_rows as usize, 2 * bad.len() + 1);
    let updates = updates(&seen);
    assert_eq!(updates.len(), 2 * bad.len());
    let row = Pair { a: 1, b: "x".into(), c: vec![1, 2], d: Some(1.5) };
    assert!(updates.iter().all(|update| *update == (Pair { b: "x".into(), c: vec![1, 2], ..row }, 1)));
}

/// The lines of `ROWS`, with blank lines and line ends as in real files.
fn buffer() -> String {
    format!("{}\r\n\n{}\n  \n{}\n{}\r\n{}", ROWS[0], ROWS[1], ROWS[2], ROWS[3], ROWS[4])
}

#[test]
fn the_error_of_many_lines_names_the_bad_ones_and_the_good_ones_arrive() {
    let pipeline = pipeline();
    let (give, given) = mpsc::channel::<LinesError>();
    let table = pipeline.read_with(
        source(move |cats: Subject<Cat>| {
            assert_eq!(cats.next_json_lines("\n")?, 0);
            give.send(cats.next_json_lines(buffer()).unwrap_err())?;
            let transaction = cats.transaction();
            give.send(transaction.next_json_lines(buffer()).unwrap_err())?;
            give.send(transaction.with(&cats).next_json_lines(buffer()).unwrap_err())?;
            drop(transaction);
            assert_eq!(cats.next_json_lines(ROWS[4])?, 1);
            Ok(())
        }),
        options(),
    );
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    assert_eq!(updates(&seen), [(cat(1, "felis"), 1), (cat(5, "lynx"), 1)]);
    assert_eq!((summary.sources[0].rows, summary.sources[0].bad_rows), (3, 9));
    let errors: Vec<LinesError> = given.try_iter().collect();
    assert_eq!(errors.len(), 3);
    for error in errors {
        let lines: Vec<_> = error.bad_lines().iter().map(|bad| (bad.line, bad.error.column())).collect();
        assert_eq!(lines, [(3, Some("genus")), (5, None), (6, Some("genus"))]);
        assert_eq!((error.rows(), error.bad_line_count(), error.closed_at()), (2, 3, None));
        assert!(error.to_string().starts_with("line 3: row "), "{error}");
    }
}

#[test]
fn the_policy_applies_to_bad_rows_among_many_lines() {
    let directory = TempDir::new();
    let bad = directory.path("bad.jsonl");
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|cats: Subject<Cat>| {
            assert_eq!(cats.next_json_lines(buffer())?, 2);
            Ok(())
        }),
        options().bad_rows(BadRows::Quarantine(bad.clone())),
    );
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    assert_eq!(updates(&seen), [(cat(1, "felis"), 1), (cat(5, "lynx"), 1)]);
    assert_eq!(summary.sources[0].bad_rows, 3);
    assert_eq!(read(&bad).lines().count(), 3);
}

#[test]
fn many_lines_wait_for_a_small_backlog_and_end_when_the_subject_is_closed() {
    let pipeline = pipeline();
    let (give, given) = mpsc::channel::<LinesError>();
    let stop = pipeline.stop_handle();
    let table = pipeline.read_with(
        source(move |numbers: Subject<Number>| {
            let lines: String = (0..2_000).map(|n| format!("{{\"n\": {n}}}\n")).collect();
            assert_eq!(numbers.next_json_lines(&lines)?, 2_000);
            stop.stop();
            assert_eq!(numbers.next_json_lines("\n\n")?, 0);
            let error = numbers.next_json_lines("\n{\"n\": 7}\n").unwrap_err();
            give.send(error)?;
            Ok(())
        }),
        options().backlog(7),
    );
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    let commits = by_commit(&seen);
    assert!(commits.iter().all(|commit| commit.len() <= 7));
    assert_eq!(commits.concat(), (0..2_000).collect::<Vec<u64>>());
    assert_eq!(summary.stop, Some(Stop::Handle));
    let error = given.try_recv().unwrap();
    assert_eq!((error.is_closed(), error.closed_at(), error.rows()), (true, Some(2), 0));
    assert_eq!(error.to_string(), "the subject was closed before line 2; 0 rows were pushed");
}

// FAULTS 7
#[test]
fn a_byte_order_mark_is_skipped_in_front_of_a_row() {
    let pipeline = pipeline();
    let table = pipeline.read(source(|cats: Subject<Cat>| {
        cats.next_json("\u{feff}{\"key\": 1, \"genus\": \"felis\"}")?;
        let lines =
            "\u{feff}{\"key\": 2, \"genus\": \"lynx\"}\r\n\u{feff}\r\n\n\u{feff} {\"genus\": \"puma\", \"key\": 3}\n";
        assert_eq!(cats.next_json_lines(lines)?, 2);
        let transaction = cats.transaction();
        transaction.next_json("\u{feff}{\"key\": 4, \"genus\": \"\u{feff}leo\"}")?;
        transaction.commit()?;
        let error = cats.next_json("\u{feff}{\"key\": true}").unwrap_err();
        assert_eq!((error.column(), error.position()), (Some("key"), Some(11)));
        let error = cats.next_json("\u{feff}\u{fffe}{}").unwrap_err();
        assert_eq!(error.position(), Some(3));
        Ok(())
    }));
    let seen = commits(&table);
    run(pipeline).unwrap();
    let rows: Vec<Cat> = updates(&seen).into_iter().map(|(row, _)| row).collect();
    assert_eq!(rows, [cat(1, "felis"), cat(2, "lynx"), cat(3, "puma"), cat(4, "\u{feff}leo")]);
}

// FAULTS 8
#[test]
fn a_blank_line_is_a_bad_row_that_is_named_so() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|cats: Subject<Cat>| {
            for blank in ["", "\n", " \t\r\n", "\u{feff}", "\u{feff} \n"] {
                cats.next_json(blank)?;
            }
            Ok(cats.next_json(ROWS[0])?)
        }),
        options().bad_rows(BadRows::Skip),
    );
    let seen = commits(&table);
    assert_eq!(run(pipeline).unwrap().sources[0].bad_rows, 5);
    assert_eq!(updates(&seen), [(cat(1, "felis"), 1)]);

    let pipeline = self::pipeline();
    pipeline.read(source(|cats: Subject<Cat>| Ok(cats.next_json("\n")?)));
    assert!(run(pipeline).unwrap_err().to_string().ends_with("row 1, byte 1: the line is blank"));
}

// FAULTS 9
#[test]
fn a_byte_that_is_not_utf_8_is_one_bad_row_of_a_file() {
    use std::io::{BufRead, BufReader};

    let file = b"{\"key\": 1, \"genus\": \"felis\"}\n{\"key\": 2, \"genus\": \"l\xffnx\"}\r\n\n{\"key\": 3, \"genus\": \"puma\"}";
    let [by_line, at_once] = [false, true].map(|at_once| {
        let pipeline = pipeline();
        let table = pipeline.read_with(
            source(move |cats: Subject<Cat>| {
                if at_once {
                    cats.next_json_lines(file)?;
                    return Ok(());
                }
                for line in BufReader::new(&file[..]).split(b'\n') {
                    cats.next_json(line?)?;
                }
                Ok(())
            }),
            options().bad_rows(BadRows::Skip),
        );
        let seen = commits(&table);
        let bad = run(pipeline).unwrap().sources[0].bad_rows;
        assert_eq!(updates(&seen), [(cat(1, "felis"), 1), (cat(3, "puma"), 1)]);
        bad
    });
    // `next_json_lines` skips the blank line.
    assert_eq!((by_line, at_once), (2, 1));
}
