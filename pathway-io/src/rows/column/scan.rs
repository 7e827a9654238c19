//! The common case of a JSON row, read without serde_json: all columns in order, plain values, nothing else.
//!
//! Whatever is unusual (another order, a missing or unknown field, an escape, a number with a fraction or an exponent,
//! nesting, an error) is not judged here: the scan gives up, and serde_json reads the row from its start. So this must
//! take only what serde_json would take, and to the same value; a property test holds it to that.

/// The powers of ten that a float of at most 15 digits is divided by.
const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// What is left of a row's text.
#[derive(Debug)]
pub struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Scan { rest: text }
    }

    #[inline]
    fn space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// The comma between one field and the next.
    #[inline]
    pub(crate) fn next(&mut self) -> bool {
        self.space();
        let comma = self.eat(b',');
        self.space();
        comma
    }

    /// `{` and what white space is around it.
    #[inline]
    pub(crate) fn open(&mut self) -> bool {
        self.space();
        let open = self.eat(b'{');
        self.space();
        open
    }

    /// `}` at the end of the text.
    #[inline]
    pub(crate) fn close(&mut self) -> bool {
        self.space();
        let close = self.eat(b'}');
        self.space();
        close && self.is_at_end()
    }

    #[inline]
    fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// `"name":` with white space around the colon.
    #[inline]
    pub(crate) fn name(&mut self, name: &str) -> bool {
        // A name that JSON would escape is not found, since the text has no escape then.
        let found = match self.rest.strip_prefix(b"\"").and_then(|rest| rest.strip_prefix(name.as_bytes())) {
            Some([b'"', rest @ ..]) => rest,
            _ => return false,
        };
        self.rest = found;
        self.space();
        let colon = self.eat(b':');
        self.space();
        colon
    }

    #[inline]
    pub(crate) fn literal(&mut self, literal: &[u8]) -> bool {
        match self.rest.strip_prefix(literal) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// An integer of at most 18 digits.
    #[inline]
    pub(crate) fn integer(&mut self) -> Option<i64> {
        let negative = self.eat(b'-');
        let (value, digits) = self.digits(0)?;
        // `-0` is a float to serde_json, and `01` no number at all.
        let padded = digits > 1 && value < 10_i64.pow(digits - 1);
        if padded || (negative && value == 0) || !self.is_at_value_end() {
            return None;
        }
        Some(if negative { -value } else { value })
    }

    /// A float of at most 15 digits, without an exponent. Its digits and the power of ten below them are exact as
    /// floats, and so the one rounding of their quotient is the right one (Clinger, 1990).
    #[inline]
    pub(crate) fn float(&mut self) -> Option<f64> {
        let negative = self.eat(b'-');
        let (whole, digits) = self.digits(0)?;
        let padded = digits > 1 && whole < 10_i64.pow(digits - 1);
        let (value, decimals) = if self.eat(b'.') { self.digits(whole)? } else { (whole, 0) };
        if padded || digits + decimals > 15 || (negative && value == 0) || !self.is_at_value_end() {
            return None;
        }
        let value = value as f64 / POWERS[decimals as usize];
        Some(if negative { -value } else { value })
    }

    /// Puts one to 18 digits behind those of `value`, and counts them.
    #[inline]
    fn digits(&mut self, value: i64) -> Option<(i64, u32)> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 || count > 18 {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        // Past 18 digits in all it may wrap; a float with more than 15 is not taken.
        let append = |value: i64, digit: &u8| value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        Some((digits.iter().fold(value, append), count as u32))
    }

    /// Whether nothing follows that would make another number of what was read.
    #[inline]
    fn is_at_value_end(&self) -> bool {
        matches!(self.rest, [b',' | b'}' | b' ' | b'\n' | b'\r' | b'\t', ..])
    }

    /// A text without escapes.
    #[inline]
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let [b'"', text @ ..] = self.rest else { return None };
        let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        let (text, rest) = text.split_at(end);
        let [b'"', rest @ ..] = rest else { return None };
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }
}
