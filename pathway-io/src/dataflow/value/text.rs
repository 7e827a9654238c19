//! [`Values`] that are strings or byte strings.

use std::cmp::Ordering;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer};
use serde::ser::Serializer;

use super::Values;
use crate::rows::column::bytes::{ByteString, BytesBuffer};
use crate::rows::column::text::TextBuffer;

impl Values<String> for TextBuffer {
    #[inline]
    fn clone(value: &String) -> String {
        value.clone()
    }

    #[inline]
    fn compare(a: &String, b: &String) -> Ordering {
        a.cmp(b)
    }

    #[inline]
    fn hash<H: Hasher>(value: &String, state: &mut H) {
        value.hash(state);
    }

    fn debug(value: &String, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        value.fmt(f)
    }

    #[inline]
    fn serialize<Z: Serializer>(value: &String, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_str(value)
    }

    #[inline]
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer)
    }
}

impl<T: ByteString> Values<T> for BytesBuffer<T> {
    fn clone(value: &T) -> T {
        T::from(value.as_ref().to_vec())
    }

    fn compare(a: &T, b: &T) -> Ordering {
        a.as_ref().cmp(b.as_ref())
    }

    fn hash<H: Hasher>(value: &T, state: &mut H) {
        value.as_ref().hash(state);
    }

    fn debug(value: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        value.as_ref().fmt(f)
    }

    fn serialize<Z: Serializer>(value: &T, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_bytes(value.as_ref())
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_byte_buf(ByteStringVisitor).map(T::from)
    }
}

struct ByteStringVisitor;

impl<'de> serde::de::Visitor<'de> for ByteStringVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = sequence.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}
