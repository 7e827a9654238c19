//! Persistent pipelines: what a restart finds, and what it refuses. The faults are in `tests/kill`.

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "it has more than these tests need")]
mod common;
#[cfg(feature = "dataflow")]
mod computed;
mod durable;
mod edges;
mod full_snapshot;
mod place;
mod refuse;
mod restart;
mod threads;
mod timed;
