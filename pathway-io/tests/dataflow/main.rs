//! Computations on tables, with the engine on.

mod batch;
mod cluster;
mod common;
mod failures;
mod golden;
mod rows;
mod tables;
