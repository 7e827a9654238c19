//! `serde_json::Value`: any JSON value, null included.
//!
//! In an `Option<Value>`, JSON's null is `None`, even if a program pushes `Some(Value::Null)`: values with the same text
//! must be the same whether they were read or pushed.
//!
//! The column keeps the values and not their text. The text would be parsed for each row that is read from the column,
//! and a value that a program built may be nested deeper than the parser allows.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Buffer, NotNull, Style, column_type};
use crate::rows::data_type::DataType;

/// JSON values.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct JsonBuffer {
    values: Vec<Value>,
    /// What the values have on the heap.
    heap: usize,
}

column_type!(Value, JsonBuffer, DataType::Json);

#[diagnostic::do_not_recommend]
impl NotNull for Value {
    #[inline]
    fn is_null(&self) -> bool {
        Value::is_null(self)
    }
}

impl Buffer for JsonBuffer {
    type Item = Value;
    const NEEDS_QUOTES: bool = true;

    #[inline]
    fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    fn bytes(&self) -> usize {
        self.values.len() * size_of::<Value>() + self.heap
    }

    fn push(&mut self, value: Value) {
        self.heap += heap(&value);
        self.values.push(value);
    }

    fn push_placeholder(&mut self) {
        self.values.push(Value::Null);
    }

    fn push_from(&mut self, other: &Self, row: usize) {
        self.push(other.values[row].clone());
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.push(Value::deserialize(deserializer)?);
        Ok(())
    }

    fn truncate(&mut self, len: usize) {
        if len == 0 {
            self.values.clear();
            self.heap = 0;
        } else if len < self.values.len() {
            self.heap -= self.values.drain(len..).map(|value| heap(&value)).sum::<usize>();
        }
    }

    fn get(&self, row: usize) -> Value {
        self.values[row].clone()
    }

    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
        same(&self.values[row], &other.values[other_row])
    }

    fn hash<H: Hasher>(&self, row: usize, state: &mut H) {
        hash(&self.values[row], state);
    }

    fn write_text(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        self.write_json(row, style, out);
    }

    fn write_json(&self, row: usize, _style: Style, out: &mut Vec<u8>) {
        // Writing a value into memory cannot fail: its keys are texts.
        let written = serde_json::to_writer(out, &self.values[row]);
        debug_assert!(written.is_ok());
    }
}

/// An estimate of the bytes that a value has on the heap: those of texts and elements, not the allocator's own.
fn heap(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + heap(item)).sum(),
        Value::Object(fields) => {
            let entry = size_of::<String>() + size_of::<Value>();
            fields.iter().map(|(name, field)| entry + name.len() + heap(field)).sum()
        }
    }
}

/// Equality that tells `-0.0` from `0.0`, which `==` does not. The order of an object's fields is of no account.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) if x.is_f64() && y.is_f64() => {
            x.as_f64().map(f64::to_bits) == y.as_f64().map(f64::to_bits)
        }
        (Value::Array(xs), Value::Array(ys)) => xs.len() == ys.len() && xs.iter().zip(ys).all(|(x, y)| same(x, y)),
        (Value::Object(xs), Value::Object(ys)) => {
            xs.len() == ys.len() && xs.iter().all(|(name, x)| ys.get(name).is_some_and(|y| same(x, y)))
        }
        (a, b) => a == b,
    }
}

/// A hash that agrees with [`same`]: the fields of an object, which come in no certain order, are hashed one by one and
/// added up.
fn hash<H: Hasher>(value: &Value, state: &mut H) {
    match value {
        Value::Null => state.write_u8(0),
        Value::Bool(value) => value.hash(state),
        Value::Number(value) => match value.as_f64() {
            Some(float) if value.is_f64() => float.to_bits().hash(state),
            _ => value.hash(state),
        },
        Value::String(text) => text.hash(state),
        Value::Array(items) => {
            state.write_usize(items.len());
            for item in items {
                hash(item, state);
            }
        }
        Value::Object(fields) => {
            let field_hash = |(name, field): (&String, &Value)| {
                let mut state = DefaultHasher::new();
                name.hash(&mut state);
                hash(field, &mut state);
                state.finish()
            };
            state.write_u64(fields.iter().map(field_hash).fold(0, u64::wrapping_add));
        }
    }
}
