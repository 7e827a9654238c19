//! The rows of a sample: JSON Lines, or CSV with a header.

use std::io;
use std::path::Path;

use super::csv::{self, CsvReader, Record};
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

pub struct SampleRow {
    /// The line, from 1. If the row has several lines, it is the first one.
    pub line: usize,
    pub fields: Vec<Named>,
}

/// An error that makes the rest of the sample unreadable.
pub struct SampleFileFault {
    pub line: usize,
    pub column: usize,
    pub reason: String,
}

/// The rows up to the limits, or up to the first that cannot be read.
pub struct Rows {
    pub rows: Vec<SampleRow>,
    pub fault: Option<SampleFileFault>,
}

/// # Errors
///
/// Returns an error if the file cannot be read.
pub fn read(path: &Path) -> io::Result<(u64, Rows)> {
    let head = Head::read(path, BYTES)?;
    Ok((head.file_len, parse(&head.bytes, !head.is_whole, format(path, &head.bytes))))
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

/// Returns the rows at the start of `bytes`. If `is_cut`, the file continues after `bytes`.
pub fn parse(bytes: &[u8], is_cut: bool, format: Format) -> Rows {
    let mut rows = Vec::new();
    let read = match format {
        Format::JsonLines => json_lines(bytes, is_cut, &mut rows),
        Format::Csv => csv(without_mark(bytes), is_cut, &mut rows),
    };
    let fault = match read {
        Ok(()) if rows.is_empty() && is_cut => {
            Some(SampleFileFault { line: 1, column: 1, reason: format!("it does not end within {BYTES} bytes") })
        }
        read => read.err(),
    };
    Rows { rows, fault }
}

fn json_lines(bytes: &[u8], is_cut: bool, rows: &mut Vec<SampleRow>) -> Result<(), SampleFileFault> {
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
        let fields = json_row(text).map_err(|(column, reason)| SampleFileFault { line, column, reason })?;
        rows.push(SampleRow { line, fields });
    }
    Ok(())
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
        Err(fault) if fault.at == text.len() => {
            let reason = "the row does not end on its line\nhelp: write one object on each line, as `jq -c .` does";
            Err((column(fault.at), reason.to_owned()))
        }
        Err(fault) => Err((column(fault.at), fault.to_string())),
    }
}

fn csv(bytes: &[u8], is_cut: bool, rows: &mut Vec<SampleRow>) -> Result<(), SampleFileFault> {
    let fault = |fault: csv::CsvFault| SampleFileFault { line: fault.line, column: 1, reason: fault.reason.to_owned() };
    let mut records = CsvReader::new(bytes, is_cut);
    let Some(header) = records.next() else { return Ok(()) };
    let names: Vec<String> = header.map_err(fault)?.fields.into_iter().map(Option::unwrap_or_default).collect();
    for record in records {
        let Record { line, fields } = record.map_err(fault)?;
        if line > LINES {
            break;
        }
        if fields.len() != names.len() {
            let reason = format!("a record of {}, where the header has {}", fields.len(), names.len());
            return Err(SampleFileFault { line, column: 1, reason });
        }
        let fields = names.iter().cloned().zip(fields);
        let fields = fields.map(|(name, text)| Named { name, cell: Cell::Text(text), column: 1 });
        rows.push(SampleRow { line, fields: fields.collect() });
    }
    Ok(())
}
