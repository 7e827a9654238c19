//! Binds the values of a row to the parameters of a statement.

use rusqlite::Statement;

use crate::rows::column::{Buffer, Scalar, Style};
use crate::rows::description::Column;
use crate::rows::fields::Visitor;
use crate::rows::schema::Schema;

/// The columns of a row that are parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameters {
    All,
    Key,
}

/// Binds the columns of one row to the parameters of a statement, from the first one on.
pub(super) struct Bind<'a, 'c> {
    row: usize,
    parameters: Parameters,
    columns: &'static [Column],
    statement: &'a mut Statement<'c>,
    scratch: &'a mut Vec<u8>,
    next: usize,
    result: rusqlite::Result<()>,
}

impl<'a, 'c> Bind<'a, 'c> {
    pub(super) fn new<S: Schema>(
        row: usize,
        parameters: Parameters,
        statement: &'a mut Statement<'c>,
        scratch: &'a mut Vec<u8>,
    ) -> Self {
        Bind { row, parameters, columns: S::SCHEMA.columns, statement, scratch, next: 1, result: Ok(()) }
    }

    /// Returns the number of the first parameter that is not bound.
    pub(super) fn finish(self) -> rusqlite::Result<usize> {
        self.result.map(|()| self.next)
    }

    fn bind<B: Buffer>(&mut self, buffer: &B) -> rusqlite::Result<()> {
        let (statement, next) = (&mut *self.statement, self.next);
        match buffer.scalar(self.row) {
            Scalar::Null => statement.raw_bind_parameter(next, rusqlite::types::Null),
            Scalar::Integer(integer) => statement.raw_bind_parameter(next, integer),
            // SQLite would store it as a null.
            Scalar::Float(float) if float.is_nan() => statement.raw_bind_parameter(next, "NaN"),
            Scalar::Float(float) => statement.raw_bind_parameter(next, float),
            Scalar::Text(text) => statement.raw_bind_parameter(next, text),
            Scalar::Bytes(bytes) => statement.raw_bind_parameter(next, bytes),
            Scalar::Spelled => {
                self.scratch.clear();
                buffer.write_text(self.row, Style::Plain, self.scratch);
                statement.raw_bind_parameter(next, String::from_utf8_lossy(self.scratch))
            }
        }
    }
}

impl Visitor for Bind<'_, '_> {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        if self.result.is_ok() && (self.parameters == Parameters::All || self.columns[index].primary_key) {
            self.result = self.bind(buffer);
            self.next += 1;
        }
    }
}
