//! [`Values`] of enums with `#[derive(ColumnType)]`.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

use super::Values;
use crate::rows::column::ColumnType;
use crate::rows::column::derived::{VariantBuffer, Variants};

/// Variants are ordered as they are declared in the enum.
impl<T: Variants + ColumnType> Values<T> for VariantBuffer<T> {
    fn clone(value: &T) -> T {
        T::of(value.index())
    }

    fn compare(a: &T, b: &T) -> Ordering {
        a.index().cmp(&b.index())
    }

    fn hash<H: Hasher>(value: &T, state: &mut H) {
        value.index().hash(state);
    }

    fn debug(value: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAMES[usize::from(value.index())])
    }

    fn serialize<Z: Serializer>(value: &T, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_u16(value.index())
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let index = <u16 as Deserialize>::deserialize(deserializer)?;
        if usize::from(index) < T::NAMES.len() { Ok(T::of(index)) } else { Err(D::Error::custom("unknown variant")) }
    }
}
