//! The types that can be columns.
//!
//! [`ColumnType`] lists them, with their forms in CSV, JSON, SQL and Arrow.

// A `ColumnType` names its `Buffer`: many values of one type side by side, as numbers in a `Vec` or as strings in one
// arena. JSON is decoded straight into the buffers of a batch, and sinks format straight from them, so that a row costs
// no allocation. One file holds one family of types.

pub(crate) mod any_json;
pub(crate) mod array;
pub(crate) mod bytes;
pub(crate) mod converted;
pub(crate) mod derived;
pub(crate) mod digits;
mod duration;
mod float;
pub(crate) mod json;
pub(crate) mod list;
pub(crate) mod map;
pub(crate) mod mismatch;
mod nonzero;
pub(crate) mod number;
pub(crate) mod option;
pub(crate) mod others;
pub(crate) mod raw_json;
pub(crate) mod represented;
pub(crate) mod scan;
pub(crate) mod strict;
pub(crate) mod text;
pub(crate) mod tuple;
mod values;
pub(crate) mod view;

use std::hash::Hasher;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer};

use self::list::column_type;
use crate::rows::data_type::DataType;

pub use self::values::Values;

/// A type that can be a column.
///
/// | type | text in CSV | JSON | SQL (PostgreSQL, SQLite) | Arrow |
/// |---|---|---|---|---|
/// | `bool` | `true` | the same | `boolean`, `BOOLEAN` | `Boolean` |
/// | `i8` to `i64`, `u8` to `u64`, `NonZero` of them | `-5` | the same | an integer type, `INTEGER` | `Int8` to `UInt64` |
/// | `isize`, `usize` | as `i64` and `u64` | the same | as `i64` and `u64` | `Int64`, `UInt64` |
/// | `i128`, `u128`, `NonZero` of them | `-5` | a number; beyond 64 bits a string | `numeric(39)`, `TEXT` | `Decimal256(39, 0)` |
/// | `f32`, `f64` | the shortest text that parses to the same float: `1.0`, `1e-7`; `NaN` | the same; NaN and infinities are strings | `real`, `double precision`, `REAL` | `Float32`, `Float64` |
/// | `String`, `Box<str>`, `Arc<str>`, `Cow<'static, str>` | itself | a string | `text`, `TEXT` | `Utf8` |
/// | `char`, `PathBuf` (UTF-8), an enum with `#[derive(ColumnType)]` | itself | a string | `text`, `TEXT` | `Utf8` |
/// | `IpAddr`, `SocketAddr`, and their types for v4 and v6 | `192.0.2.1`, `[2001:db8::1]:80` | a string | `text`, `TEXT` | `Utf8` |
/// | `Vec<u8>`, `bytes::Bytes` | base64: `AQI=` | a string | `bytea`, `BLOB` | `Binary` |
/// | `serde_json::Value`, `RawJson` | JSON | any JSON | `jsonb`, `TEXT` | `Utf8` with `arrow.json` |
/// | `Duration`, `jiff::SignedDuration`, `chrono::TimeDelta` | integer nanoseconds: `1500000000` | the same | `numeric(29)`, `INTEGER` | `Duration` |
/// | `SystemTime`, `jiff::Timestamp`, `chrono::DateTime<Utc>` | `2021-03-21T18:34:12.5Z`; read with any offset | a string | `timestamptz`, `TEXT` | `Timestamp` in UTC |
/// | `jiff::civil::Date`, `chrono::NaiveDate` | `2021-03-21` | a string | `date`, `TEXT` | `Date32` |
/// | `jiff::civil::Time`, `chrono::NaiveTime` | `18:34:12.5` | a string | `time`, `TEXT` | `Time64` |
/// | `jiff::civil::DateTime`, `chrono::NaiveDateTime` | `2021-03-21T18:34:12.5` | a string | `timestamp`, `TEXT` | `Timestamp` |
/// | `chrono::DateTime<FixedOffset>` | `2021-03-21T18:34:12.5+01:00` | a string | `timestamptz`, `TEXT` | `Timestamp` in UTC |
/// | `uuid::Uuid` | `67e55044-10b1-426f-9247-bb680e5fe0c8` | a string | `uuid`, `TEXT` | `FixedSizeBinary(16)` |
/// | `rust_decimal::Decimal` | all its digits: `12.50` | a string; an integer is read too | `numeric`, `TEXT` | `Decimal256(57, 28)` |
/// | `Option<T>` | nothing | `null` | without `NOT NULL` | nullable |
/// | `Box<T>`, a newtype with `#[derive(ColumnType)]` | as `T` | as `T` | as `T` | as `T` |
/// | `Vec<T>`, arrays, `BTreeSet<T>`, `HashSet<T>` | as JSON | a list; a set in order; base64 for a set of `u8` | `jsonb`, `TEXT` | `List`; `FixedSizeList` for an array |
/// | tuples | as JSON | a list | `jsonb`, `TEXT` | `Struct` |
/// | `BTreeMap<String, T>`, `HashMap<String, T>` | as JSON | an object, by name | `jsonb`, `TEXT` | `Map` |
///
/// `TableSchema::sql_ddl` uses these SQL types. The sink for SQLite declares a `u64`, a 128-bit integer and a duration
/// as `BLOB`, and a `bool` as `INTEGER`.
///
/// JSON in a `Value`, a `RawJson`, a map or a `#[schema(json)]` column is nested at most 100 levels, and no object in
/// it has a name twice; a `RawJson` keeps such names. An integer beyond 64 bits in a `Value` is an error, because it
/// would lose digits. A fraction is the nearest `f64`. A `RawJson` keeps all digits.
///
/// The dataflow engine compares, hashes and sends a column by the value of its text.
///
/// Types of another crate are columns if the feature with the crate's name is on. Every text reads back as the same
/// value. Dates are also read in other common forms of ISO 8601, such as a space for the `T` and `+0100` for an offset.
/// If you push a `PathBuf` that is not UTF-8, the push panics, which ends the source with an error that names the
/// column.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as a column",
    label = "not a column type",
    note = "columns are `bool`, `char`, integers, floats, `String`, `Vec<u8>`, `serde_json::Value`, `Duration`, `SystemTime`, `PathBuf`, IP addresses, and `Option<T>`, `Vec<T>`, arrays, tuples, sets and maps by `String` of them",
    note = "so are types of `chrono`, `jiff`, `uuid`, `rust_decimal` and `bytes`, each with the feature of that name: `cargo add pathway-io --features chrono`",
    note = "for your own type: derive `ColumnType` if it is an enum without fields or has one unnamed field; use `#[schema(flatten)]` if it is a schema, and `#[schema(json)]` if it implements serde's traits"
)]
pub trait ColumnType: Sized + Send + Sync + 'static {
    /// The type of the values that are not null.
    const DATA_TYPE: DataType;
    /// Whether a value can be null.
    const OPTIONAL: bool = false;
    /// The type as an element of another type, with its nullability.
    #[doc(hidden)]
    const ELEMENT: DataType = if Self::OPTIONAL { DataType::Optional(&Self::DATA_TYPE) } else { Self::DATA_TYPE };
    /// The type of a `Vec` of this type: a `List`, except for bytes.
    #[doc(hidden)]
    const LIST: DataType = DataType::List(&Self::ELEMENT);
    /// Whether a placeholder can be read from the buffer as an arbitrary value.
    #[doc(hidden)]
    const HAS_PLACEHOLDER: bool = true;
    /// The buffer for values of this type.
    #[doc(hidden)]
    type Buffer: Buffer<Item = Self> + Values<Self>;
    /// The buffer for lists of this type.
    #[doc(hidden)]
    type ListBuffer: Buffer<Item = Vec<Self>> + Values<Vec<Self>>;
}

