//! `[T; N]`: the elements of all arrays in one buffer, `N` a row.

use std::array;
use std::hash::Hasher;
use std::ops::Range;

use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use super::list::{ListBuffer, write_json_list};
use super::mismatch::{ExpectedType, refuse};
use super::{Buffer, ColumnType, KeyType, NotNull, Style, ValueSeed};
use crate::rows::data_type::DataType;

/// Arrays, one after the other.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct ArrayBuffer<B, const N: usize> {
    /// The number of rows. It cannot be derived from the items if `N` is 0.
    len: usize,
    items: B,
}

impl<T: ColumnType, const N: usize> ColumnType for [T; N] {
    const DATA_TYPE: DataType = DataType::Array(&T::ELEMENT, N);
    const HAS_PLACEHOLDER: bool = T::HAS_PLACEHOLDER;
    type Buffer = ArrayBuffer<T::Buffer, N>;
    type ListBuffer = ListBuffer<ArrayBuffer<T::Buffer, N>>;
}

#[diagnostic::do_not_recommend]
impl<T: KeyType, const N: usize> KeyType for [T; N] {
    fn canonical(self) -> Self {
        self.map(T::canonical)
    }
}

impl<T: ColumnType, const N: usize> NotNull for [T; N] {}

impl<B, const N: usize> ArrayBuffer<B, N> {
    #[inline]
    fn range(row: usize) -> Range<usize> {
        row * N..(row + 1) * N
    }
}

impl<B: Buffer, const N: usize> Buffer for ArrayBuffer<B, N> {
    type Item = [B::Item; N];
    const NEEDS_QUOTES: bool = true;
    const CAN_REFUSE: bool = B::CAN_REFUSE;

    #[inline]
    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn bytes(&self) -> usize {
        self.items.bytes()
    }

    fn push(&mut self, array: [B::Item; N]) {
        for item in array {
            self.items.push(item);
        }
        self.len += 1;
    }

    fn push_placeholder(&mut self) {
        for _ in 0..N {
            self.items.push_placeholder();
        }
        self.len += 1;
    }

    fn push_from(&mut self, other: &Self, row: usize) {
        for item in Self::range(row) {
            self.items.push_from(&other.items, item);
        }
        self.len += 1;
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(ArrayVisitor(self))
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.items.truncate(self.len * N);
    }

    fn get(&self, row: usize) -> [B::Item; N] {
        array::from_fn(|item| self.items.get(row * N + item))
    }

    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
        Self::range(row).zip(Self::range(other_row)).all(|(item, their)| self.items.equal(item, &other.items, their))
    }

    fn hash<H: Hasher>(&self, row: usize, state: &mut H) {
        for item in Self::range(row) {
            self.items.hash(item, state);
        }
    }

    fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        write_json_list(&self.items, Self::range(row), style, out);
    }
}

struct ArrayVisitor<'a, B, const N: usize>(&'a mut ArrayBuffer<B, N>);

impl<'de, B: Buffer, const N: usize> Visitor<'de> for ArrayVisitor<'_, B, N> {
    type Value = ();

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for found in 0..N {
            if seq.next_element_seed(ValueSeed(&mut self.0.items))?.is_none() {
                return Err(wrong_length(<[B::Item; N]>::DATA_TYPE, Some(found)));
            }
        }
        if seq.next_element::<IgnoredAny>()?.is_some() {
            return Err(wrong_length(<[B::Item; N]>::DATA_TYPE, None));
        }
        self.0.len += 1;
        Ok(())
    }

    refuse!(<[B::Item; N]>::DATA_TYPE; bool integer float str unit map);
}

/// Returns the error for a list that is too short (`Some` with its length) or too long.
#[cold]
pub(super) fn wrong_length<E: Error>(wanted: DataType, found: Option<usize>) -> E {
    let expected = ExpectedType(wanted);
    match found {
        Some(found) => E::custom(format_args!("expected {expected}, found a list of only {found}")),
        None => E::custom(format_args!("expected {expected}, found a longer list")),
    }
}
