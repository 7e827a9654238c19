//! The columns of a table that a computation reads: [`Selection`], with the implementation for whole rows.

use differential_dataflow::AsCollection;
use timely::dataflow::Stream;

use super::Collection;
use super::row::Row;
use crate::rows::schema::{ColumnsOf, row_at};

/// The part of a table's rows that a computation reads.
#[doc(hidden)]
pub trait Selection<S: Row>: Clone + Send + Sync + 'static {
    type Row: Row;

    /// Returns a function that makes a row from the columns of a batch.
    fn reader(&self, columns: &ColumnsOf<S>) -> impl Fn(usize) -> Self::Row;

    /// Makes all rows of a batch. Their order does not matter, and equal rows can be one row.
    fn read(
        &mut self,
        columns: &ColumnsOf<S>,
        diffs: impl ExactSizeIterator<Item = i64>,
    ) -> impl Iterator<Item = (Self::Row, i64)> {
        let row_at = self.reader(columns);
        diffs.enumerate().map(move |(row, diff)| (row_at(row), diff))
    }

    /// Converts the rows of a derived table, which are structs already.
    fn convert<'scope>(&self, rows: Stream<'scope, u64, Vec<(S, u64, isize)>>) -> Collection<'scope, Self::Row>;
}

/// All columns of a table.
#[doc(hidden)]
#[derive(Clone)]
pub struct Whole;

impl<S: Row> Selection<S> for Whole {
    type Row = S;

    fn reader(&self, columns: &ColumnsOf<S>) -> impl Fn(usize) -> S {
        |row| row_at(columns, row)
    }

    fn convert<'scope>(&self, rows: Stream<'scope, u64, Vec<(S, u64, isize)>>) -> Collection<'scope, S> {
        rows.as_collection()
    }
}
