//! A row as a tree of its fields, and a batch of rows as the same tree of buffers.
//!
//! `#[derive(Schema)]` takes a row apart into nested [`Pair`]s, halved at each level, so that a type's depth is the
//! logarithm of its columns. All per-column code is here, once, in the impls for a column, a pair and a flattened
//! schema; what the macro emits stays small.
//!
//! ```text
//! struct Cat { key: i64, genus: String, epithet: String }
//! Fields  = Pair<Col<Cat, 0>, Pair<Col<Cat, 1>, Col<Cat, 2>>>
//! Row     = Pair<i64, Pair<String, String>>
//! Columns = Pair<Leaf<i64>, Pair<Leaf<String>, Leaf<String>>>
//! ```
//!
//! A leaf names its column (`Col<Cat, 0>`) and not its type: what the type must be able to do stands in one place,
//! [`Field::Type`], so that a type that is no column gives one error, at the user's own tokens, and none wherever the
//! schema is used. For the same reason `Row` and `Partial` can be named without any bound on the columns' types.

use serde::de::MapAccess;

use crate::column::scan::Scan;
use crate::column::{Buffer, ColumnType, Into, KeyType};
use crate::schema::{Column, Keyed, Schema, TableSchema};

/// Two halves of a row.
#[doc(hidden)]
#[derive(Debug, Default, Clone, Copy)]
pub struct Pair<L, R>(pub L, pub R);

/// The `I`th field of a row struct is a column of this type.
#[doc(hidden)]
pub trait Field<const I: usize>: 'static {
    type Type: ColumnType;
    /// What fills in the column when a row lacks it.
    const DEFAULT: Option<fn() -> Self::Type> = None;
    /// An example for the documentation.
    const EXAMPLE: Option<fn() -> Self::Type> = None;
}

/// The `I`th field belongs to the primary key.
#[doc(hidden)]
pub trait KeyField<const I: usize>: 'static {
    type Type: KeyType;
}

/// The `I`th field is itself a row, whose columns stand in place of it.
#[doc(hidden)]
pub trait FlatField<const I: usize>: 'static {
    type Type: Schema;
}

/// The same, and the row's key belongs to the primary key.
#[doc(hidden)]
pub trait FlatKeyField<const I: usize>: 'static {
    type Type: Keyed<Key = Self::Key>;
    type Key;
}

/// The field of a column, in the tree.
#[doc(hidden)]
pub struct Col<S, const I: usize>(S);

/// The field of a flattened row, in the tree.
#[doc(hidden)]
pub struct Flat<S, const I: usize>(S);

/// The same, whose key belongs to the primary key.
#[doc(hidden)]
pub struct FlatKey<S, const I: usize>(S);

/// What a schema's row is, taken apart.
#[doc(hidden)]
pub type RowOf<S> = <<S as Schema>::Fields as Fields>::Row;
/// A batch of a schema's rows.
pub(crate) type ColumnsOf<S> = <<S as Schema>::Fields as Fields>::Columns;
/// A row of a schema of which only the key is known.
pub(crate) type PartialOf<S> = <<S as Schema>::Fields as Fields>::Partial;

/// The fields of a row, or a part of them: a tree of types, never a value.
#[doc(hidden)]
pub trait Fields: 'static {
    /// The fields' values, in the same tree.
    type Row;
    /// The same with any column left out.
    type Partial;
    type Columns: Columns<Row = Self::Row, Partial = Self::Partial>;

    /// Pushes the default of the column at `index`, or null; `false` if it has neither.
    fn fill(columns: &mut Self::Columns, index: usize) -> bool;
}

/// What a typed buffer is to a field, this is to a row.
#[doc(hidden)]
pub trait Columns: Default + Send + Sync + 'static {
    type Row;
    type Partial;
    /// How many columns it has.
    const WIDTH: usize;

    fn bytes(&self) -> usize;
    fn push(&mut self, row: Self::Row);
    /// Pushes a row that stands for none.
    fn push_placeholder(&mut self);
    /// Pushes a value that stands for none into the column at `index`.
    fn push_placeholder_at(&mut self, index: usize);
    /// Pushes a row of which only some columns are known.
    fn push_partial(&mut self, row: Self::Partial);
    fn push_from(&mut self, other: &Self, row: usize);
    /// Reads the next value of a JSON object into the column at `index`.
    fn decode<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error>;
    /// Reads the columns from `first` on if their fields come in this order, each of the plainest form.
    fn scan(&mut self, scan: &mut Scan<'_>, columns: &'static [Column], first: usize) -> bool;
    fn truncate(&mut self, len: usize);

    fn get(&self, row: usize) -> Self::Row;
    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool;
    /// Whether two rows agree in the columns from `first` on that `key` names.
    fn key_equal(
        &self,
        row: usize,
        other: &Self,
        other_row: usize,
        key: impl Fn(usize) -> bool + Copy,
        first: usize,
    ) -> bool;
    /// Shows each buffer with its column's index to `visitor`, in order; the first has index `first`.
    fn visit<V: Visitor>(&self, first: usize, visitor: &mut V);
}

