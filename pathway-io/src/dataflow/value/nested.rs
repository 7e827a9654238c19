//! [`Values`] that contain others: options, lists, arrays and tuples.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::{ColumnForm, FromColumnForm, Values};
use crate::rows::column::array::ArrayBuffer;
use crate::rows::column::list::ListBuffer;
use crate::rows::column::option::OptionBuffer;
use crate::rows::column::tuple::for_tuples;
use crate::rows::column::{Buffer, NotNull};

/// Returns the inner value, or `None` if the value is null. An inner value that is null itself counts as null as well.
#[inline]
fn unless_null<T: NotNull>(value: &Option<T>) -> Option<&T> {
    value.as_ref().filter(|value| !value.is_null())
}

impl<B> Values<Option<B::Item>> for OptionBuffer<B>
where
    B: Buffer<Item: NotNull> + Values<B::Item>,
{
    fn field_text(shown: &dyn Any) -> String {
        B::field_text(shown)
    }

    fn of_field(shown: Option<&dyn Any>) -> Option<B::Item> {
        shown.map(|shown| B::of_field(Some(shown)))
    }

    #[inline]
    fn clone(value: &Option<B::Item>) -> Option<B::Item> {
        value.as_ref().map(B::clone)
    }

    #[inline]
    fn compare(a: &Option<B::Item>, b: &Option<B::Item>) -> Ordering {
        order_all(unless_null(a), unless_null(b), B::compare)
    }

    #[inline]
    fn hash<H: Hasher>(value: &Option<B::Item>, state: &mut H) {
        let value = unless_null(value);
        value.is_some().hash(state);
        if let Some(value) = value {
            <B as Values<B::Item>>::hash(value, state);
        }
    }

    fn debug(value: &Option<B::Item>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        value.as_ref().map(ColumnForm::<_, B>::new).fmt(f)
    }

    #[inline]
    fn serialize<Z: Serializer>(value: &Option<B::Item>, serializer: Z) -> Result<Z::Ok, Z::Error> {
        value.as_ref().map(ColumnForm::<_, B>::new).serialize(serializer)
    }

    #[inline]
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<B::Item>, D::Error> {
        let read = Option::<FromColumnForm<B::Item, B>>::deserialize(deserializer)?;
        Ok(read.map(|read| read.0))
    }
}

/// Compares by the first elements that differ. If there are none, the shorter list comes first.
#[inline]
pub(super) fn order_all<T>(
    a: impl IntoIterator<Item = T>,
    b: impl IntoIterator<Item = T>,
    order: impl Fn(T, T) -> Ordering,
) -> Ordering {
    let (mut a, mut b) = (a.into_iter(), b.into_iter());
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) => match order(a, b) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
            (a, b) => return a.is_some().cmp(&b.is_some()),
        }
    }
}

fn serialize_all<T, B: Values<T>, Z: Serializer>(items: &[T], serializer: Z) -> Result<Z::Ok, Z::Error> {
    let mut sequence = serializer.serialize_seq(Some(items.len()))?;
    for item in items {
        sequence.serialize_element(&ColumnForm::<_, B>::new(item))?;
    }
    sequence.end()
}

impl<B: Buffer + Values<B::Item>> Values<Vec<B::Item>> for ListBuffer<B> {
    fn clone(value: &Vec<B::Item>) -> Vec<B::Item> {
        value.iter().map(B::clone).collect()
    }

    fn compare(a: &Vec<B::Item>, b: &Vec<B::Item>) -> Ordering {
        order_all(a, b, B::compare)
    }

    fn hash<H: Hasher>(value: &Vec<B::Item>, state: &mut H) {
        value.len().hash(state);
        value.iter().for_each(|item| <B as Values<B::Item>>::hash(item, state));
    }

    fn debug(value: &Vec<B::Item>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(value.iter().map(ColumnForm::<_, B>::new)).finish()
    }

    fn serialize<Z: Serializer>(value: &Vec<B::Item>, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serialize_all::<_, B, Z>(value, serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<B::Item>, D::Error> {
        let read = Vec::<FromColumnForm<B::Item, B>>::deserialize(deserializer)?;
        Ok(read.into_iter().map(|read| read.0).collect())
    }
}

impl<B: Buffer + Values<B::Item>, const N: usize> Values<[B::Item; N]> for ArrayBuffer<B, N> {
    fn clone(value: &[B::Item; N]) -> [B::Item; N] {
        value.each_ref().map(B::clone)
    }

    fn compare(a: &[B::Item; N], b: &[B::Item; N]) -> Ordering {
        order_all(a, b, B::compare)
    }

    fn hash<H: Hasher>(value: &[B::Item; N], state: &mut H) {
        value.iter().for_each(|item| <B as Values<B::Item>>::hash(item, state));
    }

    fn debug(value: &[B::Item; N], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(value.iter().map(ColumnForm::<_, B>::new)).finish()
    }

    fn serialize<Z: Serializer>(value: &[B::Item; N], serializer: Z) -> Result<Z::Ok, Z::Error> {
        serialize_all::<_, B, Z>(value, serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[B::Item; N], D::Error> {
        let read = Vec::<FromColumnForm<B::Item, B>>::deserialize(deserializer)?;
        let items: Vec<B::Item> = read.into_iter().map(|read| read.0).collect();
        items
            .try_into()
            .map_err(|items: Vec<B::Item>| D::Error::invalid_length(items.len(), &"the length of the array"))
    }
}

macro_rules! tuples {
    (($($letter:ident $index:tt)+)) => {
        impl<$($letter: Buffer + Values<$letter::Item>),+> Values<($($letter::Item,)+)> for ($($letter,)+) {
            fn clone(value: &($($letter::Item,)+)) -> ($($letter::Item,)+) {
                ($($letter::clone(&value.$index),)+)
            }

            fn compare(a: &($($letter::Item,)+), b: &($($letter::Item,)+)) -> Ordering {
                Ordering::Equal $(.then_with(|| $letter::compare(&a.$index, &b.$index)))+
            }

            fn hash<Z: Hasher>(value: &($($letter::Item,)+), state: &mut Z) {
                $(<$letter as Values<$letter::Item>>::hash(&value.$index, state);)+
            }

            fn debug(value: &($($letter::Item,)+), f: &mut fmt::Formatter<'_>) -> fmt::Result {
                ($(ColumnForm::<_, $letter>::new(&value.$index),)+).fmt(f)
            }

            fn serialize<Z: Serializer>(
                value: &($($letter::Item,)+),
                serializer: Z,
            ) -> Result<Z::Ok, Z::Error> {
                ($(ColumnForm::<_, $letter>::new(&value.$index),)+).serialize(serializer)
            }

            fn deserialize<'de, Z: Deserializer<'de>>(
                deserializer: Z,
            ) -> Result<($($letter::Item,)+), Z::Error> {
                let read = <($(FromColumnForm<$letter::Item, $letter>,)+)>::deserialize(deserializer)?;
                Ok(($(read.$index.0,)+))
            }
        }
    };
}

for_tuples!(tuples, 12);
