//! [`Values`] for every buffer, and so for every column type.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::Value;

use super::{As, Came, Values};
use crate::column::array::ArrayBuffer;
use crate::column::bytes::{ByteString, BytesBuffer};
use crate::column::json::JsonBuffer;
use crate::column::list::ListBuffer;
use crate::column::number::{Fixed, NumberBuffer};
use crate::column::option::OptionBuffer;
use crate::column::own::{Newtype, NewtypeBuffer, VariantBuffer, Variants};
use crate::column::text::TextBuffer;
use crate::column::{Buffer, ColumnType, NotNull, Style};

/// What is not the same for all values of a fixed size. The form for serde is the text that JSON has, unless the type
/// has a better one.
pub trait FixedValue: Fixed {
    fn compare(self, other: Self) -> Ordering;

    fn serialize<Z: Serializer>(self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut json = Vec::new();
        self.write_json(Style::Plain, &mut json);
        serializer.serialize_str(&String::from_utf8_lossy(&json))
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = String::deserialize(deserializer)?;
        Self::read(&mut serde_json::Deserializer::from_str(&json)).map_err(D::Error::custom)
    }
}

macro_rules! with_serde {
    ($($type:ty: $compare:path),* $(,)?) => {
        $(
            impl FixedValue for $type {
                #[inline]
                fn compare(self, other: Self) -> Ordering {
                    $compare(&self, &other)
                }

                #[inline]
                fn serialize<Z: Serializer>(self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                    Serialize::serialize(&self, serializer)
                }

                #[inline]
                fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    Deserialize::deserialize(deserializer)
                }
            }
        )*
    };
}

with_serde! {
    bool: Ord::cmp, i8: Ord::cmp, i16: Ord::cmp, i32: Ord::cmp, i64: Ord::cmp, u8: Ord::cmp, u16: Ord::cmp,
    u32: Ord::cmp, u64: Ord::cmp, f32: f32::total_cmp, f64: f64::total_cmp, Duration: Ord::cmp,
}

#[cfg(feature = "jiff")]
impl FixedValue for jiff::SignedDuration {
    fn compare(self, other: Self) -> Ordering {
        self.cmp(&other)
    }
}

#[cfg(feature = "chrono")]
impl FixedValue for chrono::TimeDelta {
    fn compare(self, other: Self) -> Ordering {
        self.cmp(&other)
    }
}

#[cfg(any(feature = "chrono", feature = "jiff", feature = "rust_decimal", feature = "uuid"))]
impl<T: crate::column::spelled::Spelled + Ord> FixedValue for T {
    fn compare(self, other: Self) -> Ordering {
        // Values that the type's own order takes for the same may be written differently, and are two then.
        self.cmp(&other).then_with(|| if self.same(other) { Ordering::Equal } else { text(self).cmp(&text(other)) })
    }
}

fn text<T: Fixed>(value: T) -> String {
    let mut text = Vec::new();
    value.write_text(Style::Plain, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

impl<T: FixedValue> Values<T> for NumberBuffer<T> {
    #[inline]
    fn clone(value: &T) -> T {
        *value
    }

    #[inline]
    fn compare(a: &T, b: &T) -> Ordering {
        a.compare(*b)
    }

    #[inline]
    fn hash<H: Hasher>(value: &T, state: &mut H) {
        Fixed::hash(*value, state);
    }

    fn debug(value: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(*value))
    }

    #[inline]
    fn serialize<Z: Serializer>(value: &T, serializer: Z) -> Result<Z::Ok, Z::Error> {
        FixedValue::serialize(*value, serializer)
    }

    #[inline]
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        FixedValue::deserialize(deserializer)
    }
}

impl Values<String> for TextBuffer {
    #[inline]
    fn clone(value: &String) -> String {
        value.clone()
    }

    #[inline]
    fn compare(a: &String, b: &String) -> Ordering {
        a.cmp(b)
    }

    #[inline]
    fn hash<H: Hasher>(value: &String, state: &mut H) {
        value.hash(state);
    }

    fn debug(value: &String, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        value.fmt(f)
    }

    #[inline]
    fn serialize<Z: Serializer>(value: &String, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_str(value)
    }

    #[inline]
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer)
    }
}

impl<T: ByteString> Values<T> for BytesBuffer<T> {
    fn clone(value: &T) -> T {
        T::copy_of(value.as_ref())
    }

    fn compare(a: &T, b: &T) -> Ordering {
        a.as_ref().cmp(b.as_ref())
    }

    fn hash<H: Hasher>(value: &T, state: &mut H) {
        value.as_ref().hash(state);
    }

    fn debug(value: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        value.as_ref().fmt(f)
    }

    fn serialize<Z: Serializer>(value: &T, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_bytes(value.as_ref())
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor).map(|bytes| T::copy_of(&bytes))
    }
}

