//! The rows of a table without a key that a computation of a persistent pipeline reads: [`Multiset`].
//!
//! Sinks do not need the rows of such a table, so normally none are kept. After a restart, however, the computation is
//! recomputed from all rows. Each distinct row is therefore kept once, with its count. The number of distinct rows
//! limits the memory; the length of the history does not matter.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::rows::batch::Batch;
use crate::rows::column::Buffer;
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::{ColumnsOf, Schema};

pub(crate) struct Multiset<S: Schema> {
    hasher: RandomState,
    /// The hash of each row, and the index of the row in `rows`.
    places: HashTable<(u64, usize)>,
    rows: ColumnsOf<S>,
    counts: Vec<i64>,
}

impl<S: Schema> Default for Multiset<S> {
    fn default() -> Self {
        Multiset {
            hasher: RandomState::default(),
            places: HashTable::new(),
            rows: ColumnsOf::<S>::default(),
            counts: Vec::new(),
        }
    }
}

/// Hashes one row over all of its columns.
struct RowHash<'a, H> {
    row: usize,
    state: &'a mut H,
}

impl<H: Hasher> Visitor for RowHash<'_, H> {
    #[inline]
    fn column<B: Buffer>(&mut self, _index: usize, buffer: &B) {
        buffer.hash(self.row, self.state);
    }
}

impl<S: Schema> Multiset<S> {
    /// Adds the diff of each row of a batch to the row's count.
    pub(crate) fn add(&mut self, batch: &Batch<S>) {
        for row in 0..batch.len() {
            let mut state = self.hasher.build_hasher();
            batch.columns.visit(0, &mut RowHash { row, state: &mut state });
            let hash = state.finish();
            let known = |&(other, at): &(u64, usize)| other == hash && self.rows.equal(at, &batch.columns, row);
            let at = match self.places.find(hash, known) {
                Some(&(_, at)) => at,
                None => {
                    let at = self.counts.len();
                    self.rows.push_from(&batch.columns, row);
                    self.counts.push(0);
                    self.places.insert_unique(hash, (hash, at), |&(hash, _)| hash);
                    at
                }
            };
            self.counts[at] += batch.diff(row);
        }
    }

    /// Calls `show` with each row and its count.
    pub(crate) fn for_each(&self, mut show: impl FnMut(&ColumnsOf<S>, usize, i64)) {
        for (row, &count) in self.counts.iter().enumerate() {
            show(&self.rows, row, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use pathway_derive::Schema;

    use super::*;
    use crate::rows::schema::row_at;

    #[derive(Schema)]
    #[schema(crate = crate)]
    struct Line {
        text: String,
        weight: f64,
    }

    #[test]
    fn a_row_is_kept_once_and_counted() {
        let mut multiset = Multiset::<Line>::default();
        for round in 0..3 {
            let mut batch = Batch::<Line>::default();
            for (text, weight) in [("a", 0.0), ("a", -0.0), ("b", f64::NAN), ("a", 0.0)] {
                batch.push_times(Line { text: text.to_owned(), weight }.into_fields(), 1);
            }
            assert_eq!(batch.len(), 4, "round {round}");
            multiset.add(&batch);
        }
        let mut rows = Vec::new();
        multiset.for_each(|columns, row, count| {
            let Line { text, weight } = row_at(columns, row);
            rows.push((text, weight.to_bits(), count));
        });
        let expected = [("a", 0.0_f64, 6), ("a", -0.0, 3), ("b", f64::NAN, 3)];
        assert_eq!(rows, expected.map(|(text, weight, count)| (text.to_owned(), weight.to_bits(), count)));
    }
}
