//! The outputs of a row, each with the function that reads it back.

use std::fmt::Debug;

use pathway_io::{Keyed, Pipeline, ReadOptions, Schema, jsonlines};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

use crate::common::{Subject, TempDir, commits, pipeline, read, run, source, updates};

/// The requirements of these tests on a row.
#[cfg(feature = "dataflow")]
pub trait Row: Schema + Keyed<Key = i64> + pathway_io::dataflow::ResultRow + Debug + Clone + Send + Sync {}
#[cfg(feature = "dataflow")]
impl<S: Schema + Keyed<Key = i64> + pathway_io::dataflow::ResultRow + Debug + Clone + Send + Sync> Row for S {}
#[cfg(not(feature = "dataflow"))]
pub trait Row: Schema + Keyed<Key = i64> + Debug + Clone + Send + Sync {}
#[cfg(not(feature = "dataflow"))]
impl<S: Schema + Keyed<Key = i64> + Debug + Clone + Send + Sync> Row for S {}

/// Returns the values as text, in which a NaN equals itself, and `-0.0` differs from `0.0`.
fn shown<S: Debug>(rows: &[S]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

/// Returns the fields in which a retracted row and the row after it differ.
fn differences<S: Debug>(updates: &[(S, i64)]) -> String {
    let [old, new, ..] = updates else { return format!("{updates:?}") };
    let (old, new) = (format!("{:#?}", old.0), format!("{:#?}", new.0));
    let lines = old.lines().zip(new.lines()).filter(|(old, new)| old != new);
    lines.map(|(old, new)| format!("{old}\n{new}\n")).collect()
}

/// Writes rows to each output, and reads them back.
pub fn hold<S>(rows: impl Strategy<Value = Vec<S>>, key: fn(&S) -> i64)
where
    S: Row + pathway_io::schema::Removable,
{
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&rows, |rows| {
        log_and_json_lines(&rows, key);
        #[cfg(feature = "sqlite")]
        sqlite(&rows);
        #[cfg(feature = "dataflow")]
        exchange(&rows);
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
}

/// Runs a persistent pipeline, and returns the updates.
fn persistent<S: Row>(
    directory: &TempDir,
    push: impl FnMut(Subject<S, u64>) -> pathway_io::RunResult + Send + 'static,
) -> Vec<(S, i64)> {
    let pipeline = Pipeline::persistent(directory.path("state")).unwrap();
    pipeline.handle_signals(false);
    let table = pipeline.read_with(source(push), ReadOptions::new().name("rows").autocommit(None));
    let seen = commits(&table);
    jsonlines::write(&table, directory.path("rows.jsonl"));
    run(pipeline).unwrap();
    updates(&seen)
}

/// Reads rows from their JSON.
fn read_json<S: Row>(lines: Vec<String>) -> Vec<S> {
    let pipeline = pipeline();
    let table = pipeline.read(source(move |rows: Subject<S>| {
        for line in &lines {
            rows.next_json(line).map_err(|error| format!("{error}: {line}"))?;
        }
        Ok(())
    }));
    let seen = commits(&table);
    run(pipeline).unwrap();
    updates(&seen).into_iter().map(|(row, _)| row).collect()
}

fn log_and_json_lines<S: Row + pathway_io::schema::Removable>(rows: &[S], key: fn(&S) -> i64) {
    let directory = TempDir::new();
    let push = |offset: u64, rows: Vec<S>| {
        move |subject: Subject<S, u64>| {
            for row in rows.clone() {
                subject.next(row)?;
            }
            Ok(subject.advance(offset)?)
        }
    };
    let first = persistent(&directory, push(1, rows.to_vec()));
    assert_eq!(first.len(), rows.len());
    // The rows of the log are equal to those that are pushed again, and are the ones that a removal retracts.
    let again = persistent(&directory, push(2, rows.to_vec()));
    assert!(again.is_empty(), "{}", differences(&again));
    let keys: Vec<i64> = rows.iter().map(key).collect();
    let removed = persistent(&directory, move |subject: Subject<S, u64>| {
        for key in &keys {
            subject.remove(*key)?;
        }
        Ok(subject.advance(3)?)
    });
    let removed: Vec<S> = removed.into_iter().map(|(row, _)| row).collect();
    assert_eq!(shown(&removed), shown(rows));

    let written = read(directory.path("rows.jsonl"));
    let lines: Vec<String> = written.lines().take(rows.len()).map(str::to_owned).collect();
    assert_eq!(shown(&read_json::<S>(lines)), shown(rows));
}

/// Reads the rows of a database by the types of their columns, as the documentation of `sqlite` describes them.
#[cfg(feature = "sqlite")]
fn sqlite<S: Row>(rows: &[S]) {
    use base64::Engine as _;
    use pathway_io::DataType;
    use rusqlite::types::Value as Sql;

    let directory = TempDir::new();
    let path = directory.path("rows.db");
    let pipeline = pipeline();
    let pushed = rows.to_vec();
    let table = pipeline.read(source(move |subject: Subject<S>| {
        for row in pushed.clone() {
            subject.next(row)?;
        }
        Ok(())
    }));
    pathway_io::sqlite::write_with(&table, &path, pathway_io::sqlite::Options::new().table("rows"));
    run(pipeline).unwrap();

    let string = |text: &str| serde_json::to_string(text).unwrap();
    let json = |value: Sql, data_type: &DataType| match (value, data_type) {
        (Sql::Null, _) => "null".to_owned(),
        (Sql::Integer(integer), DataType::Bool) => (integer == 1).to_string(),
        (Sql::Integer(integer), _) => integer.to_string(),
        (Sql::Real(float), _) if float.is_finite() => format!("{float:?}"),
        (Sql::Real(float), _) => string(if float > 0.0 { "Infinity" } else { "-Infinity" }),
        (Sql::Blob(bytes), _) => string(&base64::prelude::BASE64_STANDARD.encode(bytes)),
        (
            Sql::Text(text),
            DataType::Json
            | DataType::List(_)
            | DataType::Array(..)
            | DataType::Tuple(_)
            | DataType::Map(_)
            | DataType::U64
            | DataType::Duration
            | DataType::SignedDuration,
        ) => text,
        (Sql::Text(text), _) => string(&text),
    };
    let database = rusqlite::Connection::open(&path).unwrap();
    let names: Vec<String> = S::schema().columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let query = format!("SELECT {} FROM rows ORDER BY \"key\"", names.join(","));
    let mut statement = database.prepare(&query).unwrap();
    let read = statement.query_map([], |row| {
        let fields = S::schema().columns.iter().enumerate().map(|(index, column)| {
            let value = json(row.get_unwrap(index), &column.data_type);
            format!("{}:{value}", string(column.name))
        });
        Ok(format!("{{{}}}", fields.collect::<Vec<_>>().join(",")))
    });
    let lines: Vec<String> = read.unwrap().map(Result::unwrap).collect();
    // SQLite has no `-0.0` in a column of floats. Lists are JSON and keep it.
    let positive = |rows: &[S]| -> Vec<String> {
        let shown = shown(rows).into_iter();
        shown.map(|row| row.replace("float: -0.0", "float: 0.0").replace("single: -0.0", "single: 0.0")).collect()
    };
    assert_eq!(positive(&read_json::<S>(lines)), positive(rows));
}

/// Sends rows through the form in which workers of several processes exchange them.
#[cfg(feature = "dataflow")]
fn exchange<S: Row>(rows: &[S]) {
    use pathway_io::dataflow::timely::Bincode;
    use pathway_io::dataflow::timely::bytes::arc::BytesMut;
    use pathway_io::dataflow::timely::communication::Bytesable;

    for row in rows {
        let sent = Bincode::from(row.clone());
        let mut bytes = Vec::new();
        sent.into_bytes(&mut bytes);
        let received = Bincode::<S>::from_bytes(BytesMut::from(bytes).freeze());
        assert!(received.payload == *row, "{}", differences(&[(received.payload, 1), (row.clone(), 1)]));
        assert_eq!(format!("{:?}", received.payload), format!("{row:?}"));
    }
}
