//! A field that is a row of another schema and is replaced by its columns.

use std::any::Any;

use serde::de::MapAccess;

use super::{Columns, Fields, Tree, Visitor};
use crate::rows::column::scan::Scan;
use crate::rows::column::view::{AnyBuffer, ColumnView};
use crate::rows::description::{Column, Shape};
use crate::rows::schema::{ColumnsOf, Keyed, Schema};

/// The `I`th field is itself a row, and is replaced by its columns.
#[doc(hidden)]
pub trait FlatField<const I: usize>: 'static {
    type Type: Schema;
}

/// The `I`th field is itself a row with a key, which belongs to the primary key.
#[doc(hidden)]
pub trait FlatKeyField<const I: usize>: 'static {
    type Type: Keyed<Key = Self::Key>;
    type Key;
}

impl<S: FlatKeyField<I>, const I: usize> FlatField<I> for S {
    type Type = S::Type;
}

/// The leaf for the field of a flattened row, with whether its key belongs to the primary key.
#[doc(hidden)]
pub struct Flat<S, const I: usize, const KEYED: bool>(S);

impl<S: FlatField<I>, const I: usize, const KEYED: bool> Tree for Flat<S, I, KEYED> {
    type Row = S::Type;
}

impl<S: FlatField<I>, const I: usize, const KEYED: bool> Fields for Flat<S, I, KEYED> {
    type Columns = FlatColumns<S::Type>;
    const SHAPE: Shape = Shape::Flat { columns: flat_columns::<S, I>(), keyed: KEYED };

    fn fill(columns: &mut Self::Columns, index: usize) -> bool {
        <<S::Type as Schema>::Fields as Fields>::fill(&mut columns.0, index)
    }
}

/// Returns a copy of the key of a flattened row.
#[doc(hidden)]
#[must_use]
pub fn flat_key<S: FlatKeyField<I>, const I: usize>(row: &S::Type) -> S::Key {
    row.key()
}

/// Passes the parts of a flattened row's key to `take`.
#[doc(hidden)]
pub fn flat_parts<S: FlatKeyField<I>, const I: usize>(key: S::Key, take: &mut dyn FnMut(&mut dyn Any)) {
    S::Type::with_parts(key, take);
}

/// Returns the columns of a flattened field.
#[doc(hidden)]
#[must_use]
pub const fn flat_columns<S: FlatField<I>, const I: usize>() -> &'static [Column] {
    S::Type::SCHEMA.columns
}

/// The columns of a flattened field.
#[doc(hidden)]
pub struct FlatColumns<S: Schema>(ColumnsOf<S>);

impl<S: Schema> Default for FlatColumns<S> {
    fn default() -> Self {
        FlatColumns(Default::default())
    }
}

impl<S: Schema> Columns for FlatColumns<S> {
    type Row = S;
    const WIDTH: usize = ColumnsOf::<S>::WIDTH;
    const CAN_REFUSE: bool = ColumnsOf::<S>::CAN_REFUSE;

    #[inline]
    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    #[inline]
    fn push(&mut self, row: S) {
        self.0.push(row.into_fields());
    }

    fn push_placeholder_at(&mut self, index: usize) {
        self.0.push_placeholder_at(index);
    }

    fn push_placeholders(&mut self, key: impl Fn(usize) -> bool + Copy, first: usize) {
        self.0.push_placeholders(key, first);
    }

    fn push_part_at(&mut self, index: usize, part: &mut dyn Any) {
        self.0.push_part_at(index, part);
    }

    #[inline]
    fn push_from(&mut self, other: &Self, row: usize) {
        self.0.push_from(&other.0, row);
    }

    #[inline]
    fn decode<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error> {
        self.0.decode(index, map)
    }

    #[inline(always)]
    fn scan(&mut self, scan: &mut Scan<'_>, columns: &'static [Column], first: usize) -> bool {
        self.0.scan(scan, columns, first)
    }

    #[inline]
    fn scan_at(&mut self, scan: &mut Scan<'_>, index: usize) -> bool {
        self.0.scan_at(scan, index)
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    #[inline]
    fn get(&self, row: usize) -> S {
        S::from_fields(self.0.get(row))
    }

    fn buffer(&self, index: usize) -> &dyn AnyBuffer {
        self.0.buffer(index)
    }

    #[inline]
    fn get_from(views: &[ColumnView<'_>], row: usize) -> S {
        S::from_fields(ColumnsOf::<S>::get_from(views, row))
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
        self.0.key_equal(row, &other.0, other_row, key, first)
    }

    #[inline]
    fn visit<V: Visitor>(&self, first: usize, visitor: &mut V) {
        self.0.visit(first, visitor);
    }
}
