//! Names of fields, in a form that is looked up without comparing strings.

use super::Scan;
use super::text::special;

/// The number of bytes in a word.
const WORD: usize = size_of::<u64>();

/// The first bytes of a name, padded with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameKey {
    first: u64,
    second: u64,
}

impl NameKey {
    /// Returns the key of a name that has no quote.
    fn new(name: &str) -> Self {
        let (first, second) = padded(name.as_bytes());
        NameKey { first, second }
    }

    /// Returns the key of the name that is followed by the first quote in two words of text.
    ///
    /// The code does not branch on the length of the name, which cannot be predicted if the order of the fields changes
    /// from row to row.
    #[inline(always)]
    fn before_quote(first: u64, second: u64) -> Self {
        let (quotes, second_quotes) = (quotes(first), quotes(second));
        let continues = u64::from(quotes == 0).wrapping_neg();
        NameKey { first: lower_bytes(first, quotes), second: lower_bytes(second, second_quotes) & continues }
    }

    /// Returns a number that has its random bits at the top.
    #[inline]
    pub(crate) fn hash(self) -> u64 {
        (self.first ^ self.second.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// A name that is looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownName {
    text: &'static str,
    pub(crate) key: NameKey,
}

impl KnownName {
    pub(crate) fn new(text: &'static str) -> Self {
        KnownName { text, key: NameKey::new(text) }
    }

    /// Returns whether a field has this name.
    #[inline(always)]
    pub(crate) fn is_at(&self, start: &NameStart<'_>) -> bool {
        self.key == start.key
            && start.text.get(self.text.len()) == Some(&b'"')
            && (self.text.len() <= 2 * WORD || starts_with(start.text, self.text))
    }
}

#[inline(never)]
fn starts_with(text: &[u8], name: &str) -> bool {
    text.starts_with(name.as_bytes())
}

/// The place of a field's name, after its opening quote.
#[derive(Debug)]
pub(crate) struct NameStart<'a> {
    /// The name and all of the text after it.
    text: &'a [u8],
    pub(crate) at: usize,
    pub(crate) key: NameKey,
}

/// Returns the first bytes of a text as two words. A short text is padded with zeros.
#[inline(never)]
fn padded(text: &[u8]) -> (u64, u64) {
    let mut bytes = [0; 2 * WORD];
    let len = text.len().min(bytes.len());
    bytes[..len].copy_from_slice(&text[..len]);
    words(u128::from_le_bytes(bytes))
}

/// Returns the last `len` bytes of a text, which are fewer than 16, as two words.
#[inline(never)]
fn words_before_end(text: &[u8], len: usize) -> (u64, u64) {
    match text.last_chunk() {
        Some(last) if len > 0 => words(u128::from_le_bytes(*last) >> (128 - 8 * len)),
        _ => padded(&text[text.len() - len..]),
    }
}

#[inline]
fn words(bytes: u128) -> (u64, u64) {
    (bytes as u64, (bytes >> 64) as u64)
}

/// Marks the bytes that are a quote by their top bits. Bytes above the first marked one may be wrong, because a borrow
/// affects them.
#[inline]
fn quotes(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; WORD]);
    let other = word ^ (ONES * b'"' as u64);
    other.wrapping_sub(ONES) & !other & (ONES << 7)
}

/// Keeps the bytes before the first marked one. If none is marked, it keeps all.
#[inline]
fn lower_bytes(word: u64, marks: u64) -> u64 {
    // The lowest mark is the top bit of its byte.
    let lowest = marks & marks.wrapping_neg();
    word & (lowest >> 7).wrapping_sub(1)
}

impl<'a> Scan<'a> {
    /// Returns the start of the next field's name, after the comma, unless the field is the first. The place stays
    /// where it is.
    #[inline(always)]
    pub(crate) fn name_start(&mut self, first: bool) -> Option<NameStart<'a>> {
        let text = self.text.as_bytes();
        let at = match text.get(self.at..) {
            Some([b',', b' ', b'"', ..]) if !first => self.at + 3,
            Some([b',', b'"', ..]) if !first => self.at + 2,
            Some([b'"', ..]) if first => self.at + 1,
            _ => self.name_after_space(first)?,
        };
        let rest = text.get(at..)?;
        let (first, second) = match rest.first_chunk() {
            Some(chunk) => words(u128::from_le_bytes(*chunk)),
            None => words_before_end(text, rest.len()),
        };
        Some(NameStart { text: rest, at, key: NameKey::before_quote(first, second) })
    }

    #[inline(never)]
    fn name_after_space(&mut self, first: bool) -> Option<usize> {
        let place = self.at;
        let found = (first || self.next()) && self.eat(b'"');
        let start = std::mem::replace(&mut self.at, place);
        found.then_some(start)
    }

    /// Passes over a name that is known.
    #[inline(always)]
    pub(crate) fn pass_name(&mut self, start: &NameStart<'a>, name: &KnownName) {
        self.at = start.at + name.text.len() + 1;
    }

    /// Reads a name without escapes, from the byte after its opening quote.
    #[inline(never)]
    pub(crate) fn unknown_name(&mut self, at: usize) -> Option<&'a str> {
        let end = special(self.text.as_bytes(), at);
        self.at = end + 1;
        if self.text.as_bytes().get(end) == Some(&b'"') { self.text.get(at..end) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_of_any_length() {
        for len in 0..40 {
            for letter in ["a", "\u{7f}", "é"] {
                let name = letter.repeat(len);
                let known = KnownName::new(name.clone().leak());
                let longer = KnownName::new(format!("{name}b").leak());
                let shorter = name.char_indices().last().map(|(at, _)| KnownName::new(name[..at].to_string().leak()));
                for after in ["", ":", ": 12345678901234567890", ":\"\"", ", \"\u{0}\u{0}\u{0}\u{0}"] {
                    let text = format!("\"{name}\"{after}");
                    let mut scan = Scan::new(&text);
                    let start = scan.name_start(true).unwrap();
                    assert!(known.is_at(&start), "{text}");
                    assert!(!longer.is_at(&start) && !shorter.is_some_and(|name| name.is_at(&start)), "{text}");
                    scan.pass_name(&start, &known);
                    assert_eq!(scan.at, name.len() + 2);
                    assert_eq!(scan.unknown_name(start.at), Some(&*name));
                    assert_eq!(scan.at, name.len() + 2);
                }
                for wrong in
                    [format!("\"{name}"), format!("\"{name}\u{0}\""), format!("\"{name}\\\""), format!("\"b{name}\"")]
                {
                    let start = Scan::new(&wrong).name_start(true).unwrap();
                    assert!(!known.is_at(&start), "{wrong}");
                }
            }
        }
    }

    #[test]
    fn gives_up_unusual_names() {
        for text in ["", "a", ",\"a\""] {
            assert!(Scan::new(text).name_start(true).is_none(), "{text}");
        }
        for text in ["\"", "\"a", "\"a\\\"b\"", "\"a\tb\"", "\"a name without its end", "\"12345678"] {
            let mut scan = Scan::new(text);
            let start = scan.name_start(true).unwrap();
            assert!(scan.unknown_name(start.at).is_none(), "{text}");
        }
    }
}
