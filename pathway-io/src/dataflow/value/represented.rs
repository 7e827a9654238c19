//! [`Values`] of types that are stored as the values of another column type, and views of fields that are converted to
//! one.

use std::cmp::Ordering;
use std::fmt::{self, DebugStruct};
use std::hash::Hasher;

use serde::de::Deserializer;
use serde::ser::{SerializeTuple, Serializer};

use super::{Values, View, own};
use crate::rows::column::converted::{Conversion, Converted};
use crate::rows::column::represented::{InnerBuffer, Represented, RepresentedBuffer};
use crate::rows::column::{ColumnType, NotNull};

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

/// A view of a field through the value in its column.
pub struct ConvertedView<T, R> {
    column: T,
    restore: fn(T) -> R,
}

/// Returns a view of the `I`th field, which is stored in another form.
pub fn converted<S: Conversion<I, Field: Send + Sync>, const I: usize>(
    field: &S::Field,
) -> ConvertedView<S::Column, Converted<S, I>> {
    ConvertedView { column: S::to_column(field), restore: Represented::restore }
}

/// Returns a view of the `I`th field, which may be null.
pub fn converted_option<S: Conversion<I, Field: Send + Sync, Column: NotNull>, const I: usize>(
    field: &Option<S::Field>,
) -> ConvertedView<Option<S::Column>, Option<Converted<S, I>>> {
    ConvertedView { column: field.as_ref().map(S::to_column), restore: |column| column.map(Represented::restore) }
}

impl<T: ColumnType, R> View for ConvertedView<T, R> {
    type Row = R;

    fn to_row(&self) -> R {
        (self.restore)(own(&self.column).to_row())
    }

    fn compare(&self, other: &Self) -> Ordering {
        own(&self.column).compare(&own(&other.column))
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        own(&self.column).hash(state);
    }

    fn debug(&self, names: &'static [&'static str], f: &mut DebugStruct<'_, '_>) {
        own(&self.column).debug(names, f);
    }

    fn serialize<Z: SerializeTuple>(&self, tuple: &mut Z) -> Result<(), Z::Error> {
        own(&self.column).serialize(tuple)
    }
}
