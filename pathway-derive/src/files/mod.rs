//! Readers for the files beside the source: the rows of a sample, and the lock of a schema.
//!
//! This folder uses no other module, because fuzz targets include it by its path. For any contents of a file, no
//! reader panics, recurses without a limit, or reads more than its limit.

pub mod csv;
pub mod data_type;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod head;
pub mod json;
pub mod lock;
pub mod rows;
#[cfg(test)]
pub mod tests;
