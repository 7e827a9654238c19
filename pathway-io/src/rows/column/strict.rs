//! The rules for JSON inside a column, one set for `Value`, `RawJson`, `#[schema(json)]` and maps.
//!
//! | rule | reason |
//! |---|---|
//! | at most [`DEPTH`] levels | serde_json reads at most 127, so a deeper value could be written but not read back |
//! | no name twice in an object | the same name twice is refused for a column, and a map keeps only one of the values |
//! | in a `Value`, no integer beyond 64 bits | it would become a float and lose digits |
//!
//! `RawJson` keeps its text, so only the first rule applies to it.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::digits;
use super::mismatch::shorten;
use crate::rows::position::{position, string_end};

/// The limit for nested JSON in a column. Together with the row and the lists and tuples around the value, this is
/// less than the 127 levels that serde_json reads.
pub(crate) const DEPTH: usize = 100;

/// Separates the reason of a [`JsonFault`] from its position in serde's error, which can carry only a string.
const PLACE: char = '\u{1f}';

/// An error in the JSON of a column, with its position in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JsonFault {
    reason: String,
    at: usize,
}

impl JsonFault {
    /// Returns the fault that serde_json found in `text`.
    #[cold]
    pub(crate) fn of(text: &str, error: &serde_json::Error) -> Self {
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        JsonFault { reason: message.strip_suffix(&place).unwrap_or(&message).to_owned(), at: position(text, error) }
    }

    pub(crate) fn at_start(reason: String) -> Self {
        JsonFault { reason, at: 0 }
    }

    pub(crate) fn into_reason(self) -> String {
        self.reason
    }

    /// Returns the position of the fault in bytes.
    #[cfg(feature = "infer")]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Converts the fault to the error of a deserializer that has just read all of `text`. The error contains the
    /// length of the text: serde_json reports the end of the value, and its start in the row follows from the length.
    #[cold]
    pub(crate) fn after<E: Error>(self, text: &str) -> E {
        E::custom(format_args!("{}{PLACE}{}/{}", self.reason, self.at, text.len()))
    }
}

/// Splits a message into the reason of an error, and the position of the fault with the length of the text that was
/// read.
pub(crate) fn split_place(message: &str) -> (&str, Option<(usize, usize)>) {
    let place = |(reason, place): (_, &str)| {
        let (at, len) = place.split_once('/')?;
        Some((reason, (at.parse().ok()?, len.parse().ok()?)))
    };
    match message.rsplit_once(PLACE).and_then(place) {
        Some((reason, place)) => (reason, Some(place)),
        None => (message, None),
    }
}

/// Returns the reason for refusing JSON that is nested too deeply.
pub(crate) fn too_deep() -> String {
    format!("the JSON is nested more than {DEPTH} levels deep")
}

/// Reads a value.
pub(crate) fn parse(text: &str) -> Result<Value, JsonFault> {
    match parse_lossy(text)? {
        (_, Some(fault)) => Err(fault),
        (value, None) => Ok(value),
    }
}

/// Reads a value. Also returns the fault if an integer of more than 64 bits became a float.
pub(crate) fn parse_lossy(text: &str) -> Result<(Value, Option<JsonFault>), JsonFault> {
    let long = Cell::new(false);
    let value = read(text, Strict::<true> { depth: 0, long: &long })?;
    // Large floats are rare, so most texts are read once.
    Ok((value, long.get().then(|| long_integer(text)).flatten()))
}

/// Returns whether a number that was read as a float may have been an integer of more than 64 bits.
pub(crate) fn may_be_long(value: f64) -> bool {
    // From this value on, floats have no fraction.
    value.abs() >= i64::MAX as f64
}

/// Checks a text that is kept as it is, or read as another type.
pub(crate) fn check(text: &str) -> Result<(), JsonFault> {
    read(text, Strict::<false> { depth: 0, long: &Cell::new(false) }).map(drop)
}

fn read<const KEEP: bool>(text: &str, strict: Strict<'_, KEEP>) -> Result<Value, JsonFault> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = strict.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    // serde_json reports a position at the end of the list, so the depth is checked separately.
    read.map_err(|error| check_depth(text).err().unwrap_or_else(|| JsonFault::of(text, &error)))
}

