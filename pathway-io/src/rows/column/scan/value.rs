//! Any value, as its text.

use super::Scan;
use crate::rows::column::Buffer;

/// The limit for nested values, below that of serde_json.
const DEPTH: u32 = 60;

/// Has serde_json decode one value. It sees the value alone, so that all others of the row need not go by way of it.
pub(crate) fn decode<B: Buffer>(buffer: &mut B, scan: &mut Scan<'_>) -> bool {
    let Some(value) = scan.value() else { return false };
    let mut deserializer = serde_json::Deserializer::from_str(value);
    buffer.decode(&mut deserializer).is_ok() && deserializer.end().is_ok()
}

impl<'a> Scan<'a> {
    /// Passes over a value, and returns its text.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        // What the brackets around are, the innermost in the lowest bit: 1 for an object.
        let (mut brackets, mut depth) = (0_u64, 0);
        loop {
            match self.peek()? {
                b'"' => self.skip_text()?,
                b'-' | b'0'..=b'9' => self.skip_number()?,
                bracket @ (b'{' | b'[') if depth < DEPTH => {
                    let object = bracket == b'{';
                    self.at += 1;
                    self.space();
                    if !self.eat(if object { b'}' } else { b']' }) {
                        (brackets, depth) = ((brackets << 1) | u64::from(object), depth + 1);
                        if object {
                            self.skip_name()?;
                        }
                        continue;
                    }
                }
                _ if self.literal(b"null") || self.literal(b"true") || self.literal(b"false") => {}
                _ => return None,
            }
            // Behind a value.
            loop {
                if depth == 0 {
                    return self.text.get(start..self.at);
                }
                let object = brackets & 1 == 1;
                self.space();
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        self.space();
                        if object {
                            self.skip_name()?;
                        }
                        break;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return None,
                }
                self.at += 1;
                (brackets, depth) = (brackets >> 1, depth - 1);
            }
        }
    }

    #[inline]
    fn skip_name(&mut self) -> Option<()> {
        self.skip_text()?;
        self.colon().then_some(())
    }

    #[inline]
    fn skip_number(&mut self) -> Option<()> {
        self.eat(b'-');
        let padded = self.peek() == Some(b'0');
        let digits = self.skip_digits();
        if digits == 0 || (padded && digits > 1) || (self.eat(b'.') && self.skip_digits() == 0) {
            return None;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            if self.skip_digits() == 0 {
                return None;
            }
        }
        Some(())
    }

    #[inline]
    fn skip_digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the part of `text` that is a value.
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
    fn gives_up_what_is_no_value() {
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
