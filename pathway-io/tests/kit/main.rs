//! Watching a pipeline, and the test kit.

#[path = "../common/mod.rs"]
#[allow(dead_code)]
mod common;

#[cfg(feature = "metrics")]
mod metrics;
mod monitor;
