//! The updates of the program in Parquet files.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pathway_io::{Table, parquet as sink};

use crate::child::Program;
use crate::outputs::{self, Commits};
use crate::program::Booking;

const DIRECTORY: &str = "parts";

/// Adds a Parquet sink with small parts, so that parts end often.
pub fn add(bookings: &Table<Booking>, directory: &Path) {
    let options = sink::Options::new().rows(17).every(Duration::from_millis(3));
    sink::write(bookings, directory.join(DIRECTORY), options);
}

/// Returns the commits in all parts.
fn commits(program: &Program) -> Commits {
    let entries = fs::read_dir(program.path(DIRECTORY)).expect("the sink made it");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let mut updates = Vec::new();
    for path in paths {
        assert_eq!(path.extension().and_then(|end| end.to_str()), Some("parquet"), "only complete parts are left");
        let file = File::open(path).expect("it is there");
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).expect("a footer").build().expect("a schema") {
            let batch = batch.expect("whole pages");
            let steps = batch.column(0).as_primitive::<UInt64Type>();
            let texts = batch.column(1).as_string::<i32>();
            let [times, diffs] = [2, 3].map(|column| batch.column(column).as_primitive::<Int64Type>());
            for row in 0..batch.num_rows() {
                let line = serde_json::json!({ "step": steps.value(row), "text": texts.value(row) });
                let time = u64::try_from(times.value(row)).expect("a time");
                updates.push((time, line.to_string(), diffs.value(row)));
            }
        }
    }
    outputs::commits(updates, "the parts")
}

/// Compares the parts with the file of the program.
#[track_caller]
pub fn check(program: &Program, bookings: &Commits) {
    let found = commits(program);
    let difference = outputs::first("commit of the parts", &found, bookings);
    assert_eq!(difference, None, "{} and {} commits", found.len(), bookings.len());
}
