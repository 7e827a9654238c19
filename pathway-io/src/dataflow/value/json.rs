//! [`Values`] of JSON.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;
use serde_json::Value;

use super::Values;
use crate::column::json::JsonBuffer;

/// Values of JSON have no order of their own: they are in that of their texts.
impl Values<Value> for JsonBuffer {
    fn clone(value: &Value) -> Value {
        value.clone()
    }

    fn compare(a: &Value, b: &Value) -> Ordering {
        if a == b { Ordering::Equal } else { a.to_string().cmp(&b.to_string()) }
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
