//! Numbers and `bool`: a `Vec` of them.
//!
//! An integer column also reads `1.0` and `1e3`, as JSON Schema does. A number with a fraction or out of range is an
//! error. Floats are in `float.rs`.
//!
//! In JSON, an integer of more than 64 bits is a string of digits, because readers of JSON convert a longer number to a
//! float, which loses digits. For the same reason, a longer number is refused when it is read. A string may have any
//! number of digits.

use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::mismatch::{mismatch, out_of_range, refuse};
use super::scan::{self, Scan};
use super::{Buffer, ColumnType, KeyType, NotNull, Scalar, Style, column_type};
use crate::rows::data_type::DataType;

/// Values of a fixed size, side by side.
#[doc(hidden)]
#[derive(Debug)]
pub struct NumberBuffer<T>(Vec<T>);

impl<T> Default for NumberBuffer<T> {
    fn default() -> Self {
        NumberBuffer(Vec::new())
    }
}

/// A value of a fixed size, whose text form needs no quotes in CSV.
#[doc(hidden)]
pub trait Fixed: ColumnType + Copy {
    /// The part of a value that is compared and hashed. For some types, `==` is true for values that are written
    /// differently.
    type Identity: Eq + Hash;

    /// An arbitrary value, for a row of which only the key is known.
    const PLACEHOLDER: Self;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
    /// See [`Buffer::scan`].
    #[inline]
    fn scan(scan: &mut Scan<'_>) -> Option<Self> {
        let _ = scan;
        None
    }
    /// See [`Buffer::scalar`].
    #[inline]
    fn scalar(self) -> Scalar<'static> {
        Scalar::Spelled
    }
    fn identity(self) -> Self::Identity;
    fn write_text(self, style: Style, out: &mut Vec<u8>);
    #[inline]
    fn write_json(self, style: Style, out: &mut Vec<u8>) {
        self.write_text(style, out);
    }
}

/// Makes the whole value the identity of a [`Fixed`].
macro_rules! own_identity {
    () => {
        type Identity = Self;

        #[inline]
        fn identity(self) -> Self {
            self
        }
    };
}
pub(super) use own_identity;

impl<T: Fixed> NumberBuffer<T> {
    /// Reads a value of an unusual form, such as `"NaN"`. It is not inlined, because it needs registers that the scan
    /// of a number would have to save.
    #[inline(never)]
    fn decode_at(&mut self, scan: &mut Scan<'_>, start: usize) -> bool {
        scan.go_back(start);
        scan::decode(self, scan)
    }
}

impl<T: Fixed> Buffer for NumberBuffer<T> {
    type Item = T;
    const NEEDS_QUOTES: bool = false;

    #[inline]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn bytes(&self) -> usize {
        self.0.len() * size_of::<T>()
    }

    #[inline]
    fn push(&mut self, item: T) {
        self.0.push(item);
    }

    #[inline]
    fn push_placeholder(&mut self) {
        self.0.push(T::PLACEHOLDER);
    }

    #[inline]
    fn push_from(&mut self, other: &Self, row: usize) {
        self.0.push(other.0[row]);
    }

    #[inline]
    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let value = T::read(deserializer)?;
        self.0.push(value);
        Ok(())
    }

    #[inline]
    fn scan(&mut self, scan: &mut Scan<'_>) -> bool {
        let start = scan.place();
        match T::scan(scan) {
            Some(value) => {
                self.0.push(value);
                true
            }
            None => self.decode_at(scan, start),
        }
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    #[inline]
    fn get(&self, row: usize) -> T {
        self.0[row]
    }

    #[inline]
    fn scalar(&self, row: usize) -> Scalar<'_> {
        self.0[row].scalar()
    }

    #[inline]
    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
        self.0[row].identity() == other.0[other_row].identity()
    }

    #[inline]
    fn hash<H: Hasher>(&self, row: usize, state: &mut H) {
        self.0[row].identity().hash(state);
    }

    #[inline]
    fn write_text(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        self.0[row].write_text(style, out);
    }

    #[inline]
    fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        self.0[row].write_json(style, out);
    }
}

column_type!(bool, NumberBuffer<bool>, DataType::Bool; KeyType NotNull);

impl Fixed for bool {
    own_identity!();
    const PLACEHOLDER: Self = false;

