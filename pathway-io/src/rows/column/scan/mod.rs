//! Reads a row's JSON without serde_json, straight into the columns. [`Scan`] is the position in the text.
//!
//! The scan reports no errors. If it finds an error, or a form that is too rare to be worth the code, it gives up, and
//! serde_json reads the row from its start. The scan must therefore accept only text that serde_json accepts, and must
//! read the same value from it. Property tests and the fuzz target `next_json` check that.
//!
//! | file | reads |
//! |---|---|
//! | `mod.rs` | the marks between values, and the name of the next column |
//! | `name.rs` | any name |
//! | `text.rs` | strings and their escapes |
//! | `number.rs` | integers and floats |
//! | `value.rs` | any value, to skip it or to let serde_json decode only this value |

mod name;
mod number;
mod text;
mod value;

use std::ops::Range;

pub(crate) use self::name::{KnownName, NameKey, NameStart};
pub(crate) use self::text::special;
pub(crate) use self::value::decode;

/// A position in a row's text, and the number of columns that were found in order.
#[derive(Debug)]
pub struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// The columns that were read in their order. The column at the end of the range is not next in the text.
    pub(crate) in_order: Range<usize>,
    /// The columns before this one are not next in the text.
    pub(crate) from: usize,
    /// The place of the first field.
    start: usize,
    gave_up: bool,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Scan { text, at: 0, in_order: 0..0, from: 0, start: 0, gave_up: false }
    }

    /// Returns the position, to which the scan can return.
    #[inline]
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    #[inline]
    pub(crate) fn go_back(&mut self, place: usize) {
        self.at = place;
    }

    /// Returns the text from `start` to the current position.
    #[inline]
    pub(crate) fn since(&self, place: usize) -> Option<&'a str> {
        self.text.get(place..self.at)
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    pub(crate) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Reads the comma between two fields.
    #[inline]
    pub(crate) fn next(&mut self) -> bool {
        self.mark(b',')
    }

    /// Reads a mark between values, with white space around it. Usually there is none before it and at most one space
    /// after it.
    #[inline]
    fn mark(&mut self, mark: u8) -> bool {
        if let Some([first, second, third, ..]) = self.text.as_bytes().get(self.at..)
            && *first == mark
            && (*second > b' ' || *third > b' ' && *second == b' ')
        {
            self.at += if *second > b' ' { 1 } else { 2 };
            return true;
        }
        self.mark_in_space(mark)
    }

    #[inline(never)]
    fn mark_in_space(&mut self, mark: u8) -> bool {
        self.space();
        let found = self.eat(mark);
        self.space();
        found
    }

    /// Reads `{` at the start of the text.
    #[inline]
    pub(crate) fn open(&mut self) -> bool {
        self.space();
        let open = self.eat(b'{');
        self.space();
        self.start = self.at;
        open
    }

    /// Returns whether no field was read.
    #[inline]
    pub(crate) fn is_first(&self) -> bool {
        self.at == self.start
    }

    /// Reads `}` at the end of the text. If something else is there, the place stays where it is.
    #[inline]
    pub(crate) fn close(&mut self) -> bool {
        let start = self.at;
        self.space();
        let closed = self.eat(b'}') && self.end();
        if !closed {
            self.at = start;
        }
        closed
    }

    /// Returns whether only white space follows.
    #[inline]
    fn end(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    /// Reads `"name":` before a value, and the comma before it unless the field is the first. If another name is there,
    /// the place stays where it is.
    ///
    /// The function is inlined with the column, so that it compares with a constant. When it was called instead, it
    /// took five times the instructions.
    #[inline(always)]
    pub(crate) fn field(&mut self, name: &str, first: bool) -> bool {
        // A name that must be escaped in JSON is never found, because the comparison is with the unescaped name.
        let text = self.text.as_bytes();
        let mut at = self.at;
        if !first {
            match text.get(at..) {
                Some([b',', b' ', ..]) => at += 2,
                Some([b',', ..]) => at += 1,
                _ => return self.field_in_space(name, first),
            }
        }
        let end = at + name.len() + 3;
        match text.get(at..=end) {
            Some(field)
                if field[0] == b'"' && field[name.len() + 1] == b'"' && &field[1..=name.len()] == name.as_bytes() =>
            {
                // Usually there is at most one space after the colon.
                at = match (field[name.len() + 2], field[name.len() + 3]) {
                    (b':', b'!'..) => end,
                    (b':', b' ') if text.get(end + 1).is_some_and(|value| *value > b' ') => end + 1,
                    _ => return self.field_in_space(name, first),
                };
                self.at = at;
                true
            }
            Some([b'"', ..]) => false,
            _ => self.field_in_space(name, first),
        }
    }

    /// Reads a field's name as [`field`](Self::field) does, with any white space around the name and the colon.
    #[inline(never)]
    fn field_in_space(&mut self, name: &str, first: bool) -> bool {
        let start = self.at;
        let found = (first || self.next())
            && self.eat(b'"')
            && self.literal(name.as_bytes())
            && self.eat(b'"')
            && self.mark_in_space(b':');
        if !found {
            self.at = start;
        }
        found
    }

    #[inline]
    pub(crate) fn colon(&mut self) -> bool {
        self.mark(b':')
    }

    #[inline]
    pub(crate) fn literal(&mut self, literal: &[u8]) -> bool {
        let found = self.text.as_bytes()[self.at..].starts_with(literal);
        self.at += if found { literal.len() } else { 0 };
        found
    }

    /// Notes that the value of a column was not read, and returns `false`.
    #[cold]
    pub(crate) fn give_up(&mut self) -> bool {
        self.gave_up = true;
        false
    }

    #[inline]
    pub(crate) fn gave_up(&self) -> bool {
        self.gave_up
    }
}
