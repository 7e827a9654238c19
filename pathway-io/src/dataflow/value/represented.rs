//! [`Values`] of types that are stored as the values of another column type.

use std::cmp::Ordering;
use std::fmt;
use std::hash::Hasher;

use serde::de::Deserializer;
use serde::ser::Serializer;

use super::Values;
use crate::rows::column::ColumnType;
use crate::rows::column::represented::{Represented, RepresentedBuffer};

type InnerBuffer<T> = <<T as Represented>::Inner as ColumnType>::Buffer;

/// Compares and sends the stored form of a value.
impl<T: Represented + ColumnType> Values<T> for RepresentedBuffer<T> {
    fn clone(value: &T) -> T {
        T::restore(value.with_inner(InnerBuffer::<T>::clone))
    }

    fn compare(a: &T, b: &T) -> Ordering {
        a.with_inner(|a| b.with_inner(|b| InnerBuffer::<T>::compare(a, b)))
    }

    fn hash<H: Hasher>(value: &T, state: &mut H) {
        value.with_inner(|inner| <InnerBuffer<T> as Values<T::Inner>>::hash(inner, state));
    }

    fn debug(value: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        value.with_inner(|inner| InnerBuffer::<T>::debug(inner, f))
    }

    fn serialize<Z: Serializer>(value: &T, serializer: Z) -> Result<Z::Ok, Z::Error> {
        value.with_inner(|inner| InnerBuffer::<T>::serialize(inner, serializer))
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        InnerBuffer::<T>::deserialize(deserializer).map(T::restore)
    }
}
