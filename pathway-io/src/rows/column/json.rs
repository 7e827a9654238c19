//! `serde_json::Value`: any JSON value, null included.
//!
//! In an `Option<Value>`, JSON's null is `None`, even if a program pushes `Some(Value::Null)`: values with the same
//! text must be the same whether they were read or pushed.
//!
//! The column keeps the values and not their text, which would be parsed for each row that is read from the column.
//! `strict` contains the rules by which a push refuses values.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::scan::Scan;
use super::{Buffer, NotNull, Style, column_type, strict};
use crate::rows::data_type::DataType;

/// JSON values.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct JsonBuffer {
    values: Vec<Value>,
    /// The size of the values on the heap.
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
    const CAN_REFUSE: bool = true;

    #[inline]
    fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    fn bytes(&self) -> usize {
        self.values.len() * size_of::<Value>() + self.heap
    }

    /// # Panics
    ///
    /// Panics if the value is nested too deeply to be read back from the log or from an output.
    fn push(&mut self, value: Value) {
        match heap(&value, 0) {
            Some(heap) => self.heap += heap,
            None => panic!("{}", strict::too_deep()),
        }
        self.values.push(value);
    }

    fn push_placeholder(&mut self) {
        self.values.push(Value::Null);
    }

    fn push_from(&mut self, other: &Self, row: usize) {
        self.push(other.values[row].clone());
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let text = text.get();
        self.push(strict::parse(text).map_err(|fault| fault.after::<D::Error>(text))?);
        Ok(())
    }

    fn scan(&mut self, scan: &mut Scan<'_>) -> bool {
        let Some(Ok(value)) = scan.value().map(strict::parse) else { return false };
        self.push(value);
        true
    }

    fn truncate(&mut self, len: usize) {
        if len == 0 {
            self.values.clear();
            self.heap = 0;
        } else if len < self.values.len() {
            self.heap -= self.values.drain(len..).filter_map(|value| heap(&value, 0)).sum::<usize>();
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

    fn write_json(&self, row: usize, _style: Style, out: &mut Vec<u8>) {
        // Writing a value into memory cannot fail, because its keys are strings.
        let written = serde_json::to_writer(out, &self.values[row]);
        debug_assert!(written.is_ok());
    }
}

/// Estimates the size of a value on the heap: the size of its strings and elements, without the allocator's overhead.
/// Returns `None` if the value, with `depth` levels around it, is nested too deeply.
fn heap(value: &Value, depth: usize) -> Option<usize> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(0),
        Value::String(text) => Some(text.len()),
        Value::Array(_) | Value::Object(_) if depth == strict::DEPTH => None,
        Value::Array(items) => items.iter().map(|item| Some(size_of::<Value>() + heap(item, depth + 1)?)).sum(),
        Value::Object(fields) => {
            let entry = size_of::<String>() + size_of::<Value>();
            fields.iter().map(|(name, field)| Some(entry + name.len() + heap(field, depth + 1)?)).sum()
        }
    }
}

/// Compares two values. Unlike `==`, it distinguishes `-0.0` from `0.0`. The order of an object's fields does not
/// matter.
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

/// Hashes a value in agreement with [`same`]. The fields of an object have no fixed order, so they are hashed
/// separately and the hashes are added.
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