/// A column type whose values can be compared and so identify a row.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a primary key",
    label = "not a key type",
    note = "all column types can be keys except `Option`, floats, `Decimal`, JSON, sets, maps and `DateTime<FixedOffset>`: a key always has a value, and equal keys have one form"
)]
pub trait KeyType: ColumnType + Clone {
    /// Returns the value that is read back from the stored form of this one. They differ if the stored form lacks a
    /// part of the value, such as the flow label of a socket address.
    #[doc(hidden)]
    #[must_use]
    fn canonical(self) -> Self {
        self
    }
}

/// A type without its own null, so that `Option<T>` has one null and not two.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as a column inside `Option`",
    label = "not a column type, or an `Option` itself: there is one null, not two",
    note = "types of `chrono`, `jiff`, `uuid`, `rust_decimal` and `bytes` are columns, each with the feature of that name: `cargo add pathway-io --features chrono`",
    note = "for your own type: derive `ColumnType` if it is an enum without fields or has one unnamed field; use `#[schema(json)]` if it implements serde's traits"
)]
pub trait NotNull: ColumnType {
    /// Returns whether this value is null, which in an `Option` equals `None`. Only a `serde_json::Value` can be null.
    #[inline]
    fn is_null(&self) -> bool {
        false
    }
}

/// The spelling of values.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The library's own form, which reads back from JSON as the same value.
    Plain,
    /// The form of Pathway's writers, byte for byte.
    Pathway,
    /// Like `Plain`, but with the bits of a `NaN`, so that exactly the same value is read back.
    Exact,
}

/// A value in a form that databases accept.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    Null,
    Integer(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// The text form of the value.
    Spelled,
}

