//! Tables as JSON Lines files.
//!
//! Each update is one JSON object on one line: the schema's columns in order, then `diff` and `time`. A null
//! is `null`; floats that JSON cannot express are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`; bytes are
//! base64; a `Duration` is a number of nanoseconds. The same schema reads the lines back with
//! [`next_json`](crate::Subject::next_json), which ignores `diff` and `time`, even with `deny_unknown`.
//!
//! ```
//! use pathway_io::{Pipeline, Schema, Subject, connector, jsonlines};
//!
//! #[derive(Schema)]
//! struct Cat {
//!     key: i64,
//!     genus: String,
//!     weight: Option<f64>,
//! }
//!
//! struct Cats;
//!
//! #[connector]
//! impl Cats {
//!     fn run(&mut self, cats: Subject<Cat>) -> pathway_io::RunResult {
//!         cats.next(Cat { key: 1, genus: "felis".into(), weight: Some(4.0) })?;
//!         Ok(())
//!     }
//! }
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("cats.jsonl");
//! let pipeline = Pipeline::new();
//! let cats = pipeline.read(Cats);
//! jsonlines::write(&cats, &path);
//! pipeline.run()?;
//! let text = std::fs::read_to_string(&path)?;
//! assert!(text.starts_with(r#"{"key":1,"genus":"felis","weight":4.0,"diff":1,"time":"#));
//! # Ok::<(), pathway_io::Error>(())
//! ```

use std::path::Path;

use crate::rows::column::Style;
use crate::rows::commit::Commit;
use crate::rows::description::TableSchema;
use crate::rows::row_writer::RowWriter;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::RunResult;
use crate::sink::Sink;
use crate::sink::file::OutputFile;
use crate::sink::spec::{AnySink, SinkSpec};

/// Writes the updates of a table to a JSON Lines file.
///
/// The pipeline creates or truncates the file when it starts. A persistent pipeline continues the file of its last run.
///
/// ```no_run
/// # use pathway_io::{connector, csv, jsonlines, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64 }
/// # struct Cats;
/// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
/// # let pipeline = Pipeline::new();
/// let cats = pipeline.read(Cats);
/// jsonlines::write(&cats, "cats.jsonl");
/// # Ok::<(), pathway_io::Error>(())
/// ```
///
/// # Panics
///
/// Panics if the pipeline of the table has been started or dropped.
pub fn write<S: Schema>(table: &Table<S>, path: impl AsRef<Path>) {
    let path = path.as_ref();
    let sink = JsonLinesSink { file: OutputFile::new(path), writer: RowWriter::new::<S>() };
    table.add_sink(SinkSpec::file(path.to_owned(), Box::new(sink)));
}

struct JsonLinesSink {
    file: OutputFile,
    writer: RowWriter,
}

impl<S: Schema> AnySink<S> for JsonLinesSink {
    fn file(&mut self) -> Option<&mut OutputFile> {
        Some(&mut self.file)
    }

    fn format(&self) -> Option<&'static str> {
        Some("jsonlines")
    }
}

impl<S: Schema> Sink<S> for JsonLinesSink {
    fn open(&mut self, _schema: &'static TableSchema) -> RunResult {
        self.file.open()?;
        Ok(())
    }

    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        let writer = &self.writer;
        let fields = |columns: &_, row, out: &mut Vec<u8>| writer.write_fields(Style::Plain, columns, row, out);
        self.file.write_records(commit, fields, end)
    }

    fn flush(&mut self) -> RunResult {
        self.file.flush()
    }
}

fn end(diff: i64, time: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"diff\":");
    out.extend_from_slice(itoa::Buffer::new().format(diff).as_bytes());
    out.extend_from_slice(b",\"time\":");
    out.extend_from_slice(itoa::Buffer::new().format(time).as_bytes());
    out.extend_from_slice(b"}\n");
}
