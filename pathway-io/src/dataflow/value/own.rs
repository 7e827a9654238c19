//! [`Values`] of types under `#[derive(ColumnType)]`.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

use super::Values;
use crate::rows::column::ColumnType;
use crate::rows::column::derived::{Newtype, NewtypeBuffer, VariantBuffer, Variants};

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

type InnerBuffer<T> = <<T as Newtype>::Inner as ColumnType>::Buffer;

impl<T: Newtype + ColumnType> Values<T> for NewtypeBuffer<T> {
    fn clone(value: &T) -> T {
        T::wrap(InnerBuffer::<T>::clone(value.inner()))
    }

    fn compare(a: &T, b: &T) -> Ordering {
        InnerBuffer::<T>::compare(a.inner(), b.inner())
    }

    fn hash<H: Hasher>(value: &T, state: &mut H) {
        <InnerBuffer<T> as Values<T::Inner>>::hash(value.inner(), state);
    }

    fn debug(value: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        InnerBuffer::<T>::debug(value.inner(), f)
    }

    fn serialize<Z: Serializer>(value: &T, serializer: Z) -> Result<Z::Ok, Z::Error> {
        InnerBuffer::<T>::serialize(value.inner(), serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        InnerBuffer::<T>::deserialize(deserializer).map(T::wrap)
    }
}
