//! Shared code of the tests of computations, in addition to that of all tests: runs on several workers.

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "these tests use only a part of it")]
mod shared;

use pathway_io::dataflow::Workers;
use pathway_io::{Pipeline, Result, Summary};

pub use self::shared::{DEADLINE, Seen, TempDir, commits, next, pipeline, ranked, run, source, wait_until, within};

/// Runs a pipeline on several workers and fails if it does not end.
#[track_caller]
pub fn run_on(pipeline: Pipeline, workers: Workers) -> Result<Summary> {
    within(move || pipeline.run_on(workers))
}
