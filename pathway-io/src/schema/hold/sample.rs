//! The part of `#[schema(sample = "..")]` that only the compiler can do: columns whose type the macro does not know by its
//! name, such as aliases, newtypes and the columns of a flattened schema.
//!
//! The macro has judged each field of the sample by every type that a column can have. [`assert_sample`] picks the verdict for
//! the type that the column has. It is evaluated in a constant, and its panic is the compiler's error, at the field.

use super::lock::number;
use crate::rows::data_type::DataType;
use crate::rows::description::{Column, RESERVED, Step, TableSchema};
use crate::rows::message::{Message, same};

/// A sample, judged.
#[doc(hidden)]
pub struct Sample {
    pub name: &'static str,
    /// The path as the macro resolved it.
    pub path: &'static str,
    /// It is CSV.
    pub is_text: bool,
    /// All values inside of others are among the fields.
    pub is_deep: bool,
}

/// A field of a sample, or a value inside of one.
#[doc(hidden)]
pub struct SampleField {
    /// The name; of a value inside of a field the path to it.
    pub name: &'static str,
    pub is_inside: bool,
    pub values: Seen,
    /// What lists and objects hold.
    pub items: Seen,
    /// The first line without the field; 0 if they all have it.
    pub absent: u32,
}

/// The verdict on the values of a field.
#[doc(hidden)]
pub struct Seen {
    /// Types, a bit for each by its number, with the line and the column of the first value that none of them takes, and with
    /// a description of that value.
    pub faults: &'static [(u32, u32, u32, &'static str)],
    /// The line and the column of the first null; 0 if there is none.
    pub null: (u32, u32),
}

/// Fails if the sample does not fit the column of a struct's field, which reads all of `fields`.
#[doc(hidden)]
#[track_caller]
pub const fn assert_sample(schema: &TableSchema, field: usize, sample: &Sample, fields: &[SampleField]) {
    let mut at = 0;
    while schema.columns[at].field_index != field {
        at += 1;
    }
    assert_column(&schema.columns[at], sample, fields, true);
}

/// Fails if the sample does not fit the columns of a flattened field, of which each reads some of `fields`.
#[doc(hidden)]
#[track_caller]
pub const fn assert_flat_sample(schema: &TableSchema, field: usize, sample: &Sample, fields: &[SampleField]) {
    let mut at = 0;
    while at < schema.columns.len() {
        if schema.columns[at].field_index == field {
            assert_column(&schema.columns[at], sample, fields, false);
        }
        at += 1;
    }
}

/// Fails if the sample has a field that no column answers to, of a schema that denies such.
#[doc(hidden)]
#[track_caller]
pub const fn assert_sample_known(schema: &TableSchema, sample: &Sample, fields: &[SampleField]) {
    let mut at = 0;
    while at < fields.len() {
        let field = &fields[at];
        let mut is_known = field.is_inside || same(field.name, RESERVED[0]) || same(field.name, RESERVED[1]);
        let mut column = 0;
        while column < schema.columns.len() {
            is_known |= is_named(&schema.columns[column], field.name);
            if let Some(root) = schema.columns[column].root() {
                is_known |= same(root, field.name);
            }
            column += 1;
        }
        if !is_known {
            let (line, place) = field.values.first();
            let message = start(sample, line).push("`").push(schema.name).push("` has no column `").push(field.name);
            panic!("{}", end(message.push("`, and denies unknown ones"), sample, line, place).as_str());
        }
        at += 1;
    }
}

#[track_caller]
const fn assert_column(column: &Column, sample: &Sample, fields: &[SampleField], reads_all: bool) {
    // several fields may be aliases of one column, where no single one has to be in every line
    let mut found = 0;
    let mut absent = 0;
    let mut at = 0;
    while at < fields.len() {
        let field = &fields[at];
        if reads_all || is_read(column, field, sample.is_text) {
            found += 1;
            absent = field.absent;
            if let Some(fault) = fault(column, field, sample.is_text) {
                let message = start(sample, fault.line).push("`").push(field.name).push("` ").push(fault.found);
                let message =
                    message.push(", the column wants `").push_type(&column.data_type).push("`").push(fault.help);
                panic!("{}", end(message, sample, fault.line, fault.column).as_str());
            }
        }
        at += 1;
    }
    if column.has_default || column.optional {
        return;
    }
    let name = if column.path.is_empty() { column.name } else { column.path };
    if found == 0 && (column.path.is_empty() || sample.is_deep && has_names_only(column)) {
        let message = Message::new().push("no line of `").push(sample.name).push("` has `").push(name);
        panic!("{}", add_default(message.push("`, which has no default"), column).as_str());
    }
    if found == 1 && absent > 0 {
        let message = start(sample, absent).push("`").push(name).push("` is missing, the column wants `");
        let message = add_default(message.push_type(&column.data_type).push("`"), column);
        panic!("{}", end(message, sample, absent, 1).as_str());
    }
}

