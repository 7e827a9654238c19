//! Durations: a number of nanoseconds in text.
//!
//! `Duration::MAX` exceeds 64 bits in nanoseconds, so the number has 128 bits.

use std::time::Duration;

/// Makes a duration a column type, from its conversions to and from nanoseconds. The last, optional conversion is that
/// of an integer of 64 bits without a sign, which is scanned.
macro_rules! duration {
    ($type:ty, $data_type:ident, $nanos:expr, $of_nanos:expr $(, $of_scanned:expr)?) => {
        $crate::rows::column::column_type!(
            $type,
            $crate::rows::column::number::NumberBuffer<$type>,
            $crate::rows::data_type::DataType::$data_type;
            KeyType NotNull
        );

        impl $crate::rows::column::number::Fixed for $type {
            $crate::rows::column::number::own_identity!();

            fn placeholder() -> Self {
                <$type>::default()
            }

            fn read<'de, D: serde::de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::rows::column::nanos::read(deserializer, $of_nanos)
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

duration!(Duration, Duration, Duration::as_nanos, of_nanos, Duration::from_nanos);

fn of_nanos(nanos: i128) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    let nanos = u128::try_from(nanos).ok()?;
    Some(Duration::new(u64::try_from(nanos / SECOND).ok()?, (nanos % SECOND) as u32))
}
