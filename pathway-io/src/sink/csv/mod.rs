//! Tables as CSV files.
//!
//! The file starts with a header, also when there are no rows: the schema's columns, then `time` and `diff`. A field
//! is quoted only where RFC 4180 asks for it; a null is an empty field and an empty text is `""`. Records end with a
//! single line feed. [`Options::pathway`] writes what Pathway's own writer would.
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

#[cfg(all(any(test, fuzzing), feature = "persist", feature = "infer"))]
pub(crate) mod fuzz;

use std::path::Path;

use crate::rows::column::{Buffer, Scalar, Style};
use crate::rows::commit::Commit;
use crate::rows::data_type::DataType;
use crate::rows::description::{Column, TableSchema};
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::RunResult;
use crate::sink::Sink;
use crate::sink::file::{OutputFile, numbered};
use crate::sink::spec::FileSink;

/// Writes the updates of a table to a CSV file, which is created or truncated when the pipeline starts.
///
/// ```no_run
/// # use pathway_io::{connector, csv, jsonlines, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64 }
/// # struct Cats;
/// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
/// # let pipeline = Pipeline::new();
/// let cats = pipeline.read(Cats);
/// csv::write(&cats, "cats.csv");
/// # Ok::<(), pathway_io::Error>(())
/// ```
///
/// # Panics
///
/// If the pipeline of the table has been started.
pub fn write<S: Schema>(table: &Table<S>, path: impl AsRef<Path>) {
    write_with(table, path, Options::new());
}

/// Writes the updates of a table to a CSV file, with options.
///
/// ```no_run
/// # use pathway_io::{connector, csv, jsonlines, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64 }
/// # struct Cats;
/// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
/// # let pipeline = Pipeline::new();
/// let cats = pipeline.read(Cats);
/// csv::write_with(&cats, "cats.csv", csv::Options::pathway());
/// # Ok::<(), pathway_io::Error>(())
/// ```
///
/// # Panics
///
/// If the pipeline of the table has been started.
pub fn write_with<S: Schema>(table: &Table<S>, path: impl AsRef<Path>, options: Options) {
    let path = path.as_ref();
    if options.per_worker {
        let path = path.to_owned();
        table.add_worker_sink(&path.clone(), move |worker| {
            let path = numbered(&path, worker);
            let sink = Box::new(CsvSink { file: OutputFile::new(&path), options: options.clone() });
            (path, sink)
        });
        return;
    }
    table.add_file_sink(path, Box::new(CsvSink { file: OutputFile::new(path), options }));
}

/// Options for a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Options {
    style: Style,
    per_worker: bool,
    escape_formulas: bool,
}

impl Options {
    /// RFC 4180 with minimal quoting; a null is an empty field, and an empty text is `""`.
    pub fn new() -> Self {
        Options::in_style(Style::Plain)
    }

    /// Byte for byte what `pw.io.csv.write` of Pathway writes: every field in quotes, those of the header too, a null as
    /// `None`, and `True` and `False`. Inside lists and tuples, which are JSON, a float that is not finite is `null`.
    /// A date with a time has nine digits of a second, and `+0000` behind it if it is an instant, in UTC.
    ///
    /// ```no_run
    /// # use pathway_io::{connector, csv, Pipeline, Schema, Subject};
    /// # #[derive(Schema)] struct Cat { key: i64 }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
    /// # let pipeline = Pipeline::new();
    /// # let cats = pipeline.read(Cats);
    /// csv::write_with(&cats, "output.csv", csv::Options::pathway());
    /// ```
    pub fn pathway() -> Self {
        Options::in_style(Style::Pathway)
    }

    fn in_style(style: Style) -> Self {
        Options { style, per_worker: false, escape_formulas: false }
    }

    /// Puts a `'` in front of a text that a spreadsheet would run as a formula.
    ///
    /// Such a text begins with `=`, `+`, `-`, `@`, a tab or a line break, and can come from anybody who can write into a text
    /// column: `=HYPERLINK(..)` sends cells elsewhere. Texts, bytes, dates and the names of columns are escaped; numbers are not,
    /// and no other text of a number or of JSON is a formula. Without this option, fields are written as they are, because a
    /// program that reads the file would read the `'` too.
    ///
    /// ```no_run
    /// # use pathway_io::{connector, csv, Pipeline, Schema, Subject};
    /// # #[derive(Schema)] struct Cat { key: i64 }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
    /// # let pipeline = Pipeline::new();
    /// # let cats = pipeline.read(Cats);
    /// csv::write_with(&cats, "for_excel.csv", csv::Options::new().escape_formulas());
    /// ```
    pub fn escape_formulas(mut self) -> Self {
        self.escape_formulas = true;
        self
    }

