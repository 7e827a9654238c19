//! Decides whether a value fits a type, as far as the type's spelling shows.
//!
//! It knows only names that users do not give to their own types, and accepts what the column accepts.

use syn::{Expr, ExprLit, GenericArgument, Lit, PathArguments, Type, TypePath};

use crate::files::json::{self, Value};
use crate::files::rows::Cell;
use crate::schema::ast::{Column, Conversion};
use crate::types;

/// A type as it is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Bool,
    Integer {
        name: &'static str,
        least: i128,
        most: i128,
    },
    /// `i128` or `u128`, which JSON also has as a string.
    Wide(&'static str),
    F32,
    F64,
    Char,
    String,
    Bytes,
    Duration,
    Option(Box<Shape>),
    List(Box<Shape>),
    /// The length, where it is written as a number.
    Array(Box<Shape>, Option<usize>),
    Tuple(Vec<Shape>),
    /// Whatever it is, it is for the compiler to say.
    Unknown,
}

/// Why a value does not fit.
#[derive(Debug, PartialEq)]
pub struct Misfit {
    /// A description of the value, such as `is a number`.
    pub found: String,
    pub help: Option<String>,
}

fn misfit(found: impl Into<String>) -> Misfit {
    Misfit { found: found.into(), help: None }
}

const INTEGERS: [(&str, i128, i128); 8] = [
    ("i8", i8::MIN as i128, i8::MAX as i128),
    ("i16", i16::MIN as i128, i16::MAX as i128),
    ("i32", i32::MIN as i128, i32::MAX as i128),
    ("i64", i64::MIN as i128, i64::MAX as i128),
    ("u8", 0, u8::MAX as i128),
    ("u16", 0, u16::MAX as i128),
    ("u32", 0, u32::MAX as i128),
    ("u64", 0, u64::MAX as i128),
];

/// The integers that a number of JSON may be in a column of 128 bits: others are strings.
const WIDE_LEAST: i128 = i64::MIN as i128;
const WIDE_MOST: i128 = u64::MAX as i128;

/// `Duration::MAX` in nanoseconds.
const LONGEST: i128 = u64::MAX as i128 * 1_000_000_000 + 999_999_999;

impl Shape {
    /// Returns the shape of what a column holds, which for a converted field is not the field's type.
    pub fn of_column(column: &Column) -> Shape {
        match column.conversion() {
            None => Shape::of(column.ty),
            Some(Conversion::Types { into, .. }) if types::option_of(column.ty).is_some() => {
                Shape::Option(Box::new(Shape::of(into)))
            }
            Some(Conversion::Types { into, .. }) => Shape::of(into),
            Some(Conversion::Module(_)) => Shape::Unknown,
        }
    }

    pub fn of(ty: &Type) -> Shape {
        match types::peel(ty) {
            Type::Path(path) if path.qself.is_none() => Shape::of_path(path),
            Type::Array(array) => Shape::Array(Box::new(Shape::of(&array.elem)), length(&array.len)),
            Type::Tuple(tuple) if !tuple.elems.is_empty() => Shape::Tuple(tuple.elems.iter().map(Shape::of).collect()),
            _ => Shape::Unknown,
        }
    }

