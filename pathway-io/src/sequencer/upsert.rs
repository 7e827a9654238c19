//! Tables with a primary key: [`Upsert`] turns pushes and removals into updates.
//!
//! The current row of each key is kept in columns. A hash table maps keys to *slots*, numbered by `u32`, and each slot
//! stores the position of its row in the [`Rows`]. After most keys were removed, hash table, slots and rows are rebuilt in
//! smaller buffers. As when a hash table grows, the commit that causes this takes longer.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::segments::{NONE, Rows};
use crate::rows::batch::{Batch, Pool};
use crate::rows::column::Buffer;
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::{ColumnsOf, Schema, is_key};

/// Fewer slots than this are not worth a rebuild.
const SHRINK_FROM: usize = 4096;
/// The state is rebuilt if less than this part of the slots is in use. Therefore many removals pay for each rebuild.
const SHRINK_PART: usize = 4;

/// The current rows of a table by key.
pub(crate) struct Upsert<S: Schema> {
    hasher: RandomState,
    slots_by_key: HashTable<Place>,
    slots: Vec<Slot>,
    free_slots: Vec<u32>,
    rows: Rows<S>,
    /// Scratch space of `apply`: the keys of the commit, in the order of their first push.
    touched: Vec<Touched>,
}

/// An entry of the hash table. It includes the hash, so that the table can grow without reading the slots, which would
/// miss the cache.
struct Place {
    hash: KeyHash,
    slot: u32,
}

/// The upper half of a key's hash. It takes half the memory, and a collision is harmless because keys are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
struct KeyHash(u32);

impl KeyHash {
    /// Returns the hash in the form that the hash table needs: it uses the lowest and the highest bits.
    #[inline]
    fn spread(self) -> u64 {
        // Multiplication with an odd constant, here the 64-bit golden ratio, distributes the 32 bits over all 64.
        u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// The state of one key.
struct Slot {
    hash: KeyHash,
    /// The position of the current row, or `NONE`.
    row: u32,
    /// The index in `touched` while a commit is being applied, or `NONE`.
    touched: u32,
}

/// A key that the current commit changes.
struct Touched {
    slot: u32,
    /// The batch and the row of the last push or removal.
    last: (u32, u32),
}

impl<S: Schema> Default for Upsert<S> {
    fn default() -> Self {
        Upsert {
            hasher: RandomState::default(),
            slots_by_key: HashTable::new(),
            slots: Vec::new(),
            free_slots: Vec::new(),
            rows: Rows::default(),
            touched: Vec::new(),
        }
    }
}

/// Hashes the key columns of one row.
struct HashKey<'a, S, H> {
    row: usize,
    state: &'a mut H,
    schema: std::marker::PhantomData<S>,
}

impl<S: Schema, H: Hasher> Visitor for HashKey<'_, S, H> {
    #[inline]
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        if is_key::<S>(index) {
            buffer.hash(self.row, self.state);
        }
    }
}

/// A wrapper that hashes the key of a row in a batch.
pub(crate) struct KeyOf<'a, S: Schema> {
    pub(crate) columns: &'a ColumnsOf<S>,
    pub(crate) row: usize,
}

impl<S: Schema> std::hash::Hash for KeyOf<'_, S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.columns.visit(0, &mut HashKey::<S, _> { row: self.row, state, schema: std::marker::PhantomData });
    }
}

impl<S: Schema> Upsert<S> {
    /// Applies one commit and returns its updates. The `-1` of an old row comes before the `+1` of the new row, and
    /// keys are in the order of their first push. If the commit is the `whole` table, all other keys are removed at the
    /// end. It is also the whole table if a batch starts a table; then the batches before it do not count.
    pub(crate) fn apply(&mut self, batches: &[Batch<S>], pool: &Arc<Pool<S>>, whole: bool) -> Vec<Batch<S>> {
        let start = batches.iter().rposition(Batch::starts_table);
        let (batches, whole) = (&batches[start.unwrap_or(0)..], whole || start.is_some());
        let mut sent = if whole { vec![false; self.slots.len()] } else { Vec::new() };
        for (number, batch) in batches.iter().enumerate() {
            for row in 0..batch.len() {
                self.touch(batches, number, row);
            }
        }
        let mut updates = Updates { done: Vec::new(), open: pool.get(), pool };
        for Touched { slot, last: (batch, row) } in std::mem::take(&mut self.touched) {
            if let Some(sent) = sent.get_mut(slot as usize) {
                *sent = true;
            }
            self.change(slot, &batches[batch as usize], row as usize, &mut updates);
        }
        for (slot, sent) in sent.into_iter().enumerate() {
            if !sent {
                self.remove(slot as u32, &mut updates);
            }
        }
        let slots = &mut self.slots;
        self.rows.compact(|slot, row| slots[slot as usize].row = row);
        self.shrink();
        updates.finish()
    }

