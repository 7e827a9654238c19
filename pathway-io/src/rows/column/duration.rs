//! Durations: a number of nanoseconds in text.
//!
//! `Duration::MAX` exceeds 64 bits in nanoseconds, so the number has 128 bits.

use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde_json::value::RawValue;

use super::ColumnType;
use super::mismatch::{mismatch, out_of_range, refuse};
use super::number::whole;
use super::strict::JsonFault;

/// Makes a duration a column type, from its zero and its conversions to and from nanoseconds. The last, optional
/// conversion is that of an integer of 64 bits without a sign, which is scanned.
macro_rules! duration {
    ($type:ty, $data_type:ident, $zero:expr, $nanos:expr, $of_nanos:expr $(, $of_scanned:expr)?) => {
        $crate::rows::column::column_type!(
            $type,
            $crate::rows::column::number::NumberBuffer<$type>,
            $crate::rows::data_type::DataType::$data_type;
            KeyType NotNull
        );

        impl $crate::rows::column::number::Fixed for $type {
            $crate::rows::column::number::own_identity!();
            const PLACEHOLDER: Self = $zero;

            fn read<'de, D: serde::de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::rows::column::duration::read(deserializer, $of_nanos)
            }

            $(
                #[inline]
                fn scan(scan: &mut $crate::rows::column::scan::Scan<'_>) -> Option<Self> {
                    match scan.integer()? {
                        (false, nanos) => Some($of_scanned(nanos)),
                        (true, _) => None,
                    }
                }
            )?

            #[inline]
            fn scalar(self) -> $crate::rows::column::Scalar<'static> {
                let nanos = i64::try_from($nanos(&self));
                nanos.map_or($crate::rows::column::Scalar::Spelled, $crate::rows::column::Scalar::Integer)
            }

            fn write_text(self, _style: $crate::rows::column::Style, out: &mut Vec<u8>) {
                out.extend_from_slice(itoa::Buffer::new().format($nanos(&self)).as_bytes());
            }
        }
    };
}
#[cfg(any(feature = "chrono", feature = "jiff"))]
pub(super) use duration;

duration!(Duration, Duration, Duration::ZERO, Duration::as_nanos, of_nanos, Duration::from_nanos);

fn of_nanos(nanos: i128) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    let nanos = u128::try_from(nanos).ok()?;
    Some(Duration::new(u64::try_from(nanos / SECOND).ok()?, (nanos % SECOND) as u32))
}

/// Reads an integer for a column of the type `T`, by the rules of integer columns: `1.0` is an integer.
///
/// serde_json converts an integer beyond 64 bits to a float, unless the caller asks for a 128-bit integer. In that case
/// it accepts nothing else. This function therefore reads the text.
pub(super) fn read<'de, D: Deserializer<'de>, T: ColumnType>(
    deserializer: D,
    of_nanos: impl FnOnce(i128) -> Option<T>,
) -> Result<T, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    let text = text.get();
    // The whole value is wrong, so the fault is at its start.
    let fault = |error| JsonFault::at_start(JsonFault::of(text, &error).into_reason()).after(text);
    let nanos = text.parse().or_else(|_| {
        serde_json::Deserializer::from_str(text).deserialize_any(Nanos::<T>(PhantomData)).map_err(fault)
    })?;
    of_nanos(nanos).ok_or_else(|| fault(out_of_range(T::DATA_TYPE, nanos)))
}

struct Nanos<T>(PhantomData<T>);

impl<'de, T: ColumnType> Visitor<'de> for Nanos<T> {
    type Value = i128;

    fn visit_u64<E: Error>(self, nanos: u64) -> Result<i128, E> {
        Ok(nanos.into())
    }

    fn visit_i64<E: Error>(self, nanos: i64) -> Result<i128, E> {
        Ok(nanos.into())
    }

    fn visit_f64<E: Error>(self, nanos: f64) -> Result<i128, E> {
        match whole(nanos) {
            Some(nanos) => Ok(nanos.into()),
            None if nanos.abs() >= i64::MAX as f64 => Err(out_of_range(T::DATA_TYPE, nanos)),
            None => Err(mismatch(T::DATA_TYPE, Unexpected::Float(nanos))),
        }
    }

    refuse!(T::DATA_TYPE; bool str unit seq map);
}
