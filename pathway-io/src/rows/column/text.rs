//! `String`: all strings of a column in one arena.

use serde::de::{Deserializer, Error, Visitor};

use super::mismatch::refuse;
use super::scan::{Scan, special};
use super::{Buffer, Ends, Scalar, Style, column_type, in_arena};
use crate::rows::data_type::DataType;

/// Strings, one after the other.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct TextBuffer {
    ends: Ends,
    arena: String,
}

column_type!(String, TextBuffer, DataType::Str; KeyType NotNull);

impl TextBuffer {
    #[inline]
    pub(super) fn text(&self, row: usize) -> &str {
        &self.arena[self.ends.range(row)]
    }

    #[inline]
    pub(super) fn append(&mut self, text: &str) {
        self.arena.push_str(text);
        self.ends.push(self.arena.len());
    }
}

impl Buffer for TextBuffer {
    type Item = String;
    const NEEDS_QUOTES: bool = true;

    in_arena!(text, Scalar::Text);

    #[inline]
    fn push(&mut self, item: String) {
        self.append(&item);
    }

    #[inline]
    fn push_placeholder(&mut self) {
        self.append("");
    }

    #[inline]
    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(TextVisitor(self))
    }

    #[inline]
    fn scan(&mut self, scan: &mut Scan<'_>) -> bool {
        let scanned = scan.text_into(&mut self.arena);
        self.ends.push(self.arena.len());
        scanned
    }

    #[inline]
    fn get(&self, row: usize) -> String {
        self.text(row).to_owned()
    }

    #[inline]
    fn write_text(&self, row: usize, _style: Style, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text(row).as_bytes());
    }

    #[inline]
    fn write_json(&self, row: usize, _style: Style, out: &mut Vec<u8>) {
        write_json_string(self.text(row), out);
    }
}

struct TextVisitor<'a>(&'a mut TextBuffer);

impl<'de> Visitor<'de> for TextVisitor<'_> {
    type Value = ();

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.append(text);
        Ok(())
    }

    refuse!(DataType::Str; bool integer float unit seq map);
}

/// Appends a JSON string. Most strings contain nothing to escape, and are copied as a whole.
#[inline]
pub(crate) fn write_json_string(text: &str, out: &mut Vec<u8>) {
    if special(text.as_bytes(), 0) < text.len() {
        // Writing a text into memory cannot fail.
        let written = serde_json::to_writer(out, text);
        debug_assert!(written.is_ok());
    } else {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }
}
