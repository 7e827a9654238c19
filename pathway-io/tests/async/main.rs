//! Async connectors: the handle in any runtime, and the life of an `async fn run`.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "the other tests of the crate use the rest")]
mod common;
mod fairness;
mod handle;
mod life;
