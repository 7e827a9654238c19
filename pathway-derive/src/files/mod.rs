//! What stands in files beside the source: the rows of a sample, and the lock of a schema.
//!
//! Nothing here knows of macros, or of any other module: fuzz targets take this folder in by its path. Whatever a file
//! holds, no reader panics, recurses without a limit or reads more than it is told to.

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
