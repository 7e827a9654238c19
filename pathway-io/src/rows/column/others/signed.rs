//! Signed durations of other crates: a number of nanoseconds in text, like [`Duration`](super::duration).

/// Makes a signed duration a column type, from its conversions to and from nanoseconds.
macro_rules! signed_duration {
    ($type:ty, $nanos:expr, $of_nanos:expr) => {
        $crate::rows::column::column_type!(
            $type,
            $crate::rows::column::number::NumberBuffer<$type>,
            $crate::rows::data_type::DataType::SignedDuration;
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
pub(super) use signed_duration;
