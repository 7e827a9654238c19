//! A small reader of JSON that accepts the same texts as serde_json.
//!
//! `next_json` reads the rows of a sample with serde_json, so both must refuse the same texts. The macros do not use
//! serde_json, because it and its dependencies would be built before every crate that has a schema.

use std::fmt;

/// The limit for nested lists and objects, the same as in serde_json.
const DEPTH: usize = 127;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// An integer without a point or an exponent. Beyond 64 bits, only a `Duration` column accepts it.
    Integer(i128),
    Float(f64),
    /// An integer that does not fit in 128 bits.
    LongInteger(f64),
    String(String),
    List(Vec<Value>),
    Object(Vec<JsonField>),
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonField {
    pub name: String,
    /// The position of the name, in bytes.
    pub at: usize,
    pub value: Value,
    /// The position of the value, in bytes.
    pub value_at: usize,
}

/// An error in a JSON text, with its position in bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct JsonFault {
    pub at: usize,
    pub reason: &'static str,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

/// Reads a text that consists of one value, with white space around it.
pub fn parse(text: &str) -> Result<Value, JsonFault> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    parser.skip_space();
    let value = parser.value()?;
    parser.skip_space();
    if parser.at < text.len() { Err(parser.fault("expected nothing after the value")) } else { Ok(value) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn fault(&self, reason: &'static str) -> JsonFault {
        JsonFault { at: self.at, reason }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Reads the byte if it is next.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Value, JsonFault> {
        match self.peek() {
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'"') => self.string().map(Value::String),
            Some(b'[') => self.nested(Self::list),
            Some(b'{') => self.nested(Self::object),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(0xef) => Err(self.fault("a byte order mark is not part of JSON")),
            Some(_) => Err(self.fault("expected a JSON value")),
            None => Err(self.fault("the text ends where a value should be")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, JsonFault> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.fault("expected a JSON value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<Value, JsonFault>) -> Result<Value, JsonFault> {
        if self.depth >= DEPTH {
            return Err(self.fault("lists and objects are nested too deep"));
        }
        self.depth += 1;
        self.at += 1;
        let value = inner(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Result<Value, JsonFault> {
        let mut items = Vec::new();
        self.skip_space();
        if self.eat(b']') {
            return Ok(Value::List(items));
        }
        loop {
            self.skip_space();
            items.push(self.value()?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Value::List(items));
            }
            if !self.eat(b',') {
                return Err(self.fault("expected `,` or `]`"));
            }
        }
    }

    fn object(&mut self) -> Result<Value, JsonFault> {
        let mut fields = Vec::new();
        self.skip_space();
        if self.eat(b'}') {
            return Ok(Value::Object(fields));
        }
        loop {
            self.skip_space();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.fault("expected the name of a field, in double quotes"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.fault("expected `:`"));
            }
            self.skip_space();
            let value_at = self.at;
            let value = self.value()?;
            fields.push(JsonField { name, at, value, value_at });
            self.skip_space();
            if self.eat(b'}') {
                return Ok(Value::Object(fields));
            }
            if !self.eat(b',') {
                return Err(self.fault("expected `,` or `}`"));
            }
        }
    }

    /// Reads a string, whose opening quote is next.
    fn string(&mut self) -> Result<String, JsonFault> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            string.push_str(&self.text[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return Err(self.fault("a control character must be escaped")),
                None => return Err(self.fault("the text ends inside a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonFault> {
        self.at += 1;
        let escaped = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            Some(_) => return Err(self.fault("expected one of the escapes of JSON, such as `\\n`")),
            None => return Err(self.fault("the text ends inside a string")),
        };
        self.at += 1;
        Ok(escaped)
    }

    /// Reads the rest of a `\u` escape after its backslash, or of a surrogate pair.
    fn code_point(&mut self) -> Result<char, JsonFault> {
        let first = self.code_unit()?;
        let unit = if (0xd800..0xdc00).contains(&first) {
            let rest = &self.text.as_bytes()[self.at..];
            if !rest.starts_with(b"\\u") {
                return Err(self.fault("expected both halves of a surrogate pair"));
            }
            self.at += 1;
            let second = self.code_unit()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(self.fault("expected both halves of a surrogate pair"));
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(unit).ok_or_else(|| self.fault("expected both halves of a surrogate pair"))
    }

    /// `u` and four hexadecimal digits.
    fn code_unit(&mut self) -> Result<u32, JsonFault> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or_else(|| self.fault("expected four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<Value, JsonFault> {
        let start = self.at;
        self.eat(b'-');
        match self.peek() {
            Some(b'0') => {
                self.at += 1;
                if matches!(self.peek(), Some(b'0'..=b'9')) {
                    return Err(self.fault("a number cannot start with a zero"));
                }
            }
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.fault("expected a digit")),
        }
        let mut is_whole = true;
        if self.eat(b'.') {
            is_whole = false;
            self.some_digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            is_whole = false;
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.some_digits()?;
        }
        let text = &self.text[start..self.at];
        // `-0` is a float, as in serde_json.
        let is_whole = is_whole && text != "-0";
        if is_whole && let Ok(integer) = text.parse::<i128>() {
            return Ok(Value::Integer(integer));
        }
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() && is_whole => Ok(Value::LongInteger(float)),
            Ok(float) if float.is_finite() => Ok(Value::Float(float)),
            _ => Err(JsonFault { at: start, reason: "the number is out of range" }),
        }
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), JsonFault> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.fault("expected a digit"));
        }
        self.digits();
        Ok(())
    }
}
