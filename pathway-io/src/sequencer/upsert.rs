//! Tables with a primary key: [`Upsert`] turns pushes and removals into updates.
//!
//! The current row of each key is kept in columns ([`SegmentedRows`]). A hash table of `u32` contains the position of
//! each row. Keys and hashes are not stored a second time, and a lookup reads one bucket and one key.
//!
//! A commit is applied in two passes. The first looks up each pushed row. It puts the index of the key in `touched`
//! into the bucket, so that a further push of the same key finds the first. The second changes each touched key once.
//! Buckets keep their numbers between the passes, because the hash table grows only in [`Upsert::grow`], which looks
//! them up again.
//!
//! When the hash table grows, or when most keys have been removed, it is filled again in the order of the rows. The
//! commit that causes this takes longer.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::segments::{POSITIONS, SegmentedRows};
use crate::rows::batch::{Batch, Batches, Pool};
use crate::rows::fields::Columns;
use crate::rows::schema::{ColumnsOf, KeyOf, Schema, is_key};

/// Fewer buckets than this are not worth a rebuild.
const SHRINK_FROM: usize = 8192;
/// The state is rebuilt if less than this part of the buckets is in use. The cost of a rebuild is thus spread over many
/// removals.
const SHRINK_PART: usize = 8;

/// The current rows of a table by key.
pub(crate) struct Upsert<S: Schema> {
    hasher: RandomState,
    places: HashTable<Bucket>,
    rows: SegmentedRows<S>,
    /// The keys of the commit that is being applied, in the order of their first push.
    touched: Vec<Touched>,
}

/// A bucket of the hash table: the position of a row, or, from [`POSITIONS`] on, the index of a touched key.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Bucket(u32);

impl Bucket {
    fn touched(index: usize) -> Self {
        assert!(index < POSITIONS as usize, "a commit has more keys than the table can have");
        Bucket(POSITIONS + index as u32)
    }

    #[inline]
    fn index(self) -> Option<usize> {
        self.0.checked_sub(POSITIONS).map(|index| index as usize)
    }
}

/// A key that the current commit changes.
struct Touched {
    bucket: usize,
    /// The position of the key's row before the commit.
    row: Option<u32>,
    /// The batch and the row of the last push or removal.
    last: (u32, u32),
}

impl<S: Schema> Default for Upsert<S> {
    fn default() -> Self {
        Upsert {
            hasher: RandomState::default(),
            places: HashTable::new(),
            rows: SegmentedRows::default(),
            touched: Vec::new(),
        }
    }
}

impl<S: Schema> Upsert<S> {
    /// Applies one commit and returns its updates, or `None` if the batches are the updates as they are. The `-1` of an
    /// old row comes before the `+1` of the new row, and keys are in the order of their first push. If the commit is
    /// the `whole` table, all other keys are removed at the end. It is also the whole table if a batch starts a table;
    /// then the batches before it do not count.
    pub(crate) fn apply(&mut self, batches: &[Batch<S>], pool: &Arc<Pool<S>>, whole: bool) -> Option<Vec<Batch<S>>> {
        let start = batches.iter().rposition(Batch::starts_table);
        let (batches, whole) = (&batches[start.unwrap_or(0)..], whole || start.is_some());
        for (number, batch) in batches.iter().enumerate() {
            for row in 0..batch.len() {
                self.touch(batches, number, row);
            }
        }
        let gone: Vec<u32> = if whole { self.rows.untouched().collect() } else { Vec::new() };
        let touched = std::mem::take(&mut self.touched);
        if !whole && are_all_new(batches, &touched) {
            for Touched { bucket, last: (batch, row), .. } in touched {
                self.insert(bucket, &batches[batch as usize], row as usize);
            }
            return None;
        }
        let mut updates = Batches::new(Arc::clone(pool));
        for touched in touched {
            self.change(&touched, batches, &mut updates);
        }
        for row in gone {
            self.remove(row, &mut updates);
        }
        let (hasher, places) = (&self.hasher, &mut self.places);
        self.rows.compact(|columns, at, old, new| {
            if let Some(place) = places.find_mut(hash::<S>(hasher, columns, at), |place| *place == Bucket(old)) {
                *place = Bucket(new);
            }
        });
        self.shrink();
        Some(updates.finish())
    }

    /// Records a push or a removal as the last one of its key so far.
    #[inline]
    fn touch(&mut self, batches: &[Batch<S>], number: usize, row: usize) {
        let columns = &batches[number].columns;
        let hash = hash::<S>(&self.hasher, columns, row);
        let last = (number as u32, row as u32);
        let (rows, touched) = (&self.rows, &self.touched);
        let bucket = self.places.find_bucket_index(hash, |place| {
            let (known, at) = match place.index() {
                None => rows.at(place.0),
                Some(index) => {
                    let (batch, row) = touched[index].last;
                    (&batches[batch as usize].columns, row as usize)
                }
            };
            columns.key_equal(row, known, at, is_key::<S>, 0)
        });
        let new = Bucket::touched(self.touched.len());
        let known = bucket.and_then(|bucket| Some((bucket, self.places.get_bucket_mut(bucket)?)));
        let Some((bucket, place)) = known else {
            if self.places.len() == self.places.capacity() {
                self.grow(batches);
            }
            // The hasher is not called, since there is space.
            let bucket = self.places.insert_unique(hash, new, |_| hash).bucket_index();
            self.touched.push(Touched { bucket, row: None, last });
            return;
        };
        match place.index() {
            Some(index) => self.touched[index].last = last,
            None => {
                let row = std::mem::replace(place, new).0;
                self.rows.touch(row, true);
                self.touched.push(Touched { bucket, row: Some(row), last });
            }
        }
    }

