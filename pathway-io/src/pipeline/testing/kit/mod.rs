//! The checks of `connector_tests!` and `sink_tests!`. Each tests one promise of a connector or a sink.
//!
//! The macros make a test of each check (`macros`, `check`). The checks of connectors are in `suite`, and the checks of
//! sinks in `sinks`.

pub(crate) mod check;
mod compare;
pub(crate) mod directory;
mod ended;
pub(super) mod every_column;
mod failing;
mod killed;
mod macros;
pub(crate) mod sinks;
pub(crate) mod suite;
mod values;
pub(crate) mod written;
