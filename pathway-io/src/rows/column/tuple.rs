//! Tuples: a buffer for each of the elements.

use std::hash::Hasher;

use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::array::wrong_length;
use super::list::ListBuffer;
use super::mismatch::refuse;
use super::{Buffer, ColumnType, KeyType, NotNull, Style, ValueSeed};
use crate::rows::data_type::DataType;

struct TupleVisitor<'a, B>(&'a mut B);

macro_rules! tuples {
    (($($letter:ident $index:tt)+)) => {
        // Otherwise rustc lists all tuples below every error about a column's type.
        #[diagnostic::do_not_recommend]
        impl<$($letter: ColumnType),+> ColumnType for ($($letter,)+) {
            const DATA_TYPE: DataType = DataType::Tuple(&[$($letter::ELEMENT),+]);
            const HAS_PLACEHOLDER: bool = true $(&& $letter::HAS_PLACEHOLDER)+;
            type Buffer = ($($letter::Buffer,)+);
            type ListBuffer = ListBuffer<($($letter::Buffer,)+)>;
        }

        #[diagnostic::do_not_recommend]
        impl<$($letter: KeyType),+> KeyType for ($($letter,)+) {
            fn canonical(self) -> Self {
                ($(self.$index.canonical(),)+)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($letter: ColumnType),+> NotNull for ($($letter,)+) {}

        impl<$($letter: Buffer),+> Buffer for ($($letter,)+) {
            type Item = ($($letter::Item,)+);
            const NEEDS_QUOTES: bool = true;
            const CAN_REFUSE: bool = false $(|| $letter::CAN_REFUSE)+;

            #[inline]
            fn len(&self) -> usize {
                // If an element panics in `push`, the tuple was not pushed. The last element therefore has the
                // length.
                let lens = [$(self.$index.len()),+];
                lens[lens.len() - 1]
            }

            #[inline]
            fn bytes(&self) -> usize {
                0 $(+ self.$index.bytes())+
            }

            fn push(&mut self, item: Self::Item) {
                $(self.$index.push(item.$index);)+
            }

            fn push_placeholder(&mut self) {
                $(self.$index.push_placeholder();)+
            }

            fn push_from(&mut self, other: &Self, row: usize) {
                $(self.$index.push_from(&other.$index, row);)+
            }

            fn decode<'de, De: Deserializer<'de>>(&mut self, deserializer: De) -> Result<(), De::Error> {
                deserializer.deserialize_any(TupleVisitor(self))
            }

            fn truncate(&mut self, len: usize) {
                $(self.$index.truncate(len);)+
            }

            fn get(&self, row: usize) -> Self::Item {
                ($(self.$index.get(row),)+)
            }

            fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
                $(self.$index.equal(row, &other.$index, other_row))&&+
            }

            fn hash<Ha: Hasher>(&self, row: usize, state: &mut Ha) {
                $(self.$index.hash(row, state);)+
            }

            fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>) {
                $(
                    out.push(if $index == 0 { b'[' } else { b',' });
                    self.$index.write_json(row, style, out);
                )+
                out.push(b']');
            }
        }

        impl<'de, $($letter: Buffer),+> Visitor<'de> for TupleVisitor<'_, ($($letter,)+)> {
            type Value = ();

            fn visit_seq<Seq: SeqAccess<'de>>(self, mut seq: Seq) -> Result<(), Seq::Error> {
                let wanted = <($($letter::Item,)+)>::DATA_TYPE;
                $(
                    if seq.next_element_seed(ValueSeed(&mut self.0.$index))?.is_none() {
                        return Err(wrong_length(wanted, Some($index)));
                    }
                )+
                if seq.next_element::<IgnoredAny>()?.is_some() {
                    return Err(wrong_length(wanted, None));
                }
                Ok(())
            }

            refuse!(<($($letter::Item,)+)>::DATA_TYPE; bool integer float str unit map);
        }
    };
}

/// Passes the elements of the tuples of each length, up to 8 or 12, to a macro: `(A 0)`, `(A 0 B 1)` and so on.
macro_rules! for_tuples {
    ($macro:ident, 8) => {
        $crate::rows::column::tuple::for_tuples! { @$macro [] A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 }
    };
    ($macro:ident, 12) => {
        $crate::rows::column::tuple::for_tuples! { @$macro [] A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 }
    };
    (@$macro:ident [$($before:tt)*]) => {};
    (@$macro:ident [$($before:tt)*] $letter:ident $index:tt $($after:tt)*) => {
        $macro! { ($($before)* $letter $index) }
        $crate::rows::column::tuple::for_tuples! { @$macro [$($before)* $letter $index] $($after)* }
    };
}
pub(crate) use for_tuples;

for_tuples!(tuples, 12);
