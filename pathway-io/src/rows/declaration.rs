//! The properties that a macro reads from the declaration of a schema: [`Declaration`].

use crate::rows::description::{Column, PathStep, TableSchema};

/// A rare property of the field with this number. A list of notes is sorted by the numbers.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Note {
    /// The path of the column, as text and in steps.
    Path(usize, &'static str, &'static [PathStep]),
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

/// The declaration of a schema: its name, its options, and lists of the properties of its fields.
///
/// `names` contains a name for each field: the name of the column or, for a flattened schema, the name of the field.
/// `keys` contains the numbers of the fields in the primary key. Each other list is empty, or has an entry for each
/// field. Plain lists of literals are the cheapest to compile.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// The description of the table, without its columns.
    pub(super) table: TableSchema,
    pub(super) names: &'static [&'static str],
    pub(super) fields: &'static [&'static str],
    pub(super) keys: &'static [usize],
    pub(super) descriptions: &'static [&'static str],
    pub(super) aliases: &'static [&'static [&'static str]],
    pub(super) notes: &'static [Note],
}

impl Declaration {
    #[must_use]
    pub const fn new(
        table: TableSchema,
        names: &'static [&'static str],
        fields: &'static [&'static str],
        keys: &'static [usize],
        descriptions: &'static [&'static str],
        aliases: &'static [&'static [&'static str]],
        notes: &'static [Note],
    ) -> Self {
        Declaration { table, names, fields, keys, descriptions, aliases, notes }
    }

    pub(super) const fn is_key(&self, field: usize) -> bool {
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
    pub(super) const fn note(&self, note: usize, field: usize) -> Option<Note> {
        if note < self.notes.len() && self.notes[note].field() == field { Some(self.notes[note]) } else { None }
    }
}

/// An array with an item for each column of a schema. It is a type, because the length of an array cannot depend on a
/// schema that is a generic parameter.
#[doc(hidden)]
pub trait ColumnArray<S> {
    const COLUMNS: &'static [Column];
}
