//! Error texts that are assembled at compile time, for errors that only the compiler can find.

use super::data_type::DataType;

pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

pub(crate) const fn contains(names: &[&str], name: &str) -> bool {
    let mut i = 0;
    while i < names.len() {
        if same(names[i], name) {
            return true;
        }
        i += 1;
    }
    false
}

/// A text that is assembled at compile time. A text that is too long is truncated.
pub(crate) struct ConstText {
    text: [u8; 1024],
    len: usize,
}

impl ConstText {
    pub(crate) const fn new() -> Self {
        ConstText { text: [0; 1024], len: 0 }
    }

    pub(crate) const fn push(mut self, part: &str) -> Self {
        let part = part.as_bytes();
        let mut i = 0;
        while i < part.len() && self.len < self.text.len() {
            self.text[self.len] = part[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    /// Returns a text with `zero` for each NUL and `one` for each U+0001.
    pub(crate) const fn filled(text: &str, zero: &str, one: &str) -> Self {
        let bytes = text.as_bytes();
        let mut message = ConstText::new();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                0 => message = message.push(zero),
                1 => message = message.push(one),
                byte if message.len < message.text.len() => {
                    message.text[message.len] = byte;
                    message.len += 1;
                }
                _ => {}
            }
            at += 1;
        }
        message
    }

    pub(crate) const fn push_number(self, number: u32) -> Self {
        let mut digits = [0; 10];
        let mut start = digits.len();
        let mut rest = number;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        match std::str::from_utf8(digits.split_at(start).1) {
            Ok(text) => self.push(text),
            Err(_) => self,
        }
    }

    /// Appends the type in its Rust spelling, like its `Display`.
    pub(crate) const fn push_type(self, data_type: &DataType) -> Self {
        match data_type {
            DataType::Map(item) => self.push("Map<String, ").push_type(item).push(">"),
            DataType::Optional(item) => self.push("Option<").push_type(item).push(">"),
            DataType::List(DataType::U8) => self.push("List<u8>"),
            DataType::List(item) => self.push("Vec<").push_type(item).push(">"),
            DataType::Array(item, len) => self.push("[").push_type(item).push("; ").push_number(*len as u32).push("]"),
            DataType::Tuple(items) => {
                let mut message = self.push("(");
                let mut at = 0;
                while at < items.len() {
                    message = message.push(if at == 0 { "" } else { ", " }).push_type(&items[at]);
                    at += 1;
                }
                message.push(if items.len() == 1 { ",)" } else { ")" })
            }
            plain => self.push(plain.plain_name()),
        }
    }

    /// Appends the type of a column, inside an `Option` if it may be null.
    pub(crate) const fn push_column(self, data_type: &DataType, optional: bool) -> Self {
        if optional { self.push("Option<").push_type(data_type).push(">") } else { self.push_type(data_type) }
    }

    pub(crate) const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.text.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "the columns of the schema do not fit",
        }
    }
}
