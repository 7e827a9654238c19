//! A schema in the languages of others: JSON Schema, SQL, Arrow, and Pathway's Python.
//!
//! Each file has the methods of [`TableSchema`](super::TableSchema) for one of them, and says what that language has no
//! word for.

#[cfg(feature = "arrow")]
mod arrow;
#[cfg(feature = "export")]
mod json_schema;
#[cfg(feature = "export")]
mod pathway;
#[cfg(feature = "export")]
mod sql;

#[cfg(feature = "parquet")]
pub(crate) use arrow::batch::BatchBuilder;
#[cfg(feature = "export")]
pub use sql::Dialect;
