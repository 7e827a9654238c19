//! One column of a record batch as it grows, or a part of a nested one: [`Node`].

use std::collections::BTreeMap;

use arrow_array::{Array, ArrayRef, make_array, new_empty_array};
use arrow_buffer::{BooleanBufferBuilder, Buffer, MutableBuffer, NullBuffer, ToByteSlice, i256};
use arrow_schema::{ArrowError, DataType as ArrowType, FieldRef};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::rows::civil;

/// The reason why Arrow cannot represent a value.
pub(super) type ArrowFault = &'static str;

pub(super) const FORM: ArrowFault = "a value of a form that Arrow does not have here";
const RANGE: ArrowFault = "a value that is out of the range of its Arrow type";

/// A second in nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// Values, and a list of which are not null.
pub(super) struct Node {
    field: FieldRef,
    is_json: bool,
    present: Vec<bool>,
    values: ArrowValues,
}

enum ArrowValues {
    Bool(BooleanBufferBuilder),
    /// Numbers and UUIDs, with the number of bytes of each.
    Fixed(usize, MutableBuffer),
    /// Texts or bytes: the end of each, and the data.
    Arena(Vec<i32>, Vec<u8>),
    /// Lists, and maps as lists of entries: the end of each among the items.
    List(Vec<i32>, Box<Node>),
    Array(usize, Box<Node>),
    Tuple(Vec<Node>),
}

impl ArrowValues {
    fn new(arrow: &ArrowType) -> Self {
        match arrow {
            ArrowType::Boolean => ArrowValues::Bool(BooleanBufferBuilder::new(0)),
            ArrowType::Utf8 | ArrowType::Binary => ArrowValues::Arena(vec![0], Vec::new()),
            ArrowType::List(item) | ArrowType::Map(item, _) => ArrowValues::List(vec![0], Box::new(Node::new(item))),
            // The schema has no negative sizes.
            ArrowType::FixedSizeList(item, len) => ArrowValues::Array(*len as usize, Box::new(Node::new(item))),
            ArrowType::Struct(fields) => ArrowValues::Tuple(fields.iter().map(Node::new).collect()),
            ArrowType::FixedSizeBinary(size) => ArrowValues::Fixed(*size as usize, MutableBuffer::default()),
            number => ArrowValues::Fixed(number.primitive_width().unwrap_or_default(), MutableBuffer::default()),
        }
    }
}

impl Node {
    pub(super) fn new(field: &FieldRef) -> Self {
        let is_json = field.extension_type_name() == Some("arrow.json");
        Node {
            field: FieldRef::clone(field),
            is_json,
            present: Vec::new(),
            values: ArrowValues::new(field.data_type()),
        }
    }

    pub(super) fn is_nested(&self) -> bool {
        matches!(self.values, ArrowValues::List(..) | ArrowValues::Array(..) | ArrowValues::Tuple(_))
    }

    pub(super) fn push_null(&mut self) {
        self.push_placeholder();
        if let Some(last) = self.present.last_mut() {
            *last = false;
        }
    }

    fn push_placeholder(&mut self) {
        self.present.push(true);
        match &mut self.values {
            ArrowValues::Bool(values) => values.append(false),
            ArrowValues::Fixed(size, values) => values.extend_zeros(*size),
            ArrowValues::Arena(ends, _) | ArrowValues::List(ends, _) => ends.extend_from_within(ends.len() - 1..),
            ArrowValues::Array(len, item) => (0..*len).for_each(|_| item.push_placeholder()),
            ArrowValues::Tuple(items) => items.iter_mut().for_each(Node::push_placeholder),
        }
    }

