//! Computations on tables, with the engine on.

mod common;
mod golden;
mod tables;
