//! `Option<T>`: a value for each row, and a list of which rows are not null.
//!
//! A `Some` of JSON's null is a `None`. A null has a placeholder among the values, so that a row has the same index in
//! both.

use std::hash::Hasher;

use serde::de::{Deserializer, Error, Visitor};

use super::list::ListBuffer;
use super::scan::Scan;
use super::{Buffer, ColumnType, NotNull, Scalar, Style};
use crate::rows::column::mismatch::ExpectedType;
use crate::rows::data_type::DataType;

/// Values that may be null.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct OptionBuffer<B> {
    present: Vec<bool>,
    values: B,
}

impl<T: NotNull> ColumnType for Option<T> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const OPTIONAL: bool = true;
    type Buffer = OptionBuffer<T::Buffer>;
    type ListBuffer = ListBuffer<OptionBuffer<T::Buffer>>;
}

impl<B: Buffer<Item: NotNull>> Buffer for OptionBuffer<B> {
    type Item = Option<B::Item>;
    const NEEDS_QUOTES: bool = B::NEEDS_QUOTES;
    const CAN_REFUSE: bool = B::CAN_REFUSE;

    #[inline]
    fn len(&self) -> usize {
        self.present.len()
    }

    #[inline]
    fn bytes(&self) -> usize {
        self.present.len() + self.values.bytes()
    }

    #[inline]
    fn push(&mut self, item: Option<B::Item>) {
        match item.filter(|value| !value.is_null()) {
            Some(value) => {
                self.values.push(value);
                self.present.push(true);
            }
            None => self.push_placeholder(),
        }
    }

    #[inline]
    fn push_placeholder(&mut self) {
        self.present.push(false);
        self.values.push_placeholder();
    }

    #[inline]
    fn push_from(&mut self, other: &Self, row: usize) {
        self.present.push(other.present[row]);
        self.values.push_from(&other.values, row);
    }

    #[inline]
    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(OptionVisitor(self))
    }

    #[inline]
    fn scan(&mut self, scan: &mut Scan<'_>) -> bool {
        if scan.literal(b"null") {
            self.push_placeholder();
            return true;
        }
        self.present.push(true);
        self.values.scan(scan)
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.present.truncate(len);
        self.values.truncate(len);
    }

    #[inline]
    fn get(&self, row: usize) -> Option<B::Item> {
        self.present[row].then(|| self.values.get(row))
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        !self.present[row]
    }

    #[inline]
    fn scalar(&self, row: usize) -> Scalar<'_> {
        if self.present[row] { self.values.scalar(row) } else { Scalar::Null }
    }

    #[inline]
    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
        match (self.present[row], other.present[other_row]) {
            (true, true) => self.values.equal(row, &other.values, other_row),
            (mine, theirs) => mine == theirs,
        }
    }

    #[inline]
    fn hash<H: Hasher>(&self, row: usize, state: &mut H) {
        state.write_u8(u8::from(self.present[row]));
        if self.present[row] {
            self.values.hash(row, state);
        }
    }

    #[inline]
    fn write_text(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        if self.present[row] {
            self.values.write_text(row, style, out);
        }
    }

    #[inline]
    fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        if self.present[row] {
            self.values.write_json(row, style, out);
        } else {
            out.extend_from_slice(b"null");
        }
    }
}

struct OptionVisitor<'a, B>(&'a mut OptionBuffer<B>);

impl<'de, B: Buffer<Item: NotNull>> Visitor<'de> for OptionVisitor<'_, B> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", ExpectedType(<Option<B::Item>>::ELEMENT))
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.0.push_placeholder();
        Ok(())
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.values.decode(deserializer)?;
        self.0.present.push(true);
        Ok(())
    }
}
