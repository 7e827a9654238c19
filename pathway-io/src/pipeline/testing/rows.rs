//! Pushed rows as text, which can be compared without any trait of the row type.

use std::fmt;

use crate::rows::batch::Batch;
use crate::rows::column::{Buffer, Style};
use crate::rows::commit::Commit;
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::Schema;

/// A pushed row, or a removal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pushed {
    /// The key columns in JSON, or all columns of a table without a key.
    pub(super) key: String,
    /// All columns; the key of a removal.
    row: String,
    pub(super) diff: i64,
}

impl fmt::Display for Pushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.diff > 0 { f.write_str(&self.row) } else { write!(f, "the removal of {}", self.key) }
    }
}

/// Returns the pushes of a commit that the sequencer has not turned into updates.
pub(super) fn pushed<S: Schema>(commit: &Commit<S>) -> Vec<Pushed> {
    let has_key = S::SCHEMA.has_key();
    let pushed = |(batch, row): (&Batch<S>, usize)| {
        let (diff, key) = (batch.diff(row), text(batch, row, has_key));
        let row = if diff > 0 || !has_key { text(batch, row, false) } else { key.clone() };
        Pushed { key, row, diff }
    };
    commit.rows().map(pushed).collect()
}

/// Returns the columns of a row, or those of its key.
pub(super) fn text<S: Schema>(batch: &Batch<S>, row: usize, keys_alone: bool) -> String {
    let mut fields = RowText::<S> { row, keys_alone, out: vec![b'{'], schema: std::marker::PhantomData };
    Columns::visit(&batch.columns, 0, &mut fields);
    fields.out.push(b'}');
    String::from_utf8_lossy(&fields.out).into_owned()
}

struct RowText<S> {
    row: usize,
    keys_alone: bool,
    out: Vec<u8>,
    schema: std::marker::PhantomData<S>,
}

impl<S: Schema> Visitor for RowText<S> {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        let column = &S::SCHEMA.columns[index];
        if self.keys_alone && !column.primary_key {
            return;
        }
        if self.out.len() > 1 {
            self.out.extend_from_slice(b", ");
        }
        self.out.extend_from_slice(column.name.as_bytes());
        self.out.extend_from_slice(b": ");
        buffer.write_json(self.row, Style::Plain, &mut self.out);
    }
}
