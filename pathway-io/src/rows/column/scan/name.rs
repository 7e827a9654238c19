//! Names of fields, in a form that is looked up without comparing strings.

use super::Scan;
use super::text::special_bytes;

/// The first bytes of a name as two numbers, padded with zeros, and the length of the name. The key holds all of a name
/// with at most [`NameKey::BYTES`] bytes.
///
/// The numbers are two fields, so that they stay in registers. An array would be in memory, where a load of both
/// numbers has to wait for the two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameKey {
    first: u64,
    second: u64,
    len: usize,
}

impl NameKey {
    const BYTES: usize = 16;

    pub(crate) fn new(name: &str) -> Self {
        let (first, second) = padded(name.as_bytes());
        NameKey { first, second, len: name.len() }
    }

    /// Returns whether the key holds the whole name, so that names with this key are equal.
    #[inline]
    pub(crate) fn is_whole(self) -> bool {
        self.len <= Self::BYTES
    }

    /// Returns a number that has its random bits at the top.
    #[inline]
    pub(crate) fn hash(self) -> u64 {
        (self.first ^ self.second.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Returns the first bytes of a text as two numbers. A short text is padded with zeros.
fn padded(text: &[u8]) -> (u64, u64) {
    let mut bytes = [0; NameKey::BYTES];
    let len = text.len().min(bytes.len());
    bytes[..len].copy_from_slice(&text[..len]);
    words(u128::from_le_bytes(bytes))
}

#[inline]
fn words(bytes: u128) -> (u64, u64) {
    (bytes as u64, (bytes >> 64) as u64)
}

/// A field's name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) key: NameKey,
}

impl<'a> Scan<'a> {
    /// Reads a name without escapes.
    ///
    /// It does not branch on the length, which cannot be predicted if the order of the fields changes from row to row.
    #[inline(always)]
    pub(crate) fn name(&mut self) -> Option<Name<'a>> {
        if !self.eat(b'"') {
            return None;
        }
        let text = self.text.as_bytes();
        let rest = &text[self.at..];
        // The zeros after the end of the text count as control characters.
        let (first, second) = match (rest.first_chunk(), text.last_chunk()) {
            (Some(chunk), _) => words(u128::from_le_bytes(*chunk)),
            (None, Some(last)) if !rest.is_empty() => words(u128::from_le_bytes(*last) >> (128 - 8 * rest.len())),
            _ => padded(rest),
        };
        let (end, second_end) = (special_bytes(first), special_bytes(second));
        if end | second_end == 0 {
            return self.long_name();
        }
        let in_first = end != 0;
        let len = if in_first { places(end) } else { 8 + places(second_end) };
        if rest.get(len) != Some(&b'"') {
            return None;
        }
        let first = lower_bytes(first, end);
        let second = if in_first { 0 } else { lower_bytes(second, second_end) };
        self.at += len + 1;
        Some(Name { text: &rest[..len], key: NameKey { first, second, len } })
    }

    #[inline(never)]
    fn long_name(&mut self) -> Option<Name<'a>> {
        let (text, end) = self.next_stretch()?;
        (end == b'"').then(|| Name { text: text.as_bytes(), key: NameKey::new(text) })
    }
}

/// Returns the number of bytes before the first marked one.
#[inline]
fn places(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

/// Keeps the bytes before the first marked one. If none is marked, it keeps all.
#[inline]
fn lower_bytes(word: u64, marks: u64) -> u64 {
    // The lowest mark is the top bit of its byte.
    let lowest = marks & marks.wrapping_neg();
    word & (lowest >> 7).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_of_any_length() {
        for len in 0..40 {
            for letter in ["a", "\u{7f}"] {
                let name = letter.repeat(len);
                for after in ["", ":", ": 12345678901234567890", "\": \"\"", " \\"] {
                    let text = format!("\"{name}\"{after}");
                    let mut scan = Scan::new(&text);
                    let read = scan.name().unwrap();
                    assert_eq!((read.text, read.key), (name.as_bytes(), NameKey::new(&name)), "{text}");
                    assert_eq!(read.key.is_whole(), len <= 16);
                    assert_eq!(scan.at, len + 2);
                }
            }
            let name = "é".repeat(len);
            let text = format!("\"{name}\":1");
            assert_eq!(Scan::new(&text).name().unwrap().key, NameKey::new(&name));
        }
    }

    #[test]
    fn gives_up_unusual_names() {
        for text in [
            "",
            "a",
            "\"",
            "\"a",
            "\"a\\\"b\"",
            "\"a\tb\"",
            "\"a name without its end",
            "\"12345678",
            "\"1234567890123456",
        ] {
            assert!(Scan::new(text).name().is_none(), "{text}");
        }
    }
}
