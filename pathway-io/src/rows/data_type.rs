//! The types that a column's values can have: [`DataType`].

use std::fmt;

use serde::ser::{Serialize, Serializer};

/// The type of a column's values.
///
/// Its [`Display`](fmt::Display) is the Rust spelling, such as `Vec<i64>`. For both kinds of maps it is
/// `Map<String, i64>`. `Vec<u8>` is bytes, and `List<u8>` is a list of a type that is stored as `u8`, such as
/// `NonZero<u8>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataType {
    /// `bool`
    Bool,
    /// `i8`
    I8,
    /// `i16`
    I16,
    /// `i32`
    I32,
    /// `i64` and `isize`
    I64,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64` and `usize`
    U64,
    /// `i128`: a string in JSON if it has more than 64 bits
    I128,
    /// `u128`: a string in JSON if it has more than 64 bits
    U128,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `String` and the other string types. A variant named `String` would make rustc write `std::string::String` in
    /// the errors of every crate that uses this one.
    Str,
    /// `Vec<u8>`, base64 in text
    Bytes,
    /// Any JSON value
    Json,
    /// `Duration`, integer nanoseconds in text
    Duration,
    /// `SignedDuration` of `jiff` and `TimeDelta` of `chrono`, integer nanoseconds in text
    SignedDuration,
    /// A day: `Date` of `jiff` and `NaiveDate` of `chrono`, `2021-03-21` in text
    Date,
    /// A time of day: `Time` of `jiff` and `NaiveTime` of `chrono`, `18:34:12.5` in text
    Time,
    /// A day and a time without a time zone: `DateTime` of `jiff` and `NaiveDateTime` of `chrono`,
    /// `2021-03-21T18:34:12.5` in text
    DateTime,
    /// An instant: `SystemTime`, `Timestamp` of `jiff` and `DateTime<Utc>` of `chrono`, `2021-03-21T18:34:12.5Z` in
    /// text
    Timestamp,
    /// An instant and an offset from UTC: `DateTime<FixedOffset>` of `chrono`, `2021-03-21T18:34:12.5+01:00` in text
    OffsetDateTime,
    /// `Uuid`, in lower case and with hyphens in text
    Uuid,
    /// `Decimal` of `rust_decimal`, with all its digits in text
    Decimal,
    /// `BTreeMap<String, T>` and `HashMap<String, T>`
    Map(&'static DataType),
    /// A value that may be null, inside another type
    Optional(&'static DataType),
    /// `Vec<T>`
    List(&'static DataType),
    /// `[T; N]`
    Array(&'static DataType, usize),
    /// `(A, B, ..)`
    Tuple(&'static [DataType]),
}

impl DataType {
    /// Returns the Rust spelling of a type that contains no other type, and an empty string for any other type.
    pub(crate) const fn plain_name(&self) -> &'static str {
        match self {
            DataType::Bool => "bool",
            DataType::I8 => "i8",
            DataType::I16 => "i16",
            DataType::I32 => "i32",
            DataType::I64 => "i64",
            DataType::U8 => "u8",
            DataType::U16 => "u16",
            DataType::U32 => "u32",
            DataType::U64 => "u64",
            DataType::I128 => "i128",
            DataType::U128 => "u128",
            DataType::F32 => "f32",
            DataType::F64 => "f64",
            DataType::Str => "String",
            DataType::Bytes => "Vec<u8>",
            DataType::Json => "Value",
            DataType::Duration => "Duration",
            DataType::SignedDuration => "SignedDuration",
            DataType::Date => "Date",
            DataType::Time => "Time",
            DataType::DateTime => "DateTime",
            DataType::Timestamp => "Timestamp",
            DataType::OffsetDateTime => "OffsetDateTime",
            DataType::Uuid => "Uuid",
            DataType::Decimal => "Decimal",
            DataType::Map(_) | DataType::Optional(_) | DataType::List(_) | DataType::Array(..) | DataType::Tuple(_) => {
                ""
            }
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Map(item) => write!(f, "Map<String, {item}>"),
            DataType::Optional(item) => write!(f, "Option<{item}>"),
            DataType::List(DataType::U8) => f.write_str("List<u8>"),
            DataType::List(item) => write!(f, "Vec<{item}>"),
            DataType::Array(item, len) => write!(f, "[{item}; {len}]"),
            DataType::Tuple(items) => {
                f.write_str("(")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(if items.len() == 1 { ",)" } else { ")" })
            }
            plain => f.write_str(plain.plain_name()),
        }
    }
}

impl Serialize for DataType {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_str(self)
    }
}