    /// Writes one file for each worker in all processes: for `counts.csv`, worker 1 writes `counts.1.csv`.
    ///
    /// Each update is in one of the files. The updates of a source that is not partitioned are all in the first.
    ///
    /// ```no_run
    /// # #[cfg(feature = "dataflow")] {
    /// # use pathway_io::dataflow::Workers;
    /// # use pathway_io::{connector, csv, Pipeline, Schema, Subject};
    /// # #[derive(Schema)] #[schema(dataflow)] struct Cat { key: i64 }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
    /// # let pipeline = Pipeline::new();
    /// # let cats = pipeline.read(Cats);
    /// let distinct = cats.compute(|cats| cats.distinct());
    /// csv::write_with(&distinct, "distinct.csv", csv::Options::new().per_worker());
    /// pipeline.run_on(Workers::threads(2))?;
    /// # }
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    pub fn per_worker(mut self) -> Self {
        self.per_worker = true;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::new()
    }
}

struct CsvSink {
    file: OutputFile,
    options: Options,
}

impl<S: Schema> FileSink<S> for CsvSink {
    fn file(&mut self) -> &mut OutputFile {
        &mut self.file
    }
}

impl<S: Schema> Sink<S> for CsvSink {
    fn open(&mut self, schema: &'static TableSchema) -> RunResult {
        if !self.file.open()? {
            return Ok(());
        }
        let out = &mut self.file.buffer;
        for column in schema.columns {
            let start = out.len();
            out.extend_from_slice(column.name.as_bytes());
            match self.options.style {
                Style::Plain | Style::Exact => quote_if_needed(out, start),
                Style::Pathway => quote(out, start),
            }
            if self.options.escape_formulas {
                escape_formula(out, start);
            }
            out.push(b',');
        }
        out.extend_from_slice(match self.options.style {
            Style::Plain | Style::Exact => b"time,diff\n",
            Style::Pathway => b"\"time\",\"diff\"\n",
        });
        self.file.flush()
    }

    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        let is_pathway = self.options.style == Style::Pathway;
        if self.options.escape_formulas {
            let around = if is_pathway { ["\"", "\",\"", "\"\n"] } else { ["", ",", "\n"] };
            self.file.write_records(
                commit,
                |columns, row, out| columns.visit(0, &mut Escaped { row, is_pathway, columns: S::SCHEMA.columns, out }),
                |diff, time, out| numbers(around, diff, time, out),
            )?;
            return Ok(());
        }
        match self.options.style {
            Style::Plain | Style::Exact => self.file.write_records(
                commit,
                |columns, row, out| columns.visit(0, &mut Minimal { row, out }),
                |diff, time, out| numbers(["", ",", "\n"], diff, time, out),
            )?,
            Style::Pathway => self.file.write_records(
                commit,
                |columns, row, out| columns.visit(0, &mut Quoted { row, out }),
                |diff, time, out| numbers(["\"", "\",\"", "\"\n"], diff, time, out),
            )?,
        }
        Ok(())
    }

    fn flush(&mut self) -> RunResult {
        self.file.flush()
    }
}

/// Appends the last two fields with what stands around them.
fn numbers([before, between, after]: [&str; 3], diff: i64, time: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(time).as_bytes());
    out.extend_from_slice(between.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(diff).as_bytes());
    out.extend_from_slice(after.as_bytes());
}

/// Appends each field of a row with a comma behind it, in quotes where it needs them.
struct Minimal<'a> {
    row: usize,
    out: &'a mut Vec<u8>,
}

impl Visitor for Minimal<'_> {
    #[inline]
    fn column<B: Buffer>(&mut self, _index: usize, buffer: &B) {
        if B::NEEDS_QUOTES
            && let Scalar::Text(text) = buffer.scalar(self.row)
        {
            write_text(text.as_bytes(), self.out);
            self.out.push(b',');
            return;
        }
        let start = self.out.len();
        if !buffer.is_null(self.row) {
            buffer.write_text(self.row, Style::Plain, self.out);
            if B::NEEDS_QUOTES {
                quote_if_needed(self.out, start);
            } else if self.out.len() == start {
                // No bytes are no null.
                self.out.extend_from_slice(b"\"\"");
            }
        }
        self.out.push(b',');
    }
}

/// Appends each field of a row with a comma behind it, in quotes, as Pathway has it.
struct Quoted<'a> {
    row: usize,
    out: &'a mut Vec<u8>,
}

impl Visitor for Quoted<'_> {
    #[inline]
    fn column<B: Buffer>(&mut self, _index: usize, buffer: &B) {
        if buffer.is_null(self.row) {
            self.out.extend_from_slice(b"\"None\",");
            return;
        }
        self.out.push(b'"');
        let start = self.out.len();
        buffer.write_text(self.row, Style::Pathway, self.out);
        if B::NEEDS_QUOTES {
            double_quotes(self.out, start);
        }
        self.out.extend_from_slice(b"\",");
    }
}