    pub(super) fn push_integer(&mut self, value: i128) -> Result<(), ArrowFault> {
        fn push<T: TryFrom<i128> + ToByteSlice>(values: &mut MutableBuffer, value: i128) -> Result<(), ArrowFault> {
            values.push(T::try_from(value).map_err(|_| RANGE)?);
            Ok(())
        }
        match &mut self.values {
            ArrowValues::Bool(values) => values.append(value != 0),
            ArrowValues::Fixed(_, values) => match self.field.data_type() {
                ArrowType::Int8 => push::<i8>(values, value)?,
                ArrowType::Int16 => push::<i16>(values, value)?,
                ArrowType::Int32 | ArrowType::Date32 => push::<i32>(values, value)?,
                ArrowType::UInt8 => push::<u8>(values, value)?,
                ArrowType::UInt16 => push::<u16>(values, value)?,
                ArrowType::UInt32 => push::<u32>(values, value)?,
                ArrowType::UInt64 => push::<u64>(values, value)?,
                ArrowType::Decimal256(_, 0) => values.push(i256::from_i128(value)),
                ArrowType::Int64 | ArrowType::Duration(_) | ArrowType::Time64(_) | ArrowType::Timestamp(..) => {
                    push::<i64>(values, value)?;
                }
                _ => return Err(FORM),
            },
            // An integer of 128 bits, as files have it.
            ArrowValues::Arena(..) => return self.push_bytes(value.to_string().as_bytes()),
            _ => return Err(FORM),
        }
        self.present.push(true);
        Ok(())
    }

    pub(super) fn push_float(&mut self, value: f64) -> Result<(), ArrowFault> {
        match (&mut self.values, self.field.data_type()) {
            // The value was an f32 before. A text is rounded once, by `push_text`.
            (ArrowValues::Fixed(_, values), ArrowType::Float32) => values.push(value as f32),
            (ArrowValues::Fixed(_, values), ArrowType::Float64) => values.push(value),
            _ => return Err(FORM),
        }
        self.present.push(true);
        Ok(())
    }

    pub(super) fn push_bytes(&mut self, value: &[u8]) -> Result<(), ArrowFault> {
        let ArrowValues::Arena(ends, bytes) = &mut self.values else { return Err(FORM) };
        bytes.extend_from_slice(value);
        ends.push(i32::try_from(bytes.len()).map_err(|_| "more than 2 GB of text in one batch")?);
        self.present.push(true);
        Ok(())
    }

    pub(super) fn push_text(&mut self, text: &str) -> Result<(), ArrowFault> {
        match self.field.data_type() {
            ArrowType::Date32 => self.push_integer(civil::days(text).ok_or(FORM)?.into()),
            ArrowType::Time64(_) => {
                // A leap second at the end of the day is the second before it, because Arrow has no 24:00:00.
                let nanos = civil::time_of_day(text).ok_or(FORM)?;
                self.push_integer(if nanos < 86_400 * SECOND { nanos } else { nanos - SECOND }.into())
            }
            ArrowType::Timestamp(_, None) => self.push_integer(civil::date_time(text).ok_or(FORM)?),
            ArrowType::Timestamp(_, Some(_)) => self.push_integer(civil::instant(text).ok_or(FORM)?),
            _ => self.push_other_text(text),
        }
    }

    fn push_other_text(&mut self, text: &str) -> Result<(), ArrowFault> {
        match &mut self.values {
            ArrowValues::Arena(..) => return self.push_bytes(text.as_bytes()),
            ArrowValues::Fixed(_, values) => match self.field.data_type() {
                ArrowType::Float32 => values.push::<f32>(text.parse().map_err(|_| FORM)?),
                ArrowType::Float64 => values.push::<f64>(text.parse().map_err(|_| FORM)?),
                ArrowType::FixedSizeBinary(_) => values.extend_from_slice(&civil::uuid(text).ok_or(FORM)?),
                ArrowType::Decimal256(_, scale) => values.push(decimal(text, *scale as usize)?),
                // An integer that does not fit in the scalar.
                _ => return self.push_integer(text.parse().map_err(|_| RANGE)?),
            },
            _ => return Err(FORM),
        }
        self.present.push(true);
        Ok(())
    }

