//! Rows that are too large for SQLite, with a limit that is lower than its own.

use std::collections::BTreeMap;
use std::path::Path;

use pathway_io::{BadRows, ColumnType, Pipeline, Result, RunResult, Schema, Subject, Summary, sqlite};
use rusqlite::Connection;
use rusqlite::limits::Limit;
use serde_json::Value;

use crate::common::{Cat, TempDir, cat, run, source};
use crate::options;

const LIMIT: usize = 100_000;

fn written<S: Schema>(
    pipeline: Pipeline,
    path: &Path,
    bad_rows: BadRows,
    run_source: impl FnMut(Subject<S, u64>) -> RunResult + Send + 'static,
) -> Result<Summary> {
    pipeline.handle_signals(false);
    let table = pipeline.read_with(source(run_source), options(bad_rows));
    sqlite::write_with(&table, path, sqlite::Options::new().row_limit(LIMIT));
    run(pipeline)
}

fn count(path: &Path, table: &str) -> i64 {
    let query = format!("SELECT count(*) FROM \"{table}\"");
    Connection::open(path).unwrap().query_row(&query, [], |row| row.get(0)).unwrap()
}

#[derive(Schema)]
struct Text {
    text: String,
}

#[test]
fn a_text_of_a_database_in_utf_16_takes_two_bytes_for_each_letter() {
    let directory = TempDir::new();
    let path = directory.path("texts.sqlite");
    Connection::open(&path).unwrap().execute_batch("PRAGMA encoding = 'UTF-16'; CREATE TABLE other (x)").unwrap();
    let lens = [LIMIT / 2 - 60, LIMIT / 2 + 1, LIMIT - 60];
    let summary = written(Pipeline::new(), &path, BadRows::Skip, move |texts| {
        lens.into_iter().zip(0..).try_for_each(|(len, at)| texts.next_at(at, Text { text: "a".repeat(len) }))?;
        // A letter of three bytes has two in UTF-16. SQLite compares the length of the text that it is given, too.
        texts.next_at(3, Text { text: "\u{1160}".repeat(LIMIT / 3 + 1) })?;
        Ok(texts.next_at(4, Text { text: "\u{1160}".repeat(LIMIT / 3 - 60) })?)
    })
    .unwrap();
    assert_eq!((summary.sources[0].bad_rows, count(&path, "Text")), (3, 2));
}

#[derive(ColumnType)]
enum Long {
    #[column(rename = "a variant whose name has far more bytes than the two that the column has for it")]
    Name,
}

#[derive(Schema, Default)]
struct Kinds {
    #[schema(primary_key)]
    key: String,
    id: i64,
    maybe: Option<String>,
    bytes: Vec<u8>,
    list: Vec<String>,
    enums: Vec<Long>,
    json: Value,
    map: BTreeMap<String, i64>,
    #[schema(json)]
    any: Vec<(String, f64)>,
}

fn long(len: usize) -> String {
    "x".repeat(len)
}

