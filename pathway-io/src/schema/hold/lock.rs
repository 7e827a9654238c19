//! The part of `#[schema(lock = "..")]` that only the compiler can judge: columns whose type the macro does not know by its
//! name, such as aliases, newtypes and the columns of a flattened schema.
//!
//! The functions are evaluated in constants, and their panics are the compiler's errors.

use crate::rows::data_type::DataType;
use crate::rows::description::TableSchema;
use crate::rows::message::{Message, same};
use crate::rows::schema::Schema;

/// A schema with a lock.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no lock",
    label = "its columns could change unseen",
    note = "add `lock = \"..\"` to its `#[schema(..)]`: the columns of a flattened schema are held by a lock of its own"
)]
pub trait Locked: Schema {}

/// Takes what has a lock.
#[doc(hidden)]
pub const fn assert_locked<S: Locked>() {}

/// A column as the lock has it.
#[doc(hidden)]
pub struct LockedColumn {
    pub file: &'static str,
    pub name: &'static str,
    pub data_type: Option<DataType>,
    pub optional: bool,
    pub has_default: bool,
}

/// Fails if the schema cannot read what was written when the column was as in the lock.
#[doc(hidden)]
#[track_caller]
pub const fn assert_lock(schema: &TableSchema, old: &LockedColumn) {
    let mut at = 0;
    while at < schema.columns.len() && !same(schema.columns[at].name, old.name) {
        at += 1;
    }
    let message = Message::new().push("column `").push(old.name);
    if at == schema.columns.len() {
        let message = message.push("` of `").push(old.file).push("` is gone: existing rows have it");
        panic!("{}", message.push(ACCEPT).as_str());
    }
    let new = &schema.columns[at];
    let Some(data_type) = &old.data_type else {
        let message = message.push("`: its type is not to be seen when `").push(old.file).push("` is written, it is `");
        let message = message.push_type(&new.data_type).push("`\nhelp: write it there, in place of `?`");
        let optional = if new.optional { ", with `\"optional\": true`" } else { "" };
        panic!("{}", message.push(optional).as_str());
    };
    if !reads(&new.data_type, data_type) || old.optional && !new.optional {
        let message = message.push("` was `").push_column(data_type, old.optional).push("` in `").push(old.file);
        let message = message.push("` and is now `").push_column(&new.data_type, new.optional);
        panic!("{}", message.push("`: existing rows cannot be read").push(ACCEPT).as_str());
    }
    if (old.has_default || old.optional) && !new.has_default && !new.optional {
        let message = message.push("` has lost the default of `").push(old.file).push("`: existing rows may lack it");
        panic!("{}", message.push(ACCEPT).as_str());
    }
}

/// Fails if the columns of a field, which the lock does not have, have to be in every row. `known` are those that it has
/// by another field.
#[doc(hidden)]
#[track_caller]
pub const fn assert_lock_needs_nothing(schema: &TableSchema, field: &str, known: &[&str], file: &str) {
    let mut at = 0;
    while at < schema.columns.len() {
        let column = &schema.columns[at];
        if same(column.field, field) && !column.has_default && !column.optional {
            let mut is_known = false;
            let mut other = 0;
            while other < known.len() {
                is_known |= same(known[other], column.name);
                other += 1;
            }
            if !is_known {
                let message = Message::new().push("column `").push(column.name).push("` is not in `").push(file);
                let message = message.push("` and has no default: existing rows lack it");
                panic!("{}", message.push(ACCEPT).as_str());
            }
        }
        at += 1;
    }
}

const ACCEPT: &str = "\nhelp: to accept it, set `PATHWAY_LOCK=update` and build";

/// Returns whether every value of the old type is read by a column of the new one.
pub(super) const fn reads(new: &DataType, old: &DataType) -> bool {
    match (old, new) {
        (DataType::Optional(old), DataType::Optional(new)) => reads(new, old),
        (old, DataType::Optional(new)) => reads(new, old),
        (DataType::Map(old), DataType::Map(new)) | (DataType::List(old), DataType::List(new)) => reads(new, old),
        (DataType::Array(old, _), DataType::List(new)) => reads(new, old),
        (DataType::Array(old, len), DataType::Array(new, new_len)) => *len == *new_len && reads(new, old),
        (DataType::Tuple(olds), DataType::Tuple(news)) => {
            let mut all = olds.len() == news.len();
            let mut at = 0;
            while all && at < olds.len() {
                all = reads(&news[at], &olds[at]);
                at += 1;
            }
            all
        }
        (old, new) => plain(new) == plain(old) && plain(new) != 0 || widens(new, old),
    }
}

/// Returns the integers and floats that hold every value of another.
const fn widens(new: &DataType, old: &DataType) -> bool {
    match old {
        DataType::I8 | DataType::I16 | DataType::I32 | DataType::I64 if matches!(new, DataType::I128) => true,
        DataType::U8 | DataType::U16 | DataType::U32 | DataType::U64
            if matches!(new, DataType::I128 | DataType::U128) =>
        {
            true
        }
        DataType::I8 => matches!(new, DataType::I16 | DataType::I32 | DataType::I64),
        DataType::I16 => matches!(new, DataType::I32 | DataType::I64),
        DataType::I32 | DataType::U32 if matches!(new, DataType::I64) => true,
        DataType::U32 => matches!(new, DataType::U64),
        DataType::U8 if matches!(new, DataType::U16 | DataType::I16) => true,
        DataType::U8 | DataType::U16 => {
            matches!(new, DataType::U32 | DataType::U64 | DataType::I32 | DataType::I64)
        }
        DataType::F32 => matches!(new, DataType::F64),
        _ => false,
    }
}

/// Returns a number for each type without parameters: constants cannot be compared with `==`.
const fn plain(data_type: &DataType) -> u8 {
    match data_type {
        DataType::Bool => 1,
        DataType::I8 => 2,
        DataType::I16 => 3,
        DataType::I32 => 4,
        DataType::I64 => 5,
        DataType::U8 => 6,
        DataType::U16 => 7,
        DataType::U32 => 8,
        DataType::U64 => 9,
        DataType::F32 => 10,
        DataType::F64 => 11,
        DataType::Str => 12,
        DataType::Bytes => 13,
        DataType::Json => 14,
        DataType::Duration => 15,
        DataType::SignedDuration => 16,
        DataType::Date => 17,
        DataType::Time => 18,
        DataType::DateTime => 19,
        DataType::Timestamp => 20,
        DataType::OffsetDateTime => 21,
        DataType::Uuid => 22,
        DataType::Decimal => 23,
        DataType::I128 => 24,
        DataType::U128 => 25,
        DataType::Optional(_) | DataType::Map(_) | DataType::List(_) | DataType::Array(..) | DataType::Tuple(_) => 0,
    }
}
