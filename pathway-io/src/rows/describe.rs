//! How the columns of a schema are put together while the program is compiled.
//!
//! What a type says of a column is in the tree of the fields, as their [`Shape`]; what the struct says of it is a list of
//! names and, for what few columns have, of [`Note`]s. [`describe`] makes one list of both, and the asserts hold it to what
//! no macro can see: the columns of flattened schemas.

use crate::rows::fields::{Columns, ColumnsOf, Fields};
use crate::rows::message::{Message, same};
use crate::rows::schema::{Column, Schema};

/// The columns of a part of a row, but for their names.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Column(Column),
    Pair(&'static Shape, &'static Shape),
    /// Those of another schema; `keyed` if a key there is part of the key here.
    Flat {
        columns: &'static [Column],
        keyed: bool,
    },
    /// Nothing, after an error.
    Empty,
}

/// Something to say of the column that is the field of that number. A list of them is sorted by the number.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Note {
    Key(usize),
    Description(usize, &'static str),
    Aliases(usize, &'static [&'static str]),
    /// The name of the field, where that of the column is another.
    Field(usize, &'static str),
}

impl Note {
    const fn field(&self) -> usize {
        match self {
            Note::Key(field) | Note::Description(field, _) | Note::Aliases(field, _) | Note::Field(field, _) => *field,
        }
    }
}

/// How many columns a row has.
#[doc(hidden)]
#[must_use]
pub const fn width<S: Schema>() -> usize {
    ColumnsOf::<S>::WIDTH
}

/// The columns of a row, of which `N` is the [`width`]. There is a name for each field: that of the column or, of a
/// flattened schema, that of the field.
#[doc(hidden)]
#[must_use]
pub const fn describe<S: Schema, const N: usize>(names: &[&'static str], notes: &[Note]) -> [Column; N] {
    let mut columns = [Column::of_type::<bool>(); N];
    let at = Place { column: 0, field: 0, note: 0 };
    fill(&S::Fields::SHAPE, names, notes, &mut columns, at);
    columns
}

/// How far the lists are filled and read.
#[derive(Clone, Copy)]
struct Place {
    column: usize,
    field: usize,
    note: usize,
}

const fn fill(shape: &Shape, names: &[&'static str], notes: &[Note], columns: &mut [Column], mut at: Place) -> Place {
    match shape {
        Shape::Empty => return at,
        Shape::Pair(left, right) => {
            let at = fill(left, names, notes, columns, at);
            return fill(right, names, notes, columns, at);
        }
        Shape::Column(of_type) => {
            let mut column = *of_type;
            column.name = names[at.field];
            column.field = column.name;
            while at.note < notes.len() && notes[at.note].field() == at.field {
                match notes[at.note] {
                    Note::Key(_) => column.primary_key = true,
                    Note::Description(_, text) => column.description = text,
                    Note::Aliases(_, aliases) => column.aliases = aliases,
                    Note::Field(_, name) => column.field = name,
                }
                at.note += 1;
            }
            columns[at.column] = column;
            at.column += 1;
        }
        Shape::Flat { columns: flat, keyed } => {
            let mut i = 0;
            while i < flat.len() {
                let mut column = flat[i];
                column.field = names[at.field];
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

/// Fails if a column of `field` has a name that one before has.
#[doc(hidden)]
#[track_caller]
pub const fn assert_distinct(columns: &[Column], field: &'static str) {
    let mut i = 0;
    while i < columns.len() {
        let mut before = 0;
        while before < i && same(columns[i].field, field) && !same(columns[before].field, field) {
            if let Some(name) = shared_name(&columns[i], &columns[before]) {
                let first = columns[before].field;
                let message = Message::new().push("column `").push(name).push("` is defined twice: by the field `");
                panic!("{}", message.push(first).push("` and by the field `").push(field).push("`").as_str());
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
