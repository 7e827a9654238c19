//! Computations on tables, with the engine on.

mod cluster;
mod common;
mod failures;
mod golden;
mod rows;
mod tables;
