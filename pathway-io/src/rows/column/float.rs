//! `f32` and `f64`.
//!
//! They also read integers, and the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, because JSON has no numbers for
//! these. Floats are equal if their bits are, so `NaN` equals itself and `-0.0` differs from `0.0`.

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde_json::value::RawValue;

use super::mismatch::{mismatch, out_of_range, refuse};
use super::number::{Fixed, NumberBuffer};
use super::scan::Scan;
use super::strict::JsonFault;
use super::{Scalar, Style, column_type};
use crate::rows::data_type::DataType;

macro_rules! floats {
    ($($type:ident: $bits:ident),*) => {
        $(
            impl Fixed for $type {
                type Identity = $bits;
                const PLACEHOLDER: Self = 0.0;

                #[inline]
                fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    <$type>::decode(deserializer)
                }

                #[inline]
                fn scan(scan: &mut Scan<'_>) -> Option<Self> {
                    let start = scan.place();
                    let value = scan.float()?;
                    <$type>::of_text(value, || scan.since(start))
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
                        // Rust's `Debug` writes the same digits as serde_json, but other exponents: `1e300` and
                        // `1e-5`.
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

            impl FromNumber for $type {
                #[inline]
                fn of_u64(value: u64) -> Self {
                    value as $type
                }

                #[inline]
                fn of_i64(value: i64) -> Self {
                    value as $type
                }

                fn of_nan_bits(bits: &str) -> Option<Self> {
                    $bits::from_str_radix(bits, 16).ok().map($type::from_bits).filter(|value| value.is_nan())
                }
            }
        )*
    };
}

floats!(f32: u32, f64: u64);
column_type!(f32, NumberBuffer<f32>, DataType::F32; NotNull);
column_type!(f64, NumberBuffer<f64>, DataType::F64; NotNull);

/// The shortest text that reads back as the same float, in the spelling of serde_json (`1.0`, `1e-7`).
#[inline]
fn write_finite(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    // Writing a number into memory cannot fail.
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok());
}

struct FloatVisitor<T>(PhantomData<T>);

/// The conversions that are the same for both types.
trait FromNumber: Fixed {
    fn of_u64(value: u64) -> Self;
    fn of_i64(value: i64) -> Self;
    /// Reads a `NaN` in the form of [`Style::Exact`], the hexadecimal digits of its bits. Returns `None` if the bits
    /// are not a `NaN`.
    fn of_nan_bits(bits: &str) -> Option<Self>;
}

/// The conversions of a float type from decimals, which are rounded.
trait Float: FromNumber {
    /// Returns `None` if the value is out of the type's range.
    fn of_f64(value: f64) -> Option<Self>;
    /// Returns the float for a text. `value` is its value as an `f64`.
    fn of_text<'a>(value: f64, text: impl FnOnce() -> Option<&'a str>) -> Option<Self>;
    /// Reads a float from JSON.
    #[inline]
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FloatVisitor(PhantomData))
    }
}

impl Float for f64 {
    #[inline]
    fn of_f64(value: f64) -> Option<Self> {
        Some(value)
    }

    #[inline]
    fn of_text<'a>(value: f64, _text: impl FnOnce() -> Option<&'a str>) -> Option<Self> {
        Some(value)
    }
}

impl Float for f32 {
    /// The text is not available here. The shortest text of the `f64` replaces it, so that `7.038531e-26` becomes the
    /// `f32` with this text.
    #[inline]
    fn of_f64(value: f64) -> Option<Self> {
        match rounded_once(value) {
            None => parse(&format!("{value:e}")),
            single => single,
        }
    }

    #[inline]
    fn of_text<'a>(value: f64, text: impl FnOnce() -> Option<&'a str>) -> Option<Self> {
        match rounded_once(value) {
            None => parse(text()?),
            single => single,
        }
    }

    /// serde_json would round to an `f64` first, and refuse the strings for floats that are not finite.
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let json = json.get();
        if let [b'-' | b'0'..=b'9', ..] = json.as_bytes() {
            if let Some(value) = parse(json) {
                return Ok(value);
            }
            if let Some(value) = json.parse().ok().filter(|value: &f64| value.is_finite()) {
                let reason = out_of_range::<serde_json::Error>(DataType::F32, value).to_string();
                return Err(JsonFault::at_start(reason).after(json));
            }
        }
        let read = serde_json::Deserializer::from_str(json).deserialize_any(FloatVisitor::<f32>(PhantomData));
        read.map_err(|error| JsonFault::of(json, &error).after(json))
    }
}

/// Returns the float nearest to a value that was rounded to `f64` before. Returns `None` if the value is out of range,
/// or halfway between two floats: only the original text then shows which float is nearest.
#[inline]
fn rounded_once(value: f64) -> Option<f32> {
    let near = value as f32;
    // For a subnormal float, and for one that is too large, the halfway point is elsewhere.
    let is_usual = near.abs() > f32::MIN_POSITIVE && near.is_finite();
    let is_halfway = value.to_bits() & 0x1fff_ffff == 0x1000_0000;
    let is_once = if is_usual { !is_halfway } else { value == 0.0 || !value.is_finite() };
    is_once.then_some(near)
}

/// Returns the float for a number, or `None` if it is out of range.
#[cold]
fn parse(number: &str) -> Option<f32> {
    number.parse().ok().filter(|value: &f32| value.is_finite())
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