    /// Pushes a value from its JSON form. The text is split and not parsed as a whole, so that JSON in it stays as it
    /// is.
    pub(super) fn push_json(&mut self, json: &RawValue) -> Result<(), ArrowFault> {
        let text = json.get();
        // Without an `Option`, null is a value.
        if self.is_json && !(self.field.is_nullable() && text == "null") {
            return self.push_text(text);
        }
        match text.as_bytes() {
            b"null" => {
                self.push_null();
                Ok(())
            }
            b"true" | b"false" => self.push_integer((text == "true").into()),
            [b'"', ..] => {
                let text: String = parse(text)?;
                match self.field.data_type() {
                    ArrowType::Binary => self.push_bytes(&STANDARD.decode(text).map_err(|_| FORM)?),
                    _ => self.push_text(&text),
                }
            }
            [b'[', ..] => self.push_items(&parse::<Vec<&RawValue>>(text)?),
            [b'{', ..] => self.push_entries(parse(text)?),
            _ => self.push_text(text),
        }
    }

    fn push_items(&mut self, items: &[&RawValue]) -> Result<(), ArrowFault> {
        match &mut self.values {
            ArrowValues::List(ends, item) => {
                items.iter().try_for_each(|value| item.push_json(value))?;
                ends.push(i32::try_from(item.present.len()).map_err(|_| "more than 2^31 elements in one batch")?);
            }
            ArrowValues::Array(len, item) if *len == items.len() => {
                items.iter().try_for_each(|value| item.push_json(value))?;
            }
            ArrowValues::Tuple(nodes) if nodes.len() == items.len() => {
                nodes.iter_mut().zip(items).try_for_each(|(node, value)| node.push_json(value))?;
            }
            _ => return Err(FORM),
        }
        self.present.push(true);
        Ok(())
    }

    fn push_entries(&mut self, entries: BTreeMap<String, &RawValue>) -> Result<(), ArrowFault> {
        let ArrowValues::List(ends, node) = &mut self.values else { return Err(FORM) };
        let ArrowValues::Tuple(nodes) = &mut node.values else { return Err(FORM) };
        let [keys, values] = nodes.as_mut_slice() else { return Err(FORM) };
        for (key, value) in entries {
            keys.push_text(&key)?;
            values.push_json(value)?;
            node.present.push(true);
        }
        ends.push(i32::try_from(node.present.len()).map_err(|_| "more than 2^31 entries in one batch")?);
        self.present.push(true);
        Ok(())
    }

    /// Returns the values, and begins an empty column.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let Node { field, present, values, .. } = std::mem::replace(self, Node::new(&self.field));
        let (buffers, items) = match values {
            ArrowValues::Bool(mut values) => (vec![values.finish().into_inner()], vec![]),
            ArrowValues::Fixed(_, values) => (vec![values.into()], vec![]),
            ArrowValues::Arena(ends, bytes) => (vec![Buffer::from_vec(ends), Buffer::from_vec(bytes)], vec![]),
            ArrowValues::List(ends, item) => (vec![Buffer::from_vec(ends)], vec![*item]),
            ArrowValues::Array(_, item) => (vec![], vec![*item]),
            ArrowValues::Tuple(items) => (vec![], items),
        };
        let items = items.into_iter().map(|mut item| item.finish().map(|array| array.to_data()));
        let items = items.collect::<Result<_, _>>()?;
        let len = present.len();
        let nulls = present.contains(&false).then(|| NullBuffer::from(present));
        // `ArrayData` belongs to a crate that we do not import. Its builder checks all values.
        let data = new_empty_array(field.data_type()).into_data().into_builder();
        Ok(make_array(data.len(len).buffers(buffers).child_data(items).nulls(nulls).build()?))
    }
}

fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, ArrowFault> {
    serde_json::from_str(text).map_err(|_| FORM)
}

/// Returns a decimal as an integer, scaled to `scale` digits after the point.
fn decimal(text: &str, scale: usize) -> Result<i256, ArrowFault> {
    let (negative, whole, fraction) = civil::decimal(text).ok_or(FORM)?;
    let zeros = scale.checked_sub(fraction.len()).ok_or(RANGE)?;
    let sign = if negative { "-" } else { "" };
    i256::from_string(&format!("{sign}{whole}{fraction}{:0<zeros$}", "")).ok_or(RANGE)
}
