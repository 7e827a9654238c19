//! Which column a field of a JSON object is, and which columns a row has had.
//!
//! A source writes its fields in one order, mostly that of the columns. So the first guess is the column that last came
//! after this one; only where that fails are all names and aliases looked through.

use crate::rows::description::TableSchema;

/// The columns found in one row, and hints from the rows before it. It is scratch space, kept
/// with the columns that it serves.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    columns: Vec<bool>,
    /// By the hash of a name, the one column that it can be.
    buckets: Vec<Bucket>,
    count: usize,
    /// For each column what came after it the last time; first of all, what came first.
    next: Vec<usize>,
    /// Where in `next` the guess for the coming field stands.
    place: usize,
    /// The column whose value is being read.
    pub(super) current: Option<usize>,
    /// The value is read inside of another field, by the column's path.
    pub(super) nested: bool,
    /// The row was written by the library, by which every column is under its name.
    pub(super) is_stored: bool,
    /// The number of rows since the last that was scanned.
    unscanned: u32,
}

impl Seen {
    /// Makes it ready for a row of `width` columns.
    #[inline]
    pub(super) fn start(&mut self, width: usize) {
        if self.columns.len() != width {
            self.columns = vec![false; width];
            self.next = (0..=width).collect();
            self.buckets.clear();
        }
        self.columns.fill(false);
        self.count = 0;
        self.place = 0;
        self.current = None;
        self.nested = false;
    }

    /// Makes it ready for the rest of a row whose first `count` columns are there.
    #[inline]
    pub(super) fn start_after(&mut self, width: usize, count: usize) {
        self.start(width);
        self.columns[..count].fill(true);
        self.count = count;
        self.place = count;
    }

    /// Returns whether to try the scan first. With a source whose rows it gives up on it is tried now and then only.
    #[inline]
    pub(super) fn tries_scan(&self) -> bool {
        self.unscanned < 8 || self.unscanned.is_multiple_of(64)
    }

    #[inline]
    pub(super) fn note_scan(&mut self, scanned: bool) {
        self.unscanned = if scanned { 0 } else { self.unscanned.wrapping_add(1) };
    }

    #[cfg(test)]
    pub(super) fn unscanned_rows(&self) -> u32 {
        self.unscanned
    }

    /// Returns the column that the next field probably is.
    #[inline]
    pub(super) fn guess(&self) -> usize {
        self.next[self.place]
    }

    /// Notes that the guess was right.
    #[inline]
    pub(super) fn found(&mut self, index: usize) {
        self.place = index + 1;
    }

    /// Returns the column of that name, if there is one.
    #[inline]
    pub(super) fn find(&mut self, schema: &TableSchema, name: &str) -> Option<usize> {
        let guess = self.next[self.place];
        let index = match schema.columns.get(guess) {
            Some(column) if column.name == name && (self.is_stored || column.is_read_by_name()) => guess,
            _ => self.search(schema, name)?,
        };
        self.place = index + 1;
        Some(index)
    }

    /// Returns the column of that name, if there is one, where the guess was wrong.
    #[inline]
    pub(super) fn search(&mut self, schema: &TableSchema, name: &str) -> Option<usize> {
        if self.buckets.is_empty() {
            self.buckets = buckets(schema);
        }
        let index = match self.buckets[hash(name)] {
            Bucket::Empty => return None,
            Bucket::One(index) if is_named(schema, index, name, self.is_stored) => index,
            Bucket::One(_) => return None,
            Bucket::Many => (0..schema.columns.len()).find(|index| is_named(schema, *index, name, self.is_stored))?,
        };
        self.next[self.place] = index;
        Some(index)
    }

    /// Notes that the row has this column; `false` if it had it before.
    #[inline]
    pub(super) fn mark(&mut self, index: usize) -> bool {
        self.current = Some(index);
        let first = !std::mem::replace(&mut self.columns[index], true);
        self.count += usize::from(first);
        first
    }