    /// Makes space in the hash table for more keys, in the middle of a commit. The old table is freed first.
    #[cold]
    fn grow(&mut self, batches: &[Batch<S>]) {
        let keys = self.places.len();
        self.places = HashTable::new();
        // After many removals the table may keep its size, because their buckets are space, too.
        self.places = HashTable::with_capacity(keys + keys / 4 + 1);
        let (hasher, places) = (&self.hasher, &mut self.places);
        for row in self.rows.untouched() {
            let (columns, at) = self.rows.at(row);
            let hash = hash::<S>(hasher, columns, at);
            places.insert_unique(hash, Bucket(row), |_| hash);
        }
        for (index, touched) in self.touched.iter_mut().enumerate() {
            let (batch, row) = touched.last;
            let hash = hash::<S>(hasher, &batches[batch as usize].columns, row as usize);
            touched.bucket = places.insert_unique(hash, Bucket::touched(index), |_| hash).bucket_index();
        }
    }

    /// Makes the last row of a key its current row. If the row is a removal, removes the key.
    fn change(&mut self, touched: &Touched, batches: &[Batch<S>], updates: &mut Batches<S>) {
        let (batch, row) = (&batches[touched.last.0 as usize], touched.last.1 as usize);
        let removed = batch.diff(row) < 0;
        if let Some(old_row) = touched.row {
            let (old, at) = self.rows.at(old_row);
            if !removed && old.equal(at, &batch.columns, row) {
                self.rows.touch(old_row, false);
                self.set(touched.bucket, old_row);
                return;
            }
            updates.current().push_from(old, at, -1);
            self.rows.remove(old_row);
        }
        if removed {
            if let Ok(entry) = self.places.get_bucket_entry(touched.bucket) {
                entry.remove();
            }
        } else {
            updates.current().push_from(&batch.columns, row, 1);
            self.insert(touched.bucket, batch, row);
        }
    }

    fn insert(&mut self, bucket: usize, batch: &Batch<S>, row: usize) {
        let row = self.rows.insert(&batch.columns, row);
        self.set(bucket, row);
    }

    #[inline]
    fn set(&mut self, bucket: usize, row: u32) {
        if let Some(place) = self.places.get_bucket_mut(bucket) {
            *place = Bucket(row);
        }
    }

    /// Removes a key that the whole table does not contain.
    #[cold]
    fn remove(&mut self, row: u32, updates: &mut Batches<S>) {
        let (old, at) = self.rows.at(row);
        updates.current().push_from(old, at, -1);
        let hash = hash::<S>(&self.hasher, old, at);
        if let Ok(entry) = self.places.find_entry(hash, |place| *place == Bucket(row)) {
            entry.remove();
        }
        self.rows.remove(row);
    }

    /// Rebuilds the state if most of the buckets are free.
    fn shrink(&mut self) {
        let (keys, buckets) = (self.places.len(), self.places.num_buckets());
        if buckets < SHRINK_FROM || keys >= buckets / SHRINK_PART {
            return;
        }
        let rows = std::mem::take(&mut self.rows);
        self.places = HashTable::with_capacity(keys);
        for row in rows.all() {
            let (columns, at) = rows.at(row);
            let hash = hash::<S>(&self.hasher, columns, at);
            let place = Bucket(self.rows.insert(columns, at));
            self.places.insert_unique(hash, place, |_| hash);
        }
    }

    /// Returns the number of keys or of rows for which memory is allocated, whichever is larger.
    #[cfg(test)]
    fn capacity(&self) -> usize {
        self.places.num_buckets().max(self.rows.capacity())
    }

    /// Calls `show` with the current row of each key.
    pub(crate) fn for_each(&self, mut show: impl FnMut(&ColumnsOf<S>, usize)) {
        for row in self.rows.all() {
            let (columns, row) = self.rows.at(row);
            show(columns, row);
        }
    }
}

/// Returns whether each row of the commit is the only row of a new key.
fn are_all_new<S: Schema>(batches: &[Batch<S>], touched: &[Touched]) -> bool {
    touched.len() == batches.iter().map(Batch::len).sum::<usize>()
        && batches.iter().all(Batch::has_only_additions)
        && touched.iter().all(|touched| touched.row.is_none())
}

#[inline]
fn hash<S: Schema>(hasher: &RandomState, columns: &ColumnsOf<S>, row: usize) -> u64 {
    hasher.hash_one(KeyOf::<S> { columns, row })
}

#[cfg(test)]
mod tests;
