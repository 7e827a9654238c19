//! What the tests of computations share beside what all tests do: runs on several workers.

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "it has more than these tests need")]
mod shared;

use pathway_io::dataflow::Workers;
use pathway_io::{Pipeline, Result, Summary};

pub use self::shared::{DEADLINE, Seen, TempDir, commits, next, pipeline, ranked, run, source, within};

/// Runs a pipeline on several workers to its end, which must come.
#[track_caller]
pub fn run_on(pipeline: Pipeline, workers: Workers) -> Result<Summary> {
    within(move || pipeline.run_on(workers))
}
