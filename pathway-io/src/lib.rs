//! Typed, back-pressured streams of table updates from any data source.

pub mod column;
mod fields;
mod schema;

pub use pathway_derive::{Schema, connector};
pub use schema::{Column, DataType, Keyed, Schema, TableSchema};

/// What the macros' output refers to. It changes with every release and is for them alone.
#[doc(hidden)]
pub mod __private0 {
    pub use crate::fields::{
        Col, Field, Fields, Flat, FlatField, FlatKey, FlatKeyField, KeyField, Pair, Stub, flat_key, key, missing,
    };
    pub use crate::schema::{Column, DataColumn, Keyed, Removable, Schema, TableSchema, concat_columns, flat_columns};
    pub use std::default::Default;
    pub use std::option::Option::{self, None, Some};
    pub use std::string::String;
}
