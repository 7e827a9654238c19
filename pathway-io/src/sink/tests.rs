//! Runs `sink_tests!` on the sinks of this crate.

#[cfg(feature = "parquet")]
mod parquet;
#[cfg(all(unix, feature = "postgres"))]
mod postgres;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::attach::TableSinks;
use super::csv;
use super::spec::AnySink;
use super::{Sink, jsonlines};
use crate::rows::commit::Commit;
use crate::rows::data_type::DataType;
use crate::rows::description::TableSchema;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::{BoxError, RunResult};
use crate::schema::infer::csv::CsvReader;
use crate::testing::EveryColumn;

/// A sink that is attached to a table, called by the kit instead of its thread.
struct Attached<S: Schema>(Box<dyn AnySink<S>>);

fn attached<S: Schema + Send>(attach: impl FnOnce(&Table<S>)) -> Attached<S> {
    let pipeline = crate::Pipeline::new();
    let table = pipeline.read(crate::testing::script([]));
    attach(&table);
    Attached(table.extensions().get::<TableSinks<S>>().take().pop().unwrap().sink)
}

impl<S: Schema> Sink<S> for Attached<S> {
    fn open(&mut self, schema: &'static TableSchema) -> RunResult {
        self.0.open(schema)
    }

    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        self.0.write(commit)
    }

    fn flush(&mut self) -> RunResult {
        self.0.flush()?;
        // A sink that writes parts makes its commits durable only when the checkpointer asks for the end of a part.
        self.0.staged().map_or(Ok(()), |sink| sink.end_part())
    }

    fn is_transactional(&self) -> bool {
        self.0.is_transactional()
    }

    fn recover(&mut self, schema: &'static TableSchema) -> Result<Option<u64>, BoxError> {
        self.0.recover(schema)
    }

    fn close(&mut self) -> RunResult {
        self.0.close()
    }
}

crate::sink_tests! {
    csv_files: |directory| attached(|table| csv::write(table, directory.join("out.csv"))),
    updates: |directory| read_csv(&directory.join("out.csv")),
}
crate::sink_tests! {
    json_lines: |directory| attached(|table| jsonlines::write(table, directory.join("out.jsonl"))),
    updates: |directory| {
        let text = fs::read_to_string(directory.join("out.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    },
}
#[cfg(feature = "sqlite")]
crate::sink_tests! {
    sqlite_rows: |directory| attached(|table| crate::sqlite::write(table, directory.join("out.sqlite"))),
    rows: |directory| read_sqlite(&directory.join("out.sqlite")),
}
#[cfg(feature = "sqlite")]
crate::sink_tests! {
    sqlite_updates: |directory| attached(|table| {
        crate::sqlite::write_with(table, directory.join("out.sqlite"), crate::sqlite::Options::new().updates());
    }),
    updates: |directory| read_sqlite(&directory.join("out.sqlite")),
}

/// Returns the JSON value for a text in a file.
fn from_text(ty: &DataType, text: &str) -> Value {
    match ty {
        DataType::F32 | DataType::F64 if text.ends_with("inf") => json!(text.replace("inf", "Infinity")),
        DataType::F32 | DataType::F64 if text == "NaN" => json!(text),
        DataType::I128 | DataType::U128 | DataType::Str | DataType::Bytes | DataType::Timestamp => json!(text),
        _ => serde_json::from_str(text).unwrap(),
    }
}

/// Returns the type of a column. `time` and `diff` are integers.
fn type_of<S: Schema>(name: &str) -> DataType {
    let column = S::SCHEMA.columns.iter().find(|column| column.name == name);
    column.map_or(DataType::I64, |column| column.data_type)
}

fn read_csv(path: &Path) -> Vec<Value> {
    let bytes = fs::read(path).unwrap();
    let mut records = CsvReader::new(&bytes, false).map(|record| record.unwrap().fields);
    let names: Vec<String> = records.next().unwrap().into_iter().map(Option::unwrap).collect();
    let row = |record: Vec<Option<String>>| -> Value {
        let value = |(name, field): (&String, Option<String>)| {
            let value = field.map_or(Value::Null, |field| from_text(&type_of::<EveryColumn>(name), &field));
            (name.clone(), value)
        };
        names.iter().zip(record).map(value).collect::<serde_json::Map<_, _>>().into()
    };
    records.map(row).collect()
}

#[cfg(feature = "sqlite")]
fn read_sqlite(path: &Path) -> Vec<Value> {
    use base64::Engine as _;
    use rusqlite::types::ValueRef;

    let database = rusqlite::Connection::open(path).unwrap();
    let mut statement = database.prepare("SELECT * FROM EveryColumn ORDER BY rowid").unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).unwrap();
    let mut values = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let value = |(number, name): (usize, &String)| {
            let ty = type_of::<EveryColumn>(name);
            let value = match row.get_ref(number).unwrap() {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) if ty == DataType::Bool => json!(number == 1),
                ValueRef::Integer(number) => json!(number),
                ValueRef::Real(number) if number.is_finite() => json!(number),
                ValueRef::Real(number) if number > 0.0 => json!("Infinity"),
                ValueRef::Real(_) => json!("-Infinity"),
                ValueRef::Blob(bytes) => json!(base64::prelude::BASE64_STANDARD.encode(bytes)),
                ValueRef::Text(text) => from_text(&ty, std::str::from_utf8(text).unwrap()),
            };
            (name.clone(), value)
        };
        values.push(names.iter().enumerate().map(value).collect::<serde_json::Map<_, _>>().into());
    }
    values
}
