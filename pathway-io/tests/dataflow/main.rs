//! Tests of computations on tables.

mod batch;
mod cluster;
mod common;
mod failures;
mod golden;
mod parts;
mod projection;
mod rows;
mod tables;
