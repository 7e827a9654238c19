//! Tables with a primary key: [`Upsert`] turns pushes and removals into the updates that they make.
//!
//! The current row of each key is kept in columns, as everywhere else. A hash table maps keys to *slots*, numbered by
//! `u32`; a slot knows where its row is. Rows are kept in segments of a fixed number of rows: a new row goes to the
//! open segment, the old one becomes a hole, and a full segment that is more than half holes is emptied into the open
//! one. So the state is bounded by twice its keys, and no commit pays for more than a few segments at once.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::rows::batch::{Batch, Pool};
use crate::rows::column::Buffer;
use crate::rows::fields::{Columns, ColumnsOf, Visitor};
use crate::rows::schema::{Schema, is_key};

/// Rows a segment has: few enough that emptying one takes well under a millisecond.
const SEGMENT: u32 = 1 << 10;
/// How many empty segments keep their buffers.
const KEPT_SEGMENTS: usize = 4;

/// No row, no operation.
const NONE: u32 = u32::MAX;

/// The current rows of a table by key.
pub(crate) struct Upsert<S: Schema> {
    hasher: RandomState,
    slots_by_key: HashTable<Place>,
    slots: Vec<Slot>,
    free_slots: Vec<u32>,
    rows: Rows<S>,
    /// Scratch of `apply`: the keys of the commit in the order of their first push.
    touched: Vec<Touched>,
}

/// Where a key is found. The hash stands here too, so that the table grows without a look at the slots, which lie all over
/// the memory.
struct Place {
    hash: KeyHash,
    slot: u32,
}

/// Half of a key's hash. Keys are compared anyway, and it takes half the room.
#[derive(Clone, Copy, PartialEq, Eq)]
struct KeyHash(u32);

impl KeyHash {
    /// As the hash table wants it: its lowest bits and its highest ones matter.
    #[inline]
    fn spread(self) -> u64 {
        // An odd number, the golden ratio of 64 bits, spreads one half over both.
        u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// What is known of one key.
struct Slot {
    hash: KeyHash,
    /// Where its current row is, or `NONE`.
    row: u32,
    /// Its place in `touched` while a commit is being applied, or `NONE`.
    touched: u32,
}

/// A key of the commit that is being applied.
struct Touched {
    slot: u32,
    /// Batch and row of its last push or removal.
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

/// The key of a row in a batch, to be hashed.
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
    /// Applies one commit; gives the updates that it makes, `-1` of an old row before `+1` of the new one, in the
    /// order of each key's first push. If it is the `whole` table, keys that are not in it are removed, after all else.
    pub(crate) fn apply(&mut self, batches: &[Batch<S>], pool: &Arc<Pool<S>>, whole: bool) -> Vec<Batch<S>> {
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

    /// Takes a key out that a whole table does not have.
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

    /// Shows the current row of each key.
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

    /// Notes that a push or a removal is the last of its key so far.
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
            // A key that is new in this commit has no current row yet, only the one that was pushed.
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

    /// Makes a row of the commit the current one of its key, or, if it is a removal, leaves the key without.
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

    /// Leaves a key without a row.
    fn forget(&mut self, slot: u32) {
        let entry = &mut self.slots[slot as usize];
        entry.row = NONE;
        if let Ok(entry) = self.slots_by_key.find_entry(entry.hash.spread(), |place| place.slot == slot) {
            entry.remove();
        }
        self.free_slots.push(slot);
    }
}

/// Updates being written into batches.
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

/// Rows in segments; a row is known by the number of its segment and its place there, in one `u32`.
struct Rows<S: Schema> {
    segments: Vec<Segment<S>>,
    /// The segment that takes the next row.
    open: u32,
    /// Segments without rows.
    free: Vec<u32>,
    /// Full segments that have become sparse; one may stand here twice.
    sparse: Vec<u32>,
}

struct Segment<S: Schema> {
    columns: ColumnsOf<S>,
    /// The slot of each row, `NONE` for a hole.
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
            assert!(number < (NONE / SEGMENT) as usize, "a table holds at most four billion keys");
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

    /// Empties the segments that have become sparse, and tells the slots where their rows are now.
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
