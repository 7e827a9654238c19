//! The macros of pathway-io.
