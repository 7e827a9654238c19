//! Computations on tables, with the engine on.

mod common;
mod failures;
mod golden;
mod rows;
mod tables;
