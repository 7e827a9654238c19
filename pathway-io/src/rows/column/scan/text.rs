//! Strings. The scan searches for the end of a stretch without escapes, eight bytes at a time and 64 in long strings,
//! and then copies the whole stretch.

use super::Scan;

/// The number of words that are checked inline before a call is worth its cost.
const NEAR: usize = 3;

/// Returns a word with the byte in all eight places.
const fn eight(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Marks the bytes that are a quote, a backslash or a control character by their top bits. Bytes above the first
/// marked one may be wrong, because a borrow affects them.
#[inline]
fn special_bytes(word: u64) -> u64 {
    // Flipping the bit of value 2 turns the quote (0x22) into 0x20, the first byte after the control characters, and
    // the space into 0x22. One subtraction then finds the quote and the control characters, and not the space.
    let quote_or_control = (word ^ eight(2)).wrapping_sub(eight(b'"' - 1));
    let backslash = (word ^ eight(b'\\')).wrapping_sub(eight(1));
    (quote_or_control | backslash) & !word & eight(0x80)
}

/// Returns the position of the first quote, backslash or control character from `at` on, or the length of the text.
#[inline]
pub(crate) fn special(text: &[u8], at: usize) -> usize {
    let mut at = at;
    for _ in 0..NEAR {
        let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk) else { return special_at_end(text, at) };
        let found = special_bytes(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    far_special(text, at)
}

/// Finds the next special byte among the last seven.
#[inline(never)]
fn special_at_end(text: &[u8], at: usize) -> usize {
    let len = text.len() - at;
    let rest = match text.last_chunk() {
        Some(last) if len > 0 => u64::from_le_bytes(*last) >> (64 - 8 * len),
        _ => return at + text[at..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..b' ')).count(),
    };
    // The zeros after the end of the text count as control characters.
    at + special_bytes(rest).trailing_zeros() as usize / 8
}

/// Finds the next special byte after the first words.
#[inline(never)]
fn far_special(text: &[u8], start: usize) -> usize {
    // A block has no early end, so that it becomes vector instructions.
    let has_special = |block: &&[u8; 64]| {
        block.iter().fold(false, |any, byte| any | (*byte == b'"') | (*byte == b'\\') | (*byte < b' '))
    };
    let (blocks, _) = text[start..].as_chunks();
    let mut at = start + 64 * blocks.iter().take_while(|block| !has_special(block)).count();
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let found = special_bytes(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    special_at_end(text, at)
}

impl<'a> Scan<'a> {
    /// Appends the string.
    #[inline]
    pub(crate) fn text_into(&mut self, out: &mut String) -> bool {
        match self.stretch() {
            Some((text, b'"')) => {
                out.push_str(text);
                true
            }
            Some((text, b'\\')) => {
                out.push_str(text);
                self.escaped(out)
            }
            _ => false,
        }
    }

    /// Returns a string's text up to the first special byte, and that byte.
    #[inline]
    fn stretch(&mut self) -> Option<(&'a str, u8)> {
        if self.eat(b'"') { self.next_stretch() } else { None }
    }

    #[inline]
    fn next_stretch(&mut self) -> Option<(&'a str, u8)> {
        let end = special(self.text.as_bytes(), self.at);
        let byte = *self.text.as_bytes().get(end)?;
        let stretch = self.text.get(self.at..end)?;
        self.at = end + 1;
        Some((stretch, byte))
    }

    /// Appends the character of the escape after a backslash.
    fn escaped(&mut self, out: &mut String) -> bool {
        loop {
            let Some(letter) = self.escape() else { return false };
            out.push(letter);
            let Some((text, end)) = self.next_stretch() else { return false };
            out.push_str(text);
            match end {
                b'"' => return true,
                b'\\' => {}
                _ => return false,
            }
        }
    }

    /// Returns the character of the escape after a backslash, or `None` for half a surrogate pair.
    #[inline]
    fn escape(&mut self) -> Option<char> {
        let kind = self.peek()?;
        self.at += 1;
        Some(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first);
                }
                let second = if self.literal(b"\\u") { self.hex()?.checked_sub(0xdc00)? } else { return None };
                let letter = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second);
                return if second < 0x400 { letter } else { None };
            }
            _ => return None,
        })
    }

    #[inline]
    fn hex(&mut self) -> Option<u32> {
        let value = hex(self.text.as_bytes().get(self.at..)?)?;
        self.at += 4;
        Some(value)
    }
}

/// Returns the position after a string that is skipped. Like serde_json, it accepts half of a surrogate pair there.
#[inline(always)]
pub(super) fn after_string(text: &[u8], start: usize) -> Option<usize> {
    if let Some(chunk) = text.get(start..).and_then(<[u8]>::first_chunk) {
        // If none of the eight bytes is special, the string may end after them.
        let end = start + special_bytes(u64::from_le_bytes(*chunk)).trailing_zeros() as usize / 8;
        if text.get(end) == Some(&b'"') {
            return Some(end + 1);
        }
    }
    after_long_string(text, start)
}

#[inline(never)]
fn after_long_string(text: &[u8], start: usize) -> Option<usize> {
    let mut at = special(text, start);
    loop {
        match *text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => {}
            _ => return None,
        }
        let escape = text.get(at + 1..)?;
        at += match escape {
            [b'u', digits @ ..] => {
                hex(digits)?;
                6
            }
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            _ => return None,
        };
        at = special(text, at);
    }
}

#[inline]
fn hex(digits: &[u8]) -> Option<u32> {
    let digits: &[u8; 4] = digits.first_chunk()?;
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_special_byte_wherever_it_is() {
        for len in 0..100 {
            assert_eq!(special(&vec![b'x'; len], 0), len);
            for place in 0..len {
                for byte in [b'"', b'\\', 0, b'\n', 0x1f] {
                    let mut text = vec![b'x'; len];
                    text[place] = byte;
                    assert_eq!(special(&text, 0), place);
                    assert_eq!(special(&text, place + 1), len);
                }
                for byte in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0x9f, 0xa2, 0xdc, 0xff] {
                    let mut text = vec![b'"'; len];
                    text[..=place].fill(byte);
                    assert_eq!(special(&text, 0), place + 1, "{byte}");
                }
            }
        }
    }
}
