//! The part of `#[schema(sample = "..")]` that only the compiler can judge: columns whose type the macro does not know by
//! its name, such as aliases, newtypes and the columns of a flattened schema.
//!
//! The macro has summed up what the sample holds; [`assert_sample`] is evaluated in a constant, and its panic is the
//! compiler's error, at the field.

use crate::rows::data_type::DataType;
use crate::rows::description::{Column, RESERVED, TableSchema};
use crate::rows::message::{Message, same};

/// The kinds of values in a sample. In CSV, where all are texts, they are what the text could be.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    Bool,
    Integer,
    Float,
    /// A string that stands for a float that is not finite.
    FloatName,
    Text,
    List,
    Object,
}

/// A sample summed up.
#[doc(hidden)]
pub struct Sample {
    pub name: &'static str,
    /// It is CSV.
    pub is_text: bool,
    pub fields: &'static [SampleField],
}

/// A field of a sample.
#[doc(hidden)]
pub struct SampleField {
    pub name: &'static str,
    /// Each kind of value, and the first line with it.
    pub kinds: &'static [(Kind, u32)],
    /// The kinds of the items in lists.
    pub items: &'static [(Kind, u32)],
    /// The least and the greatest integer, and their lines.
    pub least: (i128, u32),
    pub most: (i128, u32),
    /// The first line without the field; 0 if they all have it.
    pub absent: u32,
}

/// Fails if the sample does not fit the columns of a struct's field.
#[doc(hidden)]
#[track_caller]
pub const fn assert_sample(schema: &TableSchema, field: &str, sample: &Sample) {
    let mut at = 0;
    while at < schema.columns.len() {
        if same(schema.columns[at].field, field) {
            assert_column(&schema.columns[at], sample);
        }
        at += 1;
    }
}

/// Fails if the sample has a field that no column answers to, of a schema that denies such.
#[doc(hidden)]
#[track_caller]
pub const fn assert_sample_known(schema: &TableSchema, sample: &Sample) {
    let mut at = 0;
    while at < sample.fields.len() {
        let field = &sample.fields[at];
        let mut is_known = same(field.name, RESERVED[0]) || same(field.name, RESERVED[1]);
        let mut column = 0;
        while column < schema.columns.len() {
            is_known |= answers_to(&schema.columns[column], field.name);
            if let Some(root) = schema.columns[column].root() {
                is_known |= same(root, field.name);
            }
            column += 1;
        }
        if !is_known {
            let line = if field.kinds.is_empty() { 1 } else { field.kinds[0].1 };
            let message = start(sample, line).push("`").push(schema.name).push("` has no column `").push(field.name);
            panic!("{}", message.push("`, and denies unknown ones").as_str());
        }
        at += 1;
    }
}

#[track_caller]
const fn assert_column(column: &Column, sample: &Sample) {
    // the macro has looked into fields for the struct's own paths, and not for those of flattened schemas
    if !column.is_read_by_name() {
        return;
    }
    // several fields may be aliases of one column, where no single one has to be in every line
    let mut found = 0;
    let mut absent = 0;
    let mut at = 0;
    while at < sample.fields.len() {
        let field = &sample.fields[at];
        if answers_to(column, field.name) {
            found += 1;
            absent = field.absent;
            let fault = fault(column, field, sample.is_text);
            if let Some((line, what)) = fault {
                let message = start(sample, line).push("`").push(field.name).push("` ").push(what);
                let message = message.push(", the column wants `").push_type(&column.data_type).push("`");
                panic!("{}", message.as_str());
            }
        }
        at += 1;
    }
    if column.has_default || column.optional {
        return;
    }
    if found == 0 && column.path.is_empty() {
        let message = Message::new().push("no line of `").push(sample.name).push("` has `").push(column.name);
        panic!("{}", message.push("`, which has no default").as_str());
    }
    if found == 1 && absent > 0 {
        let message = start(sample, absent).push("`").push(column.name).push("` is missing, the column wants `");
        panic!("{}", message.push_type(&column.data_type).push("`").as_str());
    }
}

const fn start(sample: &Sample, line: u32) -> Message {
    Message::new().push("`").push(sample.name).push("` line ").push_number(line).push(": ")
}

const fn answers_to(column: &Column, name: &str) -> bool {
    let mut is_alias = false;
    let mut at = 0;
    while at < column.aliases.len() {
        is_alias |= same(column.aliases[at], name);
        at += 1;
    }
    is_alias || same(column.name, name)
}

