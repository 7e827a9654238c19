//! One column of a record batch as it grows, or a part of a nested one: [`Node`].

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal256Type, DurationNanosecondType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time64NanosecondType, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, FixedSizeListArray, ListArray, MapArray, PrimitiveArray,
    StringArray, StructArray,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer, i256};
use arrow_schema::{ArrowError, DataType as ArrowType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::fields::{entry_fields, item_field, struct_fields};
use crate::rows::civil;
use crate::rows::data_type::DataType;

/// The reason why Arrow cannot represent a value.
pub(super) type Fault = &'static str;

pub(super) const FORM: Fault = "a value of a form that Arrow does not have here";
const RANGE: Fault = "a value that is out of the range of its Arrow type";

/// The number of digits after the point of a decimal.
const SCALE: usize = 28;

/// A second in nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// Values, and a list of which are not null.
pub(super) struct Node {
    data_type: DataType,
    /// Whether a part of a nested value may be null. In JSON that may not, null is a value.
    is_optional: bool,
    arrow: ArrowType,
    present: Vec<bool>,
    values: Values,
}

enum Values {
    Bool(BooleanBufferBuilder),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    /// Texts or bytes: the end of each, and the data.
    Arena(Vec<i32>, Vec<u8>),
    /// Decimals, and integers of 128 bits, with the number of digits after the point.
    Decimal(usize, Vec<i256>),
    Uuid(Vec<u8>),
    List(Vec<i32>, Box<Node>),
    Array(usize, Box<Node>),
    Tuple(Vec<Node>),
    /// The end of each map among the keys and the values.
    Map(Vec<i32>, Box<[Node; 2]>),
}

impl Values {
    fn new(data_type: &DataType, arrow: &ArrowType) -> Self {
        match data_type {
            DataType::Bool => Values::Bool(BooleanBufferBuilder::new(0)),
            DataType::I8 => Values::I8(Vec::new()),
            DataType::I16 => Values::I16(Vec::new()),
            DataType::I32 | DataType::Date => Values::I32(Vec::new()),
            DataType::I64
            | DataType::Duration
            | DataType::SignedDuration
            | DataType::Time
            | DataType::DateTime
            | DataType::Timestamp
            | DataType::OffsetDateTime => Values::I64(Vec::new()),
            DataType::U8 => Values::U8(Vec::new()),
            DataType::U16 => Values::U16(Vec::new()),
            DataType::U32 => Values::U32(Vec::new()),
            DataType::U64 => Values::U64(Vec::new()),
            DataType::F32 => Values::F32(Vec::new()),
            DataType::F64 => Values::F64(Vec::new()),
            DataType::Str | DataType::Json | DataType::Bytes => Values::Arena(vec![0], Vec::new()),
            // As files have them.
            DataType::Decimal | DataType::I128 | DataType::U128 if *arrow == ArrowType::Utf8 => {
                Values::Arena(vec![0], Vec::new())
            }
            DataType::Uuid => Values::Uuid(Vec::new()),
            DataType::Decimal => Values::Decimal(SCALE, Vec::new()),
            DataType::I128 | DataType::U128 => Values::Decimal(0, Vec::new()),
            DataType::Optional(item) => Values::new(item, arrow),
            DataType::List(item) => Values::List(vec![0], Box::new(Node::of_item(item, arrow))),
            DataType::Array(item, len) => Values::Array(*len, Box::new(Node::of_item(item, arrow))),
            DataType::Map(item) => {
                let fields = entry_fields(arrow);
                let values = fields.get(1).map_or(&ArrowType::Null, |field| field.data_type());
                let keys = Node::new(&DataType::Str, &ArrowType::Utf8);
                Values::Map(vec![0], Box::new([keys, Node::new(item, values)]))
            }
            DataType::Tuple(items) => {
                let fields = struct_fields(arrow);
                let items = items.iter().zip(&fields);
                Values::Tuple(items.map(|(item, field)| Node::new(item, field.data_type())).collect())
            }
        }
    }
}

impl Node {
    pub(super) fn new(data_type: &DataType, arrow: &ArrowType) -> Self {
        if let DataType::Optional(item) = data_type {
            return Node { is_optional: true, ..Node::new(item, arrow) };
        }
        let (arrow, values) = (arrow.clone(), Values::new(data_type, arrow));
        Node { data_type: *data_type, is_optional: false, arrow, present: Vec::new(), values }
    }

    fn of_item(item: &DataType, arrow: &ArrowType) -> Self {
        Node::new(item, item_field(arrow).data_type())
    }

    pub(super) fn data_type(&self) -> DataType {
        self.data_type
    }

    pub(super) fn is_nested(&self) -> bool {
        matches!(self.values, Values::List(..) | Values::Array(..) | Values::Tuple(_) | Values::Map(..))
    }

    pub(super) fn push_null(&mut self) {
        self.push_placeholder();
        if let Some(last) = self.present.last_mut() {
            *last = false;
        }
    }

    /// Pushes a placeholder.
    fn push_placeholder(&mut self) {
        self.present.push(true);
        match &mut self.values {
            Values::Bool(values) => values.append(false),
            Values::I8(values) => values.push(0),
            Values::I16(values) => values.push(0),
            Values::I32(values) => values.push(0),
            Values::I64(values) => values.push(0),
            Values::U8(values) => values.push(0),
            Values::U16(values) => values.push(0),
            Values::U32(values) => values.push(0),
            Values::U64(values) => values.push(0),
            Values::F32(values) => values.push(0.0),
            Values::F64(values) => values.push(0.0),
            Values::Arena(ends, _) | Values::List(ends, _) | Values::Map(ends, _) => {
                ends.extend_from_within(ends.len() - 1..);
            }
            Values::Decimal(_, values) => values.push(i256::ZERO),
            Values::Uuid(values) => values.extend_from_slice(&[0; 16]),
            Values::Array(len, item) => (0..*len).for_each(|_| item.push_placeholder()),
            Values::Tuple(items) => items.iter_mut().for_each(Node::push_placeholder),
        }
    }

    pub(super) fn push_integer(&mut self, value: i128) -> Result<(), Fault> {
        fn push<T: TryFrom<i128>>(values: &mut Vec<T>, value: i128) -> Result<(), Fault> {
            values.push(T::try_from(value).map_err(|_| RANGE)?);
            Ok(())
        }
        match &mut self.values {
            Values::Bool(values) => values.append(value != 0),
            Values::I8(values) => push(values, value)?,
            Values::I16(values) => push(values, value)?,
            Values::I32(values) => push(values, value)?,
            Values::I64(values) => push(values, value)?,
            Values::U8(values) => push(values, value)?,
            Values::U16(values) => push(values, value)?,
            Values::U32(values) => push(values, value)?,
            Values::U64(values) => push(values, value)?,
            Values::Decimal(0, values) => values.push(i256::from_i128(value)),
            Values::Arena(..) if matches!(self.data_type, DataType::I128 | DataType::U128) => {
                return self.push_bytes(value.to_string().as_bytes());
            }
            _ => return Err(FORM),
        }
        self.present.push(true);
        Ok(())
    }

    pub(super) fn push_float(&mut self, value: f64) -> Result<(), Fault> {
        match &mut self.values {
            // The value was an f32 before. A text is rounded once, by `push_text`.
            Values::F32(values) => values.push(value as f32),
            Values::F64(values) => values.push(value),
            _ => return Err(FORM),
        }
        self.present.push(true);
        Ok(())
    }

    pub(super) fn push_bytes(&mut self, value: &[u8]) -> Result<(), Fault> {
        let Values::Arena(ends, bytes) = &mut self.values else { return Err(FORM) };
        bytes.extend_from_slice(value);
        ends.push(i32::try_from(bytes.len()).map_err(|_| "more than 2 GB of text in one batch")?);
        self.present.push(true);
        Ok(())
    }

    pub(super) fn push_text(&mut self, text: &str) -> Result<(), Fault> {
        match self.data_type {
            DataType::Date => self.push_integer(civil::days(text).ok_or(FORM)?.into()),
            DataType::Time => {
                // A leap second at the end of the day is the second before it, because Arrow has no 24:00:00.
                let nanos = civil::time_of_day(text).ok_or(FORM)?;
                self.push_integer(if nanos < 86_400 * SECOND { nanos } else { nanos - SECOND }.into())
            }
            DataType::DateTime => self.push_integer(civil::date_time(text).ok_or(FORM)?),
            DataType::Timestamp | DataType::OffsetDateTime => self.push_integer(civil::instant(text).ok_or(FORM)?),
            _ => self.push_other_text(text),
        }
    }

    fn push_other_text(&mut self, text: &str) -> Result<(), Fault> {
        match &mut self.values {
            Values::Arena(..) => return self.push_bytes(text.as_bytes()),
            Values::F32(values) => values.push(text.parse().map_err(|_| FORM)?),
            Values::F64(values) => values.push(text.parse().map_err(|_| FORM)?),
            Values::Uuid(values) => values.extend_from_slice(&civil::uuid(text).ok_or(FORM)?),
            Values::Decimal(scale, values) => values.push(decimal(text, *scale)?),
            // An integer that does not fit in the scalar.
            _ => return self.push_integer(text.parse().map_err(|_| RANGE)?),
        }
        self.present.push(true);
        Ok(())
    }

    /// Pushes a value from its JSON form. The text is split and not parsed as a whole, so that JSON in it stays as it
    /// is.
    pub(super) fn push_json(&mut self, json: &RawValue) -> Result<(), Fault> {
        let text = json.get();
        if matches!(self.data_type, DataType::Json) && !(self.is_optional && text == "null") {
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
                match self.data_type {
                    DataType::Bytes => self.push_bytes(&STANDARD.decode(text).map_err(|_| FORM)?),
                    _ => self.push_text(&text),
                }
            }
            [b'[', ..] => self.push_items(&parse::<Vec<&RawValue>>(text)?),
            [b'{', ..] => self.push_entries(parse(text)?),
            _ => self.push_text(text),
        }
    }

    fn push_items(&mut self, items: &[&RawValue]) -> Result<(), Fault> {
        match &mut self.values {
            Values::List(ends, item) => {
                items.iter().try_for_each(|value| item.push_json(value))?;
                ends.push(i32::try_from(item.present.len()).map_err(|_| "more than 2^31 elements in one batch")?);
            }
            Values::Array(len, item) if *len == items.len() => {
                items.iter().try_for_each(|value| item.push_json(value))?;
            }
            Values::Tuple(nodes) if nodes.len() == items.len() => {
                nodes.iter_mut().zip(items).try_for_each(|(node, value)| node.push_json(value))?;
            }
            _ => return Err(FORM),
        }
        self.present.push(true);
        Ok(())
    }

    fn push_entries(&mut self, entries: BTreeMap<String, &RawValue>) -> Result<(), Fault> {
        let Values::Map(ends, nodes) = &mut self.values else { return Err(FORM) };
        let [keys, values] = &mut **nodes;
        for (key, value) in entries {
            keys.push_text(&key)?;
            values.push_json(value)?;
        }
        ends.push(i32::try_from(keys.present.len()).map_err(|_| "more than 2^31 entries in one batch")?);
        self.present.push(true);
        Ok(())
    }

    pub(super) fn finish(self) -> Result<ArrayRef, ArrowError> {
        let Node { arrow, present, values, .. } = self;
        let len = present.len();
        let nulls = present.contains(&false).then(|| NullBuffer::from(present));
        Ok(match values {
            Values::Bool(mut values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            Values::I8(values) => primitive::<Int8Type>(values, nulls, &arrow)?,
            Values::I16(values) => primitive::<Int16Type>(values, nulls, &arrow)?,
            Values::I32(values) if arrow == ArrowType::Date32 => primitive::<Date32Type>(values, nulls, &arrow)?,
            Values::I32(values) => primitive::<Int32Type>(values, nulls, &arrow)?,
            Values::I64(values) => match arrow {
                ArrowType::Time64(_) => primitive::<Time64NanosecondType>(values, nulls, &arrow)?,
                ArrowType::Timestamp(..) => primitive::<TimestampNanosecondType>(values, nulls, &arrow)?,
                ArrowType::Duration(_) => primitive::<DurationNanosecondType>(values, nulls, &arrow)?,
                _ => primitive::<Int64Type>(values, nulls, &arrow)?,
            },
            Values::U8(values) => primitive::<UInt8Type>(values, nulls, &arrow)?,
            Values::U16(values) => primitive::<UInt16Type>(values, nulls, &arrow)?,
            Values::U32(values) => primitive::<UInt32Type>(values, nulls, &arrow)?,
            Values::U64(values) => primitive::<UInt64Type>(values, nulls, &arrow)?,
            Values::F32(values) => primitive::<Float32Type>(values, nulls, &arrow)?,
            Values::F64(values) => primitive::<Float64Type>(values, nulls, &arrow)?,
            Values::Decimal(_, values) => primitive::<Decimal256Type>(values, nulls, &arrow)?,
            Values::Arena(ends, bytes) if arrow == ArrowType::Binary => {
                Arc::new(BinaryArray::try_new(offsets(ends), Buffer::from_vec(bytes), nulls)?)
            }
            Values::Arena(ends, bytes) => {
                Arc::new(StringArray::try_new(offsets(ends), Buffer::from_vec(bytes), nulls)?)
            }
            Values::Uuid(bytes) => Arc::new(FixedSizeBinaryArray::try_new(16, Buffer::from_vec(bytes), nulls)?),
            Values::List(ends, item) => {
                Arc::new(ListArray::try_new(item_field(&arrow), offsets(ends), item.finish()?, nulls)?)
            }
            Values::Array(size, item) => {
                let size = i32::try_from(size).map_err(|error| ArrowError::ComputeError(error.to_string()))?;
                let (field, items) = (item_field(&arrow), item.finish()?);
                Arc::new(FixedSizeListArray::try_new_with_length(field, size, items, nulls, len)?)
            }
            Values::Map(ends, nodes) => {
                let fields = entry_fields(&arrow);
                let arrays = nodes.into_iter().map(Node::finish).collect::<Result<_, _>>()?;
                let entries = StructArray::try_new(fields, arrays, None)?;
                let (field, ordered) = match &arrow {
                    ArrowType::Map(field, ordered) => (Arc::clone(field), *ordered),
                    _ => return Err(ArrowError::SchemaError("a map has the type of a map".to_owned())),
                };
                Arc::new(MapArray::try_new(field, offsets(ends), entries, nulls, ordered)?)
            }
            Values::Tuple(nodes) => {
                let arrays = nodes.into_iter().map(Node::finish).collect::<Result<_, _>>()?;
                Arc::new(StructArray::try_new(struct_fields(&arrow), arrays, nulls)?)
            }
        })
    }
}

fn primitive<T: ArrowPrimitiveType>(
    values: Vec<T::Native>,
    nulls: Option<NullBuffer>,
    arrow: &ArrowType,
) -> Result<ArrayRef, ArrowError> {
    let array = PrimitiveArray::<T>::try_new(ScalarBuffer::from(values), nulls)?;
    // The array gets the time zone and the precision.
    Ok(Arc::new(array.with_data_type(arrow.clone())))
}

fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|_| FORM)
}

fn offsets(ends: Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ScalarBuffer::from(ends))
}

/// Returns a decimal as an integer, scaled to `scale` digits after the point.
fn decimal(text: &str, scale: usize) -> Result<i256, Fault> {
    let (negative, whole, fraction) = civil::decimal(text).ok_or(FORM)?;
    let zeros = scale.checked_sub(fraction.len()).ok_or(RANGE)?;
    let sign = if negative { "-" } else { "" };
    i256::from_string(&format!("{sign}{whole}{fraction}{:0<zeros$}", "")).ok_or(RANGE)
}
