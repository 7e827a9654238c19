//! Rows that are too large for SQLite, with a limit that is lower than its own.

use std::collections::BTreeMap;
use std::path::Path;

use pathway_io::{BadRows, ColumnType, Pipeline, Result, RunResult, Schema, Subject, Summary, sqlite};
use rusqlite::Connection;
use rusqlite::limits::Limit;
use serde_json::Value;

use crate::common::{TempDir, run, source};
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
