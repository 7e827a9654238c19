//! A row as a tree of its fields, and a batch of rows as the same tree of buffers.
//!
//! `#[derive(Schema)]` takes a row apart into nested [`Pair`]s, halved at each level, so that a type's depth is the
//! logarithm of its columns. All per-column code is here, once, in the impls for a leaf, a pair and a flattened
//! schema; what the macro emits stays small.
//!
//! ```text
//! struct Cat { key: i64, genus: String, epithet: String }
//! Fields  = Pair<i64, Pair<String, String>>
//! Columns = Pair<NumberBuffer<i64>, Pair<TextBuffer, TextBuffer>>
//! ```

use serde::de::MapAccess;

use crate::column::{Buffer, ColumnType, Into};
use crate::schema::Schema;

/// Two halves of a row.
#[doc(hidden)]
#[derive(Debug, Default, Clone, Copy)]
pub struct Pair<L, R>(pub L, pub R);

/// A field that is itself a row, whose columns stand in place of it.
#[doc(hidden)]
#[derive(Debug, Default, Clone, Copy)]
pub struct Flat<S>(pub S);

/// The columns of a [`Flat`] field.
#[doc(hidden)]
pub struct FlatColumns<S: Schema>(<S::Fields as Fields>::Columns);

impl<S: Schema> Default for FlatColumns<S> {
    fn default() -> Self {
        FlatColumns(Default::default())
    }
}

/// A row, or a part of it.
#[doc(hidden)]
pub trait Fields: Sized + Send + Sync + 'static {
    /// How many columns it has.
    const WIDTH: usize;
    type Columns: Columns<Row = Self>;
    /// For each column what fills it in when a row lacks it.
    type Defaults: Copy + 'static;
    /// The same with any column left out.
    type Partial;
}

/// What a typed buffer is to a field, this is to a row.
#[doc(hidden)]
pub trait Columns: Default + Send + Sync + 'static {
    type Row: Fields<Columns = Self>;

    fn bytes(&self) -> usize;
    fn push(&mut self, row: Self::Row);
    /// Pushes a row that stands for none.
    fn push_placeholder(&mut self);
    /// Pushes a row of which only some columns are known.
    fn push_partial(&mut self, row: <Self::Row as Fields>::Partial);
    fn push_from(&mut self, other: &Self, row: usize);
    /// Reads the next value of a JSON object into the column at `index`.
    fn decode<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error>;
    /// Pushes the default of the column at `index`, or null; `false` if it has neither.
    fn fill(&mut self, index: usize, defaults: &<Self::Row as Fields>::Defaults) -> bool;
    fn truncate(&mut self, len: usize);

    fn get(&self, row: usize) -> Self::Row;
    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool;
    /// Whether two rows agree in the columns from `first` on that `key` names.
    fn key_equal(&self, row: usize, other: &Self, other_row: usize, key: impl Fn(usize) -> bool + Copy, first: usize) -> bool;
    /// Shows each buffer with its column's index to `visitor`, in order; the first has index `first`.
    fn visit<V: Visitor>(&self, first: usize, visitor: &mut V);
}

/// Something to do with each buffer of a batch.
#[doc(hidden)]
pub trait Visitor {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B);
}

impl<T: ColumnType> Fields for T {
    const WIDTH: usize = 1;
    type Columns = Leaf<T>;
    type Defaults = Option<fn() -> T>;
    type Partial = Option<T>;
}

/// The buffer of one column.
#[doc(hidden)]
pub struct Leaf<T: ColumnType>(T::Buffer);

impl<T: ColumnType> Default for Leaf<T> {
    fn default() -> Self {
        Leaf(T::Buffer::default())
    }
}

impl<T: ColumnType> Columns for Leaf<T> {
    type Row = T;

    #[inline]
    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    #[inline]
    fn push(&mut self, row: T) {
        self.0.push(row);
    }

    fn push_placeholder(&mut self) {
        self.0.push_placeholder();
    }

    fn push_partial(&mut self, row: Option<T>) {
        match row {
            Some(value) => self.0.push(value),
            None => self.0.push_placeholder(),
        }
    }

    #[inline]
    fn push_from(&mut self, other: &Self, row: usize) {
        self.0.push_from(&other.0, row);
    }

    #[inline]
    fn decode<'de, A: MapAccess<'de>>(&mut self, _index: usize, map: &mut A) -> Result<(), A::Error> {
        map.next_value_seed(Into(&mut self.0))
    }

    fn fill(&mut self, _index: usize, default: &Option<fn() -> T>) -> bool {
        match default {
            Some(default) => {
                self.0.push(default());
                true
            }
            None => self.0.push_missing(),
        }
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    #[inline]
    fn get(&self, row: usize) -> T {
        self.0.get(row)
    }

    #[inline]
    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
        self.0.equal(row, &other.0, other_row)
    }

