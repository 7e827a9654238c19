//! Compares a schema with a file or with another schema at compile time.

pub(crate) mod lock;
pub(crate) mod matches;
pub(crate) mod sample;
