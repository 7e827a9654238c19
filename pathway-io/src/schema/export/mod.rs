//! A schema in other languages: JSON Schema, SQL, Arrow, and Pathway's Python.
//!
//! Each file has the methods of [`TableSchema`](super::TableSchema) for one language, and documents what that language
//! cannot express.

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
#[cfg(feature = "parquet")]
pub(crate) use arrow::check::row_check;
#[cfg(feature = "export")]
pub use sql::Dialect;