    fn of_path(path: &TypePath) -> Shape {
        let segments = &path.path.segments;
        let is_std =
            segments.first().is_some_and(|first| ["std", "core", "alloc"].iter().any(|name| first.ident == name));
        let Some(last) = segments.last() else { return Shape::Unknown };
        if segments.len() > 1 && !is_std {
            return Shape::Unknown;
        }
        let name = last.ident.to_string();
        let arguments: Vec<&Type> = match &last.arguments {
            PathArguments::AngleBracketed(arguments) => {
                let types = arguments.args.iter().filter_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                });
                types.collect()
            }
            _ => Vec::new(),
        };
        match (name.as_str(), arguments.as_slice()) {
            ("bool", []) => Shape::Bool,
            ("usize", []) => Shape::integer("u64"),
            ("isize", []) => Shape::integer("i64"),
            ("i128", []) => Shape::Wide("i128"),
            ("u128", []) => Shape::Wide("u128"),
            ("char", []) => Shape::Char,
            ("f32", []) => Shape::F32,
            ("f64", []) => Shape::F64,
            ("String", []) => Shape::String,
            // the bare name may also be that of another crate
            ("Duration", []) if is_std => Shape::Duration,
            ("Option", [item]) => Shape::Option(Box::new(Shape::of(item))),
            ("Vec", [item]) => match Shape::of(item) {
                Shape::Integer { name: "u8", .. } => Shape::Bytes,
                item => Shape::List(Box::new(item)),
            },
            (name, []) => Shape::integer(name),
            _ => Shape::Unknown,
        }
    }

    fn integer(name: &str) -> Shape {
        INTEGERS
            .iter()
            .find(|(known, ..)| *known == name)
            .map_or(Shape::Unknown, |&(name, least, most)| Shape::Integer { name, least, most })
    }

    /// A part of it is known to the compiler alone.
    pub fn has_unknown(&self) -> bool {
        match self {
            Shape::Unknown => true,
            Shape::Option(item) | Shape::List(item) | Shape::Array(item, _) => item.has_unknown(),
            Shape::Tuple(items) => items.iter().any(Shape::has_unknown),
            _ => false,
        }
    }

    pub fn judge(&self, cell: &Cell) -> Result<(), Misfit> {
        match cell {
            Cell::Json(value) => self.judge_json(value),
            Cell::Text(text) => self.judge_text(text.as_deref()),
        }
    }

    fn judge_json(&self, value: &Value) -> Result<(), Misfit> {
        if let (Shape::Integer { .. } | Shape::Wide(_), Value::Float(found)) = (self, value)
            && let Some(integer) = whole(*found)
        {
            return self.judge_json(&Value::Integer(integer));
        }
        match (self, value) {
            (Shape::Unknown, _) | (Shape::Bool, Value::Bool(_)) | (Shape::F64, Value::Float(_) | Value::Integer(_)) => {
                Ok(())
            }
            (Shape::Option(_), Value::Null) => Ok(()),
            (Shape::Option(item), value) => item.judge_json(value),
            (_, Value::Null) => {
                Err(Misfit { found: "is null".to_owned(), help: Some("an `Option` takes null".to_owned()) })
            }
            (Shape::Integer { least, most, .. }, Value::Integer(found)) => {
                if (least..=most).contains(&found) {
                    Ok(())
                } else {
                    Err(misfit(format!("is {found}")))
                }
            }
            (Shape::Integer { .. }, Value::Float(found)) => Err(misfit(format!("is {found:?}"))),
            (Shape::Wide(name), Value::Integer(found)) if (WIDE_LEAST..=WIDE_MOST).contains(found) => {
                if *name == "u128" && *found < 0 { Err(misfit(format!("is {found}"))) } else { Ok(()) }
            }
            (Shape::Wide(name), Value::String(text)) if is_wide(name, text) => Ok(()),
            (Shape::Char, Value::String(text)) if text.chars().count() == 1 => Ok(()),
            (Shape::F32, Value::Integer(_)) => Ok(()),
            (Shape::F32, Value::Float(found)) => {
                if (*found as f32).is_infinite() {
                    Err(misfit(format!("is {found:?}")))
                } else {
                    Ok(())
                }
            }
            (Shape::F32 | Shape::F64, Value::String(text)) if is_float_name(text) => Ok(()),
            (Shape::String, Value::String(_)) => Ok(()),
            (Shape::Bytes, Value::String(text)) => {
                if is_base64(text) {
                    Ok(())
                } else {
                    Err(misfit("is a string that is no base64"))
                }
            }
            (Shape::Duration, Value::Integer(nanos)) => {
                if (0..=LONGEST).contains(nanos) {
                    Ok(())
                } else {
                    Err(misfit(format!("is {nanos}")))
                }
            }
            (Shape::List(item), Value::List(values)) => values.iter().try_for_each(|value| item.judge_inside(value)),
            (Shape::Array(item, len), Value::List(values)) => {
                if len.is_some_and(|len| len != values.len()) {
                    return Err(misfit(format!("is a list of {}", values.len())));
                }
                values.iter().try_for_each(|value| item.judge_inside(value))
            }
            (Shape::Tuple(items), Value::List(values)) => {
                if items.len() != values.len() {
                    return Err(misfit(format!("is a list of {}", values.len())));
                }
                items.iter().zip(values).try_for_each(|(item, value)| item.judge_inside(value))
            }
            (_, other) => Err(misfit(format!("is {}", kind(other)))),
        }
    }

    /// Returns a value in a list.
    fn judge_inside(&self, value: &Value) -> Result<(), Misfit> {
        self.judge_json(value).map_err(|misfit| {
            let inner = misfit.found.strip_prefix("is ").map(|found| format!("holds {found}"));
            Misfit { found: inner.unwrap_or(misfit.found), help: misfit.help }
        })
    }

    fn judge_text(&self, text: Option<&str>) -> Result<(), Misfit> {
        let Some(text) = text else {
            return match self {
                Shape::Option(_) | Shape::Unknown => Ok(()),
                Shape::String => Err(Misfit {
                    found: "is empty".to_owned(),
                    help: Some("an `Option` takes that; an empty text is `\"\"`".to_owned()),
                }),
                _ => Err(Misfit { found: "is empty".to_owned(), help: Some("an `Option` takes that".to_owned()) }),
            };
        };
        let fits = match self {
            Shape::Unknown | Shape::String => true,
            Shape::Option(item) => return item.judge_text(Some(text)),
            Shape::Bool => matches!(text, "true" | "false"),
            Shape::Integer { least, most, .. } => {
                text.parse::<i128>().is_ok_and(|found| (least..=most).contains(&&found))
            }
            Shape::Wide(name) => is_wide(name, text),
            Shape::Char => text.chars().count() == 1,
            Shape::F32 | Shape::F64 => text.parse::<f64>().is_ok(),
            Shape::Bytes => is_base64(text),
            Shape::Duration => text.parse::<i128>().is_ok_and(|nanos| (0..=LONGEST).contains(&nanos)),
            Shape::List(_) | Shape::Array(..) | Shape::Tuple(_) => {
                return match json::parse(text) {
                    Ok(value) => self.judge_json(&value),
                    Err(_) => Err(misfit(format!("is {}", shorten(text)))),
                };
            }
        };
        if fits { Ok(()) } else { Err(misfit(format!("is {}", shorten(text)))) }
    }
}

pub fn length(len: &Expr) -> Option<usize> {
    match crate::option::peel(len) {
        Expr::Lit(ExprLit { lit: Lit::Int(len), .. }) => len.base10_parse().ok(),
        _ => None,
    }
}

fn is_wide(name: &str, text: &str) -> bool {
    if name == "u128" { text.parse::<u128>().is_ok() } else { text.parse::<i128>().is_ok() }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "`true`",
        Value::Bool(false) => "`false`",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Returns the integer that a number with a fraction or an exponent is, as `next_json` reads it: `1.0` and `1e3`.
pub fn whole(found: f64) -> Option<i128> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    (found.fract() == 0.0 && found.abs() < EXACT).then_some(found as i128)
}

/// Returns the texts by which JSON, that has no word for them, spells the floats that are not finite.
pub fn is_float_name(text: &str) -> bool {
    matches!(text, "NaN" | "Infinity" | "inf" | "-Infinity" | "-inf")
}

/// Returns whether it is padded base64, of the standard alphabet and without stray bits.
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

/// Returns a text in quotes, cut where it would swamp the message.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
