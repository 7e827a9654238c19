//! Decides whether a value fits a type: it accepts what the column accepts.

use std::collections::HashSet;
use std::fmt;

use super::text_form;
use crate::files::data_type::{DataType, integer};
use crate::files::json::{self, JsonField, Value};
use crate::files::rows::Cell;

/// The reason why a value does not fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Misfit {
    /// A description of the value, such as `is a number`.
    pub found: String,
    pub help: Option<&'static str>,
}

fn misfit(found: impl Into<String>) -> Misfit {
    Misfit { found: found.into(), help: None }
}

/// The name of serde_json's type, which holds JSON of any type, for example in a `#[schema(json)]` column.
pub const VALUE: &str = "serde_json::Value";

/// `Duration::MAX` in nanoseconds.
const LONGEST: i128 = u64::MAX as i128 * 1_000_000_000 + 999_999_999;

pub fn check_cell(data_type: &DataType, cell: &Cell) -> Result<(), Misfit> {
    match cell {
        Cell::Json(value) => check_json(data_type, value),
        Cell::Text(text) => check_text(data_type, text.as_deref()),
    }
}

pub fn check_json(data_type: &DataType, value: &Value) -> Result<(), Misfit> {
    match (data_type, value) {
        (DataType::Unknown, _) => check_depth(value, 0),
        (DataType::Plain(name @ ("Value" | VALUE)), _) => {
            check_depth(value, 0)?;
            check_nested(value, *name == VALUE)
        }
        (DataType::Optional(_), Value::Null) => Ok(()),
        (DataType::Optional(item), value) => check_json(item, value),
        (_, Value::Null) => Err(Misfit { found: "is null".to_owned(), help: Some("an `Option` takes null") }),
        (DataType::Plain(name), value) => check_plain(name, value),
        (DataType::Bytes, Value::String(text)) if is_base64(text) => Ok(()),
        (DataType::Bytes, Value::String(_)) => Err(misfit("is a string that is not base64")),
        (DataType::Map(item), Value::Object(fields)) => {
            check_names(fields)?;
            fields.iter().try_for_each(|field| check_item(item, &field.value))
        }
        (DataType::List(item), Value::List(values)) => values.iter().try_for_each(|value| check_item(item, value)),
        (DataType::Array(_, len), Value::List(values)) if *len != values.len() => Err(wrong_length(values)),
        (DataType::Array(item, _), Value::List(values)) => values.iter().try_for_each(|value| check_item(item, value)),
        (DataType::Tuple(items), Value::List(values)) if items.len() != values.len() => Err(wrong_length(values)),
        (DataType::Tuple(items), Value::List(values)) => {
            items.iter().zip(values).try_for_each(|(item, value)| check_item(item, value))
        }
        (_, other) => Err(misfit(format!("is {}", kind(other)))),
    }
}

/// The limit for nested JSON in a column, the same as in the runtime.
const DEPTH: usize = 100;

/// Checks that JSON, which has `depth` levels around it, is not nested too deeply for any column.
fn check_depth(value: &Value, depth: usize) -> Result<(), Misfit> {
    match value {
        Value::List(_) | Value::Object(_) if depth == DEPTH => {
            Err(misfit(format!("is JSON that is nested more than {DEPTH} levels deep")))
        }
        Value::List(items) => items.iter().try_for_each(|item| check_depth(item, depth + 1)),
        Value::Object(fields) => fields.iter().try_for_each(|field| check_depth(&field.value, depth + 1)),
        _ => Ok(()),
    }
}

/// Checks JSON at each level: no object has a name twice, and with `is_value` no integer has more than 64 bits.
fn check_nested(value: &Value, is_value: bool) -> Result<(), Misfit> {
    match value {
        Value::List(items) => items.iter().try_for_each(|item| check_nested(item, is_value).map_err(inside)),
        Value::Object(fields) => {
            check_names(fields)?;
            fields.iter().try_for_each(|field| check_nested(&field.value, is_value).map_err(inside))
        }
        Value::Integer(integer) if is_value && i64::try_from(*integer).is_err() && u64::try_from(*integer).is_err() => {
            Err(long_integer(integer))
        }
        Value::LongInteger(float) if is_value => Err(long_integer(format_args!("{float:e}"))),
        _ => Ok(()),
    }
}

fn long_integer(shown: impl fmt::Display) -> Misfit {
    let found = format!("is {shown}, an integer beyond 64 bits");
    Misfit { found, help: Some("a `RawJson` keeps all digits") }
}

/// Checks that an object contains no name twice.
fn check_names(fields: &[JsonField]) -> Result<(), Misfit> {
    let mut names = HashSet::new();
    match fields.iter().find(|field| !names.insert(&field.name)) {
        Some(field) => Err(misfit(format!("is an object with `{}` twice", field.name))),
        None => Ok(()),
    }
}

