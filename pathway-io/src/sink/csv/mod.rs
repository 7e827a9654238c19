//! Tables as CSV files.
//!
//! The file starts with a header, even if there are no rows: the schema's columns, then `time` and `diff`. A field is
//! quoted only if RFC 4180 requires it. A null is an empty field, and an empty string is `""`. Records end with a
//! single line feed. With [`Options::pathway`], the file has the bytes that Pathway's own writer would produce.
//!
//! If you import this module, the crate `csv` is still available as `::csv`.
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

mod fields;
#[cfg(all(any(test, fuzzing), feature = "persist", feature = "infer"))]
pub(crate) mod fuzz;

use std::path::Path;

use self::fields::{Escaped, Minimal, Quoted, escape_formula, quote, quote_if_needed};
use crate::rows::commit::Commit;
use crate::rows::description::TableSchema;
use crate::rows::fields::Columns;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::RunResult;
use crate::sink::Sink;
use crate::sink::file::{OutputFile, numbered};
use crate::sink::spec::{AnySink, SinkSpec};

/// Writes the updates of a table to a CSV file.
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
/// csv::write(&cats, "cats.csv");
/// # Ok::<(), pathway_io::Error>(())
/// ```
///
/// # Panics
///
/// Panics if the pipeline of the table has been started or dropped.
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
/// Panics if the pipeline of the table has been started or dropped.
pub fn write_with<S: Schema>(table: &Table<S>, path: impl AsRef<Path>, options: Options) {
    let path = path.as_ref();
    if options.per_worker {
        let path = path.to_owned();
        table.add_worker_sink(&path.clone(), move |worker| {
            let path = numbered(&path, worker);
            let file = OutputFile::new(&path);
            (path, Box::new(CsvSink { file, options: options.clone() }))
        });
        return;
    }
    let sink = CsvSink { file: OutputFile::new(path), options };
    table.add_sink(SinkSpec::file(path.to_owned(), Box::new(sink)));
}

/// Options for a CSV file.
///
/// ```no_run
/// # use pathway_io::{connector, csv, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Cat { key: i64 }
/// # struct Cats;
/// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
/// # let pipeline = Pipeline::new();
/// # let cats = pipeline.read(Cats);
/// csv::write_with(&cats, "output.csv", csv::Options::pathway());
/// csv::write_with(&cats, "for_excel.csv", csv::Options::new().escape_formulas());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Options {
    pathway: bool,
    per_worker: bool,
    escape_formulas: bool,
}

impl Options {
    /// Returns options for RFC 4180 with minimal quoting.
    ///
    /// A null is an empty field, and an empty string is `""`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes the same bytes as Pathway's `pw.io.csv.write`.
    ///
    /// Every field is in quotes, in the header too. A null is `None`, and booleans are `True` and `False`. Inside lists
    /// and tuples, which are JSON, a float that is not finite is `null`. A date-time has nine digits of a second, and
    /// an instant, in UTC, ends with `+0000`.
    pub fn pathway() -> Self {
        Options { pathway: true, ..Options::new() }
    }

    /// Puts a `'` before a string that a spreadsheet would run as a formula.
    ///
    /// Such a string begins with `=`, `+`, `-`, `@`, a tab or a line break. Untrusted input in a text column can be a
    /// formula such as `=HYPERLINK(..)`, which can send cells to another machine. Strings, bytes, dates and the names
    /// of columns are escaped. Numbers and JSON cannot be formulas. Without this option, fields are written unchanged,
    /// because a program that reads the file would also read the `'`.
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

struct CsvSink {
    file: OutputFile,
    options: Options,
}

impl<S: Schema> AnySink<S> for CsvSink {
    fn file(&mut self) -> Option<&mut OutputFile> {
        Some(&mut self.file)
    }

    fn format(&self) -> Option<&'static str> {
        Some(if self.options.pathway { "csv as Pathway writes it" } else { "csv" })
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
            if self.options.pathway {
                quote(out, start)
            } else {
                quote_if_needed(out, start)
            }
            if self.options.escape_formulas {
                escape_formula(out, start);
            }
            out.push(b',');
        }
        let end: &[u8] = if self.options.pathway { b"\"time\",\"diff\"\n" } else { b"time,diff\n" };
        out.extend_from_slice(end);
        self.file.flush()
    }

    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        let Options { pathway: is_pathway, escape_formulas, .. } = self.options;
        let around = if is_pathway { ["\"", "\",\"", "\"\n"] } else { ["", ",", "\n"] };
        let end = |diff, time, out: &mut Vec<u8>| numbers(around, diff, time, out);
        if escape_formulas {
            let columns = S::SCHEMA.columns;
            self.file.write_records(
                commit,
                |row_columns, row, out| row_columns.visit(0, &mut Escaped { row, is_pathway, columns, out }),
                end,
            )
        } else if is_pathway {
            self.file.write_records(commit, |columns, row, out| columns.visit(0, &mut Quoted { row, out }), end)
        } else {
            self.file.write_records(commit, |columns, row, out| columns.visit(0, &mut Minimal { row, out }), end)
        }
    }

    fn flush(&mut self) -> RunResult {
        self.file.flush()
    }
}

/// Appends the last two fields with the separators around them.
fn numbers([before, between, after]: [&str; 3], diff: i64, time: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(time).as_bytes());
    out.extend_from_slice(between.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(diff).as_bytes());
    out.extend_from_slice(after.as_bytes());
}
