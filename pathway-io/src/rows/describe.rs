//! Assembles the columns of a schema at compile time.
//!
//! The tree of fields has the properties of each type, as a [`Shape`]. The struct adds lists of the properties of its
//! fields. [`describe`] joins them. [`clashes`] finds equal names among them.

use crate::rows::clashes::{assert_distinct, clashes};
use crate::rows::description::{Column, Shape, Step};
use crate::rows::fields::{Columns, Fields};
use crate::rows::message::Message;
use crate::rows::schema::{ColumnsOf, Schema};

/// A rare property of the field with that number. A list of notes is sorted by the number.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Note {
    /// The path of the column, as text and in steps.
    Path(usize, &'static str, &'static [Step]),
    /// The names of a flattened field's columns: for each column its name, then its aliases.
    Prefixed(usize, &'static [&'static str]),
}

impl Note {
    const fn field(&self) -> usize {
        match self {
            Note::Path(field, ..) | Note::Prefixed(field, _) => *field,
        }
    }
}

/// Returns the number of columns in a row.
#[doc(hidden)]
#[must_use]
pub const fn width<S: Schema>() -> usize {
    ColumnsOf::<S>::WIDTH
}

/// Returns the columns of a row. `N` is its [`width`].
///
/// `names` has a name for each field: that of the column or, of a flattened schema, that of the field. `keys` has the numbers of
/// the fields in the primary key. Each other list is empty, or has an entry for each field. Plain lists of literals are the
/// cheapest to compile.
#[doc(hidden)]
#[must_use]
pub const fn describe<S: Schema, const N: usize>(
    names: &[&'static str],
    fields: &[&'static str],
    keys: &[usize],
    descriptions: &[&'static str],
    aliases: &[&'static [&'static str]],
    notes: &[Note],
) -> [Column; N] {
    let mut columns = [Column::of_type::<bool>(); N];
    let at = Place { column: 0, field: 0, note: 0 };
    let lists = Lists { names, fields, keys, descriptions, aliases, notes };
    fill(&S::Fields::SHAPE, &lists, &mut columns, at);
    columns
}

/// The lists of [`describe`].
struct Lists<'a> {
    names: &'a [&'static str],
    fields: &'a [&'static str],
    keys: &'a [usize],
    descriptions: &'a [&'static str],
    aliases: &'a [&'static [&'static str]],
    notes: &'a [Note],
}

impl Lists<'_> {
    const fn is_key(&self, field: usize) -> bool {
        let mut i = 0;
        while i < self.keys.len() {
            if self.keys[i] == field {
                return true;
            }
            i += 1;
        }
        false
    }

    /// Returns the note on the field, if there is one at `note`.
    const fn note(&self, note: usize, field: usize) -> Option<Note> {
        if note < self.notes.len() && self.notes[note].field() == field { Some(self.notes[note]) } else { None }
    }
}

/// The most columns of a generic schema with a flattened field.
#[doc(hidden)]
pub const MOST: usize = 256;

/// Returns the columns of a generic schema, as a part of an array of [`MOST`] columns, because the length of an array
/// cannot depend on generic parameters. Failed checks are reported where the schema is used.
#[doc(hidden)]
#[must_use]
#[track_caller]
pub const fn describe_generic<S: Schema>(
    names: &[&'static str],
    columns: &'static [Column; MOST],
) -> &'static [Column] {
    assert_keyless_in(&S::Fields::SHAPE, names, 0);
    let columns = columns.split_at(width::<S>()).0;
    let clashes = clashes::<MOST, MOST>(columns);
    let mut field = 0;
    while field < names.len() {
        assert_distinct(clashes[field]);
        field += 1;
    }
    columns
}

/// The positions in the three lists while they are filled and read.
#[derive(Clone, Copy)]
struct Place {
    column: usize,
    field: usize,
    note: usize,
}