    #[inline]
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BoolVisitor)
    }

    #[inline]
    fn scan(scan: &mut Scan<'_>) -> Option<Self> {
        if scan.literal(b"true") { Some(true) } else { scan.literal(b"false").then_some(false) }
    }

    #[inline]
    fn scalar(self) -> Scalar<'static> {
        Scalar::Integer(i64::from(self))
    }

    #[inline]
    fn write_text(self, style: Style, out: &mut Vec<u8>) {
        let text: &[u8] = match (style, self) {
            (Style::Plain | Style::Exact, true) => b"true",
            (Style::Plain | Style::Exact, false) => b"false",
            (Style::Pathway, true) => b"True",
            (Style::Pathway, false) => b"False",
        };
        out.extend_from_slice(text);
    }

    #[inline]
    fn write_json(self, _style: Style, out: &mut Vec<u8>) {
        self.write_text(Style::Plain, out);
    }
}

struct BoolVisitor;

impl<'de> Visitor<'de> for BoolVisitor {
    type Value = bool;

    #[inline]
    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    refuse!(DataType::Bool; integer float str unit seq map);
}

macro_rules! integers {
    ($($type:ident $data_type:ident)*) => {
        $(
            column_type!($type, NumberBuffer<$type>, DataType::$data_type; KeyType NotNull);
            integers!($type);
        )*
    };
    ($type:ident) => {
        impl Fixed for $type {
            own_identity!();
            const PLACEHOLDER: Self = 0;

            #[inline]
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(IntegerVisitor(PhantomData))
            }

            #[inline]
            fn scan(scan: &mut Scan<'_>) -> Option<Self> {
                match scan.integer()? {
                    (false, value) => value.try_into().ok(),
                    (true, value) => 0_i64.checked_sub_unsigned(value)?.try_into().ok(),
                }
            }

            #[inline]
            fn scalar(self) -> Scalar<'static> {
                i64::try_from(self).map_or(Scalar::Spelled, Scalar::Integer)
            }

            #[inline]
            fn write_text(self, _style: Style, out: &mut Vec<u8>) {
                out.extend_from_slice(itoa::Buffer::new().format(self).as_bytes());
            }

            #[inline]
            fn write_json(self, style: Style, out: &mut Vec<u8>) {
                if is_wide::<$type>() && i64::try_from(self).is_err() && u64::try_from(self).is_err() {
                    out.push(b'"');
                    self.write_text(style, out);
                    out.push(b'"');
                } else {
                    self.write_text(style, out);
                }
            }
        }
    };
}

integers!(i8 I8 i16 I16 i32 I32 i64 I64 i128 I128 isize I64 u16 U16 u32 U32 u64 U64 u128 U128 usize U64);
integers!(u8);

/// Returns whether the type has more bits than an integer in JSON.
const fn is_wide<T>() -> bool {
    size_of::<T>() > size_of::<u64>()
}

// `column_type!` does not fit, because a list of `u8` is bytes, with base64 as its text.
#[diagnostic::do_not_recommend]
impl ColumnType for u8 {
    const DATA_TYPE: DataType = DataType::U8;
    const LIST: DataType = DataType::Bytes;
    type Buffer = NumberBuffer<u8>;
    type ListBuffer = super::bytes::BytesBuffer;
}

#[diagnostic::do_not_recommend]
impl KeyType for u8 {}
#[diagnostic::do_not_recommend]
impl NotNull for u8 {}

/// Returns the integer that a number with a fraction or an exponent is equal to, such as `1.0`, `1e3` and `-0`. JSON
/// Schema counts these as integers. Returns `None` if there is none, or if the float is too large to be exact.
pub(super) fn whole(value: f64) -> Option<i64> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    (value.fract() == 0.0 && value.abs() < EXACT).then_some(value as i64)
}

struct IntegerVisitor<T>(PhantomData<T>);

impl<'de, T: Fixed + TryFrom<u64> + TryFrom<i64> + FromStr> Visitor<'de> for IntegerVisitor<T> {
    type Value = T;

    #[inline]
    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        T::try_from(value).map_err(|_| out_of_range(T::DATA_TYPE, value))
    }

    #[inline]
    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        T::try_from(value).map_err(|_| out_of_range(T::DATA_TYPE, value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        if let Some(integer) = whole(value) {
            return self.visit_i64(integer);
        }
        // An integer beyond 64 bits arrives as a float.
        if value.abs() < i64::MAX as f64 {
            Err(mismatch(T::DATA_TYPE, Unexpected::Float(value)))
        } else if is_wide::<T>() {
            Err(E::custom("an integer beyond 64 bits must be a string in JSON: as a number it loses digits"))
        } else {
            Err(out_of_range(T::DATA_TYPE, value))
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let parsed = if is_wide::<T>() { text.parse().ok() } else { None };
        parsed.ok_or_else(|| mismatch(T::DATA_TYPE, Unexpected::Str(text)))
    }

    refuse!(T::DATA_TYPE; bool unit seq map);
}
