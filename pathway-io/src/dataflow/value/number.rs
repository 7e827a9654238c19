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

/// Types that implement serde's traits, by the function that compares them.
macro_rules! with_serde {
    ($($compare:path: $($type:ty)*;)*) => {
        $($(
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
        )*)*
    };
}

with_serde! {
    Ord::cmp: bool i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize Duration
        NonZero<i8> NonZero<i16> NonZero<i32> NonZero<i64> NonZero<i128> NonZero<isize>
        NonZero<u8> NonZero<u16> NonZero<u32> NonZero<u64> NonZero<u128> NonZero<usize>;
    f32::total_cmp: f32;
    f64::total_cmp: f64;
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
