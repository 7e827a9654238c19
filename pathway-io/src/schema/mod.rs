//! Tools for schemas: samples and locks that the compiler checks, exports to other languages, and the struct that fits
//! a file.

mod check;
#[cfg(any(feature = "export", feature = "arrow"))]
mod export;
#[cfg(feature = "infer")]
pub(crate) mod infer;

pub use self::check::matches::{assert_matches, assert_same};
#[cfg(feature = "export")]
pub use self::export::Dialect;
#[cfg(feature = "parquet")]
pub(crate) use self::export::{BatchBuilder, row_check};
#[cfg(feature = "infer")]
pub use self::infer::{Inferred, infer};
pub use crate::rows::bounds::{DataColumn, Removable};

/// Names for the output of the macros.
pub(crate) mod glue {
    pub use super::check::lock::{Locked, LockedColumn, assert_lock, assert_lock_needs_nothing, assert_locked, number};
    pub use super::check::sample::{SampleFault, SampleField, assert_flat_sample, assert_sample, assert_sample_known};
}
