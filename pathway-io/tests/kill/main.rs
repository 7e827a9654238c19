//! Exactly once, proven by fault: a program is killed, at random and at each named point, and its disk fails at each byte;
//! when it is started again it goes on, and in the end its files are those of a run that nobody disturbed.
//!
//! The program is this test itself, started anew as a child; what it does is in [`program`], what its files must be in
//! [`outputs`]. `PATHWAY_IO_KILL_ROUNDS` sets how often it is killed at random (8 unless set), `PATHWAY_IO_KILL_SEED` the
//! random numbers, `PATHWAY_IO_DISK_STEP` the distance of the bytes at which the disk is full.

mod child;
mod disk;
mod outputs;
mod points;
mod program;
mod random;
