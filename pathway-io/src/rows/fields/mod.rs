//! A row as a tree of its fields, and a batch of rows as a tree of buffers.
//!
//! `#[derive(Schema)]` splits a row into nested [`Pair`]s, halved at each level, so that the depth of the type grows
//! with the logarithm of the number of columns. All per-column code exists once, here, in the impls for a column
//! ([`column`]), a pair and a flattened schema ([`flat`]); so the output of the macro is small. The buffers do not know
//! the rows: [`Fields`] splits a row into values, and [`Columns`] is what a batch does with each buffer.
//!
//! ```text
//! struct Cat { key: i64, genus: String, id: Uuid }
//! Fields  = Pair<Own<i64>, Pair<Own<String>, Col<Cat, 2, ..>>>
//! Row     = (i64, (String, Uuid))
//! Columns = Pair<NumberBuffer<i64>, Pair<TextBuffer, NumberBuffer<Uuid>>>
//! ```
//!
//! A leaf names its column (`Col<Cat, 2, ..>`) and not its type. The bounds on the type are in one place,
//! [`Field::Type`](column::Field), so an unsupported type causes one error, at the user's tokens, and not one error at
//! each use of the schema. For the same reason `Row` belongs to a separate trait, [`Tree`], without bounds on the
//! column types. A type whose name shows that it is a column, such as `i64`, is in the tree itself (`Own<i64>`), which
//! compiles faster.

mod column;
mod flat;
mod stub;

use std::any::Any;

use serde::de::Deserializer;

pub use self::column::{Col, Field, KeyField, Own, key, missing, own_key};
pub use self::flat::{Flat, FlatField, FlatKeyField, flat_columns, flat_key, flat_parts};
pub use self::stub::Stub;
use crate::rows::column::Buffer;
use crate::rows::column::scan::Scan;
use crate::rows::column::view::{AnyBuffer, ColumnView};
use crate::rows::description::{Column, Shape};

/// Two halves of a row.
#[doc(hidden)]
#[derive(Debug, Default, Clone, Copy)]
pub struct Pair<L, R>(pub L, pub R);

/// The fields of a row, or a part of them, of any types. It is a tree of types and never a value.
#[doc(hidden)]
pub trait Tree: 'static {
    /// The fields' values, in the same tree.
    type Row;
}

/// A [`Tree`] whose leaves are columns.
#[doc(hidden)]
pub trait Fields: Tree {
    type Columns: Columns;
    /// The columns of these fields, without their names.
    const SHAPE: Shape;

    fn push(columns: &mut Self::Columns, row: Self::Row);
    fn get(columns: &Self::Columns, row: usize) -> Self::Row;
    /// Returns a row from the batch of another schema, through one view for each column of this row.
    fn get_from(views: &[ColumnView<'_>], row: usize) -> Self::Row;
    /// Pushes the default of the column at `index`, or null. Returns `false` if it has neither.
    fn fill(columns: &mut Self::Columns, index: usize) -> bool;
}

/// The buffers of all fields of a row.
#[doc(hidden)]
pub trait Columns: Default + Send + Sync + 'static {
    /// The number of columns.
    const WIDTH: usize;
    /// Whether `push` panics with a reason for some values.
    const CAN_REFUSE: bool;

    fn bytes(&self) -> usize;
    /// Pushes a placeholder into each column from `first` on that `key` does not name.
    fn push_placeholders(&mut self, key: impl Fn(usize) -> bool + Copy, first: usize);
    /// Pushes a part of a key into the column at `index`: the value that an `Option` of the column's type contains.
    fn push_part_at(&mut self, index: usize, part: &mut dyn Any);
    fn push_from(&mut self, other: &Self, row: usize);
    /// Reads a value into the column at `index`.
    fn decode<'de, D: Deserializer<'de>>(&mut self, index: usize, deserializer: D) -> Result<(), D::Error>;
    /// Reads the columns from `first` on, as long as their fields are in this order.
    fn scan(&mut self, scan: &mut Scan<'_>, columns: &'static [Column], first: usize) -> bool;
    /// Reads the value of the column at `index`.
    fn scan_at(&mut self, scan: &mut Scan<'_>, index: usize) -> bool;
    fn truncate(&mut self, len: usize);
    /// Returns the buffer of the column at `index`.
    fn buffer(&self, index: usize) -> &dyn AnyBuffer;
    #[inline]
    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
        self.key_equal(row, other, other_row, |_| true, 0)
    }
    /// Returns whether two rows agree in the columns from `first` on that `key` names.
    fn key_equal(
        &self,
        row: usize,
        other: &Self,
        other_row: usize,
        key: impl Fn(usize) -> bool + Copy,
        first: usize,
    ) -> bool;
    /// Passes each buffer with its column's index to `visitor`, in order. The first has the index `first`.
    fn visit<V: Visitor>(&self, first: usize, visitor: &mut V);
}

/// An operation on each buffer of a batch.
#[doc(hidden)]
pub trait Visitor {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B);
}

