//! A row's JSON read without serde_json, straight into the columns: [`Scan`] is the place in its text.
//!
//! Nothing is judged here. What the scan does not take (an error, or something so rare that it is not worth the code) it
//! gives up, and serde_json reads the row from its start. So it must take only what serde_json would take, and to the
//! same value; property tests and the fuzz target `next_json` hold it to that.
//!
//! | file | reads |
//! |---|---|
//! | `mod.rs` | the marks between values, and names |
//! | `text.rs` | strings and their escapes |
//! | `number.rs` | integers and floats |
//! | `value.rs` | any value, to pass over it or to have serde_json decode it alone |

mod number;
mod text;
mod value;

pub(crate) use self::text::special;
pub(crate) use self::value::decode;

/// A place in a row's text, and how far the columns have come in their order.
#[derive(Debug)]
pub struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// The place behind the last column that came in its turn, and how many these are.
    in_order: (usize, usize),
    gave_up: bool,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Scan { text, at: 0, in_order: (0, 0), gave_up: false }
    }

    /// Returns where it is, to go back there.
    #[inline]
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    #[inline]
    pub(crate) fn go_back(&mut self, place: usize) {
        self.at = place;
    }

    /// Returns the text from a place on up to where it is.
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

    /// Returns the comma between one field and the next.
    #[inline]
    pub(crate) fn next(&mut self) -> bool {
        self.mark(b',')
    }

    /// Reads a mark between values, with white space around it. Usually there is none before it and at most one space after it.
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

    /// `{` at the start of the text.
    #[inline]
    pub(crate) fn open(&mut self) -> bool {
        self.space();
        let open = self.eat(b'{');
        self.space();
        self.in_order = (self.at, 0);
        // Else the fields would be read without it.
        self.gave_up |= !open;
        open
    }

    /// `}` at the end of the text.
    #[inline]
    pub(crate) fn close(&mut self) -> bool {
        self.space();
        self.eat(b'}') && self.end()
    }

    /// Returns the end of the text.
    #[inline]
    pub(crate) fn end(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    /// `"name":` with white space around the colon. If anything else is there, the place stays where it is.
    ///
    /// Inlined with the column, it compares with a constant; as a call for any name it took five times the instructions.
    #[inline(always)]
    pub(crate) fn name(&mut self, name: &str) -> bool {
        // A name that JSON would escape is not found, since the text has no escape then.
        let end = self.at + name.len() + 1;
        let found = self.text.as_bytes().get(self.at..=end).is_some_and(|quoted| {
            quoted[0] == b'"' && quoted[name.len() + 1] == b'"' && &quoted[1..=name.len()] == name.as_bytes()
        });
        if !found {
            return false;
        }
        let start = self.at;
        self.at = end + 1;
        let named = self.colon();
        if !named {
            // Or another text behind the name would be taken for a name.
            self.at = start;
        }
        named
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

    /// Notes whether the value of a column that came in its turn was read.
    #[inline]
    pub(crate) fn column_in_order(&mut self, scanned: bool) {
        self.gave_up |= !scanned;
        self.in_order = (self.at, self.in_order.1 + 1);
    }

    /// Goes back to where the columns left their order, and says how many came in it; `None` if a value was given up.
    #[inline]
    pub(crate) fn leave_order(&mut self) -> Option<usize> {
        self.at = self.in_order.0;
        (!self.gave_up).then_some(self.in_order.1)
    }
}
