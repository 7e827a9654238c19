//! Persistent pipelines: the state that a restart finds, and the starts that are rejected. `tests/kill` injects faults.

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "these tests use only a part of it")]
mod common;
#[cfg(feature = "dataflow")]
mod computed;
mod durable;
mod edges;
mod exchanged;
mod full_snapshot;
mod hostile;
mod json;
mod place;
mod refuse;
mod replace_all;
mod restart;
mod threads;
mod timed;
mod transaction;
#[cfg(unix)]
mod watch;