fn check_plain(name: &str, value: &Value) -> Result<(), Misfit> {
    let integer = match value {
        Value::Integer(integer) => Some(*integer),
        Value::Float(found) => whole(*found),
        _ => None,
    };
    let range = range(name);
    let text_form = text_form::of(name);
    let fits = match (name, value) {
        ("bool", Value::Bool(_))
        | ("f32" | "f64", Value::Integer(_))
        | ("f64", Value::Float(_) | Value::LongInteger(_)) => true,
        ("f32", Value::Float(found) | Value::LongInteger(found)) => !(*found as f32).is_infinite(),
        ("f32" | "f64", Value::String(text)) => is_float_name(text),
        ("char", Value::String(text)) => text.chars().count() == 1,
        ("i128" | "u128", Value::String(text)) => is_wide(name, text),
        ("Decimal", Value::Integer(found)) => found.unsigned_abs() < 1 << 96,
        ("bool", _) => false,
        (_, Value::String(text)) => text_form.map_or(range.is_none(), |fits| fits(text)),
        _ => range.zip(integer).is_some_and(|((least, most), found)| (least..=most).contains(&found)),
    };
    if fits {
        return Ok(());
    }
    // The number is out of range: it is too large or too small.
    Err(misfit(match (value, integer) {
        (_, Some(found)) if range.is_some() => format!("is {found}"),
        (Value::Float(found) | Value::LongInteger(found), _) if name == "f32" || range.is_some() => {
            format!("is {found:?}")
        }
        (Value::String(text), _) if text_form.is_some() => format!("is {}", shorten(text)),
        _ => format!("is {}", kind(value)),
    }))
}

/// Returns the range of JSON numbers that a column accepts. Larger 128-bit integers are strings.
fn range(name: &str) -> Option<(i128, i128)> {
    match (name, integer(name)) {
        ("Duration", _) => Some((0, LONGEST)),
        ("SignedDuration", _) => Some((i128::MIN, i128::MAX)),
        ("i128", _) => Some((i64::MIN.into(), u64::MAX.into())),
        ("u128", _) => Some((0, u64::MAX.into())),
        (_, Some((true, bits))) => Some((-(1 << (bits - 1)), (1 << (bits - 1)) - 1)),
        (_, Some((false, bits))) => Some((0, (1 << bits) - 1)),
        _ => None,
    }
}

fn wrong_length(values: &[Value]) -> Misfit {
    misfit(format!("is a list of {}", values.len()))
}

/// Checks a value in a list or a map.
fn check_item(data_type: &DataType, value: &Value) -> Result<(), Misfit> {
    check_json(data_type, value).map_err(inside)
}

/// Returns the description of a list's items.
pub fn inside(misfit: Misfit) -> Misfit {
    let inner = misfit.found.strip_prefix("is ").map(|found| format!("holds {found}"));
    Misfit { found: inner.unwrap_or(misfit.found), help: misfit.help }
}

fn check_text(data_type: &DataType, text: Option<&str>) -> Result<(), Misfit> {
    let Some(text) = text else {
        let help = match data_type {
            DataType::Optional(_) | DataType::Unknown | DataType::Plain("Value" | VALUE) => return Ok(()),
            DataType::Plain("String") => "an `Option` takes that; an empty text is `\"\"`",
            _ => "an `Option` takes that",
        };
        return Err(Misfit { found: "is empty".to_owned(), help: Some(help) });
    };
    let fits = match data_type {
        DataType::Unknown => true,
        DataType::Optional(item) => return check_text(item, Some(text)),
        DataType::Bytes => is_base64(text),
        DataType::Plain("Value" | VALUE) => match json::parse(text) {
            Ok(value) => return check_json(data_type, &value),
            Err(_) => return Err(misfit("is not JSON")),
        },
        DataType::Plain("bool") => matches!(text, "true" | "false"),
        DataType::Plain("char") => text.chars().count() == 1,
        DataType::Plain("f32" | "f64") => text.parse::<f64>().is_ok(),
        DataType::Plain(name @ ("i128" | "u128")) => is_wide(name, text),
        DataType::Plain(name) => match (range(name), text_form::of(name)) {
            (Some((least, most)), _) => text.parse::<i128>().is_ok_and(|found| (least..=most).contains(&found)),
            (None, text_form) => text_form.is_none_or(|fits| fits(text)),
        },
        DataType::List(_) | DataType::Array(..) | DataType::Tuple(_) | DataType::Map(_) => match json::parse(text) {
            Ok(value) => return check_json(data_type, &value),
            Err(_) => false,
        },
    };
    if fits { Ok(()) } else { Err(misfit(format!("is {}", shorten(text)))) }
}

fn is_wide(name: &str, text: &str) -> bool {
    if name == "u128" { text.parse::<u128>().is_ok() } else { text.parse::<i128>().is_ok() }
}

/// Returns the kind of a value, with its article.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "`true`",
        Value::Bool(false) => "`false`",
        Value::Integer(_) | Value::Float(_) | Value::LongInteger(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Returns the integer that `next_json` reads for a number with a point or an exponent, such as `1.0` and `1e3`.
fn whole(found: f64) -> Option<i128> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    (found.fract() == 0.0 && found.abs() < EXACT).then_some(found as i128)
}

/// Returns whether the text is one of the strings for floats that are not finite.
fn is_float_name(text: &str) -> bool {
    matches!(text, "NaN" | "Infinity" | "inf" | "-Infinity" | "-inf")
}

/// Returns whether the text is padded base64, in the standard alphabet and without stray bits.
fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    let data = bytes.strip_suffix(b"==").or_else(|| bytes.strip_suffix(b"=")).unwrap_or(bytes);
    let padding = bytes.len() - data.len();
    let six_bits = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let stray = match padding {
        1 => 0b11,
        2 => 0b1111,
        _ => 0,
    };
    bytes.len().is_multiple_of(4)
        && data.iter().all(|byte| six_bits(*byte).is_some())
        && data.last().and_then(|last| six_bits(*last)).is_none_or(|last| last & stray == 0)
}

/// Returns a text in quotes, shortened if it is long.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