#[test]
fn a_value_of_any_kind_that_is_too_long_is_refused_at_the_push() {
    let directory = TempDir::new();
    let path = directory.path("kinds.sqlite");
    let run = |kinds: Subject<Kinds, u64>| {
        let rows = [
            ("key", Kinds { key: long(LIMIT), ..Kinds::default() }),
            ("maybe", Kinds { maybe: Some(long(LIMIT)), ..Kinds::default() }),
            ("bytes", Kinds { bytes: vec![0; LIMIT], ..Kinds::default() }),
            ("list", Kinds { list: vec![long(10); LIMIT / 12], ..Kinds::default() }),
            ("enums", Kinds { enums: (0..LIMIT / 40).map(|_| Long::Name).collect(), ..Kinds::default() }),
            ("json", Kinds { json: Value::String(long(LIMIT)), ..Kinds::default() }),
            ("map", Kinds { map: [(long(LIMIT), 1)].into(), ..Kinds::default() }),
            ("any", Kinds { any: vec![(long(LIMIT), 1.5)], ..Kinds::default() }),
            // No value is too long by itself.
            (
                "bytes",
                Kinds {
                    key: long(LIMIT / 3),
                    maybe: Some(long(LIMIT / 3)),
                    bytes: vec![0; LIMIT / 3 + 1],
                    ..Kinds::default()
                },
            ),
        ];
        for (number, (column, row)) in rows.into_iter().enumerate() {
            let json = row_json(&row);
            let error = kinds.next_json(json).unwrap_err();
            assert_eq!(error.column(), Some(column), "row {number}");
            assert!(
                error.reason().starts_with("SQLite holds at most 100000 bytes in a row, and this row takes up to "),
                "{error}"
            );
        }
        for (key, row) in (0..).zip([
            Kinds { maybe: Some(long(LIMIT - 500)), ..Kinds::default() },
            Kinds { bytes: vec![0; LIMIT - 500], ..Kinds::default() },
            Kinds { json: Value::String(long(LIMIT - 500)), ..Kinds::default() },
        ]) {
            kinds.next_at(key, Kinds { key: key.to_string(), ..row })?;
        }
        Ok(())
    };
    let summary = written(Pipeline::new(), &path, BadRows::Fail, run).unwrap();
    assert_eq!((summary.sources[0].bad_rows, count(&path, "Kinds")), (9, 3));
}

/// The row as JSON, as the schema writes it.
fn row_json(row: &Kinds) -> String {
    use base64::Engine as _;
    serde_json::json!({
        "key": row.key,
        "id": row.id,
        "maybe": row.maybe,
        "bytes": base64::prelude::BASE64_STANDARD.encode(&row.bytes),
        "list": row.list,
        "enums": vec!["a variant whose name has far more bytes than the two that the column has for it"; row.enums.len()],
        "json": row.json,
        "map": row.map,
        "any": row.any,
    })
    .to_string()
}

#[test]
fn sqlite_holds_every_row_that_passes_the_check() {
    // Each length around the limit: SQLite, with the same limit, refuses none that the check accepts.
    let directory = TempDir::new();
    let path = directory.path("texts.sqlite");
    let run = |texts: Subject<Text, u64>| {
        for len in LIMIT - 100..=LIMIT + 10 {
            texts.next(Text { text: long(len) })?;
            texts.commit_at(len as u64)?;
        }
        Ok(())
    };
    let summary = written(Pipeline::new(), &path, BadRows::Skip, run).unwrap();
    let held = count(&path, "Text");
    assert_eq!(held + summary.sources[0].bad_rows as i64, 111);
    assert!((25..100).contains(&held), "{held}");
    // SQLite itself refuses slightly larger rows. Otherwise the test would prove nothing.
    let database = Connection::open(&path).unwrap();
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, LIMIT as i32).unwrap();
    let error = database.execute("INSERT INTO Text VALUES (?, 1, 1)", [long(LIMIT)]).unwrap_err();
    assert!(error.to_string().contains("too big"), "{error}");
}

#[test]
#[cfg(feature = "persist")]
fn a_persistent_pipeline_starts_again_after_a_refused_row() {
    let directory = TempDir::new();
    let path = directory.path("texts.sqlite");
    for start in 0..3 {
        let run = move |texts: Subject<Text, u64>| {
            let from = texts.resume().unwrap_or(0);
            assert_eq!(from, start * 2);
            texts.next_at(from + 1, Text { text: long(LIMIT) })?;
            Ok(texts.next_at(from + 2, Text { text: "short".into() })?)
        };
        let pipeline = Pipeline::persistent(directory.path("state")).unwrap();
        let bad_rows = BadRows::Quarantine(directory.path("bad.jsonl"));
        let summary = written(pipeline, &path, bad_rows, run).unwrap();
        assert_eq!((summary.sources[0].bad_rows, count(&path, "Text")), (1, start as i64 + 1));
    }
    assert_eq!(crate::read(directory.path("bad.jsonl")).lines().count(), 3);
}

