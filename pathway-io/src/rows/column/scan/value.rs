//! Reads any value as text.

use super::Scan;
use super::number::digits;
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
    ///
    /// The position is in a local variable, and so in a register, until the value ends.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        let text = self.text.as_bytes();
        let mut at = self.at;
        // The kinds of the open brackets, the innermost in the lowest bit: 1 for an object.
        let (mut brackets, mut depth) = (0_u64, 0);
        loop {
            match *text.get(at)? {
                b'"' => at = after_string(text, at + 1)?,
                b'-' | b'0'..=b'9' => at = after_number(text, at)?,
                bracket @ (b'{' | b'[') if depth < DEPTH => {
                    at = after_space(text, at + 1);
                    // In ASCII, a bracket closes two places after the one that opens.
                    if *text.get(at)? == bracket + 2 {
                        at += 1;
                    } else {
                        let object = bracket == b'{';
                        (brackets, depth) = ((brackets << 1) | u64::from(object), depth + 1);
                        if object {
                            at = after_name(text, at)?;
                        }
                        continue;
                    }
                }
                _ => {
                    let rest = text.get(at..)?;
                    at += [&b"null"[..], b"true", b"false"].iter().find(|literal| rest.starts_with(literal))?.len();
                }
            }
            // The position is after a value.
            loop {
                if depth == 0 {
                    let value = self.text.get(self.at..at);
                    self.at = at;
                    return value;
                }
                let object = brackets & 1 == 1;
                at = after_space(text, at);
                match *text.get(at)? {
                    b',' => {
                        at = after_space(text, at + 1);
                        if object {
                            at = after_name(text, at)?;
                        }
                        break;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return None,
                }
                at += 1;
                (brackets, depth) = (brackets >> 1, depth - 1);
            }
        }
    }
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
    let digits = |at: usize| Some(digits(0, text.get(at..)?).1).filter(|digits| *digits > 0);
    let at = at + usize::from(text[at] == b'-');
    let mut end = at + digits(at)?;
    if text[at] == b'0' && end > at + 1 {
        return None;
    }
    if let Some(b'.') = text.get(end) {
        end += 1 + digits(end + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(end) {
        end += 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        end += digits(end)?;
    }
    Some(end)
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
