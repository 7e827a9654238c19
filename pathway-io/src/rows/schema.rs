//! The [`Schema`] trait of row types, which `#[derive(Schema)]` implements, and [`Keyed`] for those with a primary key.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::rows::column::Buffer;
use crate::rows::declaration::{ColumnArray, Declaration};
use crate::rows::description::TableSchema;
use crate::rows::fields::{Columns, Fields, Tree, Visitor};

/// A row type: a struct whose fields are the columns of a table.
///
/// Implement it with `#[derive(Schema)]`. Undocumented items of the trait may change in any release.
///
/// ```
/// use pathway_io::Schema;
///
/// /// Cats, as zoologists list them.
/// #[derive(Schema)]
/// struct Cat {
///     #[schema(primary_key)]
///     key: i64,
///     genus: String,
///     #[schema(default)]
///     weight: Option<f64>,
/// }
///
/// let schema = Cat::schema();
/// assert_eq!(schema.name, "Cat");
/// assert_eq!(schema.columns[0].name, "key");
/// assert!(schema.columns[0].primary_key && schema.columns[2].optional);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a schema",
    label = "not a schema",
    note = "add `#[derive(Schema)]` to it"
)]
pub trait Schema: Sized + 'static {
    /// The fields of the row, as a tree of [`Pair`](crate::rows::fields::Pair)s.
    #[doc(hidden)]
    type Fields: Fields;
    /// An array with one item for each column.
    #[doc(hidden)]
    type Array: ColumnArray<Self>;
    #[doc(hidden)]
    const DECLARATION: Declaration;
    /// The description of the table. `cargo check` evaluates each constant that an implementation has, but not this
    /// one, which it inherits.
    #[doc(hidden)]
    const SCHEMA: &'static TableSchema = &TableSchema { columns: Self::Array::COLUMNS, ..Self::DECLARATION.table };

    #[doc(hidden)]
    fn into_fields(self) -> RowOf<Self>;
    #[doc(hidden)]
    fn from_fields(fields: RowOf<Self>) -> Self;

    /// Returns the table's name, options and columns.
    #[must_use]
    fn schema() -> &'static TableSchema {
        Self::SCHEMA
    }
}

/// A schema with a primary key. Rows with the same key replace each other (upsert), and can be removed by key.
///
/// `#[derive(Schema)]` implements it if a column is marked `#[schema(primary_key)]`.
///
/// ```
/// use pathway_io::{Keyed, Schema};
///
/// #[derive(Schema)]
/// struct Vote {
///     #[schema(primary_key)]
///     user: String,
///     #[schema(primary_key)]
///     poll: u32,
///     choice: String,
/// }
///
/// let vote = Vote { user: "ann".into(), poll: 7, choice: "yes".into() };
/// assert_eq!(vote.key(), ("ann".to_string(), 7));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no primary key",
    label = "rows of `{Self}` have no key",
    note = "add `#[schema(primary_key)]` to the columns that identify a row"
)]
pub trait Keyed: Schema {
    /// The key column's type; a tuple, in column order, if the key has several columns.
    type Key: 'static;

    /// Returns the primary key of this row.
    fn key(&self) -> Self::Key;

    /// Passes the parts of the key to `take`: for each key column, in their order, an `Option` of its value. They are
    /// type-erased, so that the derive generates one method for the key, and none for each column.
    #[doc(hidden)]
    fn with_parts(key: Self::Key, take: &mut dyn FnMut(&mut dyn Any)) {
        take(&mut Some(key));
    }
}

/// A schema's row as a tree of its fields.
#[doc(hidden)]
pub type RowOf<S> = <<S as Schema>::Fields as Tree>::Row;
/// A batch of a schema's rows.
pub(crate) type ColumnsOf<S> = <<S as Schema>::Fields as Fields>::Columns;

/// Returns a row of a batch.
#[inline]
pub(crate) fn row_at<S: Schema>(columns: &ColumnsOf<S>, row: usize) -> S {
    S::from_fields(S::Fields::get(columns, row))
}

/// Returns whether the column with this number belongs to the primary key.
#[inline]
pub(crate) fn is_key<S: Schema>(column: usize) -> bool {
    S::SCHEMA.columns[column].primary_key
}

/// A wrapper that hashes the key of a row in a batch.
pub(crate) struct KeyOf<'a, S: Schema> {
    pub(crate) columns: &'a ColumnsOf<S>,
    pub(crate) row: usize,
}

impl<S: Schema> Hash for KeyOf<'_, S> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.columns.visit(0, &mut HashKey::<S, _> { row: self.row, state, schema: PhantomData });
    }
}

/// Hashes the key columns of one row.
struct HashKey<'a, S, H> {
    row: usize,
    state: &'a mut H,
    schema: PhantomData<S>,
}

impl<S: Schema, H: Hasher> Visitor for HashKey<'_, S, H> {
    #[inline]
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        if is_key::<S>(index) {
            buffer.hash(self.row, self.state);
        }
    }
}
