//! [`infer`]: the struct that fits a sample.
//!
//! It reads the rows (`rows`, `csv`) and summarises the values of each column (`summary`). The summaries become types
//! (`types`), and the names become Rust fields (`names`). Then it looks for a key (`key`) and prints the struct
//! (`print`).

pub(crate) mod csv;
#[cfg(all(any(test, fuzzing), feature = "persist", feature = "infer"))]
pub(crate) mod fuzz;
mod key;
mod names;
mod print;
mod rows;
mod summary;
#[cfg(test)]
mod tests;
mod types;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read};

use summary::ColumnSummary;

/// The maximum number of bytes of a sample that are read. This bounds the memory.
const BYTES: u64 = 64 << 20;

/// Finds the row struct that fits a sample: JSON Lines, if it begins with `{`, or else CSV with a header. The first 64
/// MiB are read.
///
/// The [`Display`](fmt::Display) of the result is the source of the struct, which compiles against the sample:
///
/// - The columns are `bool`, `i64`, `u64` where `i64` is too small, `f64`, `String`, and lists of these. If the
///   elements of a list have different types, and each position has one type, the list is a tuple.
/// - Objects, mixed values, and the elements of a list inside four other lists are `serde_json::Value`, or `RawJson` if
///   they contain integers beyond 64 bits.
/// - A column with a null or missing value is an `Option`.
/// - A comment says which column may be the primary key, and why. Names that Rust does not allow are changed.
///
/// `cargo run --example infer examples/cats.jsonl` prints the struct for that file.
///
/// # Errors
///
/// Returns the error of the reader. Its kind is [`InvalidData`](io::ErrorKind::InvalidData) if a row cannot be read
/// (the error then names its line), if the sample has no rows, or if the rows have no columns.
///
/// ```
/// let sample = r#"{"key": 1, "genus": "felis", "weight": 4.5}
/// {"key": 2, "genus": "lynx"}
/// "#;
/// let cat = pathway_io::schema::infer(sample.as_bytes())?.name("Cat").sample("cats.jsonl");
/// assert_eq!(
///     cat.to_string(),
///     r#"use pathway_io::Schema;
///
/// /// Inferred from the 2 rows of `cats.jsonl`.
/// #[derive(Schema)]
/// #[schema(sample = "cats.jsonl")]
/// struct Cat {
///     // the key, judged by its name: no value repeats in 2 rows
///     #[schema(primary_key)]
///     key: i64,
///     genus: String,
///     // in 1 of 2 rows
///     weight: Option<f64>,
/// }
/// "#
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn infer(reader: impl Read) -> io::Result<Inferred> {
    let mut bytes = Vec::new();
    // One byte more than the limit shows whether the sample is longer.
    reader.take(BYTES + 1).read_to_end(&mut bytes)?;
    let is_cut = bytes.len() as u64 > BYTES;
    bytes.truncate(BYTES as usize);
    let mut columns: Vec<InferredColumn> = Vec::new();
    let mut indices: HashMap<String, usize> = HashMap::new();
    let rows = rows::read(&bytes, is_cut, &mut |name, cell| {
        let at = indices.get(name).copied().unwrap_or_else(|| {
            indices.insert(name.to_owned(), columns.len());
            columns.push(InferredColumn { name: name.to_owned(), summary: ColumnSummary::default() });
            columns.len() - 1
        });
        columns[at].summary.add(cell);
    })?;
    if rows == 0 {
        return Err(invalid("the sample has no row"));
    }
    if columns.iter().all(|column| column.name.is_empty()) {
        return Err(invalid("the rows of the sample have no columns"));
    }
    Ok(Inferred { name: "Row".to_owned(), sample: None, rows, columns })
}

/// A row struct that [`infer`] has found. Its `Display` is the source of the struct.
#[derive(Debug, Clone)]
pub struct Inferred {
    name: String,
    sample: Option<String>,
    rows: usize,
    columns: Vec<InferredColumn>,
}

/// The values of a sample under one name.
#[derive(Debug, Clone)]
struct InferredColumn {
    name: String,
    summary: ColumnSummary,
}

impl Inferred {
    /// Sets the name of the struct, in Rust's spelling: `house cats` becomes `HouseCats`. The default is `Row`.
    #[must_use]
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.name = names::of_struct(name.as_ref());
        self
    }

    /// Adds `#[schema(sample = "..")]`, so that the compiler checks the struct against the sample. The path is
    /// relative to the source file or to the package.
    #[must_use]
    pub fn sample(mut self, path: impl Into<String>) -> Self {
        self.sample = Some(path.into());
        self
    }
}

impl fmt::Display for Inferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::print(self, f)
    }
}

fn invalid(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.into())
}
