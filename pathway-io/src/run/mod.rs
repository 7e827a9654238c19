//! The parts that all threads of a run share.

pub(crate) mod control;
pub(crate) mod current;
pub(crate) mod error;
pub(crate) mod files;
pub(crate) mod guard;
pub(crate) mod lock;
pub(crate) mod panics;
pub(crate) mod part;
pub(crate) mod quarantine;
pub(crate) mod restart;
pub(crate) mod summary;
pub(crate) mod sync;
pub(crate) mod threads;
pub(crate) mod time;
