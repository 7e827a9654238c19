//! `Duration`: a number of nanoseconds in text.
//!
//! The longest, `Duration::MAX`, is beyond 64 bits in nanoseconds, so that they are counted in 128.

use std::time::Duration;

use serde::de::{Deserializer, Error, Visitor};

use super::mismatch::{out_of_range, refuse};
use super::number::{Fixed, NumberBuffer};
use super::{KeyType, NotNull, Scalar, Style, column_type};
use crate::rows::data_type::DataType;

column_type!(Duration, NumberBuffer<Duration>, DataType::Duration);
#[diagnostic::do_not_recommend]
impl KeyType for Duration {}
#[diagnostic::do_not_recommend]
impl NotNull for Duration {}

impl Fixed for Duration {
    type Identity = Duration;

    fn placeholder() -> Self {
        Duration::ZERO
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `deserialize_any` would make a float of an integer beyond 64 bits.
        deserializer.deserialize_u128(NanosVisitor)
    }

    #[inline]
    fn scalar(self) -> Scalar<'static> {
        i64::try_from(self.as_nanos()).map_or(Scalar::Spelled, Scalar::Integer)
    }

    #[inline]
    fn identity(self) -> Duration {
        self
    }

    fn write_text(self, _style: Style, out: &mut Vec<u8>) {
        out.extend_from_slice(itoa::Buffer::new().format(self.as_nanos()).as_bytes());
    }
}

struct NanosVisitor;

impl<'de> Visitor<'de> for NanosVisitor {
    type Value = Duration;

    fn visit_u64<E: Error>(self, nanos: u64) -> Result<Duration, E> {
        Ok(Duration::from_nanos(nanos))
    }

    fn visit_u128<E: Error>(self, nanos: u128) -> Result<Duration, E> {
        const SECOND: u128 = 1_000_000_000;
        match u64::try_from(nanos / SECOND) {
            Ok(seconds) => Ok(Duration::new(seconds, (nanos % SECOND) as u32)),
            Err(_) => Err(out_of_range(DataType::Duration, nanos)),
        }
    }

    fn visit_i64<E: Error>(self, nanos: i64) -> Result<Duration, E> {
        match u64::try_from(nanos) {
            Ok(nanos) => self.visit_u64(nanos),
            Err(_) => Err(out_of_range(DataType::Duration, nanos)),
        }
    }

    refuse!(DataType::Duration; bool float str unit seq map);
}