/// Many values of one column, in push order.
#[doc(hidden)]
pub trait Buffer: Default + Send + Sync + 'static {
    type Item: ColumnType;
    /// Whether the text form can contain a comma, a quote or a line break.
    const NEEDS_QUOTES: bool;
    /// Whether `push` panics with a reason for some values. The panic then names the column.
    const CAN_REFUSE: bool = false;

    fn len(&self) -> usize;
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Returns the bytes of data held, as the backlog counts them.
    fn bytes(&self) -> usize;

    fn push(&mut self, item: Self::Item);
    /// Pushes an arbitrary value, in a row of which only the key is known. A type with a null pushes it.
    fn push_placeholder(&mut self);
    /// Pushes a copy of one value of another buffer.
    fn push_from(&mut self, other: &Self, row: usize);
    /// Reads one value. After an error the buffer may contain a part of it: see `truncate`.
    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;
    /// Reads one value with the [`scan`]. Returns `false` if the scan gives it up. The buffer may then contain a part
    /// of the value.
    fn scan(&mut self, scan: &mut scan::Scan<'_>) -> bool {
        scan::decode(self, scan)
    }
    /// Drops all values from `len` on, and the partial value of a failed `decode`.
    fn truncate(&mut self, len: usize);

    fn get(&self, row: usize) -> Self::Item;
    fn is_null(&self, _row: usize) -> bool {
        false
    }
    #[inline]
    fn scalar(&self, row: usize) -> Scalar<'_> {
        if self.is_null(row) { Scalar::Null } else { Scalar::Spelled }
    }
    /// Returns whether two values are the same, floats by their bits.
    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool;
    fn hash<H: Hasher>(&self, row: usize, state: &mut H);
    /// Appends the text form for CSV, without quotes around it. A null appends nothing.
    #[inline]
    fn write_text(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        self.write_json(row, style, out);
    }
    /// Appends the JSON form.
    fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>);
}

/// Writes the methods of a [`Buffer`] that treat a value as the buffer in a field does.
macro_rules! delegated {
    ($field:tt) => {
        #[inline]
        fn len(&self) -> usize {
            self.$field.len()
        }

        #[inline]
        fn bytes(&self) -> usize {
            self.$field.bytes()
        }

        #[inline]
        fn push_from(&mut self, other: &Self, row: usize) {
            self.$field.push_from(&other.$field, row);
        }

        #[inline]
        fn truncate(&mut self, len: usize) {
            self.$field.truncate(len);
        }

        #[inline]
        fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
            self.$field.equal(row, &other.$field, other_row)
        }

        #[inline]
        fn hash<H: std::hash::Hasher>(&self, row: usize, state: &mut H) {
            self.$field.hash(row, state);
        }
    };
}
use delegated;

/// The end of each value in an arena of values of varying length.
#[derive(Debug, Default)]
pub(crate) struct Ends(Vec<usize>);

impl Ends {
    #[inline]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn bytes(&self) -> usize {
        self.0.len() * size_of::<usize>()
    }

    #[inline]
    fn push(&mut self, end: usize) {
        self.0.push(end);
    }

    #[inline]
    fn range(&self, row: usize) -> Range<usize> {
        let start = if row == 0 { 0 } else { self.0[row - 1] };
        start..self.0[row]
    }

    /// Keeps `len` values. Returns the end of the last one, which is the new length of the arena.
    #[inline]
    fn truncate(&mut self, len: usize) -> usize {
        self.0.truncate(len);
        self.0.last().copied().unwrap_or(0)
    }
}

/// Writes the methods of a [`Buffer`] with the fields `ends` and `arena`. Its method `$slice` returns a value, and
/// `append` pushes one.
macro_rules! in_arena {
    ($slice:ident, $scalar:path) => {
        #[inline]
        fn len(&self) -> usize {
            self.ends.len()
        }

        #[inline]
        fn bytes(&self) -> usize {
            self.ends.bytes() + self.arena.len()
        }

        #[inline]
        fn push_from(&mut self, other: &Self, row: usize) {
            self.append(other.$slice(row));
        }

        #[inline]
        fn truncate(&mut self, len: usize) {
            let end = self.ends.truncate(len);
            self.arena.truncate(end);
        }

        #[inline]
        fn scalar(&self, row: usize) -> Scalar<'_> {
            $scalar(self.$slice(row))
        }

        #[inline]
        fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
            self.$slice(row) == other.$slice(other_row)
        }

        #[inline]
        fn hash<H: std::hash::Hasher>(&self, row: usize, state: &mut H) {
            std::hash::Hash::hash(self.$slice(row), state);
        }
    };
}
use in_arena;

/// Reads one value into a buffer. It is the seed that serde's access traits require.
pub(crate) struct ValueSeed<'a, B>(pub(crate) &'a mut B);

impl<'de, B: Buffer> DeserializeSeed<'de> for ValueSeed<'_, B> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.decode(deserializer)
    }
}

/// Converts one value to JSON, for the defaults and examples in a schema.
#[doc(hidden)]
pub fn to_json<T: ColumnType>(value: T) -> serde_json::Value {
    let mut buffer = T::Buffer::default();
    buffer.push(value);
    let mut text = Vec::new();
    buffer.write_json(0, Style::Plain, &mut text);
    serde_json::from_slice(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
