//! Strings. One look finds the end of a stretch without escapes, eight bytes at a time and 32 in long texts, and the
//! stretch is then copied whole.

use super::Scan;

/// The number of words that are checked inline before a call is worth its cost.
const NEAR: usize = 3;

/// Returns a byte in each of eight places.
const fn eight(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Marks the bytes that are a quote, a backslash or a control character by their top bits. Bytes above the first one may
/// be marked in error, since a borrow goes on to them.
#[inline]
fn special_bytes(word: u64) -> u64 {
    // Less than a space, or 0 once the one looked for is taken out.
    let (quotes, backslashes) = (word ^ eight(b'"'), word ^ eight(b'\\'));
    let control = word.wrapping_sub(eight(b' ')) & !word;
    let quote = quotes.wrapping_sub(eight(1)) & !quotes;
    let backslash = backslashes.wrapping_sub(eight(1)) & !backslashes;
    (control | quote | backslash) & eight(0x80)
}

/// Returns the place of the first byte, from `at` on, that is a quote, a backslash or a control character; the length of the text
/// if there is none.
#[inline]
pub(crate) fn special(text: &[u8], at: usize) -> usize {
    let mut at = at;
    for _ in 0..NEAR {
        let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk) else { break };
        let found = special_bytes(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    far_special(text, at)
}

/// Finds the next special byte after the first words.
#[inline(never)]
fn far_special(text: &[u8], start: usize) -> usize {
    let mut rest = &text[start..];
    loop {
        // Blocks of 32 bytes, without an early end, so that they become vector instructions.
        while let Some((block, behind)) = rest.split_first_chunk::<32>()
            && !block.iter().fold(false, |any, byte| any | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\'))
        {
            rest = behind;
        }
        let Some((chunk, behind)) = rest.split_first_chunk() else { break };
        let found = special_bytes(u64::from_le_bytes(*chunk));
        if found != 0 {
            return text.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = behind;
    }
    let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
    text.len() - rest.len() + plain
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

    /// Returns a string without escapes.
    #[inline]
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        match self.stretch()? {
            (text, b'"') => Some(text),
            _ => None,
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

    /// Appends what follows a backslash.
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

    /// Returns the letter that is written behind a backslash. Half of a surrogate pair is none.
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
        let digits: &[u8; 4] = self.text.as_bytes().get(self.at..)?.first_chunk()?;
        self.at += 4;
        digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
    }

    /// Passes over a string. Here half of a surrogate pair is let through, as by serde_json.
    #[inline]
    pub(super) fn skip_text(&mut self) -> Option<()> {
        if !self.eat(b'"') {
            return None;
        }
        loop {
            self.at = special(self.text.as_bytes(), self.at);
            if self.eat(b'"') {
                return Some(());
            }
            self.skip_escape()?;
        }
    }

    #[inline(never)]
    fn skip_escape(&mut self) -> Option<()> {
        if !self.eat(b'\\') {
            return None;
        }
        let kind = self.peek()?;
        self.at += 1;
        match kind {
            b'u' => self.hex().map(|_| ()),
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            _ => None,
        }
    }
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
