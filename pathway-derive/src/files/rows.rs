//! The rows of a sample: JSON Lines, or CSV with a header.

use std::io;
use std::path::Path;

use super::csv::{Reader, Record};
use super::head::{Head, without_mark};
use super::json;

/// The maximum number of lines that are read.
const LINES: usize = 1000;
/// The maximum number of bytes that are read.
const BYTES: usize = 4 << 20;

/// The value of a field.
pub enum Cell {
    Json(json::Value),
    /// A field of CSV, or `None` if it is empty and not in quotes.
    Text(Option<String>),
}

/// A field of a row.
pub struct Named {
    pub name: String,
    pub cell: Cell,
    /// The position of the value in its line, in characters from 1. In CSV it is always 1.
    pub column: usize,
}

pub struct Row {
    /// The line, from 1. If the row has several lines, it is the first one.
    pub line: usize,
    pub fields: Vec<Named>,
}

/// An error that makes the rest of the sample unreadable.
pub struct Fault {
    pub line: usize,
    pub column: usize,
    pub reason: String,
}

/// The rows up to the limits.
pub struct Rows {
    pub file_len: u64,
    pub rows: Vec<Result<Row, Fault>>,
}

impl Rows {
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub fn read(path: &Path) -> io::Result<Rows> {
        let head = Head::read(path, BYTES)?;
        let rows = parse(&head.bytes, !head.is_whole, format(path, &head.bytes));
        Ok(Rows { file_len: head.file_len, rows })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    JsonLines,
    Csv,
}

/// Returns the format, by the file's name or otherwise by the first byte.
fn format(path: &Path, bytes: &[u8]) -> Format {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv") => Format::Csv,
        Some("jsonl" | "ndjson" | "json") => Format::JsonLines,
        _ if without_mark(bytes).trim_ascii_start().starts_with(b"{") => Format::JsonLines,
        _ => Format::Csv,
    }
}

/// Returns the rows at the start of `bytes`, up to the first that cannot be read. If `is_cut`, the file continues
/// after `bytes`.
pub fn parse(bytes: &[u8], is_cut: bool, format: Format) -> Vec<Result<Row, Fault>> {
    let mut rows = match format {
        Format::JsonLines => json_lines(bytes, is_cut),
        Format::Csv => csv(without_mark(bytes), is_cut),
    };
    if rows.is_empty() && is_cut {
        rows.push(Err(Fault { line: 1, column: 1, reason: format!("it does not end within {BYTES} bytes") }));
    }
    rows
}

fn json_lines(bytes: &[u8], is_cut: bool) -> Vec<Result<Row, Fault>> {
    let mut rows = Vec::new();
    let mut rest = bytes;
    for line in 1..=LINES {
        let text = match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let text = &rest[..end];
                rest = &rest[end + 1..];
                text
            }
            None if is_cut || rest.is_empty() => break,
            None => std::mem::take(&mut rest),
        };
        let text = without_mark(text);
        if text.trim_ascii().is_empty() {
            continue;
        }
        let row = json_row(text).map(|fields| Row { line, fields });
        let row = row.map_err(|(column, reason)| Fault { line, column, reason });
        let is_fault = row.is_err();
        rows.push(row);
        if is_fault {
            break;
        }
    }
    rows
}

/// Returns the fields of a row.
///
/// # Errors
///
/// Returns the position and the reason of a fault.
fn json_row(text: &[u8]) -> Result<Vec<Named>, (usize, String)> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let column = String::from_utf8_lossy(&text[..error.valid_up_to()]).chars().count() + 1;
            return Err((column, "the text is not valid UTF-8".to_owned()));
        }
    };
    let column = |at: usize| text.get(..at).map_or(1, |before| before.chars().count() + 1);
    match json::parse(text) {
        Ok(json::Value::Object(fields)) => Ok(fields
            .into_iter()
            .map(|field| Named { name: field.name, cell: Cell::Json(field.value), column: column(field.value_at) })
            .collect()),
        Ok(_) => Err((1, "expected an object with the columns of a row, one on each line".to_owned())),
        Err(fault) if fault.at == text.len() => Err((column(fault.at), "the row does not end on its line".to_owned())),
        Err(fault) => Err((column(fault.at), fault.to_string())),
    }
}

fn csv(bytes: &[u8], is_cut: bool) -> Vec<Result<Row, Fault>> {
    let mut records = Reader::new(bytes, is_cut);
    let header = match records.next() {
        Some(Ok(header)) => header,
        Some(Err(fault)) => return vec![Err(Fault { line: fault.line, column: 1, reason: fault.reason.to_owned() })],
        None => return Vec::new(),
    };
    let names: Vec<String> = header.fields.into_iter().map(Option::unwrap_or_default).collect();
    let mut rows = Vec::new();
    for record in records {
        let row = match record {
            Ok(Record { line, .. }) if line > LINES => break,
            Ok(Record { line, fields }) if fields.len() == names.len() => {
                let fields = names.iter().cloned().zip(fields);
                let fields = fields.map(|(name, text)| Named { name, cell: Cell::Text(text), column: 1 });
                Ok(Row { line, fields: fields.collect() })
            }
            Ok(Record { line, fields }) => {
                let reason = format!("a record of {}, where the header has {}", fields.len(), names.len());
                Err(Fault { line, column: 1, reason })
            }
            Err(fault) => Err(Fault { line: fault.line, column: 1, reason: fault.reason.to_owned() }),
        };
        let is_fault = row.is_err();
        rows.push(row);
        if is_fault {
            break;
        }
    }
    rows
}
