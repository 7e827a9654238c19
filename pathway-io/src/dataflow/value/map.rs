//! [`Values`] of maps by name and of raw JSON.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer};
use serde::ser::{SerializeSeq, Serializer};

use super::nested::order_all;
use super::{ColumnForm, FromColumnForm, Values};
use crate::rows::column::ColumnType;
use crate::rows::column::map::{MapBuffer, TextMap};
use crate::rows::column::raw_json::{RawJson, RawJsonBuffer};

type ValueBuffer<M> = <<M as TextMap>::Value as ColumnType>::Buffer;

/// Returns fields in the order of their names.
pub(super) fn sorted<'a, V>(fields: impl Iterator<Item = (&'a String, &'a V)>) -> Vec<(&'a String, &'a V)> {
    let mut fields: Vec<_> = fields.collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    fields
}

impl<M: TextMap> Values<M> for MapBuffer<M> {
    fn clone(map: &M) -> M {
        map.fields().map(|(name, value)| (name.clone(), ValueBuffer::<M>::clone(value))).collect()
    }

    fn compare(a: &M, b: &M) -> Ordering {
        order_all(sorted(a.fields()), sorted(b.fields()), |(name, value), (other_name, other)| {
            name.cmp(other_name).then_with(|| ValueBuffer::<M>::compare(value, other))
        })
    }

    fn hash<H: Hasher>(map: &M, state: &mut H) {
        let fields = sorted(map.fields());
        state.write_usize(fields.len());
        for (name, value) in fields {
            name.hash(state);
            <ValueBuffer<M> as Values<M::Value>>::hash(value, state);
        }
    }

    fn debug(map: &M, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields =
            sorted(map.fields()).into_iter().map(|(name, value)| (name, ColumnForm::<_, ValueBuffer<M>>::new(value)));
        f.debug_map().entries(fields).finish()
    }

    fn serialize<Z: Serializer>(map: &M, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let fields = sorted(map.fields());
        let mut sequence = serializer.serialize_seq(Some(fields.len()))?;
        for (name, value) in fields {
            sequence.serialize_element(&(name, ColumnForm::<_, ValueBuffer<M>>::new(value)))?;
        }
        sequence.end()
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<M, D::Error> {
        let fields = Vec::<(String, FromColumnForm<M::Value, ValueBuffer<M>>)>::deserialize(deserializer)?;
        Ok(fields.into_iter().map(|(name, value)| (name, value.0)).collect())
    }
}

impl Values<RawJson> for RawJsonBuffer {
    fn clone(value: &RawJson) -> RawJson {
        value.clone()
    }

    fn compare(a: &RawJson, b: &RawJson) -> Ordering {
        a.cmp(b)
    }

    fn hash<H: Hasher>(value: &RawJson, state: &mut H) {
        value.hash(state);
    }

    fn debug(value: &RawJson, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(value, f)
    }

    fn serialize<Z: Serializer>(value: &RawJson, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_str(value.as_str())
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RawJson, D::Error> {
        let text = String::deserialize(deserializer)?;
        RawJson::new(text).map_err(serde::de::Error::custom)
    }
}
