//! A field that is a row of another schema and is replaced by its columns.

use std::any::Any;

use super::{Fields, Tree};
use crate::rows::column::view::ColumnView;
use crate::rows::description::{Column, Shape};
use crate::rows::schema::{ColumnsOf, Keyed, Schema, row_at};

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
    type Columns = ColumnsOf<S::Type>;
    const SHAPE: Shape = Shape::Flat { columns: flat_columns::<S, I>(), keyed: KEYED };

    #[inline]
    fn push(columns: &mut Self::Columns, row: S::Type) {
        <S::Type as Schema>::Fields::push(columns, row.into_fields());
    }

    #[inline]
    fn get(columns: &Self::Columns, row: usize) -> S::Type {
        row_at(columns, row)
    }

    #[inline]
    fn get_from(views: &[ColumnView<'_>], row: usize) -> S::Type {
        S::Type::from_fields(<S::Type as Schema>::Fields::get_from(views, row))
    }

    fn fill(columns: &mut Self::Columns, index: usize) -> bool {
        <S::Type as Schema>::Fields::fill(columns, index)
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