impl<L: Tree, R: Tree> Tree for Pair<L, R> {
    type Row = (L::Row, R::Row);
}

impl<L: Fields, R: Fields> Fields for Pair<L, R> {
    type Columns = Pair<L::Columns, R::Columns>;
    const SHAPE: Shape = Shape::Pair(&L::SHAPE, &R::SHAPE);

    #[inline]
    fn push(columns: &mut Self::Columns, row: Self::Row) {
        L::push(&mut columns.0, row.0);
        R::push(&mut columns.1, row.1);
    }

    #[inline]
    fn get(columns: &Self::Columns, row: usize) -> Self::Row {
        (L::get(&columns.0, row), R::get(&columns.1, row))
    }

    #[inline]
    fn get_from(views: &[ColumnView<'_>], row: usize) -> Self::Row {
        let (left, right) = views.split_at(L::Columns::WIDTH);
        (L::get_from(left, row), R::get_from(right, row))
    }

    fn fill(columns: &mut Self::Columns, index: usize) -> bool {
        match index.checked_sub(L::Columns::WIDTH) {
            None => L::fill(&mut columns.0, index),
            Some(index) => R::fill(&mut columns.1, index),
        }
    }
}

impl<L: Columns, R: Columns> Columns for Pair<L, R> {
    const WIDTH: usize = L::WIDTH + R::WIDTH;
    const CAN_REFUSE: bool = L::CAN_REFUSE || R::CAN_REFUSE;

    #[inline]
    fn bytes(&self) -> usize {
        self.0.bytes() + self.1.bytes()
    }

    fn push_placeholders(&mut self, key: impl Fn(usize) -> bool + Copy, first: usize) {
        self.0.push_placeholders(key, first);
        self.1.push_placeholders(key, first + L::WIDTH);
    }

    fn push_part_at(&mut self, index: usize, part: &mut dyn Any) {
        match index.checked_sub(L::WIDTH) {
            None => self.0.push_part_at(index, part),
            Some(index) => self.1.push_part_at(index, part),
        }
    }

    #[inline]
    fn push_from(&mut self, other: &Self, row: usize) {
        self.0.push_from(&other.0, row);
        self.1.push_from(&other.1, row);
    }

    #[inline]
    fn decode<'de, D: Deserializer<'de>>(&mut self, index: usize, deserializer: D) -> Result<(), D::Error> {
        match index.checked_sub(L::WIDTH) {
            None => self.0.decode(index, deserializer),
            Some(index) => self.1.decode(index, deserializer),
        }
    }

    #[inline(always)]
    fn scan(&mut self, scan: &mut Scan<'_>, columns: &'static [Column], first: usize) -> bool {
        self.0.scan(scan, columns, first) && self.1.scan(scan, columns, first + L::WIDTH)
    }

    #[inline]
    fn scan_at(&mut self, scan: &mut Scan<'_>, index: usize) -> bool {
        match index.checked_sub(L::WIDTH) {
            None => self.0.scan_at(scan, index),
            Some(index) => self.1.scan_at(scan, index),
        }
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
        self.1.truncate(len);
    }

    fn buffer(&self, index: usize) -> &dyn AnyBuffer {
        match index.checked_sub(L::WIDTH) {
            None => self.0.buffer(index),
            Some(index) => self.1.buffer(index),
        }
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
            && self.1.key_equal(row, &other.1, other_row, key, first + L::WIDTH)
    }

    #[inline]
    fn visit<V: Visitor>(&self, first: usize, visitor: &mut V) {
        self.0.visit(first, visitor);
        self.1.visit(first + L::WIDTH, visitor);
    }
}