#[test]
fn many_refused_rows_of_one_commit_are_found_together() {
    for updates in [false, true] {
        let directory = TempDir::new();
        let [path, refused] = ["cats.sqlite", "refused.jsonl"].map(|name| directory.path(name));
        let database = Connection::open(&path).unwrap();
        let (key, more) = if updates { ("", ", time INTEGER, diff INTEGER") } else { ("PRIMARY KEY", "") };
        let table = format!(
            "CREATE TABLE Cat (key INTEGER NOT NULL {key}, genus TEXT NOT NULL CHECK (genus <> 'panthera'){more})"
        );
        database.execute_batch(&table).unwrap();
        let write = |policy: BadRows, rows: i64| {
            let pipeline = Pipeline::new();
            pipeline.handle_signals(false);
            let push = move |cats: Subject<Cat, u64>| {
                (0..rows).try_for_each(|key| Ok(cats.next(cat(key, if key % 2 == 0 { "lynx" } else { "panthera" }))?))
            };
            let cats = pipeline.read_with(source(push), options(BadRows::Fail));
            let to = sqlite::Options::new().refused_rows(policy);
            sqlite::write_with(&cats, &path, if updates { to.updates() } else { to });
            run(pipeline)
        };
        write(BadRows::Fail, 1).unwrap();
        let opened = "CREATE TABLE opened (n INTEGER);
                      CREATE TRIGGER opened AFTER INSERT ON pathway_io_tables BEGIN INSERT INTO opened VALUES (1); END";
        database.execute_batch(opened).unwrap();
        let summary = write(BadRows::Quarantine(refused.clone()), 200).unwrap();
        assert_eq!((summary.refused_updates, count(&path, "Cat")), (100, 100));
        // At the start, to undo the commit, and to write it without these rows.
        assert_eq!(count(&path, "opened"), 3);
        let lines = crate::read(&refused);
        assert!(lines.lines().count() == 100 && lines.lines().all(|line| line.contains("panthera")), "{lines}");
    }
}

#[test]
fn a_trigger_that_ends_the_transaction_leaves_out_its_row_alone() {
    let directory = TempDir::new();
    let path = directory.path("cats.sqlite");
    let table = "CREATE TABLE Cat (key INTEGER NOT NULL PRIMARY KEY, genus TEXT NOT NULL CHECK (key <> 1));
                 CREATE TRIGGER refuse BEFORE INSERT ON Cat WHEN new.key = 2 BEGIN SELECT RAISE(ROLLBACK, 'no'); END";
    Connection::open(&path).unwrap().execute_batch(table).unwrap();
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    let push = |cats: Subject<Cat, u64>| (0..4).try_for_each(|key| Ok(cats.next(cat(key, "lynx"))?));
    let cats = pipeline.read_with(source(push), options(BadRows::Fail));
    sqlite::write_with(&cats, &path, sqlite::Options::new().refused_rows(BadRows::Skip));
    assert_eq!((run(pipeline).unwrap().refused_updates, count(&path, "Cat")), (2, 2));
}

#[test]
fn a_refused_change_makes_room_for_a_later_row() {
    let directory = TempDir::new();
    let path = directory.path("cats.sqlite");
    let table =
        "CREATE TABLE Cat (key INTEGER NOT NULL PRIMARY KEY, genus TEXT NOT NULL UNIQUE CHECK (genus <> 'panthera'))";
    let database = Connection::open(&path).unwrap();
    database.execute_batch(table).unwrap();
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    let cats = pipeline.read_with(source(crate::refused_change), options(BadRows::Fail));
    sqlite::write_with(&cats, &path, sqlite::Options::new().refused_rows(BadRows::Skip));
    assert_eq!(run(pipeline).unwrap().refused_updates, 1);
    let found = database.query_row("SELECT max(key), genus FROM Cat", [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!((found.unwrap(), count(&path, "Cat")), ((2, "lynx".to_owned()), 1));
}
