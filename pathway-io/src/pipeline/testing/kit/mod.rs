//! The checks behind `connector_tests!` and `sink_tests!`, which test a connector or a sink for each promise.
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
