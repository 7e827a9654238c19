//! A number of nanoseconds, which may have more than 64 bits: the text form of durations.

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde_json::value::RawValue;

use super::ColumnType;
use super::mismatch::{mismatch, out_of_range, refuse};
use super::number::whole;
use super::strict::Fault;

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
    let fault = |error| Fault::at_start(Fault::of(text, &error).into_reason()).after(text);
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
