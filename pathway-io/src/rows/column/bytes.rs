//! `Vec<u8>` and `bytes::Bytes`: all bytes of a column in one arena; base64 in text.
//!
//! A `Bytes` is copied, too, although it could be shared. A few shared bytes would keep a whole large buffer in
//! memory, and the backlog would count only the few.

use std::marker::PhantomData;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};
use serde::de::{Deserializer, Error, Visitor};

use super::mismatch::refuse;
use super::{Buffer, ColumnType, Ends, Scalar, Style, in_arena};
use crate::rows::data_type::DataType;

/// Strings of bytes, one after the other. It is the buffer of a `Vec<u8>` because `u8` names it as its `ListBuffer`.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct BytesBuffer<T = Vec<u8>> {
    pub(super) ends: Ends,
    pub(super) arena: Vec<u8>,
    item: PhantomData<T>,
}

#[cfg(feature = "bytes")]
super::column_type!(bytes::Bytes, BytesBuffer<bytes::Bytes>, DataType::Bytes; KeyType NotNull);

/// A string of bytes.
#[doc(hidden)]
pub trait ByteString: ColumnType + AsRef<[u8]> + From<Vec<u8>> + Default {}

impl<T: ColumnType + AsRef<[u8]> + From<Vec<u8>> + Default> ByteString for T {}

impl<T> BytesBuffer<T> {
    #[inline]
    pub(super) fn slice(&self, row: usize) -> &[u8] {
        &self.arena[self.ends.range(row)]
    }

    #[inline]
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.arena.extend_from_slice(bytes);
        self.ends.push(self.arena.len());
    }
}

impl<T: ByteString> Buffer for BytesBuffer<T> {
    type Item = T;
    const NEEDS_QUOTES: bool = false;

    in_arena!(slice, Scalar::Bytes);

    #[inline]
    fn push(&mut self, item: T) {
        self.append(item.as_ref());
    }

    #[inline]
    fn push_placeholder(&mut self) {
        self.append(b"");
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(BytesVisitor(self))
    }

    #[inline]
    fn get(&self, row: usize) -> T {
        T::from(self.slice(row).to_vec())
    }

    fn write_text(&self, row: usize, _style: Style, out: &mut Vec<u8>) {
        let bytes = self.slice(row);
        let start = out.len();
        out.resize(start + bytes.len().div_ceil(3) * 4, 0);
        // The space is large enough for padded base64, so this cannot fail.
        let written = STANDARD.encode_slice(bytes, &mut out[start..]);
        debug_assert_eq!(written.ok(), Some(out.len() - start));
    }

    fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        out.push(b'"');
        self.write_text(row, style, out);
        out.push(b'"');
    }
}

struct BytesVisitor<'a, T>(&'a mut BytesBuffer<T>);

impl<'de, T> Visitor<'de> for BytesVisitor<'_, T> {
    type Value = ();

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        STANDARD.decode_vec(text, &mut self.0.arena).map_err(|error| E::custom(describe(text, &error)))?;
        self.0.ends.push(self.0.arena.len());
        Ok(())
    }

    refuse!(DataType::Bytes; bool integer float unit seq map);
}

#[cold]
fn describe(text: &str, error: &DecodeError) -> String {
    let reason = match error {
        DecodeError::InvalidByte(at, _) => match text.get(*at..).and_then(|rest| rest.chars().next()) {
            Some(found) => format!("{found:?} at {at}"),
            None => format!("byte {at}"),
        },
        DecodeError::InvalidLength(len) => format!("a length of {len}"),
        DecodeError::InvalidLastSymbol { .. } => "a last character with stray bits".to_owned(),
        DecodeError::InvalidPadding => "wrong padding".to_owned(),
    };
    format!("expected a `Vec<u8>` in base64, found a string that is not base64: {reason}")
}
