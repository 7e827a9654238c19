//! The tests of the contract, with one module for each topic. They form one program, so that it is linked once.
//!
//! No test sleeps in the hope that something has happened by then. Each test waits for the event itself, with a
//! deadline that only a hang can reach.

mod backlog;
mod bad_rows;
mod commit;
#[path = "../common/mod.rs"]
mod common;
mod csv;
mod golden;
mod hook;
mod inline;
mod json_column;
mod model;
mod numbers;
mod offset;
mod panic;
mod replace_all;
mod restart;
mod retry;
mod signal;
mod sinks;
mod stop;
mod upsert;
