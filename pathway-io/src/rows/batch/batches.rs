//! The rows of one table, in batches that are filled one after the other.

use std::sync::Arc;

use super::{Batch, POOL_BYTES, Pool};
use crate::rows::schema::Schema;

/// A growing list of batches of one table: the rows since the last commit, or the rows of a transaction.
pub(crate) struct Batches<S: Schema> {
    pub(super) sealed: Vec<Batch<S>>,
    pub(super) current: Batch<S>,
    pool: Arc<Pool<S>>,
    /// A position in the list: the number of a batch and of a row in it. See [`Batches::take_marked`].
    mark: (usize, usize),
}

impl<S: Schema> Batches<S> {
    pub(crate) fn new(pool: Arc<Pool<S>>) -> Self {
        Batches { sealed: Vec::new(), current: pool.get(), pool, mark: (0, 0) }
    }

    /// Returns the batch that takes the next row.
    #[inline]
    pub(crate) fn current(&mut self) -> &mut Batch<S> {
        if self.current.is_full() {
            self.seal_current();
        }
        &mut self.current
    }

    /// Begins another batch. It is not inlined, so that each push can be.
    #[cold]
    fn seal_current(&mut self) {
        let full = std::mem::replace(&mut self.current, self.pool.get());
        self.sealed.push(if full.is_sparse() { full.copy() } else { full });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sealed.is_empty() && self.current.len == 0
    }

    /// Declares the list to be the whole table. Returns whether it was not one before.
    pub(crate) fn start_table(&mut self) -> bool {
        let is_new = !self.sealed.first().is_some_and(Batch::starts_table);
        if is_new {
            self.sealed.insert(0, Batch { starts_table: true, ..Batch::default() });
        }
        is_new
    }

    /// Takes all batches with rows.
    pub(crate) fn take(&mut self) -> Vec<Batch<S>> {
        let mut all = std::mem::take(&mut self.sealed);
        if self.current.is_sparse() && self.current.len > 0 {
            all.push(self.current.copy());
            self.current.clear();
            if self.current.peak.1 > POOL_BYTES {
                self.current = self.pool.get();
            }
        } else if self.current.len > 0 {
            all.push(std::mem::replace(&mut self.current, self.pool.get()));
        }
        all
    }

    /// Returns all batches with rows. A batch without rows returns to the pool.
    pub(crate) fn finish(mut self) -> Vec<Batch<S>> {
        if self.current.len > 0 {
            self.sealed.push(self.current);
        } else {
            self.pool.put(self.current);
        }
        self.sealed
    }

    /// Marks the end of the list as it is now.
    pub(crate) fn mark(&mut self) {
        self.mark = (self.sealed.len(), self.current.len);
    }

    /// Takes the rows before the mark. The rows after it stay, and the mark moves to their start.
    pub(crate) fn take_marked(&mut self) -> Vec<Batch<S>> {
        let (number, row) = std::mem::take(&mut self.mark);
        let mut later = self.sealed.split_off(number.min(self.sealed.len()));
        let mut marked = std::mem::take(&mut self.sealed);
        if row == 0 {
            self.sealed = later;
            return marked;
        }
        let split = later.first_mut().unwrap_or(&mut self.current);
        let mut rest = self.pool.get();
        for later_row in row..split.len {
            rest.push_from(&split.columns, later_row, split.diff(later_row));
        }
        split.truncate(row);
        let before = std::mem::replace(split, rest);
        marked.push(if before.is_sparse() { before.copy() } else { before });
        later.retain(|batch| batch.len > 0 || batch.starts_table);
        self.sealed = later;
        marked
    }

    /// Drops the rows after the mark.
    pub(crate) fn drop_unmarked(&mut self) {
        let marked = self.take_marked();
        self.take();
        self.sealed = marked;
    }

    pub(crate) fn append(&mut self, mut other: Batches<S>) {
        // The rows before the mark stay, and the mark stays valid, because the batches keep their numbers.
        let mut all = self.take();
        all.append(&mut other.take());
        self.sealed = all;
    }

    pub(crate) fn repair(&mut self) {
        self.current.repair();
    }
}
