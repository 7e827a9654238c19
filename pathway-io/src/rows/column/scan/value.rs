//! Reads any value as text.

use super::Scan;
use super::text::after_string;
use crate::rows::column::Buffer;

/// The limit for nested values, which is below serde_json's limit.
const DEPTH: u32 = 60;

/// Lets serde_json decode one value, so that the scan can read the others of the row.
pub(crate) fn decode<B: Buffer>(buffer: &mut B, scan: &mut Scan<'_>) -> bool {
    let Some(value) = scan.value() else { return false };
    let mut deserializer = serde_json::Deserializer::from_str(value);
    buffer.decode(&mut deserializer).is_ok() && deserializer.end().is_ok()
}

impl<'a> Scan<'a> {
    /// Skips a value, and returns its text.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        if self.pass_value() { self.text.get(start..self.at) } else { None }
    }

    /// Skips a value.
    pub(crate) fn pass_value(&mut self) -> bool {
        let end = after_value(self.text.as_bytes(), self.at);
        self.at = end.unwrap_or(self.at);
        end.is_some()
    }
}

/// Returns the position after a value.
fn after_value(text: &[u8], mut at: usize) -> Option<usize> {
    // One bit for each open bracket, the innermost in the lowest bit: 1 for an object, 0 for a list. A further 1 above
    // these bits shows how many they are.
    let mut brackets = 1_u64;
    let mut is_in_object = false;
    loop {
        if is_in_object {
            at = after_name(text, at)?;
        }
        let first = *text.get(at)?;
        at = match first {
            b'"' => after_string(text, at + 1)?,
            b'-' | b'0'..=b'9' => after_number(text, at)?,
            b'{' | b'[' if brackets >> DEPTH == 0 => {
                at = after_space(text, at + 1);
                // In ASCII, a bracket closes two places after the one that opens.
                if *text.get(at)? != first + 2 {
                    is_in_object = first == b'{';
                    brackets = (brackets << 1) | u64::from(is_in_object);
                    continue;
                }
                at + 1
            }
            b'n' => after_literal(text, at, b"null")?,
            b't' => after_literal(text, at, b"true")?,
            b'f' => after_literal(text, at, b"false")?,
            _ => return None,
        };
        // The position is after a value.
        loop {
            if brackets == 1 {
                return Some(at);
            }
            is_in_object = brackets & 1 == 1;
            at = after_space(text, at);
            match *text.get(at)? {
                b',' => {
                    at = after_space(text, at + 1);
                    break;
                }
                b'}' if is_in_object => {}
                b']' if !is_in_object => {}
                _ => return None,
            }
            at += 1;
            brackets >>= 1;
        }
    }
}

#[inline]
fn after_literal(text: &[u8], at: usize, literal: &[u8]) -> Option<usize> {
    text[at..].starts_with(literal).then_some(at + literal.len())
}

#[inline]
fn after_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// Returns the position of the value after a name and its colon.
#[inline]
fn after_name(text: &[u8], at: usize) -> Option<usize> {
    if *text.get(at)? != b'"' {
        return None;
    }
    let colon = after_space(text, after_string(text, at + 1)?);
    (*text.get(colon)? == b':').then(|| after_space(text, colon + 1))
}

#[inline]
fn after_number(text: &[u8], at: usize) -> Option<usize> {
    let at = at + usize::from(text[at] == b'-');
    let mut end = after_digits(text, at)?;
    if text[at] == b'0' && end > at + 1 {
        return None;
    }
    if let Some(b'.') = text.get(end) {
        end = after_digits(text, end + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(end) {
        end += 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        end = after_digits(text, end)?;
    }
    Some(end)
}

/// Returns the position after at least one digit.
#[inline]
fn after_digits(text: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    while let Some(b'0'..=b'9') = text.get(end) {
        end += 1;
    }
    (end > at).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the value at the start of `text`.
    fn value(text: &str) -> Option<&str> {
        Scan::new(text).value()
    }

    #[test]
    fn passes_over_values() {
        for text in [
            "null",
            "true",
            "false",
            "0",
            "-1.50e+3",
            "12E-7",
            r#""""#,
            r#""\"\u00e9\ud800""#,
            "[]",
            "{}",
            "[ ]",
            "[[],{}]",
            "[1, \"]\" ,{\"a\" : [null]}\n]",
            r#"{"a":{"b":[1,2,{"c":"}"}]},"d":null}"#,
        ] {
            assert_eq!(value(text), Some(text));
            assert_eq!(value(&format!("{text}, 1]}}")), Some(text));
        }
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(value(&deep(60)).is_some());
        assert_eq!(value(&deep(62)), None);
    }

    #[test]
    fn gives_up_text_that_is_not_a_value() {
        for text in [
            "",
            "nul",
            "01",
            "1.",
            "-",
            "+1",
            ".5",
            "1e",
            "1e+",
            "\"",
            "\"a",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "[",
            "[1",
            "[1,]",
            "[,1]",
            "[1}",
            "{",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1]",
            "]",
            "}",
            ",",
            "\u{e9}",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