/// Checks that a JSON text is nested at most [`DEPTH`] levels.
pub(crate) fn check_depth(text: &str) -> Result<(), JsonFault> {
    let text = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = string_end(text, at),
            b'[' | b'{' if depth == DEPTH => return Err(JsonFault { reason: too_deep(), at }),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Returns the first integer of a JSON text that does not fit in 64 bits.
#[cold]
fn long_integer(text: &str) -> Option<JsonFault> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at) + 1,
            b'-' | b'0'..=b'9' => {
                let in_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let end = bytes[at..].iter().position(|byte| !in_number(byte)).map_or(bytes.len(), |len| at + len);
                let number = &text[at..end];
                let fits =
                    number.contains(['.', 'e', 'E']) || number.parse::<u64>().is_ok() || number.parse::<i64>().is_ok();
                if !fits {
                    let shown = shorten(number).replace('"', "");
                    let reason = format!(
                        "the integer {shown} has more than 64 bits, and a `Value` would lose digits; a `RawJson` keeps them"
                    );
                    return Some(JsonFault { reason, at });
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// Reads one value by the rules. Without `KEEP`, it only checks the value.
struct Strict<'a, const KEEP: bool> {
    /// The number of levels around the value.
    depth: usize,
    /// Set if a number may be an integer of more than 64 bits.
    long: &'a Cell<bool>,
}

impl<const KEEP: bool> Strict<'_, KEEP> {
    fn within<E: Error>(&self) -> Result<Self, E> {
        if self.depth == DEPTH {
            return Err(E::custom(too_deep()));
        }
        Ok(Strict { depth: self.depth + 1, long: self.long })
    }
}

impl<'de, const KEEP: bool> DeserializeSeed<'de> for Strict<'_, KEEP> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, const KEEP: bool> Visitor<'de> for Strict<'_, KEEP> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if may_be_long(value) {
            self.long.set(true);
        }
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(if KEEP { value.into() } else { Value::Null })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.within()?)? {
            if KEEP {
                items.push(item);
            }
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if digits::is_name(&name) {
                return self.visit_f64(digits::value(&mut map)?);
            }
            if fields.contains_key(&name) {
                return Err(A::Error::custom(given_twice(&name)));
            }
            let field = map.next_value_seed(self.within()?)?;
            fields.insert(name, field);
        }
        Ok(Value::Object(fields))
    }
}

/// Returns the reason for refusing an object that has the same name twice.
#[cold]
pub(crate) fn given_twice(name: &str) -> String {
    format!("the name {} is given twice in one object", shorten(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> [String; 2] {
        [("[", "]"), ("{\"a\":", "}")].map(|(open, close)| format!("{}1{}", open.repeat(depth), close.repeat(depth)))
    }

    #[test]
    fn reads_the_json_that_serde_json_reads() {
        for text in ["null", "true", "[]", "{}", r#"{"a":[1,-2,0.5,"x\n",{"b":null}],"c":{}}"#, "1e30", "-0", "1e-400"]
        {
            assert_eq!(parse(text).unwrap(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
            check(text).unwrap();
        }
    }

    #[test]
    fn refuses_one_level_too_many() {
        for text in nested(DEPTH) {
            assert!(parse(&text).is_ok() && check(&text).is_ok() && check_depth(&text).is_ok());
        }
        for text in nested(DEPTH + 1) {
            let fault = parse(&text).unwrap_err();
            assert_eq!(fault.reason, "the JSON is nested more than 100 levels deep");
            assert_eq!(check(&text), Err(fault));
            assert_eq!(check_depth(&text).unwrap_err().reason, "the JSON is nested more than 100 levels deep");
        }
        // Brackets in a string do not count.
        let text = format!(r#""\"\\{}""#, "[".repeat(200));
        assert!(parse(&text).is_ok() && check_depth(&text).is_ok());
    }

    #[test]
    fn refuses_a_name_that_is_given_twice() {
        for (text, at) in [(r#"{"a":1,"a":1}"#, 7), (r#"[{"b":{"a":1,"\u0061":2}}]"#, 13)] {
            let reason = "the name \"a\" is given twice in one object".to_owned();
            assert_eq!(parse(text), Err(JsonFault { reason: reason.clone(), at }));
            assert_eq!(check(text), Err(JsonFault { reason, at }));
        }
        assert!(parse(r#"[{"a":1},{"a":1},{"b":{"a":1},"a":2}]"#).is_ok());
    }

    #[test]
    fn refuses_integers_of_more_than_64_bits() {
        for number in ["18446744073709551616", "-9223372036854775809", "12345678901234567890123"] {
            let text = format!(r#"{{"x\"18446744073709551616":[1e30,18446744073709551616.0,{number}]}}"#);
            let fault = parse(&text).unwrap_err();
            assert_eq!(&text[fault.at..fault.at + number.len()], number);
            assert!(fault.reason.starts_with(&format!("the integer {number} has more")), "{}", fault.reason);
            assert!(check(&text).is_ok());
        }
        for number in ["18446744073709551615", "-9223372036854775808", "1e19", "9223372036854775808"] {
            assert!(parse(number).is_ok());
        }
    }
}
