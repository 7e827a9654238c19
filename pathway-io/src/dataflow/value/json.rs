//! [`Values`] of JSON.
//!
//! JSON defines no order. Here null comes first, then booleans, numbers, strings, arrays and objects. Objects are
//! compared by their fields in the order of the names, whatever the order in the map. Values are equal if and only if
//! they are equal in a column: `1` differs from `1.0`, and `-0.0` from `0.0`.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;
use serde_json::{Number, Value};

use super::Values;
use super::map::sorted;
use super::nested::order_all;
use crate::rows::column::json::JsonBuffer;

impl Values<Value> for JsonBuffer {
    fn clone(value: &Value) -> Value {
        value.clone()
    }

    fn compare(a: &Value, b: &Value) -> Ordering {
        order(a, b)
    }

    fn hash<H: Hasher>(value: &Value, state: &mut H) {
        value.hash(state);
    }

    fn debug(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{value}")
    }

    fn serialize<Z: Serializer>(value: &Value, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_str(value)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(D::Error::custom)
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => {
            // The text distinguishes an integer from a float, and integers that a float cannot represent exactly.
            let size = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
            size(a).total_cmp(&size(b)).then_with(|| a.to_string().cmp(&b.to_string()))
        }
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => order_all(a, b, order),
        (Value::Object(a), Value::Object(b)) => {
            order_all(sorted(a.iter()), sorted(b.iter()), |(a, x), (b, y)| a.cmp(b).then_with(|| order(x, y)))
        }
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}
