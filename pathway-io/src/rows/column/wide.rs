//! `i128` and `u128`: digits in text.
//!
//! In JSON, a value of at most 64 bits is a number, and any other a string, because readers of JSON convert a longer
//! number to a float, which loses digits. For the same reason, a longer number is refused when it is read. A string of
//! digits may have any length.

use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::mismatch::{mismatch, out_of_range, refuse};
use super::number::{Fixed, NumberBuffer, own_identity, whole};
use super::{Scalar, Style, column_type};
use crate::rows::data_type::DataType;

macro_rules! wide {
    ($($type:ident $data_type:ident)*) => {
        $(
            column_type!($type, NumberBuffer<$type>, DataType::$data_type; KeyType NotNull);

            impl Fixed for $type {
                own_identity!();

                fn placeholder() -> Self {
                    0
                }

                fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_any(WideVisitor(PhantomData))
                }

                #[inline]
                fn scalar(self) -> Scalar<'static> {
                    i64::try_from(self).map_or(Scalar::Spelled, Scalar::Integer)
                }

                fn write_text(self, _style: Style, out: &mut Vec<u8>) {
                    out.extend_from_slice(itoa::Buffer::new().format(self).as_bytes());
                }

                fn write_json(self, style: Style, out: &mut Vec<u8>) {
                    let is_short = i64::try_from(self).is_ok() || u64::try_from(self).is_ok();
                    let quote: &[u8] = if is_short { b"" } else { b"\"" };
                    out.extend_from_slice(quote);
                    self.write_text(style, out);
                    out.extend_from_slice(quote);
                }
            }
        )*
    };
}

wide!(i128 I128 u128 U128);

struct WideVisitor<T>(PhantomData<T>);

impl<'de, T: Fixed + TryFrom<i64> + TryFrom<u64> + std::str::FromStr> Visitor<'de> for WideVisitor<T> {
    type Value = T;

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        T::try_from(value).map_err(|_| out_of_range(T::DATA_TYPE, value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        T::try_from(value).map_err(|_| out_of_range(T::DATA_TYPE, value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        if let Some(integer) = whole(value) {
            return self.visit_i64(integer);
        }
        if value.fract() == 0.0 && value.abs() >= i64::MAX as f64 {
            return Err(E::custom("an integer beyond 64 bits must be a string in JSON: as a number it loses digits"));
        }
        Err(mismatch(T::DATA_TYPE, Unexpected::Float(value)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_| mismatch(T::DATA_TYPE, Unexpected::Str(text)))
    }

    refuse!(T::DATA_TYPE; bool unit seq map);
}
