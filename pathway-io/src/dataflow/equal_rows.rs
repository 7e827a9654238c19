//! Merges the rows of a batch that are equal in the columns that a computation reads: [`EqualRows`].
//!
//! A few columns often have few different values. The engine can process a thousand equal rows as one row with a diff
//! of 1000, and need not see an update of another column. Equal rows are cheaper to find in the columns, before the
//! rows become structs.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::rows::column::view::ColumnView;

/// Batches with fewer rows are not merged, because emptying the hash table for each batch would cost more.
const AT_LEAST: usize = 64;
/// The number of batches that are not merged after one in which most rows were different.
const PAUSE: usize = 15;

#[derive(Clone, Default)]
pub(super) struct EqualRows {
    hasher: RandomState,
    /// The hash of each different row, and its index in `rows`.
    places: HashTable<(u64, usize)>,
    /// For each different row, the index of the first equal row, and the sum of the diffs.
    rows: Vec<(usize, i64)>,
    /// The number of batches that are not merged.
    pause: usize,
}

impl EqualRows {
    /// Returns the different rows of a batch, each with the sum of the diffs of all rows that are equal to it.
    pub(super) fn of(
        &mut self,
        columns: &[ColumnView<'_>],
        diffs: impl ExactSizeIterator<Item = i64>,
    ) -> &[(usize, i64)] {
        let len = diffs.len();
        self.places.clear();
        self.rows.clear();
        if len < AT_LEAST || self.pause > 0 {
            self.pause = self.pause.saturating_sub(1);
            self.rows.extend(diffs.enumerate());
        } else {
            diffs.enumerate().for_each(|(row, diff)| self.add(columns, row, diff));
            if self.rows.len() > len / 2 {
                self.pause = PAUSE;
            }
        }
        self.rows.retain(|&(_, diff)| diff != 0);
        &self.rows
    }

    fn add(&mut self, columns: &[ColumnView<'_>], row: usize, diff: i64) {
        let mut state = self.hasher.build_hasher();
        columns.iter().for_each(|column| column.buffer.hash_value(row, &mut state));
        let hash = state.finish();
        let is_equal = |&(other, at): &(u64, usize)| {
            other == hash && columns.iter().all(|column| column.buffer.equal_values(row, self.rows[at].0))
        };
        match self.places.find(hash, is_equal) {
            Some(&(_, at)) => self.rows[at].1 += diff,
            None => {
                self.places.insert_unique(hash, (hash, self.rows.len()), |&(hash, _)| hash);
                self.rows.push((row, diff));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pathway_derive::Schema;

    use super::*;
    use crate::rows::fields::{Columns, Fields};
    use crate::rows::schema::{ColumnsOf, Schema};

    #[derive(Schema)]
    #[schema(crate = crate)]
    struct Line {
        text: String,
        weight: f64,
    }

    /// Returns the different rows of a batch as pairs of the first row and the sum of the diffs.
    fn merged(equal_rows: &mut EqualRows, rows: &[(&str, f64, i64)]) -> Vec<(usize, i64)> {
        let mut columns = ColumnsOf::<Line>::default();
        for (text, weight, _) in rows {
            <Line as Schema>::Fields::push(
                &mut columns,
                Line { text: (*text).to_owned(), weight: *weight }.into_fields(),
            );
        }
        let view = |index| ColumnView { name: "", schema: "", reader: "", buffer: columns.buffer(index) };
        equal_rows.of(&[view(0), view(1)], rows.iter().map(|(.., diff)| *diff)).to_vec()
    }

    #[test]
    fn equal_rows_are_one_with_the_sum_of_their_diffs() {
        let mut rows = [("a", 0.0, 1), ("a", -0.0, 1), ("b", f64::NAN, 1), ("a", 0.0, 2)].repeat(20);
        rows.extend([("c", 1.0, -1), ("b", f64::NAN, -5), ("c", 1.0, 1)]);
        // Floats are compared by their bits. Rows that add up to nothing are left out.
        assert_eq!(merged(&mut EqualRows::default(), &rows), [(0, 60), (1, 20), (2, 15)]);
    }

    #[test]
    fn small_batches_are_not_merged() {
        let rows = [("a", 0.0, 1)].repeat(AT_LEAST - 1);
        assert_eq!(merged(&mut EqualRows::default(), &rows).len(), AT_LEAST - 1);
    }

    #[test]
    fn batches_are_not_merged_for_a_while_after_one_of_different_rows() {
        let mut equal_rows = EqualRows::default();
        let different: Vec<_> = (0..AT_LEAST).map(|row| ("a", row as f64, 1)).collect();
        assert_eq!(merged(&mut equal_rows, &different).len(), AT_LEAST);
        let equal = [("a", 0.0, 1)].repeat(AT_LEAST);
        for batch in 0..PAUSE {
            assert_eq!(merged(&mut equal_rows, &equal).len(), AT_LEAST, "batch {batch}");
        }
        assert_eq!(merged(&mut equal_rows, &equal), [(0, AT_LEAST as i64)]);
    }
}