    /// Rebuilds the state if most of its slots are free.
    fn shrink(&mut self) {
        let live = self.slots.len() - self.free_slots.len();
        if self.slots.len() < SHRINK_FROM || live >= self.slots.len() / SHRINK_PART {
            return;
        }
        let (slots, rows) = (std::mem::take(&mut self.slots), std::mem::take(&mut self.rows));
        self.free_slots = Vec::new();
        self.slots_by_key = HashTable::with_capacity(live);
        for slot in slots.into_iter().filter(|slot| slot.row != NONE) {
            let (columns, at) = rows.at(slot.row);
            let number = self.slots.len() as u32;
            let row = self.rows.insert(columns, at, number);
            self.slots.push(Slot { row, ..slot });
            let place = Place { hash: slot.hash, slot: number };
            self.slots_by_key.insert_unique(slot.hash.spread(), place, |place| place.hash.spread());
        }
    }

    /// Returns the number of keys and rows for which it has memory, whichever is larger.
    #[cfg(test)]
    fn capacity(&self) -> usize {
        let buffers =
            [self.slots.capacity(), self.free_slots.capacity(), self.touched.capacity(), self.rows.capacity()];
        buffers.into_iter().fold(self.slots_by_key.capacity(), usize::max)
    }

    /// Removes a key that the whole table does not contain.
    #[cold]
    fn remove(&mut self, slot: u32, updates: &mut Updates<'_, S>) {
        let row = self.slots[slot as usize].row;
        if row != NONE {
            let (old, at) = self.rows.at(row);
            updates.push(old, at, -1);
            self.rows.remove(row);
            self.forget(slot);
        }
    }

    /// Calls `show` with the current row of each key.
    pub(crate) fn for_each(&self, mut show: impl FnMut(&ColumnsOf<S>, usize)) {
        for slot in self.slots.iter().filter(|slot| slot.row != NONE) {
            let (columns, row) = self.rows.at(slot.row);
            show(columns, row);
        }
    }

    fn hash(&self, columns: &ColumnsOf<S>, row: usize) -> KeyHash {
        let mut state = self.hasher.build_hasher();
        columns.visit(0, &mut HashKey::<S, _> { row, state: &mut state, schema: std::marker::PhantomData });
        KeyHash((state.finish() >> 32) as u32)
    }

    /// Records a push or a removal as the last one of its key so far.
    #[inline]
    fn touch(&mut self, batches: &[Batch<S>], number: usize, row: usize) {
        let columns = &batches[number].columns;
        let hash = self.hash(columns, row);
        let (slots, rows, touched) = (&self.slots, &self.rows, &self.touched);
        let found = self.slots_by_key.find(hash.spread(), |place| {
            if place.hash != hash {
                return false;
            }
            let slot = &slots[place.slot as usize];
            // If the key is new in this commit, it has no current row, so the pushed row has to be compared.
            let (known, at) = if slot.row == NONE {
                let (batch, row) = touched[slot.touched as usize].last;
                (&batches[batch as usize].columns, row as usize)
            } else {
                rows.at(slot.row)
            };
            columns.key_equal(row, known, at, is_key::<S>, 0)
        });
        let slot = match found {
            Some(place) => place.slot,
            None => self.add_slot(hash),
        };
        let last = (number as u32, row as u32);
        let place = &mut self.slots[slot as usize].touched;
        if *place == NONE {
            *place = self.touched.len() as u32;
            self.touched.push(Touched { slot, last });
        } else {
            self.touched[*place as usize].last = last;
        }
    }

    fn add_slot(&mut self, hash: KeyHash) -> u32 {
        let new = Slot { hash, row: NONE, touched: NONE };
        let slot = match self.free_slots.pop() {
            Some(slot) => {
                self.slots[slot as usize] = new;
                slot
            }
            None => {
                self.slots.push(new);
                (self.slots.len() - 1) as u32
            }
        };
        self.slots_by_key.insert_unique(hash.spread(), Place { hash, slot }, |place| place.hash.spread());
        slot
    }

    /// Makes a row of the commit the current row of its key. If the row is a removal, removes the key.
    fn change(&mut self, slot: u32, batch: &Batch<S>, row: usize, updates: &mut Updates<'_, S>) {
        let removed = batch.diff(row) < 0;
        let entry = &mut self.slots[slot as usize];
        entry.touched = NONE;
        if entry.row != NONE {
            let (old, at) = self.rows.at(entry.row);
            if !removed && old.equal(at, &batch.columns, row) {
                return;
            }
            updates.push(old, at, -1);
            self.rows.remove(entry.row);
        }
        if removed {
            self.forget(slot);
        } else {
            updates.push(&batch.columns, row, 1);
            entry.row = self.rows.insert(&batch.columns, row, slot);
        }
    }

