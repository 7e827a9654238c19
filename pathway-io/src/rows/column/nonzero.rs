//! The integers of the standard library that are never zero: read and written as their integer.

use std::num::NonZero;

use serde::de::{Deserializer, Error};

use super::number::{Fixed, NumberBuffer, own_identity};
use super::scan::Scan;
use super::{ColumnType, Scalar, Style, column_type};

macro_rules! nonzero {
    ($($type:ident)*) => {
        $(
            column_type!(NonZero<$type>, NumberBuffer<NonZero<$type>>, <$type as ColumnType>::DATA_TYPE; KeyType NotNull);

            impl Fixed for NonZero<$type> {
                own_identity!();
                const PLACEHOLDER: Self = Self::MIN;

                #[inline]
                fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    NonZero::new(<$type>::read(deserializer)?).ok_or_else(zero)
                }

                #[inline]
                fn scan(scan: &mut Scan<'_>) -> Option<Self> {
                    NonZero::new(<$type>::scan(scan)?)
                }

                #[inline]
                fn scalar(self) -> Scalar<'static> {
                    self.get().scalar()
                }

                #[inline]
                fn write_text(self, style: Style, out: &mut Vec<u8>) {
                    self.get().write_text(style, out);
                }

                #[inline]
                fn write_json(self, style: Style, out: &mut Vec<u8>) {
                    self.get().write_json(style, out);
                }
            }
        )*
    };
}

nonzero!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

#[cold]
fn zero<E: Error>() -> E {
    E::custom("expected an integer other than 0, found the number 0")
}