/// Appends each field as the other visitors do, and makes texts of what would be formulas.
struct Escaped<'a> {
    row: usize,
    is_pathway: bool,
    columns: &'static [Column],
    out: &'a mut Vec<u8>,
}

impl Visitor for Escaped<'_> {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        let (row, start) = (self.row, self.out.len());
        if self.is_pathway {
            Quoted { row, out: self.out }.column(index, buffer);
        } else {
            Minimal { row, out: self.out }.column(index, buffer);
        }
        // Bytes are base64, which has a `+`, and years outside of 0 to 9999 a sign.
        if let DataType::Str
        | DataType::Bytes
        | DataType::Date
        | DataType::DateTime
        | DataType::Timestamp
        | DataType::OffsetDateTime = self.columns[index].data_type
        {
            escape_formula(self.out, start);
        }
    }
}

/// Escapes the field that starts at `start`, if a spreadsheet would run it.
fn escape_formula(out: &mut Vec<u8>, start: usize) {
    let text = start + usize::from(out.get(start) == Some(&b'"'));
    if let Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n') = out.get(text) {
        out.insert(text, b'\'');
    }
}

/// The fields of one row, for the fuzzer.
#[cfg(any(test, fuzzing))]
pub(crate) fn write_fields<S: Schema>(
    columns: &crate::rows::schema::ColumnsOf<S>,
    row: usize,
    style: Style,
    out: &mut Vec<u8>,
) {
    match style {
        Style::Plain | Style::Exact => columns.visit(0, &mut Minimal { row, out }),
        Style::Pathway => columns.visit(0, &mut Quoted { row, out }),
    }
}

/// Appends a field, in quotes if it needs them.
#[inline]
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    if text.is_empty() || needs_quotes(text) {
        write_quoted(text, out);
    } else {
        out.extend_from_slice(text);
    }
}

/// Appends a field in quotes, and doubles those in it.
#[inline(never)]
fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut copied = 0;
    for quote in memchr::memchr_iter(b'"', text) {
        out.extend_from_slice(&text[copied..=quote]);
        copied = quote;
    }
    out.extend_from_slice(&text[copied..]);
    out.push(b'"');
}

/// Quotes the field that starts at `start` if it holds what would end it, or if it is empty, since an empty field is
/// a null.
#[inline]
fn quote_if_needed(out: &mut Vec<u8>, start: usize) {
    let field = &out[start..];
    if field.is_empty() || needs_quotes(field) {
        quote(out, start);
    }
}

/// Measured: a plain loop is the quickest for the shortest texts, memchr for the longest, and blocks without an early end,
/// which become vector instructions, for those between. The last block overlaps the one before.
#[inline]
fn needs_quotes(field: &[u8]) -> bool {
    if field.len() > 128 {
        return memchr::memchr3(b'"', b',', b'\n', field).is_some() || memchr::memchr(b'\r', field).is_some();
    }
    match (field.as_chunks(), field.last_chunk()) {
        ((blocks, _), Some(last)) => {
            blocks.iter().chain([last]).any(|block: &[u8; BLOCK]| needs_quotes_anywhere(block))
        }
        _ => match (field.first_chunk::<8>(), field.last_chunk::<8>()) {
            (Some(first), Some(last)) => needs_quotes_anywhere(first) || needs_quotes_anywhere(last),
            _ => field.iter().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n')),
        },
    }
}

const BLOCK: usize = 16;

#[inline]
fn needs_quotes_anywhere(block: &[u8]) -> bool {
    block.iter().fold(false, |any, byte| any | (*byte == b'"') | (*byte == b',') | (*byte == b'\r') | (*byte == b'\n'))
}

/// Puts the field that starts at `start` into quotes.
#[cold]
fn quote(out: &mut Vec<u8>, start: usize) {
    out.insert(start, b'"');
    double_quotes(out, start + 1);
    out.push(b'"');
}

/// Doubles the quotes in what starts at `start`.
#[inline]
fn double_quotes(out: &mut Vec<u8>, start: usize) {
    let quotes = memchr::memchr_iter(b'"', &out[start..]).count();
    if quotes == 0 {
        return;
    }
    // From the end on, each stretch between quotes goes to its place.
    let mut end = out.len();
    let mut to = end + quotes;
    out.resize(to, b'"');
    while let Some(at) = memchr::memrchr(b'"', &out[start..end]) {
        let at = start + at;
        to -= end - at;
        out.copy_within(at..end, to);
        to -= 1;
        out[to] = b'"';
        end = at;
    }
}

#[cfg(test)]
mod tests;