    /// Removes the key of a slot, and frees the slot.
    fn forget(&mut self, slot: u32) {
        let entry = &mut self.slots[slot as usize];
        entry.row = NONE;
        if let Ok(entry) = self.slots_by_key.find_entry(entry.hash.spread(), |place| place.slot == slot) {
            entry.remove();
        }
        self.free_slots.push(slot);
    }
}

/// The updates of a commit while they are written into batches.
struct Updates<'a, S: Schema> {
    done: Vec<Batch<S>>,
    open: Batch<S>,
    pool: &'a Arc<Pool<S>>,
}

impl<S: Schema> Updates<'_, S> {
    fn push(&mut self, columns: &ColumnsOf<S>, row: usize, diff: i64) {
        if self.open.is_full() {
            self.done.push(std::mem::replace(&mut self.open, self.pool.get()));
        }
        self.open.push_from(columns, row, diff);
    }

    fn finish(mut self) -> Vec<Batch<S>> {
        if self.open.len() > 0 {
            self.done.push(self.open);
        } else {
            self.pool.put(self.open);
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use pathway_derive::Schema;

    use super::*;
    use crate::rows::schema::Keyed;

    #[derive(Schema)]
    #[schema(crate = crate)]
    struct Cat {
        #[schema(primary_key)]
        key: i64,
        genus: String,
    }

    /// Pushes `genus`, or removes the key.
    fn batch(keys: impl Iterator<Item = i64>, genus: Option<&str>) -> Batch<Cat> {
        let mut batch = Batch::default();
        for key in keys {
            match genus {
                Some(genus) => batch.push_times(Cat { key, genus: genus.to_owned() }.into_fields(), 1),
                None => batch.push_removal(Cat::tombstone(key)),
            }
        }
        batch
    }

    fn updates(upsert: &mut Upsert<Cat>, batch: Batch<Cat>) -> Vec<(i64, String, i64)> {
        let batches = upsert.apply(&[batch], &Pool::new(), false);
        let rows = batches.iter().flat_map(|batch| (0..batch.len()).map(|row| (batch.row(row), batch.diff(row))));
        rows.map(|(cat, diff)| (cat.key, cat.genus, diff)).collect()
    }

    const KEYS: i64 = 100_000;

    #[test]
    fn memory_shrinks_after_a_mass_removal() {
        let mut upsert = Upsert::<Cat>::default();
        for round in 0..2 {
            assert_eq!(updates(&mut upsert, batch(0..KEYS, Some("felis"))).len(), KEYS as usize, "round {round}");
            assert!(upsert.capacity() >= KEYS as usize);
            // At once, and in many small commits.
            let mut removed: Vec<i64> = (0..KEYS).filter(|key| key % 1000 != 7).collect();
            let few = removed.split_off(if round == 0 { removed.len() } else { 0 });
            updates(&mut upsert, batch(removed.into_iter(), None));
            for keys in few.chunks(100) {
                updates(&mut upsert, batch(keys.iter().copied(), None));
            }
            assert!(upsert.capacity() <= 2 * SHRINK_FROM, "it has memory for {} keys", upsert.capacity());
            // The remaining keys are found, and the others are not.
            let changed = updates(&mut upsert, batch((0..KEYS).filter(|key| key % 500 == 7), Some("lynx")));
            let retracted = changed.iter().filter(|(.., diff)| *diff < 0);
            assert!(retracted.clone().all(|(key, genus, _)| key % 1000 == 7 && genus == "felis"));
            assert_eq!((changed.len(), retracted.count()), (300, 100));
            let gone = updates(&mut upsert, batch(0..KEYS, None));
            assert_eq!(gone.len(), 200);
        }
    }

    #[test]
    fn a_table_that_keeps_its_size_is_not_rebuilt() {
        let mut upsert = Upsert::<Cat>::default();
        updates(&mut upsert, batch(0..KEYS, Some("felis")));
        updates(&mut upsert, batch(0..KEYS / 2, None));
        assert!(upsert.capacity() >= KEYS as usize);
    }

    #[test]
    fn a_large_row_that_is_replaced_often_is_kept_once() {
        let mut upsert = Upsert::<Cat>::default();
        for round in 0..100 {
            let genus = format!("{round}{}", "x".repeat(1 << 20));
            updates(&mut upsert, batch(0..1, Some(&genus)));
            // Small rows beside it do not keep it either.
            updates(&mut upsert, batch(1..3, Some(&round.to_string())));
        }
        assert!(upsert.rows.bytes() < 4 << 20, "{} bytes for a row of a megabyte", upsert.rows.bytes());
    }
}
