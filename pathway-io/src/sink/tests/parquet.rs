//! Runs the checks of `sink_tests!` on Parquet files. A flush ends a part, as the checkpointer does.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, DurationNanosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType as ArrowType, TimeUnit};
use base64::Engine as _;
use serde_json::{Value, json};

use super::attached;
use crate::parquet::{Options, write};
use crate::rows::column::{Buffer, ColumnType, Style};

crate::sink_tests! {
    parts: |directory| attached(|table| write(table, directory.join("parts"), Options::new())),
    updates: |directory| read(&directory.join("parts")),
}
// Each commit is a part.
crate::sink_tests! {
    small_parts: |directory| attached(|table| write(table, directory.join("parts"), Options::new().rows(1))),
    updates: |directory| read(&directory.join("parts")),
}

/// The updates in all complete parts, in order.
fn read(directory: &Path) -> Vec<Value> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "parquet")).collect();
    paths.sort();
    let batches = paths
        .iter()
        .flat_map(|path| ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap());
    batches.flat_map(|batch| rows(&batch.unwrap())).collect()
}

fn rows(batch: &RecordBatch) -> Vec<Value> {
    let schema = batch.schema();
    let row = |row: usize| {
        let columns = schema.fields().iter().zip(batch.columns());
        let named = columns.map(|(field, column)| {
            let is_json = field.metadata().get("ARROW:extension:name").is_some_and(|name| name == "arrow.json");
            let value = value(column, row);
            let value = if is_json { serde_json::from_str(value.as_str().unwrap()).unwrap() } else { value };
            (field.name().clone(), value)
        });
        named.collect::<serde_json::Map<_, _>>().into()
    };
    (0..batch.num_rows()).map(row).collect()
}

fn values(array: &ArrayRef) -> Vec<Value> {
    (0..array.len()).map(|row| value(array, row)).collect()
}

fn number<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn float(value: f64) -> Value {
    match value {
        _ if value.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ => json!(value),
    }
}

/// The text of an instant.
fn instant(nanos: i64) -> Value {
    let since = Duration::from_nanos(nanos.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let mut buffer = <SystemTime as ColumnType>::Buffer::default();
    buffer.push(if nanos < 0 { epoch - since } else { epoch + since });
    let mut text = Vec::new();
    buffer.write_json(0, Style::Plain, &mut text);
    serde_json::from_slice(&text).unwrap()
}

/// A value in the form in which rows are read.
fn value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        ArrowType::Boolean => json!(array.as_boolean().value(row)),
        ArrowType::Int8 => json!(number::<Int8Type>(array, row)),
        ArrowType::Int16 => json!(number::<Int16Type>(array, row)),
        ArrowType::Int32 => json!(number::<Int32Type>(array, row)),
        ArrowType::Int64 => json!(number::<Int64Type>(array, row)),
        ArrowType::UInt8 => json!(number::<UInt8Type>(array, row)),
        ArrowType::UInt16 => json!(number::<UInt16Type>(array, row)),
        ArrowType::UInt32 => json!(number::<UInt32Type>(array, row)),
        ArrowType::UInt64 => json!(number::<UInt64Type>(array, row)),
        ArrowType::Float32 => float(number::<Float32Type>(array, row).into()),
        ArrowType::Float64 => float(number::<Float64Type>(array, row)),
        ArrowType::Utf8 => json!(array.as_string::<i32>().value(row)),
        ArrowType::Binary => json!(base64::prelude::BASE64_STANDARD.encode(array.as_binary::<i32>().value(row))),
        ArrowType::Duration(TimeUnit::Nanosecond) => json!(number::<DurationNanosecondType>(array, row)),
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => instant(number::<TimestampNanosecondType>(array, row)),
        ArrowType::List(_) => values(&array.as_list::<i32>().value(row)).into(),
        ArrowType::FixedSizeList(..) => values(&array.as_fixed_size_list().value(row)).into(),
        ArrowType::Struct(_) => array.as_struct().columns().iter().map(|item| value(item, row)).collect(),
        ArrowType::Map(..) => {
            let entries = array.as_map().value(row);
            let keys = values(entries.column(0)).into_iter().map(|key| key.as_str().unwrap().to_owned());
            keys.zip(values(entries.column(1))).collect::<serde_json::Map<_, _>>().into()
        }
        other => panic!("no column of the kit has the type {other}"),
    }
}