/// Returns the first line whose value the column does not take, and what is there.
const fn fault(column: &Column, field: &SampleField, is_text: bool) -> Option<(u32, &'static str)> {
    let mut first: Option<(u32, &'static str)> = None;
    let mut at = 0;
    while at < field.kinds.len() {
        let (kind, line) = field.kinds[at];
        let takes_null = column.optional || matches!(column.data_type, DataType::Json) && !is_text;
        let takes = matches!(kind, Kind::Null) && takes_null
            || if is_text { takes_text(&column.data_type, kind) } else { takes(&column.data_type, kind) };
        if !takes {
            first = earlier(first, line, if is_text { text_name(kind) } else { name(kind) });
        }
        at += 1;
    }
    if let Some((least, most)) = range(&column.data_type) {
        if field.least.0 < least {
            first = earlier(first, field.least.1, "is too small a number");
        }
        if field.most.0 > most {
            first = earlier(first, field.most.1, "is too large a number");
        }
    }
    if let DataType::List(item) | DataType::Array(item, _) = &column.data_type {
        let (item, takes_null) = match item {
            DataType::Optional(item) => (*item, true),
            item => (*item, matches!(item, DataType::Json)),
        };
        let mut at = 0;
        while at < field.items.len() {
            let (kind, line) = field.items[at];
            if !(takes(item, kind) || matches!(kind, Kind::Null) && takes_null) {
                first = earlier(first, line, inner_name(kind));
            }
            at += 1;
        }
    }
    first
}

const fn earlier(first: Option<(u32, &'static str)>, line: u32, what: &'static str) -> Option<(u32, &'static str)> {
    match first {
        Some((before, _)) if before <= line => first,
        _ => Some((line, what)),
    }
}

/// Returns whether a value of JSON can be one of the type; a null is judged elsewhere.
const fn takes(data_type: &DataType, kind: Kind) -> bool {
    match data_type {
        DataType::Bool => matches!(kind, Kind::Bool),
        DataType::I8 | DataType::I16 | DataType::I32 | DataType::I64 => matches!(kind, Kind::Integer),
        DataType::U8 | DataType::U16 | DataType::U32 | DataType::U64 => matches!(kind, Kind::Integer),
        DataType::Duration | DataType::SignedDuration => matches!(kind, Kind::Integer),
        DataType::F32 | DataType::F64 => matches!(kind, Kind::Integer | Kind::Float | Kind::FloatName),
        DataType::Decimal | DataType::I128 | DataType::U128 => matches!(kind, Kind::Integer | Kind::Text),
        DataType::Map(_) => matches!(kind, Kind::Object),
        DataType::Json => true,
        DataType::Optional(item) => matches!(kind, Kind::Null) || takes(item, kind),
        DataType::List(_) | DataType::Array(..) | DataType::Tuple(_) => matches!(kind, Kind::List),
        // texts of all forms
        _ => matches!(kind, Kind::Text | Kind::FloatName),
    }
}

/// Returns whether a field of CSV can be one of the type.
const fn takes_text(data_type: &DataType, kind: Kind) -> bool {
    match data_type {
        DataType::Bool => matches!(kind, Kind::Bool),
        DataType::I8 | DataType::I16 | DataType::I32 | DataType::I64 => matches!(kind, Kind::Integer),
        DataType::U8 | DataType::U16 | DataType::U32 | DataType::U64 => matches!(kind, Kind::Integer),
        DataType::I128 | DataType::U128 => matches!(kind, Kind::Integer),
        DataType::Duration | DataType::SignedDuration => matches!(kind, Kind::Integer),
        DataType::F32 | DataType::F64 | DataType::Decimal => matches!(kind, Kind::Integer | Kind::Float),
        _ => !matches!(kind, Kind::Null),
    }
}

const fn range(data_type: &DataType) -> Option<(i128, i128)> {
    match data_type {
        DataType::I8 => Some((i8::MIN as i128, i8::MAX as i128)),
        DataType::I16 => Some((i16::MIN as i128, i16::MAX as i128)),
        DataType::I32 => Some((i32::MIN as i128, i32::MAX as i128)),
        DataType::I64 => Some((i64::MIN as i128, i64::MAX as i128)),
        DataType::U8 => Some((0, u8::MAX as i128)),
        DataType::U16 => Some((0, u16::MAX as i128)),
        DataType::U32 => Some((0, u32::MAX as i128)),
        DataType::U64 => Some((0, u64::MAX as i128)),
        DataType::Duration => Some((0, i128::MAX)),
        _ => None,
    }
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "is null",
        Kind::Bool => "is a boolean",
        Kind::Integer | Kind::Float => "is a number",
        Kind::FloatName | Kind::Text => "is a string",
        Kind::List => "is a list",
        Kind::Object => "is an object",
    }
}

const fn inner_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "holds null",
        Kind::Bool => "holds a boolean",
        Kind::Integer | Kind::Float => "holds a number",
        Kind::FloatName | Kind::Text => "holds a string",
        Kind::List => "holds a list",
        Kind::Object => "holds an object",
    }
}

const fn text_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "is empty",
        Kind::Bool => "is a boolean",
        Kind::Integer | Kind::Float => "is a number",
        _ => "is some other text",
    }
}
