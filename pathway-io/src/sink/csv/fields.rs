//! Writes the fields of a row as text, with quotes.

use crate::rows::column::{Buffer, Scalar, Style};
use crate::rows::data_type::DataType;
use crate::rows::description::Column;
use crate::rows::fields::Visitor;

/// Appends each field of a row and a comma, with quotes if the field needs them.
pub(super) struct Minimal<'a> {
    pub(super) row: usize,
    pub(super) out: &'a mut Vec<u8>,
}

impl Visitor for Minimal<'_> {
    #[inline]
    fn column<B: Buffer>(&mut self, _index: usize, buffer: &B) {
        if B::NEEDS_QUOTES
            && let Scalar::Text(text) = buffer.scalar(self.row)
        {
            write_text(text.as_bytes(), self.out);
            self.out.push(b',');
            return;
        }
        let start = self.out.len();
        if !buffer.is_null(self.row) {
            buffer.write_text(self.row, Style::Plain, self.out);
            if B::NEEDS_QUOTES {
                quote_if_needed(self.out, start);
            } else if self.out.len() == start {
                // An empty byte string is not a null.
                self.out.extend_from_slice(b"\"\"");
            }
        }
        self.out.push(b',');
    }
}

/// Appends each field of a row and a comma, always with quotes, as Pathway does.
pub(super) struct Quoted<'a> {
    pub(super) row: usize,
    pub(super) out: &'a mut Vec<u8>,
}

impl Visitor for Quoted<'_> {
    #[inline]
    fn column<B: Buffer>(&mut self, _index: usize, buffer: &B) {
        if buffer.is_null(self.row) {
            self.out.extend_from_slice(b"\"None\",");
            return;
        }
        self.out.push(b'"');
        let start = self.out.len();
        buffer.write_text(self.row, Style::Pathway, self.out);
        if B::NEEDS_QUOTES {
            double_quotes(self.out, start);
        }
        self.out.extend_from_slice(b"\",");
    }
}

/// Appends each field like the other visitors, and escapes fields that would be formulas.
pub(super) struct Escaped<'a> {
    pub(super) row: usize,
    pub(super) is_pathway: bool,
    pub(super) columns: &'static [Column],
    pub(super) out: &'a mut Vec<u8>,
}

impl Visitor for Escaped<'_> {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        let (row, start) = (self.row, self.out.len());
        if self.is_pathway {
            Quoted { row, out: self.out }.column(index, buffer);
        } else {
            Minimal { row, out: self.out }.column(index, buffer);
        }
        // Base64 can begin with a `+`, and a year outside 0 to 9999 begins with a sign.
        if let DataType::Str
        | DataType::Bytes
        | DataType::Date
        | DataType::DateTime
        | DataType::Timestamp
        | DataType::OffsetDateTime = self.columns[index].data_type
        {
            escape_formula(self.out, start);
        }
    }
}

/// Escapes the field that starts at `start`, if a spreadsheet would run it.
pub(super) fn escape_formula(out: &mut Vec<u8>, start: usize) {
    let text = start + usize::from(out.get(start) == Some(&b'"'));
    if let Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n') = out.get(text) {
        out.insert(text, b'\'');
    }
}

/// Appends a field, in quotes if it needs them.
#[inline]
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    if text.is_empty() || needs_quotes(text) {
        write_quoted(text, out);
    } else {
        out.extend_from_slice(text);
    }
}

/// Appends a field in quotes, and doubles the quotes in it.
#[inline(never)]
fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut copied = 0;
    for quote in memchr::memchr_iter(b'"', text) {
        out.extend_from_slice(&text[copied..=quote]);
        copied = quote;
    }
    out.extend_from_slice(&text[copied..]);
    out.push(b'"');
}

