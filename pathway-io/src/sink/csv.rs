//! Tables as CSV files.
//!
//! The file starts with a header, also when there are no rows: the schema's columns, then `time` and `diff`. A field
//! is quoted only where RFC 4180 asks for it; a null is an empty field and an empty text is `""`. Records end with a
//! single line feed.
//!
//! ```no_run
//! # use pathway_io::{connector, csv, Pipeline, Schema, Subject};
//! # #[derive(Schema)] struct Cat { key: i64 }
//! # struct Cats;
//! # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
//! let pipeline = Pipeline::new();
//! let cats = pipeline.read(Cats);
//! csv::write(&cats, "output.csv");
//! pipeline.run()?;
//! # Ok::<(), pathway_io::Error>(())
//! ```

use std::path::Path;

use crate::column::Buffer;
use crate::commit::Commit;
use crate::error::RunResult;
use crate::fields::{Columns, Visitor};
use crate::schema::{Schema, TableSchema};
use crate::sink::Sink;
use crate::sink::file::OutputFile;
use crate::table::Table;

/// Writes the updates of a table to a CSV file, which is created or truncated when the pipeline starts.
///
/// # Panics
///
/// If the pipeline of the table has been started.
pub fn write<S: Schema>(table: &Table<S>, path: impl AsRef<Path>) {
    write_with(table, path, Options::new());
}

/// [`write`] with options.
///
/// # Panics
///
/// If the pipeline of the table has been started.
pub fn write_with<S: Schema>(table: &Table<S>, path: impl AsRef<Path>, options: Options) {
    let path = path.as_ref();
    table.add_file_sink(path, Box::new(CsvSink { file: OutputFile::new(path), options }));
}

/// How a CSV file is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Options {}

impl Options {
    /// RFC 4180 with minimal quoting.
    pub fn new() -> Self {
        Options {}
    }
}

struct CsvSink {
    file: OutputFile,
    #[expect(dead_code, reason = "dialects come with the other sinks")]
    options: Options,
}

impl<S: Schema> Sink<S> for CsvSink {
    fn open(&mut self, schema: &'static TableSchema) -> RunResult {
        self.file.open()?;
        for column in schema.columns {
            let start = self.file.buffer.len();
            self.file.buffer.extend_from_slice(column.name.as_bytes());
            quote_if_needed(&mut self.file.buffer, start);
            self.file.buffer.push(b',');
        }
        self.file.buffer.extend_from_slice(b"time,diff\n");
        Ok(self.file.flush()?)
    }

    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        Ok(self.file.write_records(commit, |columns, row, out| columns.visit(0, &mut Fields { row, out }), end)?)
    }

    fn flush(&mut self) -> RunResult {
        Ok(self.file.flush()?)
    }
}

fn end(diff: i64, time: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(time).as_bytes());
    out.push(b',');
    out.extend_from_slice(itoa::Buffer::new().format(diff).as_bytes());
    out.push(b'\n');
}

/// Appends each field of a row with a comma behind it.
struct Fields<'a> {
    row: usize,
    out: &'a mut Vec<u8>,
}

impl Visitor for Fields<'_> {
    #[inline]
    fn column<B: Buffer>(&mut self, _index: usize, buffer: &B) {
        let start = self.out.len();
        if !buffer.is_null(self.row) {
            buffer.write_text(self.row, self.out);
            if B::NEEDS_QUOTES {
                quote_if_needed(self.out, start);
            }
        }
        self.out.push(b',');
    }
}

/// Quotes the field that starts at `start` if it holds what would end it, or if it is empty, since an empty field is
/// a null.
#[inline]
fn quote_if_needed(out: &mut Vec<u8>, start: usize) {
    let field = &out[start..];
    if field.is_empty() {
        out.extend_from_slice(b"\"\"");
    } else if field.iter().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n')) {
        quote(out, start);
    }
}

#[cold]
fn quote(out: &mut Vec<u8>, start: usize) {
    let field = out.split_off(start);
    out.push(b'"');
    for byte in field {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
