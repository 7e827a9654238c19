//! The part of `#[schema(sample = "..")]` that only the compiler can check: columns whose type the macro cannot
//! recognise by name, such as aliases, newtypes and the columns of a flattened schema.
//!
//! The macro has checked each field of the sample against every possible type, and has written the errors. The
//! functions here select the error for the real type of the column. The compiler evaluates them in constants, and
//! reports their panics as errors at the field.

use super::lock::number;
use crate::rows::const_text::{ConstText, contains, same};
use crate::rows::data_type::DataType;
use crate::rows::description::{Column, PathStep, RESERVED, TableSchema};

/// The bit of a null, after the bits of the types.
const NULL: u32 = 1 << 27;

/// A field of a sample, or a value inside one.
#[doc(hidden)]
pub struct SampleField {
    /// The name of the field, or the path to the value.
    pub name: &'static str,
    pub is_inside: bool,
    /// The first faults, in the order of their lines.
    pub faults: &'static [SampleFault],
    /// The first faults of the items of lists and of the values of objects.
    pub items: &'static [SampleFault],
    /// The error if a required column is missing in a row. It is empty if no row lacks the field.
    pub absent: &'static str,
}

/// A value that does not fit.
#[doc(hidden)]
pub struct SampleFault {
    /// The types that do not accept the value: a bit for each, by its number.
    pub types: u32,
    pub line: u32,
    /// The error, with a NUL character as the placeholder for the column's type.
    pub text: &'static str,
}

/// Fails if the sample does not fit the column of a struct's field.
#[doc(hidden)]
#[track_caller]
pub const fn assert_sample(schema: &TableSchema, field: usize, sample: &SampleField) {
    let mut at = 0;
    while schema.columns[at].field_index != field {
        at += 1;
    }
    let column = &schema.columns[at];
    assert_values(column, sample);
    if !column.has_default && !column.optional && !sample.absent.is_empty() {
        panic!("{}", error(sample.absent, column).as_str());
    }
}

/// Fails if the sample does not fit the columns of a flattened field. `nowhere` is the error for a column that the
/// sample lacks. `is_deep` says that the fields include all nested values.
#[doc(hidden)]
#[track_caller]
pub const fn assert_flat_sample(
    schema: &TableSchema,
    field: usize,
    sample: &[SampleField],
    is_deep: bool,
    nowhere: &str,
) {
    let mut at = 0;
    while at < schema.columns.len() {
        let column = &schema.columns[at];
        if column.field_index == field {
            // Several fields may be aliases of one column, and then none of them need be in every line.
            let (mut found, mut absent, mut other) = (0, "", 0);
            while other < sample.len() {
                if is_read(column, &sample[other]) {
                    assert_values(column, &sample[other]);
                    found += 1;
                    absent = sample[other].absent;
                }
                other += 1;
            }
            let must_be_there = !column.has_default && !column.optional;
            if must_be_there && found == 0 && (column.path.is_empty() || is_deep && has_names_only(column)) {
                panic!("{}", error(nowhere, column).as_str());
            }
            if must_be_there && found == 1 && !absent.is_empty() {
                panic!("{}", error(absent, column).as_str());
            }
        }
        at += 1;
    }
}

/// Fails with the error of the first field without a column.
#[doc(hidden)]
#[track_caller]
pub const fn assert_sample_known(schema: &TableSchema, fields: &[(&str, &str)]) {
    let mut at = 0;
    while at < fields.len() {
        let (name, error) = fields[at];
        let mut is_known = contains(&RESERVED, name);
        let mut column = 0;
        while column < schema.columns.len() {
            is_known |= is_named(&schema.columns[column], name);
            if let Some(root) = schema.columns[column].root() {
                is_known |= same(root, name);
            }
            column += 1;
        }
        assert!(is_known, "{}", error);
        at += 1;
    }
}

#[track_caller]
const fn assert_values(column: &Column, field: &SampleField) {
    let mut first = first(field.faults, &column.data_type, column.optional);
    if let DataType::List(item) | DataType::Array(item, _) | DataType::Map(item) = &column.data_type {
        first = match (first, self::first(field.items, item, matches!(item, DataType::Optional(_)))) {
            (Some(fault), Some(item)) if fault.line <= item.line => Some(fault),
            (fault, None) => fault,
            (_, item) => item,
        };
    }
    if let Some(fault) = first {
        panic!("{}", error(fault.text, column).as_str());
    }
}

/// Returns the first fault of the type.
const fn first(faults: &'static [SampleFault], data_type: &DataType, takes_null: bool) -> Option<&'static SampleFault> {
    let null = if takes_null || matches!(data_type, DataType::Json) { 0 } else { NULL };
    let mut at = 0;
    while at < faults.len() {
        if faults[at].types & (1 << number(data_type) | null) != 0 {
            return Some(&faults[at]);
        }
        at += 1;
    }
    None
}

const fn error(text: &str, column: &Column) -> ConstText {
    let name = if column.path.is_empty() { column.name } else { column.path };
    ConstText::filled(text, ConstText::new().push_type(&column.data_type).as_str(), name)
}

/// Returns whether the column can be read from the field.
const fn is_read(column: &Column, field: &SampleField) -> bool {
    if field.is_inside {
        return same(column.path, field.name);
    }
    is_named(column, field.name) && (column.is_read_by_name() || !same(column.name, field.name))
}

const fn is_named(column: &Column, name: &str) -> bool {
    contains(column.aliases, name) || same(column.name, name)
}

/// Returns whether the path has no number. Not all items of long lists are among the fields.
const fn has_names_only(column: &Column) -> bool {
    let mut at = 0;
    while at < column.steps.len() && matches!(column.steps[at], PathStep::Field(_)) {
        at += 1;
    }
    at == column.steps.len()
}
