//! Tests of exactly-once by fault injection. A program is killed at random moments and at each named point, and its
//! disk fails at each call and at each byte. After a restart it continues, and in the end its files must equal those of
//! an undisturbed run.
//!
//! The program is this test itself, started as a child process. [`program`] defines it, and [`outputs`] defines the
//! expected files. A smaller program, for the many disk faults, runs in this process ([`bytes`]).
//!
//! | variable | meaning |
//! |---|---|
//! | `PATHWAY_IO_KILL_ROUNDS` | the number of random kills; 8 by default |
//! | `PATHWAY_IO_KILL_SEED` | the seed of the random numbers |
//! | `PATHWAY_IO_DISK_STEP` | the distance between the bytes and calls at which the disk fails; 13 by default |

mod bytes;
mod child;
#[cfg(feature = "dataflow")]
mod computed;
mod disk;
mod model;
mod outputs;
#[cfg(feature = "parquet")]
mod parts;
mod points;
#[cfg(feature = "postgres")]
mod postgres;
mod power;
mod program;
mod random;
#[cfg(feature = "postgres")]
#[path = "../common/server.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod server;
