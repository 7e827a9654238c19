//! The error of a column when a JSON value does not fit it.
//!
//! serde's own messages name serde's data model (``invalid type: integer `5` ``); these name the Rust type of the
//! column and the value that was found. The code here is cold, and is never inlined into a decoder.

use std::fmt;

use serde::de::{Error, Unexpected};

use crate::rows::data_type::DataType;

/// The maximum number of characters of a text that an error quotes.
const SHOWN: usize = 40;

/// Displays the expected type with its article: ``a `u8` `` or ``an `i8` ``.
pub(crate) struct ExpectedType(pub(crate) DataType);

impl fmt::Display for ExpectedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.to_string();
        let article = if name.starts_with(['i', 'f', 'O']) { "an" } else { "a" };
        let form = match self.0 {
            DataType::Bytes => " in base64",
            DataType::Duration | DataType::SignedDuration => " in whole nanoseconds",
            DataType::Date => " like `2021-03-21`",
            DataType::Time => " like `18:34:12`",
            DataType::DateTime => " like `2021-03-21T18:34:12`",
            DataType::Timestamp => " like `2021-03-21T18:34:12Z`",
            DataType::OffsetDateTime => " like `2021-03-21T18:34:12+01:00`",
            DataType::Decimal => " in a string",
            DataType::I128 | DataType::U128 => " in a number of 64 bits or a string",
            _ => "",
        };
        write!(f, "{article} `{name}`{form}")
    }
}

/// Returns the error for a value of a kind that the column does not accept.
#[cold]
#[inline(never)]
pub(crate) fn mismatch<E: Error>(wanted: DataType, found: Unexpected<'_>) -> E {
    E::custom(describe(wanted, found))
}

fn describe(wanted: DataType, found: Unexpected<'_>) -> String {
    let expected = ExpectedType(wanted);
    match found {
        Unexpected::Unit | Unexpected::Option => {
            format!("expected {expected}, found null, which only an `Option<{wanted}>` takes")
        }
        Unexpected::Bool(value) => format!("expected {expected}, found `{value}`"),
        Unexpected::Unsigned(value) => format!("expected {expected}, found the number {value}"),
        Unexpected::Signed(value) => format!("expected {expected}, found the number {value}"),
        Unexpected::Float(value) => format!("expected {expected}, found the number {value:?}"),
        Unexpected::Str(text) => format!("expected {expected}, found the string {}", shorten(text)),
        Unexpected::Seq => format!("expected {expected}, found a list"),
        Unexpected::Map => format!("expected {expected}, found an object"),
        other => format!("expected {expected}, found {other}"),
    }
}

/// Returns a text in quotes, shortened if it is long.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Returns the error for a number that is of the right kind and too large or too small.
#[cold]
#[inline(never)]
pub(crate) fn out_of_range<E: Error>(wanted: DataType, found: impl fmt::Debug) -> E {
    E::custom(format_args!("{found:?} is out of range for `{wanted}`"))
}

/// Defines visitor methods that return the error: `refuse!(DATA_TYPE; bool integer float str unit seq map)` with the
/// kinds that the visitor does not accept.
macro_rules! refuse {
    ($wanted:expr; $($kind:ident)*) => {
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{}", $crate::rows::column::mismatch::ExpectedType($wanted))
        }
        $($crate::rows::column::mismatch::refuse!(@$kind $wanted);)*
    };
    (@bool $wanted:expr) => {
        $crate::rows::column::mismatch::refuse!(@value $wanted, visit_bool(bool), Bool);
    };
    (@integer $wanted:expr) => {
        $crate::rows::column::mismatch::refuse!(@value $wanted, visit_u64(u64), Unsigned);
        $crate::rows::column::mismatch::refuse!(@value $wanted, visit_i64(i64), Signed);
    };
    (@float $wanted:expr) => {
        $crate::rows::column::mismatch::refuse!(@value $wanted, visit_f64(f64), Float);
    };
    (@str $wanted:expr) => {
        $crate::rows::column::mismatch::refuse!(@value $wanted, visit_str(&str), Str);
    };
    (@value $wanted:expr, $visit:ident($found:ty), $unexpected:ident) => {
        fn $visit<VisitError: serde::de::Error>(self, found: $found) -> Result<Self::Value, VisitError> {
            Err($crate::rows::column::mismatch::mismatch($wanted, serde::de::Unexpected::$unexpected(found)))
        }
    };
    (@unit $wanted:expr) => {
        fn visit_unit<VisitError: serde::de::Error>(self) -> Result<Self::Value, VisitError> {
            Err($crate::rows::column::mismatch::mismatch($wanted, serde::de::Unexpected::Unit))
        }
    };
    (@seq $wanted:expr) => {
        fn visit_seq<Access: serde::de::SeqAccess<'de>>(self, _: Access) -> Result<Self::Value, Access::Error> {
            Err($crate::rows::column::mismatch::mismatch($wanted, serde::de::Unexpected::Seq))
        }
    };
    (@map $wanted:expr) => {
        fn visit_map<Access: serde::de::MapAccess<'de>>(self, mut map: Access) -> Result<Self::Value, Access::Error> {
            match $crate::rows::column::digits::first(&mut map)? {
                Some(number) => self.visit_f64(number),
                None => Err($crate::rows::column::mismatch::mismatch($wanted, serde::de::Unexpected::Map)),
            }
        }
    };
}
pub(crate) use refuse;