/// Something to do with each buffer of a batch.
#[doc(hidden)]
pub trait Visitor {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B);
}

impl<S: Field<I>, const I: usize> Fields for Col<S, I> {
    type Row = S::Type;
    type Partial = Option<S::Type>;
    type Columns = Leaf<S::Type>;

    fn fill(columns: &mut Self::Columns, _index: usize) -> bool {
        match S::DEFAULT {
            Some(default) => {
                columns.0.push(default());
                true
            }
            None => columns.0.push_missing(),
        }
    }
}

/// The value of a column that a row lacks. The macros call it only where there is one.
#[doc(hidden)]
#[must_use]
pub fn missing<S: Field<I>, const I: usize>() -> S::Type {
    let mut column = Leaf::default();
    let filled = <Col<S, I> as Fields>::fill(&mut column, 0);
    debug_assert!(filled, "a column that can be left out has a default or can be null");
    column.get(0)
}

/// A copy of a key column's value.
#[doc(hidden)]
#[must_use]
pub fn key<S: KeyField<I>, const I: usize>(value: &S::Type) -> S::Type {
    value.clone()
}

/// A copy of the key of a flattened row.
#[doc(hidden)]
#[must_use]
pub fn flat_key<S: FlatKeyField<I>, const I: usize>(row: &S::Type) -> S::Key {
    row.key()
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
    type Partial = Option<T>;
    const WIDTH: usize = 1;

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

    fn push_placeholder_at(&mut self, _index: usize) {
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

    #[inline]
    fn scan(&mut self, scan: &mut Scan<'_>, columns: &'static [Column], first: usize) -> bool {
        (first == 0 || scan.next()) && scan.name(columns[first].name) && self.0.scan(scan)
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
    fn key_equal(
        &self,
        row: usize,
        other: &Self,
        other_row: usize,
        key: impl Fn(usize) -> bool + Copy,
        first: usize,
    ) -> bool {
        !key(first) || self.0.equal(row, &other.0, other_row)
    }

    #[inline]
    fn visit<V: Visitor>(&self, first: usize, visitor: &mut V) {
        visitor.column(first, &self.0);
    }
}

impl<L: Fields, R: Fields> Fields for Pair<L, R> {
    type Row = Pair<L::Row, R::Row>;
    type Partial = Pair<L::Partial, R::Partial>;
    type Columns = Pair<L::Columns, R::Columns>;

    fn fill(columns: &mut Self::Columns, index: usize) -> bool {
        match index.checked_sub(L::Columns::WIDTH) {
            None => L::fill(&mut columns.0, index),
            Some(index) => R::fill(&mut columns.1, index),
        }
    }
}

impl<L: Columns, R: Columns> Columns for Pair<L, R> {
    type Row = Pair<L::Row, R::Row>;
    type Partial = Pair<L::Partial, R::Partial>;
    const WIDTH: usize = L::WIDTH + R::WIDTH;

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

    fn push_placeholder_at(&mut self, index: usize) {
        match index.checked_sub(L::WIDTH) {
            None => self.0.push_placeholder_at(index),
            Some(index) => self.1.push_placeholder_at(index),
        }
    }

    fn push_partial(&mut self, row: Self::Partial) {
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
        match index.checked_sub(L::WIDTH) {
            None => self.0.decode(index, map),
            Some(index) => self.1.decode(index, map),
        }
    }

    #[inline]
    fn scan(&mut self, scan: &mut Scan<'_>, columns: &'static [Column], first: usize) -> bool {
        self.0.scan(scan, columns, first) && self.1.scan(scan, columns, first + L::WIDTH)
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

impl<S: FlatField<I>, const I: usize> Fields for Flat<S, I> {
    type Row = S::Type;
    type Partial = ();
    type Columns = FlatColumns<S::Type>;

    fn fill(columns: &mut Self::Columns, index: usize) -> bool {
        <<S::Type as Schema>::Fields as Fields>::fill(&mut columns.0, index)
    }
}

impl<S: FlatKeyField<I>, const I: usize> Fields for FlatKey<S, I> {
    type Row = S::Type;
    type Partial = S::Key;
    type Columns = FlatKeyColumns<S::Type>;

    fn fill(columns: &mut Self::Columns, index: usize) -> bool {
        <<S::Type as Schema>::Fields as Fields>::fill(&mut columns.0, index)
    }
}

macro_rules! flat_columns {
    ($(#[$doc:meta])* $name:ident, $bound:ident, $partial:ty, |$columns:ident, $row:ident| $push:expr) => {
        $(#[$doc])*
        #[doc(hidden)]
        pub struct $name<S: $bound>(ColumnsOf<S>);

        impl<S: $bound> Default for $name<S> {
            fn default() -> Self {
                $name(Default::default())
            }
        }

        impl<S: $bound> Columns for $name<S> {
            type Row = S;
            type Partial = $partial;
            const WIDTH: usize = ColumnsOf::<S>::WIDTH;

            #[inline]
            fn bytes(&self) -> usize {
                self.0.bytes()
            }

            #[inline]
            fn push(&mut self, row: S) {
                self.0.push(row.into_fields());
            }

            fn push_placeholder(&mut self) {
                self.0.push_placeholder();
            }

            fn push_placeholder_at(&mut self, index: usize) {
                self.0.push_placeholder_at(index);
            }

            fn push_partial(&mut self, $row: $partial) {
                let $columns = &mut self.0;
                $push
            }

            #[inline]
            fn push_from(&mut self, other: &Self, row: usize) {
                self.0.push_from(&other.0, row);
            }

            #[inline]
            fn decode<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error> {
                self.0.decode(index, map)
            }

            #[inline]
            fn scan(&mut self, scan: &mut Scan<'_>, columns: &'static [Column], first: usize) -> bool {
                self.0.scan(scan, columns, first)
            }

            fn truncate(&mut self, len: usize) {
                self.0.truncate(len);
            }

            #[inline]
            fn get(&self, row: usize) -> S {
                S::from_fields(self.0.get(row))
            }

            #[inline]
            fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
                self.0.equal(row, &other.0, other_row)
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
    };
}

flat_columns! {
    /// The columns of a [`Flat`] field.
    FlatColumns, Schema, (), |columns, _row| columns.push_placeholder()
}

flat_columns! {
    /// The columns of a [`FlatKey`] field.
    FlatKeyColumns, Keyed, S::Key, |columns, key| columns.push_partial(S::tombstone(key))
}

/// The fields of a struct that has none because its derive failed: no program with it ever runs.
#[doc(hidden)]
#[derive(Default)]
pub struct Stub;

impl Schema for Stub {
    type Fields = Stub;
    const SCHEMA: &'static TableSchema = &TableSchema::new("Stub", &[]);

    fn into_fields(self) {}
    fn from_fields((): ()) -> Self {
        Stub
    }
}

impl Fields for Stub {
    type Row = ();
    type Partial = ();
    type Columns = Stub;

    fn fill(_columns: &mut Stub, _index: usize) -> bool {
        false
    }
}

impl Columns for Stub {
    type Row = ();
    type Partial = ();
    const WIDTH: usize = 0;

    fn bytes(&self) -> usize {
        0
    }
    fn push(&mut self, (): ()) {}
    fn push_placeholder(&mut self) {}
    fn push_placeholder_at(&mut self, _index: usize) {}
    fn push_partial(&mut self, (): ()) {}
    fn push_from(&mut self, _other: &Self, _row: usize) {}
    fn decode<'de, A: MapAccess<'de>>(&mut self, _index: usize, _map: &mut A) -> Result<(), A::Error> {
        Ok(())
    }
    fn scan(&mut self, _scan: &mut Scan<'_>, _columns: &'static [Column], _first: usize) -> bool {
        false
    }
    fn truncate(&mut self, _len: usize) {}
    fn get(&self, _row: usize) {}
    fn equal(&self, _row: usize, _other: &Self, _other_row: usize) -> bool {
        true
    }
    fn key_equal(
        &self,
        _row: usize,
        _other: &Self,
        _other_row: usize,
        _key: impl Fn(usize) -> bool + Copy,
        _first: usize,
    ) -> bool {
        true
    }
    fn visit<V: Visitor>(&self, _first: usize, _visitor: &mut V) {}
}
