//! `Vec<T>`: the elements of all lists in one buffer, and where each list ends.

use std::hash::Hasher;

use serde::de::{Deserializer, SeqAccess, Visitor};

use super::mismatch::refuse;
use super::scan::Scan;
use super::{Buffer, ColumnType, Ends, KeyType, NotNull, Style, ValueSeed};
use crate::rows::data_type::DataType;

/// Implements `ColumnType`, and `KeyType` and `NotNull` if they are named, for a type without parameters whose lists
/// have no special form.
///
/// rustc's errors list the implementors of a trait. The text of our error names these types in a better order, so
/// rustc's list omits them.
macro_rules! column_type {
    ($type:ty, $buffer:ty, $data_type:expr $(; $($marker:ident)+)?) => {
        #[diagnostic::do_not_recommend]
        impl $crate::rows::column::ColumnType for $type {
            const DATA_TYPE: $crate::rows::data_type::DataType = $data_type;
            type Buffer = $buffer;
            type ListBuffer = $crate::rows::column::list::ListBuffer<$buffer>;
        }
        $($(
            #[diagnostic::do_not_recommend]
            impl $crate::rows::column::$marker for $type {}
        )+)?
    };
}
pub(super) use column_type;

/// Lists, one after the other.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct ListBuffer<B> {
    pub(super) ends: Ends,
    pub(super) items: B,
}

// The element type chooses the buffer, because a `Vec<u8>` is bytes and not a list of numbers.
impl<T: ColumnType> ColumnType for Vec<T> {
    const DATA_TYPE: DataType = T::LIST;
    type Buffer = T::ListBuffer;
    type ListBuffer = ListBuffer<T::ListBuffer>;
}

#[diagnostic::do_not_recommend]
impl<T: KeyType> KeyType for Vec<T> {
    fn canonical(self) -> Self {
        self.into_iter().map(T::canonical).collect()
    }
}

impl<T: ColumnType> NotNull for Vec<T> {}

impl<B: Buffer> Buffer for ListBuffer<B> {
    type Item = Vec<B::Item>;
    const NEEDS_QUOTES: bool = true;
    const CAN_REFUSE: bool = B::CAN_REFUSE;

    #[inline]
    fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    fn bytes(&self) -> usize {
        self.ends.bytes() + self.items.bytes()
    }

    fn push(&mut self, list: Vec<B::Item>) {
        for item in list {
            self.items.push(item);
        }
        self.ends.push(self.items.len());
    }

    fn push_placeholder(&mut self) {
        self.ends.push(self.items.len());
    }

    fn push_from(&mut self, other: &Self, row: usize) {
        for item in other.ends.range(row) {
            self.items.push_from(&other.items, item);
        }
        self.ends.push(self.items.len());
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(ListVisitor(self))
    }

    fn scan(&mut self, scan: &mut Scan<'_>) -> bool {
        if !scan.eat(b'[') {
            return false;
        }
        scan.space();
        let mut closed = scan.eat(b']');
        while !closed {
            if !self.items.scan(scan) {
                return false;
            }
            closed = scan.eat(b']');
            if !closed && !scan.next() {
                // White space before the bracket was skipped.
                closed = scan.eat(b']');
                if !closed {
                    return false;
                }
            }
        }
        self.ends.push(self.items.len());
        true
    }

    fn truncate(&mut self, len: usize) {
        let end = self.ends.truncate(len);
        self.items.truncate(end);
    }

    fn get(&self, row: usize) -> Vec<B::Item> {
        self.ends.range(row).map(|item| self.items.get(item)).collect()
    }

    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
        let (mine, theirs) = (self.ends.range(row), other.ends.range(other_row));
        mine.len() == theirs.len() && mine.zip(theirs).all(|(item, their)| self.items.equal(item, &other.items, their))
    }

    fn hash<H: Hasher>(&self, row: usize, state: &mut H) {
        let items = self.ends.range(row);
        state.write_usize(items.len());
        for item in items {
            self.items.hash(item, state);
        }
    }

    fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        write_json_list(&self.items, self.ends.range(row), style, out);
    }
}

/// Appends some values of a buffer as a JSON array.
pub(super) fn write_json_list<B: Buffer>(items: &B, range: std::ops::Range<usize>, style: Style, out: &mut Vec<u8>) {
    out.push(b'[');
    let start = range.start;
    for item in range {
        if item > start {
            out.push(b',');
        }
        items.write_json(item, style, out);
    }
    out.push(b']');
}

struct ListVisitor<'a, B>(&'a mut ListBuffer<B>);

impl<'de, B: Buffer> Visitor<'de> for ListVisitor<'_, B> {
    type Value = ();

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(ValueSeed(&mut self.0.items))?.is_some() {}
        self.0.ends.push(self.0.items.len());
        Ok(())
    }

    refuse!(<Vec<B::Item>>::DATA_TYPE; bool integer float str unit map);
}
