//! [`Values`] of fixed size, such as numbers and dates.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZero;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::Values;
use crate::rows::column::Style;
use crate::rows::column::number::{Fixed, NumberBuffer};

/// The behaviour that differs between values of fixed size.
///
/// By default the serde form is the JSON text.
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
    u32: Ord::cmp, u64: Ord::cmp, isize: Ord::cmp, usize: Ord::cmp, i128: Ord::cmp, u128: Ord::cmp, f32: f32::total_cmp, f64: f64::total_cmp, Duration: Ord::cmp,
}

macro_rules! by_order {
    ($($type:ty),*) => {
        $(
            impl FixedValue for $type {
                fn compare(self, other: Self) -> Ordering {
                    self.cmp(&other)
                }
            }
        )*
    };
}

by_order!(NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<i128>, NonZero<isize>);
by_order!(NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<u128>, NonZero<usize>);

#[cfg(feature = "jiff")]
by_order!(jiff::SignedDuration);

#[cfg(feature = "chrono")]
by_order!(chrono::TimeDelta);

impl<T: crate::rows::column::others::text_form::TextForm + Ord> FixedValue for T {
    fn compare(self, other: Self) -> Ordering {
        // Values that are equal in the type's own order may be written differently. They then count as two values. A
        // value can contain more than its text, such as the flow label of an IPv6 socket address.
        self.canonical().cmp(&other.canonical()).then_with(|| {
            if Fixed::identity(self) == Fixed::identity(other) { Ordering::Equal } else { text(self).cmp(&text(other)) }
        })
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
        value.identity().hash(state);
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