/// Quotes the field that starts at `start` if it contains a special character, or if it is empty, because an empty
/// field is a null.
#[inline]
pub(super) fn quote_if_needed(out: &mut Vec<u8>, start: usize) {
    let field = &out[start..];
    if field.is_empty() || needs_quotes(field) {
        quote(out, start);
    }
}

/// Measurements show that memchr is fastest for long strings. For short strings, blocks without an early exit are
/// faster, because they compile to vector instructions. The last block overlaps the one before.
#[inline]
fn needs_quotes(field: &[u8]) -> bool {
    if field.len() > 128 {
        return memchr::memchr3(b'"', b',', b'\n', field).is_some() || memchr::memchr(b'\r', field).is_some();
    }
    match (field.as_chunks(), field.last_chunk()) {
        ((blocks, _), Some(last)) => {
            blocks.iter().chain([last]).any(|block: &[u8; BLOCK]| needs_quotes_anywhere(block))
        }
        _ => match (field.first_chunk::<8>(), field.last_chunk::<8>()) {
            (Some(first), Some(last)) => needs_quotes_anywhere(first) || needs_quotes_anywhere(last),
            _ => needs_quotes_anywhere(&few(field)),
        },
    }
}

/// Returns eight bytes that contain each of the field's bytes, of which there are at most eight. The bytes are combined
/// in a register, because a load of all eight would have to wait for the stores of the halves.
#[inline]
fn few(field: &[u8]) -> [u8; 8] {
    let word = match (field.first_chunk(), field.last_chunk(), field) {
        (Some(first), Some(last), _) => {
            u64::from(u32::from_ne_bytes(*first)) | u64::from(u32::from_ne_bytes(*last)) << 32
        }
        (_, _, [first, .., last]) => {
            [*first, field[field.len() / 2], *last].iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
        }
        (_, _, [byte]) => u64::from(*byte),
        (_, _, []) => 0,
    };
    word.to_ne_bytes()
}

const BLOCK: usize = 16;

#[inline]
fn needs_quotes_anywhere(block: &[u8]) -> bool {
    block.iter().fold(false, |any, byte| any | (*byte == b'"') | (*byte == b',') | (*byte == b'\r') | (*byte == b'\n'))
}

/// Adds quotes around the field that starts at `start`.
#[cold]
pub(super) fn quote(out: &mut Vec<u8>, start: usize) {
    out.insert(start, b'"');
    double_quotes(out, start + 1);
    out.push(b'"');
}

/// The number of bytes per quote below which a copy byte by byte is faster than a search for each quote, as in JSON.
const DENSE: usize = 16;

/// Doubles the quotes in the bytes from `start` on.
#[inline]
fn double_quotes(out: &mut Vec<u8>, start: usize) {
    let mut end = out.len();
    let quotes = count_quotes(&out[start..]);
    if quotes == 0 {
        return;
    }
    let mut to = end + quotes;
    out.resize(to, b'"');
    if end - start < DENSE * quotes {
        // Each byte is moved to its new place, and a quote to two places, beginning with the last one.
        let out = out.as_mut_slice();
        while to > end {
            end -= 1;
            let byte = out[end];
            out[to - 1] = byte;
            to -= 1 + usize::from(byte == b'"');
            out[to] = byte;
        }
        return;
    }
    // Each stretch between quotes is moved to its new place, beginning with the last one.
    while let Some(at) = memchr::memrchr(b'"', &out[start..end]) {
        let at = start + at;
        to -= end - at;
        out.copy_within(at..end, to);
        to -= 1;
        out[to] = b'"';
        end = at;
    }
}

#[inline]
fn count_quotes(text: &[u8]) -> usize {
    if text.len() < 256 {
        // Sums of bytes become vector instructions.
        usize::from(text.iter().map(|byte| u8::from(*byte == b'"')).sum::<u8>())
    } else {
        memchr::memchr_iter(b'"', text).count()
    }
}

#[cfg(all(test, feature = "persist", feature = "infer"))]
#[path = "tests.rs"]
mod tests;
