//! Checks the size of a pushed row: [`row_check`].

use crate::rows::check::RowCheck;
use crate::rows::column::{Buffer, Scalar, Style};
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::{ColumnsOf, Schema};
use crate::run::error::row_error::RowError;

/// The maximum number of bytes of a row, unless SQLite was compiled with another limit.
pub(super) const ROW_LIMIT: usize = 1_000_000_000;
/// The maximum number of bytes of a value and its type besides the value's data.
const OVERHEAD: usize = 18;
/// The factor by which a value can be larger in SQLite than in its column. For an enum, the column has a number, and
/// SQLite the name of the variant.
const GROWTH: usize = 4_096;

/// Returns the check for rows of at most `limit` bytes. `added` is the number of columns that the sink adds.
pub(super) fn row_check<S: Schema>(limit: usize, added: usize, is_utf16: bool) -> RowCheck<S> {
    let growth = if is_utf16 { 2 * GROWTH } else { GROWTH };
    RowCheck::of_columns(limit / growth, move |columns: &ColumnsOf<S>, row| {
        // Rows that may exceed the limit are rare.
        let mut size = Size { row, is_utf16, bytes: OVERHEAD * (added + 1), largest: (0, 0), scratch: Vec::new() };
        columns.visit(0, &mut size);
        if size.bytes <= limit {
            return Ok(());
        }
        let reason = format!("SQLite holds at most {limit} bytes in a row, and this row takes up to {}", size.bytes);
        Err(RowError::new(reason).at_column(Some(S::SCHEMA.columns[size.largest.1].name)))
    })
}

/// The bytes of a row in SQLite, rounded up by a few bytes for each value.
struct Size {
    row: usize,
    /// Whether the strings of the database are in UTF-16.
    is_utf16: bool,
    bytes: usize,
    /// The size of the largest value, and its column.
    largest: (usize, usize),
    scratch: Vec<u8>,
}

impl Size {
    /// Returns the size of a string, which is passed to SQLite in UTF-8.
    fn text(&self, text: &str) -> usize {
        if self.is_utf16 { text.len().max(2 * text.encode_utf16().count()) } else { text.len() }
    }
}

impl Visitor for Size {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        let data = match buffer.scalar(self.row) {
            Scalar::Null | Scalar::Integer(_) | Scalar::Float(_) => 0,
            Scalar::Text(text) => self.text(text),
            Scalar::Bytes(bytes) => bytes.len(),
            Scalar::Spelled => {
                self.scratch.clear();
                buffer.write_text(self.row, Style::Plain, &mut self.scratch);
                self.text(&String::from_utf8_lossy(&self.scratch))
            }
        };
        self.largest = self.largest.max((data, index));
        self.bytes += OVERHEAD + data;
    }
}
