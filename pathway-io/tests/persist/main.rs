//! Persistent pipelines: what a restart finds, and what it refuses. The faults are in `tests/kill`.

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "it has more than these tests need")]
mod common;
#[cfg(feature = "differential")]
mod computed;
mod durable;
mod edges;
mod place;
mod refuse;
mod replay;
mod restart;
mod threads;
mod timed;
