//! The part of `#[schema(lock = "..")]` that only the compiler can check: columns whose type the macro does not know by
//! its name, such as aliases, newtypes and the columns of a flattened schema.
//!
//! The functions are evaluated in constants, and their panics are the compiler's errors.

use crate::rows::const_text::{ConstText, contains, same};
use crate::rows::data_type::DataType;
use crate::rows::description::{TableSchema, find};
use crate::rows::schema::Schema;

/// A schema with a lock.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no lock",
    label = "its columns could change unseen",
    note = "add `lock = \"..\"` to its `#[schema(..)]`: a flattened schema needs its own lock"
)]
pub trait Locked: Schema {}

/// Accepts only a schema that has a lock.
#[doc(hidden)]
pub const fn assert_locked<S: Locked>() {}

/// A column of the lock, with the error texts of the macro.
#[doc(hidden)]
pub struct LockedColumn {
    pub name: &'static str,
    pub data_type: Option<DataType>,
    pub optional: bool,
    pub has_default: bool,
    /// Its aliases, each with the error if it was removed. Empty if the macro has checked them.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Its path, and the error if it is read elsewhere, or `None` if the macro has checked it.
    pub path: Option<(&'static str, &'static str)>,
    /// The error if the column does not exist.
    pub gone: &'static str,
    /// The error if the type does not fit. A NUL is the placeholder for the new type, and U+0001 for its entry in the
    /// lock.
    pub differs: &'static str,
    /// The error if the default was removed.
    pub lost: &'static str,
}

/// Fails if the schema cannot read the rows that were written when the column was as in the lock.
#[doc(hidden)]
#[track_caller]
pub const fn assert_lock(schema: &TableSchema, old: &LockedColumn) {
    let Some(new) = find(schema.columns, old.name) else { panic!("{}", old.gone) };
    let is_read = match &old.data_type {
        Some(data_type) => reads(&new.data_type, data_type) && (new.optional || !old.optional),
        None => false,
    };
    if !is_read {
        let entry = ConstText::new().push("\"type\": \"").push_type(&new.data_type).push("\"");
        let entry = entry.push(match (old.optional, new.optional) {
            (_, true) => ", \"optional\": true",
            (true, false) => ", \"optional\": false",
            (false, false) => "",
        });
        let data_type = ConstText::new().push_column(&new.data_type, new.optional);
        panic!("{}", ConstText::filled(old.differs, data_type.as_str(), entry.as_str()).as_str());
    }
    let mut alias = 0;
    while alias < old.aliases.len() {
        let (name, lost) = old.aliases[alias];
        assert!(same(new.name, name) || contains(new.aliases, name), "{}", lost);
        alias += 1;
    }
    if let Some((path, moved)) = old.path {
        assert!(same(new.path, path) || (path.is_empty() && new.is_read_by_name()), "{}", moved);
    }
    assert!(new.has_default || new.optional || !(old.has_default || old.optional), "{}", old.lost);
}

/// Fails if a column of a field is required in every row and is not among the `known` columns of the lock. In the
/// error, U+0001 is replaced by the column's name, and a NUL by its type.
#[doc(hidden)]
#[track_caller]
pub const fn assert_lock_needs_nothing(schema: &TableSchema, field: usize, known: &[&str], error: &str) {
    let mut at = 0;
    while at < schema.columns.len() {
        let column = &schema.columns[at];
        let is_required = column.field_index == field && !column.has_default && !column.optional;
        if is_required && !contains(known, column.name) {
            let data_type = ConstText::new().push_type(&column.data_type);
            panic!("{}", ConstText::filled(error, data_type.as_str(), column.name).as_str());
        }
        at += 1;
    }
}

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
        // An optional column must stay optional.
        (DataType::Optional(_), _) => false,
        (old, new) => number(new) == number(old) && number(new) < LISTS || widens(new, old),
    }
}

/// Returns the integers and floats that hold every value of another.
const fn widens(new: &DataType, old: &DataType) -> bool {
    match (integer(old), integer(new)) {
        (Some((old_signed, old_bits)), Some((signed, bits))) => bits > old_bits && (signed || !old_signed),
        _ => matches!((old, new), (DataType::F32, DataType::F64)),
    }
}

/// Returns whether an integer type has a sign, and its bits.
const fn integer(data_type: &DataType) -> Option<(bool, u32)> {
    Some(match data_type {
        DataType::I8 => (true, 8),
        DataType::I16 => (true, 16),
        DataType::I32 => (true, 32),
        DataType::I64 => (true, 64),
        DataType::I128 => (true, 128),
        DataType::U8 => (false, 8),
        DataType::U16 => (false, 16),
        DataType::U32 => (false, 32),
        DataType::U64 => (false, 64),
        DataType::U128 => (false, 128),
        _ => return None,
    })
}

/// The number of the first type with parameters.
const LISTS: u32 = 25;

/// Returns a number for each type without parameters, one for lists and one for maps. An optional value has the number
/// of its type. The macro, which has no `DataType`, counts in the same order.
#[doc(hidden)]
pub const fn number(data_type: &DataType) -> u32 {
    match data_type {
        DataType::Bool => 0,
        DataType::I8 => 1,
        DataType::I16 => 2,
        DataType::I32 => 3,
        DataType::I64 => 4,
        DataType::U8 => 5,
        DataType::U16 => 6,
        DataType::U32 => 7,
        DataType::U64 => 8,
        DataType::I128 => 9,
        DataType::U128 => 10,
        DataType::F32 => 11,
        DataType::F64 => 12,
        DataType::Str => 13,
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
        DataType::Bytes => 24,
        DataType::List(_) | DataType::Array(..) | DataType::Tuple(_) => LISTS,
        DataType::Map(_) => LISTS + 1,
        DataType::Optional(item) => number(item),
    }
}
