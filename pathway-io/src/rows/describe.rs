//! Assembles the columns of a schema at compile time.
//!
//! The tree of fields contains the properties of each type, as a [`Shape`]. The [`Declaration`] adds lists of the
//! properties of the struct's fields. [`describe`] joins them. [`clashes`] finds equal names among them.

use crate::rows::clashes::{assert_distinct, clashes};
use crate::rows::const_text::ConstText;
use crate::rows::declaration::{ColumnArray, Declaration, Note};
use crate::rows::description::{Column, Shape};
use crate::rows::fields::{Columns, Fields};
use crate::rows::schema::{ColumnsOf, Schema};

/// Returns the number of columns in a row.
#[doc(hidden)]
#[must_use]
pub const fn width<S: Schema>() -> usize {
    ColumnsOf::<S>::WIDTH
}

impl<S: Schema, const N: usize> ColumnArray<S> for [Column; N] {
    const COLUMNS: &'static [Column] = &describe::<S, N>();
}

/// The array of a generic schema with a flattened field, whose length depends on the generic parameters. Failed checks
/// are reported where the schema is used.
#[doc(hidden)]
#[derive(Debug)]
pub struct Generic;

impl<S: Schema> ColumnArray<S> for Generic {
    const COLUMNS: &'static [Column] = {
        let columns = <[Column; MOST] as ColumnArray<S>>::COLUMNS.split_at(width::<S>()).0;
        let names = S::DECLARATION.names;
        assert_keyless_in(&S::Fields::SHAPE, names, 0);
        let clashes = clashes::<MOST, MOST>(columns);
        let mut field = 0;
        while field < names.len() {
            assert_distinct(clashes[field]);
            field += 1;
        }
        columns
    };
}

/// Returns the columns of a row.
const fn describe<S: Schema, const N: usize>() -> [Column; N] {
    let mut columns = [Column::of_type::<bool>(); N];
    let at = ListPositions { column: 0, field: 0, note: 0 };
    fill(&S::Fields::SHAPE, &S::DECLARATION, &mut columns, at);
    columns
}

/// The maximum number of columns of a generic schema with a flattened field.
const MOST: usize = 256;

/// The positions in the three lists while they are filled and read.
#[derive(Clone, Copy)]
struct ListPositions {
    column: usize,
    field: usize,
    note: usize,
}

const fn fill(shape: &Shape, lists: &Declaration, columns: &mut [Column], mut at: ListPositions) -> ListPositions {
    if let Shape::Pair(left, right) = shape {
        let at = fill(left, lists, columns, at);
        return fill(right, lists, columns, at);
    }
    let note = lists.note(at.note, at.field);
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
            let (name, after) = rest.split_at(prefix.len() + nth_name(&columns[i], n).len());
            names[at] = match std::str::from_utf8(name) {
                Ok(name) => name,
                Err(_) => panic!("two texts make a text"),
            };
            (rest, at, n) = (after, at + 1, n + 1);
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
            let message = ConstText::new().push("the primary key `").push(columns[i].name).push("` of `").push(field);
            let message =
                message.push("` would be lost\nhelp: `#[schema(flatten, primary_key)]` makes it part of the key");
            panic!("{}", message.as_str());
        }
        i += 1;
    }
}
