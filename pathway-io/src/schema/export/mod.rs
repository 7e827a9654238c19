//! A schema in the languages of others: JSON Schema, SQL, Arrow, and Pathway's Python.
//!
//! Each file has the methods of [`TableSchema`](super::TableSchema) for one of them, and says what that language has no
//! word for.

#[cfg(feature = "arrow")]
mod arrow;
mod json_schema;
mod pathway;
mod sql;

pub use sql::Dialect;
