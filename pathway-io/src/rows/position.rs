//! Finds the byte at which a row's text is wrong.
//!
//! serde_json reports a line and a column. In text that is not JSON, they point at the offending byte. For a value of
//! the wrong type, they point past the value, where the parser stopped. The error should point at the value, so this
//! module searches for its start.

use serde::de::IgnoredAny;
use serde_json::error::Category;

/// Returns the offset of the fault in `text`. The error must come from reading this text.
#[cold]
pub(crate) fn position(text: &str, error: &serde_json::Error) -> usize {
    let bytes = text.as_bytes();
    let last_read = end(text, error).saturating_sub(1);
    match error.classify() {
        Category::Eof => bytes.len(),
        Category::Data => token(bytes, last_read),
        Category::Syntax | Category::Io => last_read,
    }
}

/// Returns the offset up to which `text` was read.
fn end(text: &str, error: &serde_json::Error) -> usize {
    let line = match error.line().checked_sub(2) {
        None => 0,
        Some(skipped) => memchr::memchr_iter(b'\n', text.as_bytes()).nth(skipped).map_or(0, |newline| newline + 1),
    };
    line + error.column()
}

/// Returns the start of the last value that was read completely, which has `len` bytes. After it, serde_json has read
/// at most commas and closing brackets.
#[cold]
pub(crate) fn start_of_value(text: &str, error: &serde_json::Error, len: usize) -> Option<usize> {
    let mut end = end(text, error).min(text.len());
    loop {
        let start = end.checked_sub(len)?;
        let last = text.as_bytes().get(end.checked_sub(1)?)?;
        let value = text.get(start..end).filter(|_| !last.is_ascii_whitespace());
        if value.is_some_and(|value| serde_json::from_str::<IgnoredAny>(value).is_ok()) {
            return Some(start);
        }
        if !last.is_ascii_whitespace() && !b",]}".contains(last) {
            return None;
        }
        end -= 1;
    }
}

/// Returns the start of the last token that starts at or before `limit`. The text up to `limit` is known to be JSON.
///
/// A comma or a closing bracket is never wrong, but the value before it can be: a column may check a value that the
/// parser has accepted. The function therefore returns the start of this value or, in an empty list or object, the
/// opening bracket.
fn token(text: &[u8], limit: usize) -> usize {
    let (mut at, mut found, mut value) = (0, 0, 0);
    // The starts of the lists and objects around `at`.
    let mut around = Vec::new();
    while at <= limit && at < text.len() {
        let start = at;
        at += 1;
        match text[start] {
            byte if byte.is_ascii_whitespace() => continue,
            // The fault is at the name: a column is given twice.
            b':' => {}
            b',' => found = value,
            b'}' | b']' => (found, value) = (value, around.pop().unwrap_or_default()),
            byte => {
                (found, value) = (start, start);
                match byte {
                    b'{' | b'[' => around.push(start),
                    b'"' => at = string_end(text, start) + 1,
                    _ => at = start + word(&text[start..]),
                }
            }
        }
    }
    found
}

/// Returns the position of the quote that closes the string whose opening quote is at `at`, or the length of
/// the text if none does.
#[inline]
pub(crate) fn string_end(text: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return at;
        }
        at += 2;
    }
    text.len()
}

/// Returns the length of the number, `true`, `false` or `null` that `text` starts with.
fn word(text: &[u8]) -> usize {
    let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte);
    text.iter().position(ends).unwrap_or(text.len()).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZero;

    use super::*;
    use crate::rows::batch::Batch;

    #[derive(Clone)]
    struct Even(i64);

    impl From<Even> for i64 {
        fn from(Even(number): Even) -> i64 {
            number
        }
    }

    impl TryFrom<i64> for Even {
        type Error = &'static str;

        fn try_from(number: i64) -> Result<Even, &'static str> {
            if number % 2 == 0 { Ok(Even(number)) } else { Err("it is odd") }
        }
    }

    #[derive(pathway_derive::Schema)]
    #[schema(crate = crate)]
    struct Checked {
        letter: Option<char>,
        letters: Option<Vec<char>>,
        count: Option<NonZero<u8>>,
        names: Option<BTreeMap<String, i64>>,
        #[schema(try_from = "i64", into = "i64")]
        even: Option<Even>,
        pair: Option<(i64, i64)>,
    }

    #[test]
    fn finds_a_value_that_a_column_refuses_after_the_parser() {
        for (text, wrong) in [
            (r#"{"letter":"ab"}"#, r#""ab""#),
            ("{\"letter\": \"ab\" ,\n \"count\": 1}", r#""ab""#),
            (r#"{"letters":["a", "bc" ]}"#, r#""bc""#),
            (r#"{"letters":["bc" , "a"]}"#, r#""bc""#),
            (r#"{"count":0}"#, "0"),
            (r#"{"count": 0 , "letter":"a"}"#, "0"),
            (r#"{"count": {}}"#, "{}"),
            (r#"{"count": []}"#, "[]"),
            (r#"{"names":{"a":[]}}"#, "[]"),
            (r#"{"letter":"a","names":{"a":1,"b":[1],"a":2}}"#, "[1]"),
            (r#"{"letter":"a","names":{"a":1,"b":3,"a":2}}"#, r#"{"a":1"#),
            (r#"{"even":7}"#, "7"),
            (r#"{"pair":[7]}"#, "7"),
        ] {
            let error = Batch::<Checked>::default().push_json(text.as_bytes()).unwrap_err();
            assert_eq!(error.position(), text.find(wrong), "{text}: {error}");
        }
    }

    #[test]
    fn finds_tokens() {
        let text = br#" {"a\"": -1.5e+3 , "b": [null, {}]}"#;
        let at = |limit| token(text, limit);
        assert_eq!(at(0), 0);
        assert_eq!([at(1), at(2), at(6)], [1, 2, 2]);
        // The name before a colon.
        assert_eq!([at(7), at(8)], [2, 2]);
        assert_eq!([at(9), at(15), at(16)], [9, 9, 9]);
        // The value before a comma or a closing bracket.
        assert_eq!(at(17), 9);
        assert_eq!([at(24), at(25), at(28), at(29)], [24, 25, 25, 25]);
        assert_eq!([at(31), at(32), at(33), at(1000)], [31, 31, 31, 24]);
    }
}
