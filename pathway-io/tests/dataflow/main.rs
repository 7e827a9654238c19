//! Computations on tables, with the engine on.

mod batch;
mod cluster;
mod common;
mod failures;
mod golden;
mod parts;
mod rows;
mod tables;
