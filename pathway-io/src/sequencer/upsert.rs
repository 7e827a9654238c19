//! Tables with a primary key: [`Upsert`] turns pushes and removals into updates.
//!
//! The current row of each key is kept in columns. A hash table maps keys to *slots*, numbered by `u32`, and each slot
//! stores the position of its row. Rows are kept in segments of fixed size. A new row goes to the open segment, and the
//! row that it replaces becomes a hole. If more than half of a full segment is holes, its rows move to the open
//! segment. So memory is at most twice what the rows need, and a commit never moves more than a few segments.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::rows::batch::{Batch, Pool};
use crate::rows::column::Buffer;
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::{ColumnsOf, Schema, is_key};

/// The number of rows in a segment. It is small enough that moving one takes well under a millisecond.
const SEGMENT: u32 = 1 << 10;
/// The number of empty segments that keep their buffers for reuse.
const KEPT_SEGMENTS: usize = 4;

/// Marks a slot without a row, or a row that is a hole.
const NONE: u32 = u32::MAX;

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
        self.rows.compact(&mut self.slots);
        updates.finish()
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

/// Rows in segments. A `u32` identifies a row: the number of its segment, and its index in the segment.
struct Rows<S: Schema> {
    segments: Vec<Segment<S>>,
    /// The segment that receives the next row.
    open: u32,
    /// The empty segments.
    free: Vec<u32>,
    /// The full segments that have become sparse. A segment may occur twice.
    sparse: Vec<u32>,
}

struct Segment<S: Schema> {
    columns: ColumnsOf<S>,
    /// The slot of each row, or `NONE` for a hole.
    slots: Vec<u32>,
    live: usize,
}

impl<S: Schema> Default for Segment<S> {
    fn default() -> Self {
        Segment { columns: ColumnsOf::<S>::default(), slots: Vec::new(), live: 0 }
    }
}

impl<S: Schema> Segment<S> {
    fn is_full(&self) -> bool {
        self.slots.len() == SEGMENT as usize
    }

    fn is_sparse(&self) -> bool {
        self.is_full() && self.live < SEGMENT as usize / 2
    }

    fn clear(&mut self) {
        self.columns.truncate(0);
        self.slots.clear();
        self.live = 0;
    }
}

impl<S: Schema> Default for Rows<S> {
    fn default() -> Self {
        Rows { segments: Vec::new(), open: 0, free: Vec::new(), sparse: Vec::new() }
    }
}

impl<S: Schema> Rows<S> {
    #[inline]
    fn at(&self, row: u32) -> (&ColumnsOf<S>, usize) {
        (&self.segments[(row / SEGMENT) as usize].columns, (row % SEGMENT) as usize)
    }

    fn insert(&mut self, columns: &ColumnsOf<S>, row: usize, slot: u32) -> u32 {
        if self.segments.get(self.open as usize).is_none_or(Segment::is_full) {
            self.open = self.next_segment();
        }
        let segment = &mut self.segments[self.open as usize];
        let place = segment.slots.len() as u32;
        segment.columns.push_from(columns, row);
        segment.slots.push(slot);
        segment.live += 1;
        self.note_sparse(self.open);
        self.open * SEGMENT + place
    }

    fn next_segment(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let number = self.segments.len();
            assert!(number < (NONE / SEGMENT) as usize, "the table has too many keys: at most four billion fit");
            self.segments.push(Segment::default());
            number as u32
        })
    }

    fn remove(&mut self, row: u32) {
        let (number, place) = (row / SEGMENT, (row % SEGMENT) as usize);
        let segment = &mut self.segments[number as usize];
        segment.slots[place] = NONE;
        segment.live -= 1;
        self.note_sparse(number);
    }

    fn note_sparse(&mut self, number: u32) {
        if self.segments[number as usize].is_sparse() && self.sparse.last() != Some(&number) {
            self.sparse.push(number);
        }
    }

    /// Moves the rows out of sparse segments, and updates the positions in their slots.
    fn compact(&mut self, slots: &mut [Slot]) {
        while let Some(number) = self.sparse.pop() {
            if !self.segments[number as usize].is_sparse() {
                continue;
            }
            if self.open == number {
                self.open = self.next_segment();
            }
            let mut emptied = std::mem::take(&mut self.segments[number as usize]);
            for (place, &slot) in emptied.slots.iter().enumerate() {
                if slot != NONE {
                    slots[slot as usize].row = self.insert(&emptied.columns, place, slot);
                }
            }
            if self.free.len() < KEPT_SEGMENTS {
                emptied.clear();
                self.segments[number as usize] = emptied;
            }
            self.free.push(number);
        }
    }
}