const fn start(sample: &Sample, line: u32) -> Message {
    Message::new().push("`").push(sample.name).push("` line ").push_number(line).push(": ")
}

const fn add_default(message: Message, column: &Column) -> Message {
    let message = message.push("\nhelp: add `#[schema(default)]`, or make it an `Option<");
    message.push_type(&column.data_type).push(">`")
}

const fn end(message: Message, sample: &Sample, line: u32, column: u32) -> Message {
    message.push("\nnote: at ").push(sample.path).push(":").push_number(line).push(":").push_number(column)
}

/// Returns whether the column can be read from the field.
const fn is_read(column: &Column, field: &SampleField, is_text: bool) -> bool {
    if field.is_inside {
        return same(column.path, field.name);
    }
    is_named(column, field.name) && (is_text || column.is_read_by_name() || !same(column.name, field.name))
}

const fn is_named(column: &Column, name: &str) -> bool {
    let mut is_alias = false;
    let mut at = 0;
    while at < column.aliases.len() {
        is_alias |= same(column.aliases[at], name);
        at += 1;
    }
    is_alias || same(column.name, name)
}

/// Returns whether the path has no number: of long lists, not all items are among the fields.
const fn has_names_only(column: &Column) -> bool {
    let mut at = 0;
    while at < column.steps.len() {
        if let Step::Item(_) = column.steps[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A value that does not fit, and where it is.
#[derive(Clone, Copy)]
struct Fault {
    line: u32,
    column: u32,
    found: &'static str,
    help: &'static str,
}

/// Returns the first value that the column does not take.
const fn fault(column: &Column, field: &SampleField, is_text: bool) -> Option<Fault> {
    let data_type = &column.data_type;
    let (found, help) = match (is_text, data_type) {
        (false, _) => ("is null", "\nhelp: an `Option` takes null"),
        (true, DataType::Str) => ("is empty", "\nhelp: an `Option` takes that; an empty text is `\"\"`"),
        (true, _) => ("is empty", "\nhelp: an `Option` takes that"),
    };
    let null = if column.optional { None } else { field.values.null(data_type, found, help) };
    let first = earlier(null, field.values.fault(data_type));
    let (DataType::List(item) | DataType::Array(item, _) | DataType::Map(item)) = data_type else { return first };
    let null = field.items.null(item, "holds null", "\nhelp: an `Option` takes null");
    earlier(earlier(first, null), field.items.fault(item))
}

const fn earlier(a: Option<Fault>, b: Option<Fault>) -> Option<Fault> {
    match (a, b) {
        (Some(before), Some(after)) if after.line < before.line => b,
        (Some(_), _) => a,
        (None, _) => b,
    }
}

impl Seen {
    /// No value.
    pub const NONE: Seen = Seen { faults: &[], null: (0, 0) };

    /// Returns the first value that is not of the type.
    const fn fault(&self, data_type: &DataType) -> Option<Fault> {
        let mut at = 0;
        while at < self.faults.len() {
            let (types, line, column, found) = self.faults[at];
            if types & (1 << number(data_type)) != 0 {
                return Some(Fault { line, column, found, help: "" });
            }
            at += 1;
        }
        None
    }

    /// Returns the first null, unless the type takes it.
    const fn null(&self, data_type: &DataType, found: &'static str, help: &'static str) -> Option<Fault> {
        let (line, column) = self.null;
        let takes = matches!(data_type, DataType::Json | DataType::Optional(_));
        if line == 0 || takes { None } else { Some(Fault { line, column, found, help }) }
    }

    /// Returns where the first value is.
    const fn first(&self) -> (u32, u32) {
        let mut first = self.null;
        let mut at = 0;
        while at < self.faults.len() {
            let (_, line, column, _) = self.faults[at];
            if first.0 == 0 || line < first.0 {
                first = (line, column);
            }
            at += 1;
        }
        first
    }
}