    /// Notes that the row has this column inside of another field.
    pub(super) fn mark_nested<E: serde::de::Error>(&mut self, index: usize) -> Result<(), E> {
        let is_first = self.mark(index);
        self.nested = true;
        if is_first { Ok(()) } else { Err(E::custom("given twice")) }
    }

    pub(super) fn leave_nested(&mut self) {
        self.current = None;
        self.nested = false;
    }

    /// Returns the columns that the row lacks.
    #[inline]
    pub(super) fn missing(&self) -> impl Iterator<Item = usize> {
        let whole = self.count == self.columns.len();
        let columns = if whole { &[] } else { self.columns.as_slice() };
        columns.iter().enumerate().filter(|(_, seen)| !**seen).map(|(index, _)| index)
    }
}

/// The columns whose names have one hash.
#[derive(Debug, Clone, Copy)]
enum Bucket {
    Empty,
    One(usize),
    Many,
}

const BUCKETS: usize = 128;

/// Of a name's length and its first and last bytes, which tell the names of most schemas apart.
#[inline]
fn hash(name: &str) -> usize {
    let (first, last) = (name.bytes().next().unwrap_or(0), name.bytes().next_back().unwrap_or(0));
    (name.len() + 5 * usize::from(first) + 29 * usize::from(last)) % BUCKETS
}

#[cold]
fn buckets(schema: &TableSchema) -> Vec<Bucket> {
    let mut buckets = vec![Bucket::Empty; BUCKETS];
    for (index, column) in schema.columns.iter().enumerate() {
        for name in column.aliases.iter().chain([&column.name]) {
            let bucket = &mut buckets[hash(name)];
            *bucket = match *bucket {
                Bucket::Empty => Bucket::One(index),
                Bucket::One(other) if other == index => Bucket::One(index),
                _ => Bucket::Many,
            };
        }
    }
    buckets
}

#[inline]
fn is_named(schema: &TableSchema, index: usize, name: &str, is_stored: bool) -> bool {
    let column = &schema.columns[index];
    column.name == name && (is_stored || column.is_read_by_name()) || column.aliases.contains(&name)
}

/// Returns the name that somebody may have meant.
#[cold]
pub(super) fn did_you_mean(schema: &TableSchema, name: &str) -> Option<&'static str> {
    let names = schema.columns.iter().flat_map(|column| column.aliases.iter().copied().chain([column.name]));
    let close = |candidate: &&str| candidate.chars().count().max(3) / 3;
    names
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= close(candidate))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Returns the edit distance between two names, ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::schema::Schema;

    #[derive(pathway_derive::Schema)]
    #[schema(crate = crate)]
    struct Cat {
        key: i64,
        #[schema(alias = "family")]
        genus: String,
        weight: f64,
    }

    const SCHEMA: &TableSchema = Cat::SCHEMA;

    #[test]
    fn learns_the_order() {
        let mut seen = Seen::default();
        for _ in 0..2 {
            seen.start(3);
            for (name, index) in [("weight", Some(2)), ("colour", None), ("family", Some(1)), ("key", Some(0))] {
                assert_eq!(seen.find(SCHEMA, name), index, "{name}");
            }
        }
        assert_eq!(seen.next, [2, 1, 0, 1]);
    }

    #[test]
    fn knows_what_is_missing_and_what_is_there_twice() {
        let mut seen = Seen::default();
        seen.start(3);
        assert!(seen.mark(1));
        assert!(!seen.mark(1));
        assert_eq!(seen.missing().collect::<Vec<_>>(), [0, 2]);
        seen.start(3);
        assert!(seen.mark(0) && seen.mark(2) && seen.mark(1));
        assert_eq!(seen.missing().count(), 0);
    }

    #[test]
    fn suggests_what_is_close() {
        assert_eq!(did_you_mean(SCHEMA, "genuss"), Some("genus"));
        assert_eq!(did_you_mean(SCHEMA, "Key"), Some("key"));
        assert_eq!(did_you_mean(SCHEMA, "famly"), Some("family"));
        assert_eq!(did_you_mean(SCHEMA, "colour"), None);
    }
}
