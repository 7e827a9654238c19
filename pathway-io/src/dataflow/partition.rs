//! [`Partition`]: which part of a source one of its readers reads.

/// The part of a partitioned source that one run reads: number `index` of `count`.
///
/// A connector whose `run` takes it as a second parameter runs once for each worker, as a clone of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Partition {
    /// From 0 to `count - 1`: the number of the worker among those of all processes.
    pub index: usize,
    /// How many parts there are: the workers of all processes.
    pub count: usize,
}
