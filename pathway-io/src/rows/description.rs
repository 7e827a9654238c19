//! The description of a table and its columns ([`TableSchema`], [`Column`]).
//!
//! All of it is known at compile time. A description is a `const`, so that the optimiser can unroll the runtime's
//! loops over the columns of a row.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::rows::column::ColumnType;
use crate::rows::const_text::same;
use crate::rows::data_type::DataType;

/// The columns that every output adds. No column can have such a name, but an alias can.
pub(crate) const RESERVED: [&str; 2] = ["time", "diff"];

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
    /// Whether JSON rows with unknown fields are refused. `time` and `diff` are always accepted, because every output
    /// adds them.
    pub deny_unknown: bool,
    /// The columns, in the order of the output.
    pub columns: &'static [Column],
    /// The names of the struct's fields that are not columns.
    pub(crate) skipped: &'static [&'static str],
}

impl TableSchema {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        TableSchema { name, description: "", append_only: false, deny_unknown: false, columns: &[], skipped: &[] }
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

    /// Returns the column with this name (not alias), if there is one.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        find(self.columns, name)
    }

    /// Returns the columns of the primary key, in order; none if the table has no key.
    pub fn primary_key(&self) -> impl Iterator<Item = &'static Column> + use<> {
        self.columns.iter().filter(|column| column.primary_key)
    }

    pub(crate) fn has_key(&self) -> bool {
        self.columns.iter().any(|column| column.primary_key)
    }

    /// Returns whether a push replaces the row with its key, that is, whether the table has a key and is not
    /// append-only.
    pub(crate) fn is_upserted(&self) -> bool {
        self.has_key() && !self.append_only
    }
}

/// Returns the column with this name.
pub(crate) const fn find(columns: &'static [Column], name: &str) -> Option<&'static Column> {
    let mut at = 0;
    while at < columns.len() {
        if same(columns[at].name, name) {
            return Some(&columns[at]);
        }
        at += 1;
    }
    None
}

/// The columns of some or all fields of a row, as a tree, without their names.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Column(Column),
    Pair(&'static Shape, &'static Shape),
    /// The columns of a flattened schema; `keyed` if its key is part of this key.
    Flat {
        columns: &'static [Column],
        keyed: bool,
    },
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

/// One step of the path to a column.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathStep {
    Field(&'static str),
    Item(usize),
}

/// The description of one column.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Column {
    /// The name in JSON and in every output.
    pub name: &'static str,
    /// The type of the column's values. For an `Option<T>`, it is the type of `T`.
    pub data_type: DataType,
    /// Whether the column's values may be null (`Option<T>`).
    pub optional: bool,
    /// Whether the column belongs to the primary key.
    pub primary_key: bool,
    /// Whether the column has a default.
    pub has_default: bool,
    /// The doc comment of the field; empty if it has none.
    pub description: &'static str,
    /// Further names that are accepted in JSON.
    pub aliases: &'static [&'static str],
    /// The path at which the column is read in a row's JSON, such as `seller.name`; empty if it is a field of the row
    /// itself.
    pub path: &'static str,
    pub(crate) steps: &'static [PathStep],
    /// The name of the struct's field. For a flattened column it is the field with the flattened row.
    pub(crate) field: &'static str,
    /// The number of that field.
    pub(crate) field_index: usize,
    /// Whether the column can hold a placeholder; see `next::Rest`.
    pub(crate) has_placeholder: bool,
    pub(super) default: Option<fn() -> Value>,
    pub(super) example: Option<fn() -> Value>,
}

impl Column {
    /// Returns a column of the type `T`, still without a name.
    pub(crate) const fn of_type<T: ColumnType>() -> Self {
        Column {
            name: "",
            data_type: T::DATA_TYPE,
            optional: T::OPTIONAL,
            primary_key: false,
            has_default: false,
            description: "",
            aliases: &[],
            path: "",
            steps: &[],
            field: "",
            field_index: 0,
            has_placeholder: T::HAS_PLACEHOLDER,
            default: None,
            example: None,
        }
    }

    /// Returns the default as JSON, evaluated by this call; `None` if the column has none.
    ///
    /// A number that a [`Value`] cannot hold, which only a `RawJson` or a duration of centuries has, is the nearest
    /// float.
    #[must_use]
    pub fn default_value(&self) -> Option<Value> {
        self.default.map(|default| default())
    }

    /// Returns the example as JSON; `None` if the column has none.
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
        if !self.path.is_empty() {
            map.serialize_entry("path", self.path)?;
        }
        if let Some(example) = self.example_value() {
            map.serialize_entry("example", &example)?;
        }
        map.end()
    }
}
