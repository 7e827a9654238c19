//! Checks at compile time that hold a schema to a file or to another schema.

pub(crate) mod lock;
pub(crate) mod matches;
pub(crate) mod sample;
