//! Exactly once, proven by fault: a program is killed, at random and at each named point, and its disk fails at each call
//! and at each byte; when it is started again it goes on, and in the end its files are those of a run that nobody
//! disturbed.
//!
//! The program is this test itself, started anew as a child; what it does is in [`program`], what its files must be in
//! [`outputs`]. A smaller one, for the many faults of a disk, runs in this process ([`bytes`]).
//!
//! | variable | sets |
//! |---|---|
//! | `PATHWAY_IO_KILL_ROUNDS` | how often it is killed at random; 8 |
//! | `PATHWAY_IO_KILL_SEED` | the random numbers |
//! | `PATHWAY_IO_DISK_STEP` | the distance of the bytes and calls at which the disk fails; 13 |

mod bytes;
mod child;
#[cfg(feature = "dataflow")]
mod computed;
mod disk;
mod outputs;
mod points;
mod program;
mod random;