const fn fill(shape: &Shape, lists: &Lists<'_>, columns: &mut [Column], mut at: Place) -> Place {
    let note = match shape {
        Shape::Pair(left, right) => {
            let at = fill(left, lists, columns, at);
            return fill(right, lists, columns, at);
        }
        Shape::Column(_) | Shape::Flat { .. } => lists.note(at.note, at.field),
    };
    if note.is_some() {
        at.note += 1;
    }
    match shape {
        Shape::Pair(..) => {}
        Shape::Column(of_type) => {
            let mut column = *of_type;
            column.name = lists.names[at.field];
            column.field = if lists.fields.is_empty() { column.name } else { lists.fields[at.field] };
            column.field_index = at.field;
            column.primary_key = lists.is_key(at.field);
            if !lists.descriptions.is_empty() {
                column.description = lists.descriptions[at.field];
            }
            if !lists.aliases.is_empty() {
                column.aliases = lists.aliases[at.field];
            }
            if let Some(Note::Path(_, path, steps)) = note {
                (column.path, column.steps) = (path, steps);
            }
            columns[at.column] = column;
            at.column += 1;
        }
        Shape::Flat { columns: flat, keyed } => {
            let mut i = 0;
            let mut names_left = match note {
                Some(Note::Prefixed(_, names)) => Some(names),
                _ => None,
            };
            while i < flat.len() {
                let mut column = flat[i];
                if let Some(names) = names_left {
                    let (own, rest) = names.split_at(column.aliases.len() + 1);
                    (column.name, column.aliases) = (own[0], own.split_at(1).1);
                    names_left = Some(rest);
                }
                column.field = lists.names[at.field];
                column.field_index = at.field;
                column.primary_key &= *keyed;
                columns[at.column] = column;
                at.column += 1;
                i += 1;
            }
        }
    }
    at.field += 1;
    at
}

/// Returns the number of names and aliases of the columns.
#[doc(hidden)]
#[must_use]
pub const fn count_names(columns: &[Column]) -> usize {
    let (mut count, mut i) = (0, 0);
    while i < columns.len() {
        count += 1 + columns[i].aliases.len();
        i += 1;
    }
    count
}

/// Returns the length of [`prefixed_text`].
#[doc(hidden)]
#[must_use]
pub const fn prefixed_len(prefix: &str, columns: &[Column]) -> usize {
    let (mut len, mut i) = (0, 0);
    while i < columns.len() {
        let mut n = 0;
        while n <= columns[i].aliases.len() {
            len += prefix.len() + nth_name(&columns[i], n).len();
            n += 1;
        }
        i += 1;
    }
    len
}

/// Returns all names and aliases, each after the prefix, as one text.
#[doc(hidden)]
#[must_use]
pub const fn prefixed_text<const LEN: usize>(prefix: &str, columns: &[Column]) -> [u8; LEN] {
    let (mut text, mut at, mut i) = ([0; LEN], 0, 0);
    while i < columns.len() {
        let mut n = 0;
        while n <= columns[i].aliases.len() {
            let name = nth_name(&columns[i], n);
            let mut byte = 0;
            while byte < prefix.len() + name.len() {
                text[at] =
                    if byte < prefix.len() { prefix.as_bytes()[byte] } else { name.as_bytes()[byte - prefix.len()] };
                (at, byte) = (at + 1, byte + 1);
            }
            n += 1;
        }
        i += 1;
    }
    text
}

/// Returns the names and aliases as parts of [`prefixed_text`].
#[doc(hidden)]
#[must_use]
pub const fn prefixed_names<const N: usize>(
    prefix: &str,
    columns: &[Column],
    text: &'static [u8],
) -> [&'static str; N] {
    let (mut names, mut rest, mut at, mut i) = ([""; N], text, 0, 0);
    while i < columns.len() {
        let mut n = 0;
        while n <= columns[i].aliases.len() {
            let (name, behind) = rest.split_at(prefix.len() + nth_name(&columns[i], n).len());
            names[at] = match std::str::from_utf8(name) {
                Ok(name) => name,
                Err(_) => panic!("two texts make a text"),
            };
            (rest, at, n) = (behind, at + 1, n + 1);
        }
        i += 1;
    }
    names
}

/// Returns the name of a column (0), or one of its aliases (from 1).
const fn nth_name(column: &Column, n: usize) -> &'static str {
    if n == 0 { column.name } else { column.aliases[n - 1] }
}

/// Checks each field that is flattened without its key. Returns the number of the first field after the shape.
#[track_caller]
const fn assert_keyless_in(shape: &Shape, names: &[&'static str], field: usize) -> usize {
    match shape {
        Shape::Pair(left, right) => return assert_keyless_in(right, names, assert_keyless_in(left, names, field)),
        Shape::Flat { columns, keyed: false } => assert_keyless(names[field], columns),
        Shape::Flat { .. } | Shape::Column(_) => {}
    }
    field + 1
}

/// Fails if the flattened schema has a key and the field is not marked as part of the primary key.
#[doc(hidden)]
#[track_caller]
pub const fn assert_keyless(field: &'static str, columns: &[Column]) {
    let mut i = 0;
    while i < columns.len() {
        if columns[i].primary_key {
            let message = Message::new().push("the primary key `").push(columns[i].name).push("` of `").push(field);
            let message =
                message.push("` would be lost\nhelp: `#[schema(flatten, primary_key)]` makes it part of the key");
            panic!("{}", message.as_str());
        }
        i += 1;
    }
}
