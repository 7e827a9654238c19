//! A field that is one column.

use std::any::Any;

use serde::de::Deserializer;

use super::{Columns, Fields, Tree, Visitor};
use crate::rows::column::scan::Scan;
use crate::rows::column::view::{AnyBuffer, ColumnView};
use crate::rows::column::{Buffer, ColumnType, KeyType, to_json};
use crate::rows::description::{Column, Shape};

/// The `I`th field of a row struct is a column of this type.
#[doc(hidden)]
pub trait Field<const I: usize>: 'static {
    type Type: ColumnType;

    /// Returns the default. The leaf in the tree says whether there is one, which costs half the compile time of a
    /// constant with a function in it.
    #[must_use]
    fn default() -> Self::Type {
        unreachable!("the column has no default")
    }

    /// Returns the example. As for the default, the leaf in the tree says whether there is one.
    #[must_use]
    fn example() -> Self::Type {
        unreachable!("the column has no example")
    }
}

/// The `I`th field of a row struct is a column of this type in the primary key.
#[doc(hidden)]
pub trait KeyField<const I: usize>: 'static {
    type Type: KeyType;

    /// Returns the example. A key has no default.
    #[must_use]
    fn example() -> Self::Type {
        unreachable!("the column has no example")
    }
}

impl<S: KeyField<I>, const I: usize> Field<I> for S {
    type Type = S::Type;

    fn example() -> S::Type {
        <S as KeyField<I>>::example()
    }
}

/// The leaf for the `I`th field of a row struct, with whether it has a default and an example.
#[doc(hidden)]
pub struct Col<S, const I: usize, const DEFAULT: bool, const EXAMPLE: bool>(S);

/// The leaf for a field of a well-known column type without a default and an example.
#[doc(hidden)]
pub struct Own<T>(T);

impl<T: 'static> Tree for Own<T> {
    type Row = T;
}

impl<T: ColumnType> Fields for Own<T> {
    type Columns = T::Buffer;
    const SHAPE: Shape = Shape::Column(Column::of_type::<T>());

    #[inline]
    fn push(columns: &mut Self::Columns, row: Self::Row) {
        Buffer::push(columns, row);
    }

    #[inline]
    fn get(columns: &Self::Columns, row: usize) -> Self::Row {
        Buffer::get(columns, row)
    }

    #[inline]
    fn get_from(views: &[ColumnView<'_>], row: usize) -> Self::Row {
        views[0].get(row)
    }

    fn fill(columns: &mut T::Buffer, _index: usize) -> bool {
        push_null::<T>(columns)
    }
}

impl<S: Field<I>, const I: usize, const DEFAULT: bool, const EXAMPLE: bool> Tree for Col<S, I, DEFAULT, EXAMPLE> {
    type Row = S::Type;
}

impl<S: Field<I>, const I: usize, const DEFAULT: bool, const EXAMPLE: bool> Fields for Col<S, I, DEFAULT, EXAMPLE> {
    type Columns = <S::Type as ColumnType>::Buffer;
    const SHAPE: Shape = Shape::Column(describe::<S, I>(DEFAULT, EXAMPLE));

    #[inline]
    fn push(columns: &mut Self::Columns, row: Self::Row) {
        Buffer::push(columns, row);
    }

    #[inline]
    fn get(columns: &Self::Columns, row: usize) -> Self::Row {
        Buffer::get(columns, row)
    }

    #[inline]
    fn get_from(views: &[ColumnView<'_>], row: usize) -> Self::Row {
        views[0].get(row)
    }

    fn fill(columns: &mut Self::Columns, _index: usize) -> bool {
        if DEFAULT {
            Buffer::push(columns, S::default());
            return true;
        }
        push_null::<S::Type>(columns)
    }
}

/// Pushes the null for a JSON row that lacks the column. Returns `false` if the type has none.
fn push_null<T: ColumnType>(buffer: &mut T::Buffer) -> bool {
    if T::OPTIONAL {
        buffer.push_placeholder();
    }
    T::OPTIONAL
}

/// Returns the description of a field's column, with its default and example if it has them.
const fn describe<S: Field<I>, const I: usize>(default: bool, example: bool) -> Column {
    Column {
        has_default: default,
        default: if default { Some(|| to_json(S::default())) } else { None },
        example: if example { Some(|| to_json(S::example())) } else { None },
        ..Column::of_type::<S::Type>()
    }
}

/// Returns the default of a column. The macros call it only if there is one.
#[doc(hidden)]
#[must_use]
pub fn missing<F: Fields>() -> F::Row {
    let mut columns = F::Columns::default();
    let filled = F::fill(&mut columns, 0);
    debug_assert!(filled, "a column that can be left out has a default or can be null");
    F::get(&columns, 0)
}

/// Returns a copy of a key column's value.
#[doc(hidden)]
#[must_use]
pub fn key<S: KeyField<I>, const I: usize>(value: &S::Type) -> S::Type {
    value.clone()
}

/// Returns a copy of a key column's value whose type is known.
#[doc(hidden)]
#[must_use]
pub fn own_key<T: KeyType>(value: &T) -> T {
    value.clone()
}

/// One column.
impl<B: Buffer> Columns for B {
    const WIDTH: usize = 1;
    const CAN_REFUSE: bool = B::CAN_REFUSE;

    #[inline]
    fn bytes(&self) -> usize {
        Buffer::bytes(self)
    }

    fn push_placeholders(&mut self, key: impl Fn(usize) -> bool + Copy, first: usize) {
        if !key(first) {
            self.push_placeholder();
        }
    }

    fn push_part_at(&mut self, _index: usize, part: &mut dyn Any) {
        let value = part.downcast_mut::<Option<B::Item>>().and_then(Option::take);
        self.push(value.expect("a key has a part for each of its columns"));
    }

    #[inline]
    fn push_from(&mut self, other: &Self, row: usize) {
        Buffer::push_from(self, other, row);
    }

    #[inline]
    fn decode<'de, D: Deserializer<'de>>(&mut self, _index: usize, deserializer: D) -> Result<(), D::Error> {
        Buffer::decode(self, deserializer)
    }

    /// Inlined, so that the column's name is a constant.
    #[inline(always)]
    fn scan(&mut self, scan: &mut Scan<'_>, columns: &'static [Column], first: usize) -> bool {
        if first < scan.from {
            return true;
        }
        let column = &columns[first];
        if !(column.is_read_by_name() && scan.field(column.name, first == 0 && scan.is_first())) {
            scan.in_order.end = first;
            return false;
        }
        Buffer::scan(self, scan) || scan.give_up()
    }

    #[inline]
    fn scan_at(&mut self, scan: &mut Scan<'_>, _index: usize) -> bool {
        Buffer::scan(self, scan)
    }

    fn truncate(&mut self, len: usize) {
        Buffer::truncate(self, len);
    }

    fn buffer(&self, _index: usize) -> &dyn AnyBuffer {
        self
    }

    #[inline]
    fn key_equal(
        &self,
        row: usize,
        other: &Self,
        other_row: usize,
        key: impl Fn(usize) -> bool + Copy,
        first: usize,
    ) -> bool {
        !key(first) || Buffer::equal(self, row, other, other_row)
    }

    #[inline]
    fn visit<V: Visitor>(&self, first: usize, visitor: &mut V) {
        visitor.column(first, self);
    }
}
