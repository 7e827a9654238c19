//! The columns of schemas inside others: what `#[schema(flatten)]` is made of.

use super::message::{Message, same};
use super::{Column, Schema};
use crate::fields::{FlatField, FlatKeyField};

/// The columns of a flattened field.
#[doc(hidden)]
#[must_use]
pub const fn flat_columns<S: FlatField<I>, const I: usize>() -> &'static [Column] {
    S::Type::SCHEMA.columns
}

/// The columns of a flattened field whose key is part of the key.
#[doc(hidden)]
#[must_use]
pub const fn flat_key_columns<S: FlatKeyField<I>, const I: usize>() -> &'static [Column] {
    S::Type::SCHEMA.columns
}

/// Columns that stand side by side in a row struct, as a field is flattened or not.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Run {
    /// The name of the flattened field; none for plain columns.
    pub field: Option<&'static str>,
    pub columns: &'static [Column],
    /// Whether a key in it is part of the whole's.
    pub keyed: bool,
}

/// The columns of several runs in one list: what `flatten` is made of. `N` is the sum of the lengths.
#[doc(hidden)]
#[must_use]
pub const fn concat_columns<const N: usize>(runs: &[Run]) -> [Column; N] {
    let mut all = [runs[0].columns[0]; N];
    let (mut run, mut at) = (0, 0);
    while run < runs.len() {
        let Run { field, columns, keyed } = runs[run];
        let mut i = 0;
        while i < columns.len() {
            all[at] = columns[i];
            if let Some(field) = field {
                all[at].field = field;
            }
            all[at].primary_key &= keyed;
            at += 1;
            i += 1;
        }
        run += 1;
    }
    all
}

/// Fails if a name of the columns `from..to` of `runs[run]` is taken in a run before.
#[doc(hidden)]
#[track_caller]
pub const fn assert_distinct(runs: &[Run], run: usize, from: usize, to: usize) {
    let later = runs[run].columns;
    let mut i = from;
    while i < to && i < later.len() {
        let mut before = 0;
        while before < run {
            let earlier = runs[before].columns;
            let mut j = 0;
            while j < earlier.len() {
                if let Some(name) = shared_name(&later[i], &earlier[j]) {
                    let place = match runs[before].field {
                        Some(field) => field,
                        None => earlier[j].name,
                    };
                    let message = Message::new().push("column `").push(name).push("` is defined twice: here and by `");
                    panic!("{}", message.push(place).push("`").as_str());
                }
                j += 1;
            }
            before += 1;
        }
        i += 1;
    }
}

/// Fails if the columns of the flattened field have a key, which nothing says is part of the whole's.
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

/// A name or alias that two columns have in common.
const fn shared_name(a: &Column, b: &Column) -> Option<&'static str> {
    let mut i = 0;
    while i <= a.aliases.len() {
        let name = if i == 0 { a.name } else { a.aliases[i - 1] };
        let mut j = 0;
        while j <= b.aliases.len() {
            if same(name, if j == 0 { b.name } else { b.aliases[j - 1] }) {
                return Some(name);
            }
            j += 1;
        }
        i += 1;
    }
    None
}
