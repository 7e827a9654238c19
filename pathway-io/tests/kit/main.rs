//! Watching a pipeline, and the test kit.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "other tests need the rest")]
mod common;

mod clock;
mod events;
mod harness;
#[cfg(feature = "metrics")]
mod metrics;
mod monitor;
#[cfg(feature = "persist")]
mod sinks;
#[cfg(feature = "persist")]
mod suite;
#[cfg(feature = "persist")]
mod tables;