    #[inline]
    fn key_equal(&self, row: usize, other: &Self, other_row: usize, key: impl Fn(usize) -> bool + Copy, first: usize) -> bool {
        !key(first) || self.0.equal(row, &other.0, other_row)
    }

    #[inline]
    fn visit<V: Visitor>(&self, first: usize, visitor: &mut V) {
        visitor.column(first, &self.0);
    }
}

impl<L: Fields, R: Fields> Fields for Pair<L, R> {
    const WIDTH: usize = L::WIDTH + R::WIDTH;
    type Columns = Pair<L::Columns, R::Columns>;
    type Defaults = Pair<L::Defaults, R::Defaults>;
    type Partial = Pair<L::Partial, R::Partial>;
}

impl<L: Columns, R: Columns> Columns for Pair<L, R> {
    type Row = Pair<L::Row, R::Row>;

    #[inline]
    fn bytes(&self) -> usize {
        self.0.bytes() + self.1.bytes()
    }

    #[inline]
    fn push(&mut self, row: Self::Row) {
        self.0.push(row.0);
        self.1.push(row.1);
    }

    fn push_placeholder(&mut self) {
        self.0.push_placeholder();
        self.1.push_placeholder();
    }

    fn push_partial(&mut self, row: <Self::Row as Fields>::Partial) {
        self.0.push_partial(row.0);
        self.1.push_partial(row.1);
    }

    #[inline]
    fn push_from(&mut self, other: &Self, row: usize) {
        self.0.push_from(&other.0, row);
        self.1.push_from(&other.1, row);
    }

    #[inline]
    fn decode<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error> {
        match index.checked_sub(L::Row::WIDTH) {
            None => self.0.decode(index, map),
            Some(index) => self.1.decode(index, map),
        }
    }

    fn fill(&mut self, index: usize, defaults: &<Self::Row as Fields>::Defaults) -> bool {
        match index.checked_sub(L::Row::WIDTH) {
            None => self.0.fill(index, &defaults.0),
            Some(index) => self.1.fill(index, &defaults.1),
        }
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
        self.1.truncate(len);
    }

    #[inline]
    fn get(&self, row: usize) -> Self::Row {
        Pair(self.0.get(row), self.1.get(row))
    }

    #[inline]
    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
        self.0.equal(row, &other.0, other_row) && self.1.equal(row, &other.1, other_row)
    }

    #[inline]
    fn key_equal(&self, row: usize, other: &Self, other_row: usize, key: impl Fn(usize) -> bool + Copy, first: usize) -> bool {
        self.0.key_equal(row, &other.0, other_row, key, first)
            && self.1.key_equal(row, &other.1, other_row, key, first + L::Row::WIDTH)
    }

    #[inline]
    fn visit<V: Visitor>(&self, first: usize, visitor: &mut V) {
        self.0.visit(first, visitor);
        self.1.visit(first + L::Row::WIDTH, visitor);
    }
}

impl<S: Schema> Fields for Flat<S> {
    const WIDTH: usize = S::Fields::WIDTH;
    type Columns = FlatColumns<S>;
    type Defaults = ();
    type Partial = Option<<S::Fields as Fields>::Partial>;
}

impl<S: Schema> Columns for FlatColumns<S> {
    type Row = Flat<S>;

    #[inline]
    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    #[inline]
    fn push(&mut self, row: Flat<S>) {
        self.0.push(row.0.into_fields());
    }

    fn push_placeholder(&mut self) {
        self.0.push_placeholder();
    }

    fn push_partial(&mut self, row: <Flat<S> as Fields>::Partial) {
        match row {
            Some(row) => self.0.push_partial(row),
            None => self.0.push_placeholder(),
        }
    }

    #[inline]
    fn push_from(&mut self, other: &Self, row: usize) {
        self.0.push_from(&other.0, row);
    }

    #[inline]
    fn decode<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error> {
        self.0.decode(index, map)
    }

    fn fill(&mut self, index: usize, _defaults: &()) -> bool {
        self.0.fill(index, &S::DEFAULTS)
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    #[inline]
    fn get(&self, row: usize) -> Flat<S> {
        Flat(S::from_fields(self.0.get(row)))
    }

    #[inline]
    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
        self.0.equal(row, &other.0, other_row)
    }

    #[inline]
    fn key_equal(&self, row: usize, other: &Self, other_row: usize, key: impl Fn(usize) -> bool + Copy, first: usize) -> bool {
        self.0.key_equal(row, &other.0, other_row, key, first)
    }

    #[inline]
    fn visit<V: Visitor>(&self, first: usize, visitor: &mut V) {
        self.0.visit(first, visitor);
    }
}
