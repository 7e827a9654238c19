//! What a table's rows look like: the [`Schema`] trait that `#[derive(Schema)]` implements, and the description of
//! the columns that it carries ([`TableSchema`], [`Column`], [`DataType`]).
//!
//! Everything here is known at compile time. A schema is a `const`, so that the runtime can loop over the columns of
//! a row and the optimiser sees through the loop.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::rows::column::{ColumnType, to_json};
use crate::rows::data_type::DataType;
use crate::rows::fields::{Field, Fields, PartialOf, RowOf};

/// What every output adds to the columns. No column can be called so, though an alias of one can.
pub(crate) const RESERVED: [&str; 2] = ["time", "diff"];

/// A row type: a struct whose fields are the columns of a table.
///
/// Implemented by `#[derive(Schema)]`, which is the only supported way; what is not documented here may change in
/// any release.
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
    /// The row taken apart into its fields, a tree of [`Pair`](crate::rows::fields::Pair)s.
    #[doc(hidden)]
    type Fields: Fields;
    /// The table as a whole.
    #[doc(hidden)]
    const SCHEMA: &'static TableSchema;

    #[doc(hidden)]
    fn into_fields(self) -> RowOf<Self>;
    #[doc(hidden)]
    fn from_fields(fields: RowOf<Self>) -> Self;

    /// The table's name, options and columns.
    #[must_use]
    fn schema() -> &'static TableSchema {
        Self::SCHEMA
    }
}

/// A schema with a primary key. Rows of one key replace each other (upsert), and can be removed by key.
///
/// Implemented by `#[derive(Schema)]` where a column is marked `#[schema(primary_key)]`.
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
    label = "rows of `{Self}` cannot be told apart by a key",
    note = "add `#[schema(primary_key)]` to the columns that identify a row"
)]
pub trait Keyed: Schema {
    /// The key column's type; a tuple, in column order, if the key has several columns.
    type Key;

    /// The primary key of this row.
    fn key(&self) -> Self::Key;

    /// A row of which only the key is known: what `remove` puts into the stream.
    #[doc(hidden)]
    fn tombstone(key: Self::Key) -> PartialOf<Self>;
}

/// The description of a table: its name, its options and its columns.
///
/// It serialises with serde, as a map of its fields with the data types in their Rust spelling.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TableSchema {
    /// The name of the struct.
    pub name: &'static str,
    /// The doc comment of the struct; empty if it has none.
    pub description: &'static str,
    /// Whether rows are only ever added.
    pub append_only: bool,
    /// Whether JSON rows with unknown fields are refused. `time` and `diff` are always accepted, because every output adds them.
    pub deny_unknown: bool,
    /// The columns, in the order of the output.
    pub columns: &'static [Column],
    /// The names of the struct's fields that are no columns.
    pub(crate) skipped: &'static [&'static str],
}

impl TableSchema {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, columns: &'static [Column]) -> Self {
        TableSchema { name, description: "", append_only: false, deny_unknown: false, columns, skipped: &[] }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn append_only(mut self) -> Self {
        self.append_only = true;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn deny_unknown(mut self) -> Self {
        self.deny_unknown = true;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn skip(mut self, fields: &'static [&'static str]) -> Self {
        self.skipped = fields;
        self
    }

    /// The column of that name (not of an alias), if there is one.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of the primary key, in order; none if the table has no key.
    pub fn primary_key(&self) -> impl Iterator<Item = &'static Column> + use<> {
        self.columns.iter().filter(|column| column.primary_key)
    }

    pub(crate) fn has_key(&self) -> bool {
        self.columns.iter().any(|column| column.primary_key)
    }

    /// Whether a push replaces the row with its key: the table has a key, and is not append-only.
    pub(crate) fn is_upserted(&self) -> bool {
        self.has_key() && !self.append_only
    }
}

/// Whether the column with that number belongs to the primary key.
#[inline]
pub(crate) fn is_key<S: Schema>(column: usize) -> bool {
    S::SCHEMA.columns[column].primary_key
}

impl Serialize for TableSchema {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.name)?;
        if !self.description.is_empty() {
            map.serialize_entry("description", self.description)?;
        }
        map.serialize_entry("append_only", &self.append_only)?;
        map.serialize_entry("deny_unknown", &self.deny_unknown)?;
        map.serialize_entry("columns", self.columns)?;
        map.end()
    }
}

/// The description of one column.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Column {
    /// The name in JSON and in every output.
    pub name: &'static str,
    /// The type of its values; of an `Option<T>` that of `T`.
    pub data_type: DataType,
    /// The column's values may be null (`Option<T>`).
    pub optional: bool,
    /// The column belongs to the primary key.
    pub primary_key: bool,
    /// The column has a default.
    pub has_default: bool,
    /// The doc comment of the field; empty if it has none.
    pub description: &'static str,
    /// Further names that are accepted in JSON.
    pub aliases: &'static [&'static str],
    /// The name of the struct's field: of a flattened column that of the flattened row.
    pub(crate) field: &'static str,
    /// The number of that field.
    pub(crate) field_index: usize,
    /// A value can stand for none, see `next::Rest`.
    pub(crate) has_placeholder: bool,
    default: Option<fn() -> Value>,
    example: Option<fn() -> Value>,
}

impl Column {
    /// A column of that type, as yet without a name.
    pub(crate) const fn of_type<T: ColumnType>() -> Self {
        Column {
            name: "",
            data_type: T::DATA_TYPE,
            optional: T::OPTIONAL,
            primary_key: false,
            has_default: false,
            description: "",
            aliases: &[],
            field: "",
            field_index: 0,
            has_placeholder: T::HAS_PLACEHOLDER,
            default: None,
            example: None,
        }
    }

    /// The same with the field's default and example, where it has them.
    pub(crate) const fn of_field<S: Field<I>, const I: usize>(default: bool, example: bool) -> Self {
        Column {
            has_default: default,
            default: if default { Some(|| to_json(S::default())) } else { None },
            example: if example { Some(|| to_json(S::example())) } else { None },
            ..Column::of_type::<S::Type>()
        }
    }

    /// Returns the default as JSON, evaluated by this call; `None` if the column has none.
    #[must_use]
    pub fn default_value(&self) -> Option<Value> {
        self.default.map(|default| default())
    }

    /// The example as JSON; `None` if the column has none.
    #[must_use]
    pub fn example_value(&self) -> Option<Value> {
        self.example.map(|example| example())
    }
}

impl Serialize for Column {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.name)?;
        map.serialize_entry("type", &self.data_type)?;
        map.serialize_entry("optional", &self.optional)?;
        map.serialize_entry("primary_key", &self.primary_key)?;
        if let Some(default) = self.default_value() {
            map.serialize_entry("default", &default)?;
        }
        if !self.description.is_empty() {
            map.serialize_entry("description", self.description)?;
        }
        if !self.aliases.is_empty() {
            map.serialize_entry("aliases", self.aliases)?;
        }
        if let Some(example) = self.example_value() {
            map.serialize_entry("example", &example)?;
        }
        map.end()
    }
}
