//! The current rows of a table with a primary key: [`SegmentedRows`].
//!
//! Rows are kept in segments of limited size. A new row goes to the open segment, and the row that it replaces becomes
//! a hole. If more than half of the rows of a full segment are holes, its rows move to the open segment. Memory is
//! therefore at most twice what the rows need, and a commit never moves more than a few segments.

use crate::rows::fields::Columns;
use crate::rows::schema::{ColumnsOf, Schema};

/// The number of rows in a segment. It is small enough that moving one takes well under a millisecond.
const SEGMENT: u32 = 1 << 10;
/// A segment with this many bytes is full, too, which bounds the memory that removed rows keep, except for one large
/// row.
const SEGMENT_BYTES: usize = 1 << 20;
/// The number of empty segments that keep their buffers for reuse.
const KEPT_SEGMENTS: usize = 4;

/// The number of positions. The owner of the rows can use the other values of a `u32`.
pub(super) const POSITIONS: u32 = 1 << 31;

/// Rows in segments. A `u32` below [`POSITIONS`] identifies a row: the number of its segment, and its index in the
/// segment.
pub(super) struct SegmentedRows<S: Schema> {
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
    marks: Vec<Mark>,
    live: usize,
    is_full: bool,
}

/// The state of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Hole,
    Row,
    /// A row whose key is changed by the current commit.
    Touched,
}

impl<S: Schema> Default for Segment<S> {
    fn default() -> Self {
        Segment { columns: ColumnsOf::<S>::default(), marks: Vec::new(), live: 0, is_full: false }
    }
}

impl<S: Schema> Segment<S> {
    fn push(&mut self, columns: &ColumnsOf<S>, row: usize) {
        self.columns.push_from(columns, row);
        self.marks.push(Mark::Row);
        self.live += 1;
        self.is_full = self.marks.len() == SEGMENT as usize || self.columns.bytes() >= SEGMENT_BYTES;
    }

    fn is_sparse(&self) -> bool {
        self.is_full && self.live * 2 < self.marks.len()
    }

    fn clear(&mut self) {
        self.columns.truncate(0);
        self.marks.clear();
        self.live = 0;
        self.is_full = false;
    }
}

impl<S: Schema> Default for SegmentedRows<S> {
    fn default() -> Self {
        SegmentedRows { segments: Vec::new(), open: 0, free: Vec::new(), sparse: Vec::new() }
    }
}

impl<S: Schema> SegmentedRows<S> {
    #[inline]
    pub(super) fn at(&self, row: u32) -> (&ColumnsOf<S>, usize) {
        (&self.segments[(row / SEGMENT) as usize].columns, (row % SEGMENT) as usize)
    }

    /// Marks a row whose key the current commit changes, or removes the mark.
    #[inline]
    pub(super) fn touch(&mut self, row: u32, is_touched: bool) {
        let mark = if is_touched { Mark::Touched } else { Mark::Row };
        self.segments[(row / SEGMENT) as usize].marks[(row % SEGMENT) as usize] = mark;
    }

    /// Returns the positions of the rows that are not touched.
    pub(super) fn untouched(&self) -> impl Iterator<Item = u32> + '_ {
        self.positions(|mark| mark == Mark::Row)
    }

    /// Returns the positions of all rows.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> + '_ {
        self.positions(|mark| mark != Mark::Hole)
    }

    fn positions<'a>(&'a self, holds: impl Fn(Mark) -> bool + Copy + 'a) -> impl Iterator<Item = u32> + 'a {
        self.segments.iter().zip(0..).flat_map(move |(segment, number)| {
            let marks = segment.marks.iter().zip(number * SEGMENT..);
            marks.filter(move |(mark, _)| holds(**mark)).map(|(_, row)| row)
        })
    }

    pub(super) fn insert(&mut self, columns: &ColumnsOf<S>, row: usize) -> u32 {
        if self.segments.get(self.open as usize).is_none_or(|open| open.is_full) {
            self.open = self.next_segment();
        }
        let segment = &mut self.segments[self.open as usize];
        let place = segment.marks.len() as u32;
        segment.push(columns, row);
        self.note_sparse(self.open);
        self.open * SEGMENT + place
    }

    fn next_segment(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let number = self.segments.len();
            assert!(number < (POSITIONS / SEGMENT) as usize, "the table has too many keys: at most two billion fit");
            self.segments.push(Segment::default());
            number as u32
        })
    }

    pub(super) fn remove(&mut self, row: u32) {
        let (number, place) = (row / SEGMENT, (row % SEGMENT) as usize);
        let segment = &mut self.segments[number as usize];
        segment.marks[place] = Mark::Hole;
        segment.live -= 1;
        self.note_sparse(number);
    }

    fn note_sparse(&mut self, number: u32) {
        if self.segments[number as usize].is_sparse() && self.sparse.last() != Some(&number) {
            self.sparse.push(number);
        }
    }

    /// Moves the rows out of sparse segments. Calls `moved` with each row, its old position, and its new one.
    pub(super) fn compact(&mut self, mut moved: impl FnMut(&ColumnsOf<S>, usize, u32, u32)) {
        while let Some(number) = self.sparse.pop() {
            if !self.segments[number as usize].is_sparse() {
                continue;
            }
            if self.open == number {
                self.open = self.next_segment();
            }
            let mut emptied = std::mem::take(&mut self.segments[number as usize]);
            for (place, _) in emptied.marks.iter().enumerate().filter(|(_, mark)| **mark != Mark::Hole) {
                let new = self.insert(&emptied.columns, place);
                moved(&emptied.columns, place, number * SEGMENT + place as u32, new);
            }
            if self.free.len() < KEPT_SEGMENTS && emptied.columns.bytes() <= 2 * SEGMENT_BYTES {
                emptied.clear();
                self.segments[number as usize] = emptied;
            }
            self.free.push(number);
        }
    }

    /// Returns the bytes of all rows, with the holes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.segments.iter().map(|segment| segment.columns.bytes()).sum()
    }

    /// Returns the number of rows for which memory is allocated.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.segments.iter().map(|segment| segment.marks.capacity()).sum::<usize>().max(self.segments.capacity())
    }
}
