//! `Duration`: a number of nanoseconds in text.
//!
//! `Duration::MAX` exceeds 64 bits in nanoseconds, so the number has 128 bits.

use std::time::Duration;

use serde::de::Deserializer;

use super::number::{Fixed, NumberBuffer, own_identity};
use super::scan::Scan;
use super::{Scalar, Style, column_type, nanos};
use crate::rows::data_type::DataType;

column_type!(Duration, NumberBuffer<Duration>, DataType::Duration; KeyType NotNull);

impl Fixed for Duration {
    own_identity!();

    fn placeholder() -> Self {
        Duration::ZERO
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        nanos::read(deserializer, of_nanos)
    }

    #[inline]
    fn scan(scan: &mut Scan<'_>) -> Option<Self> {
        match scan.integer()? {
            (false, nanos) => Some(Duration::from_nanos(nanos)),
            (true, _) => None,
        }
    }

    #[inline]
    fn scalar(self) -> Scalar<'static> {
        i64::try_from(self.as_nanos()).map_or(Scalar::Spelled, Scalar::Integer)
    }

    fn write_text(self, _style: Style, out: &mut Vec<u8>) {
        out.extend_from_slice(itoa::Buffer::new().format(self.as_nanos()).as_bytes());
    }
}

fn of_nanos(nanos: i128) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    let nanos = u128::try_from(nanos).ok()?;
    Some(Duration::new(u64::try_from(nanos / SECOND).ok()?, (nanos % SECOND) as u32))
}