struct BytesVisitor;

impl<'de> serde::de::Visitor<'de> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = sequence.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

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
        match (a, b) {
            (Some(a), Some(b)) => B::compare(a, b),
            _ => a.is_some().cmp(&b.is_some()),
        }
    }

    #[inline]
    fn hash<H: Hasher>(value: &Option<B::Item>, state: &mut H) {
        value.is_some().hash(state);
        if let Some(value) = value {
            <B as Values<B::Item>>::hash(value, state);
        }
    }

    fn debug(value: &Option<B::Item>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        value.as_ref().map(As::<_, B>::new).fmt(f)
    }

    #[inline]
    fn serialize<Z: Serializer>(value: &Option<B::Item>, serializer: Z) -> Result<Z::Ok, Z::Error> {
        value.as_ref().map(As::<_, B>::new).serialize(serializer)
    }

    #[inline]
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<B::Item>, D::Error> {
        let came = Option::<Came<B::Item, B>>::deserialize(deserializer)?;
        Ok(came.map(|came| came.0))
    }
}

fn compare_all<'a, T: 'a, B: Values<T>>(
    a: impl IntoIterator<Item = &'a T>,
    b: impl IntoIterator<Item = &'a T>,
) -> Ordering {
    let (mut a, mut b) = (a.into_iter(), b.into_iter());
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) => match B::compare(a, b) {
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
        sequence.serialize_element(&As::<_, B>::new(item))?;
    }
    sequence.end()
}

impl<B: Buffer + Values<B::Item>> Values<Vec<B::Item>> for ListBuffer<B> {
    fn clone(value: &Vec<B::Item>) -> Vec<B::Item> {
        value.iter().map(B::clone).collect()
    }

    fn compare(a: &Vec<B::Item>, b: &Vec<B::Item>) -> Ordering {
        compare_all::<_, B>(a, b)
    }

    fn hash<H: Hasher>(value: &Vec<B::Item>, state: &mut H) {
        value.len().hash(state);
        value.iter().for_each(|item| <B as Values<B::Item>>::hash(item, state));
    }

    fn debug(value: &Vec<B::Item>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(value.iter().map(As::<_, B>::new)).finish()
    }

    fn serialize<Z: Serializer>(value: &Vec<B::Item>, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serialize_all::<_, B, Z>(value, serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<B::Item>, D::Error> {
        let came = Vec::<Came<B::Item, B>>::deserialize(deserializer)?;
        Ok(came.into_iter().map(|came| came.0).collect())
    }
}

impl<B: Buffer + Values<B::Item>, const N: usize> Values<[B::Item; N]> for ArrayBuffer<B, N> {
    fn clone(value: &[B::Item; N]) -> [B::Item; N] {
        value.each_ref().map(B::clone)
    }

    fn compare(a: &[B::Item; N], b: &[B::Item; N]) -> Ordering {
        compare_all::<_, B>(a, b)
    }

    fn hash<H: Hasher>(value: &[B::Item; N], state: &mut H) {
        value.iter().for_each(|item| <B as Values<B::Item>>::hash(item, state));
    }

    fn debug(value: &[B::Item; N], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(value.iter().map(As::<_, B>::new)).finish()
    }

    fn serialize<Z: Serializer>(value: &[B::Item; N], serializer: Z) -> Result<Z::Ok, Z::Error> {
        serialize_all::<_, B, Z>(value, serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[B::Item; N], D::Error> {
        let came = Vec::<Came<B::Item, B>>::deserialize(deserializer)?;
        let items: Vec<B::Item> = came.into_iter().map(|came| came.0).collect();
        items
            .try_into()
            .map_err(|items: Vec<B::Item>| D::Error::invalid_length(items.len(), &"as many as the array has"))
    }
}

macro_rules! tuples {
    ($(($($letter:ident $index:tt)+))+) => {
        $(
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
                    ($(As::<_, $letter>::new(&value.$index),)+).fmt(f)
                }

                fn serialize<Z: Serializer>(
                    value: &($($letter::Item,)+),
                    serializer: Z,
                ) -> Result<Z::Ok, Z::Error> {
                    ($(As::<_, $letter>::new(&value.$index),)+).serialize(serializer)
                }

                fn deserialize<'de, Z: Deserializer<'de>>(
                    deserializer: Z,
                ) -> Result<($($letter::Item,)+), Z::Error> {
                    let came = <($(Came<$letter::Item, $letter>,)+)>::deserialize(deserializer)?;
                    Ok(($(came.$index.0,)+))
                }
            }
        )+
    };
}

tuples! {
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11)
}

/// Variants are in the order in which they stand in the enum.
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
        if usize::from(index) < T::NAMES.len() {
            Ok(T::of(index))
        } else {
            Err(D::Error::custom("there is no such variant"))
        }
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
