//! Finds the column of a field of a JSON object, and records which columns a row has had.
//!
//! A source writes its fields in one order, mostly the order of the columns. The first guess is therefore the column
//! that followed this one in the previous row. Only if the guess is wrong is the name looked up among all names and
//! aliases.

use std::ops::Range;

use crate::rows::column::scan::{KnownName, NameKey, NameStart};
use crate::rows::description::{Column, TableSchema};

/// The columns found in one row, and hints from earlier rows. It is temporary state that is kept with the columns.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    columns: Vec<bool>,
    names: Names,
    /// For each column, the column that followed it the last time. The first entry is the column that came first.
    next: Vec<usize>,
    /// The index in `next` of the guess for the next field.
    place: usize,
    /// Whether the column that was found last had the same place in the previous row.
    repeats: bool,
    /// Whether the last field out of order was unknown. The next one is then expected to be unknown, too.
    pub(super) expects_unknown: bool,
    /// The column whose value is being read.
    pub(super) current: Option<usize>,
    /// Whether the value is read inside another field, by the column's path.
    pub(super) nested: bool,
    /// Whether the library wrote the row, in which every column has its own name.
    pub(super) is_stored: bool,
    /// The bytes of column data in the batch before the last refused row was removed from it.
    pub(crate) refused_bytes: usize,
    /// The number of rows since the last that was scanned.
    unscanned: u32,
}

impl Seen {
    /// Resets the state for a row of `width` columns.
    #[inline]
    pub(super) fn start(&mut self, width: usize) {
        if self.columns.len() != width {
            self.columns = vec![false; width];
            self.next = (0..=width).collect();
            self.names = Names::default();
        }
        self.columns.fill(false);
        self.place = 0;
        self.repeats = true;
        self.current = None;
        self.nested = false;
    }

    /// Returns whether to try the scan first. After eight consecutive rows that it did not read, it is tried on one row
    /// in 64.
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

    /// Returns the next column, if the columns are expected to be in order from here on, as they were in the previous
    /// row.
    ///
    /// If the last column was found at a different place in the previous row, the order probably changes from row to
    /// row, and no column is expected.
    #[inline]
    pub(super) fn due(&self) -> Option<usize> {
        let in_order = self.repeats && self.next[self.place] == self.place && self.place < self.columns.len();
        in_order.then_some(self.place)
    }

    /// Returns the column with this name, if there is one.
    #[inline]
    pub(super) fn find(&mut self, schema: &TableSchema, name: &str) -> Option<usize> {
        let guess = self.next[self.place];
        match schema.columns.get(guess) {
            Some(column) if column.name == name && (self.is_stored || column.is_read_by_name()) => {
                self.place = guess + 1;
                Some(guess)
            }
            _ => {
                let is_named = |column: &Column| {
                    let by_name = column.name == name && (self.is_stored || column.is_read_by_name());
                    by_name || column.aliases.contains(&name)
                };
                let index = schema.columns.iter().position(is_named)?;
                self.found(index);
                Some(index)
            }
        }
    }

    /// Returns the names and aliases by which columns are read, for a search without a guess.
    #[inline(always)]
    pub(super) fn names(&mut self, schema: &TableSchema) -> &Names {
        if self.names.slots.is_empty() {
            self.names = Names::new(schema);
        }
        &self.names
    }

    /// Records that the next field is this column.
    #[inline(always)]
    pub(super) fn found(&mut self, index: usize) {
        self.repeats = std::mem::replace(&mut self.next[self.place], index) == index;
        self.place = index + 1;
    }

    /// Records that the row has these columns, in order. Returns `false` if it had one of them already.
    #[inline]
    pub(super) fn mark_all(&mut self, mut columns: Range<usize>) -> bool {
        self.place = columns.end;
        self.repeats |= !columns.is_empty();
        columns.all(|index| self.mark(index))
    }

    /// Records that the row has this column. Returns `false` if the row had it already.
    #[inline]
    pub(super) fn mark(&mut self, index: usize) -> bool {
        !std::mem::replace(&mut self.columns[index], true)
    }

    /// Returns the columns that the row lacks.
    #[inline]
    pub(super) fn missing(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().enumerate().filter(|(_, seen)| !**seen).map(|(index, _)| index)
    }
}

/// The names and aliases of the columns, each near the slot that its hash says.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Empty before the first search. Then the length is a power of two, and at most a quarter of the slots are taken,
    /// so that the first slot is nearly always the right one.
    slots: Vec<Option<Known>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) name: KnownName,
    pub(super) column: usize,
}

impl Names {
    #[cold]
    fn new(schema: &TableSchema) -> Self {
        let names = schema.columns.iter().enumerate().flat_map(|(column, description)| {
            let name = description.is_read_by_name().then_some(description.name);
            description.aliases.iter().copied().chain(name).map(move |name| (column, name))
        });
        // There is always a free slot, at which a search ends.
        let mut taken = Names { slots: vec![None; ((names.clone().count() + 1) * 4).next_power_of_two()] };
        for (column, name) in names {
            let name = KnownName::new(name);
            let mut at = taken.start(name.key);
            while taken.slots[at].is_some() {
                at = (at + 1) & (taken.slots.len() - 1);
            }
            taken.slots[at] = Some(Known { name, column });
        }
        taken
    }

    /// Returns the first slot to look at.
    #[inline]
    fn start(&self, key: NameKey) -> usize {
        (key.hash() >> 32) as usize & (self.slots.len() - 1)
    }

    #[inline(always)]
    pub(super) fn find(&self, start: &NameStart<'_>) -> Option<&Known> {
        let mut at = self.start(start.key);
        while let Some(known) = &self.slots[at] {
            if known.name.is_at(start) {
                return Some(known);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        None
    }
}

/// The maximum number of bytes of a name for which a similar one is looked up.
const LONGEST: usize = 256;

/// Returns the name that the writer of the row probably meant.
#[cold]
pub(super) fn did_you_mean(schema: &TableSchema, name: &str) -> Option<&'static str> {
    // The distance takes time for each letter of both names, and a row can have a name of any length.
    if name.len() > LONGEST {
        return None;
    }
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
    fn suggests_similar_names() {
        assert_eq!(did_you_mean(SCHEMA, "genuss"), Some("genus"));
        assert_eq!(did_you_mean(SCHEMA, "Key"), Some("key"));
        assert_eq!(did_you_mean(SCHEMA, "famly"), Some("family"));
        assert_eq!(did_you_mean(SCHEMA, "colour"), None);
        // Takes hours if the names are compared.
        assert_eq!(did_you_mean(SCHEMA, &"k".repeat(100_000_000)), None);
    }
}
