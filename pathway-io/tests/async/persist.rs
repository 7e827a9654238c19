//! The cases of `tests/persist` that concern a source, run once more with async handles.

#[allow(dead_code, reason = "its handles are not of this kind")]
#[path = "../common/mod.rs"]
mod base;
#[allow(dead_code, reason = "the cases of the contract need the rest")]
mod blocking;
mod common {
    pub use crate::base::*;
    pub use crate::blocking::{Subject, source};
}
#[path = "../persist/durable.rs"]
mod durable;
#[path = "../persist/edges.rs"]
mod edges;
#[path = "../persist/full_snapshot.rs"]
mod full_snapshot;
#[path = "../persist/restart.rs"]
mod restart;
#[path = "../persist/threads.rs"]
mod threads;
