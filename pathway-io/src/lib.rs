//! Typed, back-pressured streams of table updates from any data source.

pub mod column;
mod decode;
mod fields;
mod row_error;
mod schema;

pub use pathway_derive::{Schema, connector};
pub use row_error::RowError;
pub use schema::{Column, DataType, Keyed, Schema, TableSchema};

/// What the macros' output refers to. It changes with every release and is for them alone.
#[doc(hidden)]
pub mod __private0 {
    pub use crate::column::{ColumnType, KeyType, to_json};
    pub use crate::fields::{Fields, Flat, Pair};
    pub use crate::schema::{Column, DataColumn, Keyed, Removable, Schema, TableSchema, concat_columns};
    pub use std::clone::Clone;
    pub use std::option::Option::{self, None, Some};
    pub use std::string::String;
}
