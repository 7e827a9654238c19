//! `f32` and `f64`.
//!
//! They take integers too, and the texts by which JSON, that has no word for them, spells the floats that are not finite.
//! Floats are the same when their bits are, so that `NaN` equals itself and `-0.0` is not `0.0`.

use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::mismatch::{mismatch, out_of_range, refuse};
use super::number::{Fixed, NumberBuffer};
use super::scan::Scan;
use super::{NotNull, Scalar, Style, column_type};
use crate::rows::data_type::DataType;

macro_rules! floats {
    ($($type:ident: $bits:ident),*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl NotNull for $type {}

            impl Fixed for $type {
                type Identity = $bits;

                fn placeholder() -> Self {
                    0.0
                }

                #[inline]
                fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_any(FloatVisitor(PhantomData))
                }

                #[inline]
                fn scan(scan: &mut Scan<'_>) -> Option<Self> {
                    <$type>::of_f64(scan.float()?)
                }

                #[inline]
                fn scalar(self) -> Scalar<'static> {
                    Scalar::Float(f64::from(self))
                }

                #[inline]
                fn identity(self) -> $bits {
                    self.to_bits()
                }

                #[inline]
                fn write_text(self, style: Style, out: &mut Vec<u8>) {
                    if self.is_finite() && style != Style::Pathway {
                        write_finite(&self, out);
                    } else if self.is_finite() {
                        // The same digits, but other exponents: `1e300` and `1e-5`.
                        out.extend_from_slice(format!("{self:?}").as_bytes());
                    } else {
                        out.extend_from_slice(self.to_string().as_bytes());
                    }
                }

                #[inline]
                fn write_json(self, style: Style, out: &mut Vec<u8>) {
                    if self.is_finite() {
                        write_finite(&self, out);
                    } else if style == Style::Pathway {
                        out.extend_from_slice(b"null");
                    } else if self.is_nan() && style == Style::Exact && self.to_bits() != $type::NAN.to_bits() {
                        out.extend_from_slice(format!("\"NaN:{:x}\"", self.to_bits()).as_bytes());
                    } else if self.is_nan() {
                        out.extend_from_slice(b"\"NaN\"");
                    } else if self > 0.0 {
                        out.extend_from_slice(b"\"Infinity\"");
                    } else {
                        out.extend_from_slice(b"\"-Infinity\"");
                    }
                }
            }
        )*
    };
}

floats!(f32: u32, f64: u64);
column_type!(f32, NumberBuffer<f32>, DataType::F32);
column_type!(f64, NumberBuffer<f64>, DataType::F64);

/// The shortest text that reads back as the same float, in the spelling of serde_json (`1.0`, `1e-7`).
#[inline]
fn write_finite(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    // Writing a number into memory cannot fail.
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok());
}

struct FloatVisitor<T>(PhantomData<T>);

/// The conversions of a float type from the numbers of JSON.
trait Float: Fixed {
    fn of_u64(value: u64) -> Self;
    fn of_i64(value: i64) -> Self;
    /// `None` if the value is beyond the type.
    fn of_f64(value: f64) -> Option<Self>;
    /// Returns a `NaN` as [`Style::Exact`] has it: by the hexadecimal digits of its bits. `None` if it is none.
    fn of_nan_bits(bits: &str) -> Option<Self>;
}

impl Float for f64 {
    #[inline]
    fn of_u64(value: u64) -> Self {
        value as f64
    }

    #[inline]
    fn of_i64(value: i64) -> Self {
        value as f64
    }

    #[inline]
    fn of_f64(value: f64) -> Option<Self> {
        Some(value)
    }

    fn of_nan_bits(bits: &str) -> Option<Self> {
        u64::from_str_radix(bits, 16).ok().map(f64::from_bits).filter(|value| value.is_nan())
    }
}

impl Float for f32 {
    #[inline]
    fn of_u64(value: u64) -> Self {
        value as f32
    }

    #[inline]
    fn of_i64(value: i64) -> Self {
        value as f32
    }

    #[inline]
    fn of_f64(value: f64) -> Option<Self> {
        let near = value as f32;
        if near.is_infinite() && value.is_finite() {
            return None;
        }
        // Rounded twice, from text to f64 and on to f32, a value that ends up halfway between two f32 can come to the
        // wrong one. It is rare: of all shortest texts of an f32, `7.038531e-26` is one.
        let halfway = value.to_bits() & 0x1fff_ffff == 0x1000_0000;
        Some(if halfway { undo_double_rounding(value, near) } else { near })
    }

    fn of_nan_bits(bits: &str) -> Option<Self> {
        u32::from_str_radix(bits, 16).ok().map(f32::from_bits).filter(|value| value.is_nan())
    }
}

/// Returns the neighbour of `near` whose shortest text reads as `value`, if there is one.
#[cold]
fn undo_double_rounding(value: f64, near: f32) -> f32 {
    let reads_as_value = |candidate: &f32| candidate.to_string().parse() == Ok(value);
    [near, near.next_down(), near.next_up()].into_iter().find(reads_as_value).unwrap_or(near)
}

impl<'de, T: Float> Visitor<'de> for FloatVisitor<T> {
    type Value = T;

    #[inline]
    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        T::of_f64(value).ok_or_else(|| out_of_range(T::DATA_TYPE, value))
    }

    #[inline]
    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        Ok(T::of_u64(value))
    }

    #[inline]
    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        Ok(T::of_i64(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let value = match text {
            "NaN" => f64::NAN,
            "Infinity" | "inf" => f64::INFINITY,
            "-Infinity" | "-inf" => f64::NEG_INFINITY,
            _ => {
                let exact = text.strip_prefix("NaN:").and_then(T::of_nan_bits);
                return exact.ok_or_else(|| mismatch(T::DATA_TYPE, Unexpected::Str(text)));
            }
        };
        self.visit_f64(value)
    }

    refuse!(T::DATA_TYPE; bool unit seq map);
}
