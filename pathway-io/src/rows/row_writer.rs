//! Rows as JSON, one after the other: [`RowWriter`].

use crate::rows::column::{Buffer, Style};
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::Schema;

/// Writes the rows of one table.
pub(crate) struct RowWriter {
    /// The text before each column's value.
    names: Vec<Vec<u8>>,
}

impl RowWriter {
    pub(crate) fn new<S: Schema>() -> Self {
        let name = |name: &str| {
            let mut out = vec![b','];
            crate::rows::column::text::write_json_string(name, &mut out);
            out.push(b':');
            out
        };
        let mut names: Vec<Vec<u8>> = S::SCHEMA.columns.iter().map(|column| name(column.name)).collect();
        if let Some(first) = names.first_mut() {
            first[0] = b'{';
        }
        RowWriter { names }
    }

    pub(crate) fn write<C: Columns>(&self, columns: &C, row: usize, diff: i64, out: &mut Vec<u8>) {
        out.push(if diff < 0 { b'-' } else { b'+' });
        if diff.unsigned_abs() != 1 {
            out.extend_from_slice(itoa::Buffer::new().format(diff.unsigned_abs()).as_bytes());
        }
        self.write_row(columns, row, out);
        out.push(b'\n');
    }

    /// Writes the row alone.
    pub(crate) fn write_row<C: Columns>(&self, columns: &C, row: usize, out: &mut Vec<u8>) {
        self.write_fields(Style::Exact, columns, row, out);
        out.push(b'}');
    }

    /// Writes the row without the brace at its end, so that other fields can follow.
    #[inline]
    pub(crate) fn write_fields<C: Columns>(&self, style: Style, columns: &C, row: usize, out: &mut Vec<u8>) {
        columns.visit(0, &mut RowLine { row, style, names: &self.names, out });
    }
}

struct RowLine<'a> {
    row: usize,
    style: Style,
    names: &'a [Vec<u8>],
    out: &'a mut Vec<u8>,
}

impl Visitor for RowLine<'_> {
    #[inline]
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        self.out.extend_from_slice(&self.names[index]);
        buffer.write_json(self.row, self.style, self.out);
    }
}
