//! [`Partition`]: the part of a source that one reader reads.

/// The partition of a source that one call of `run` reads: number `index` of `count`.
///
/// If the last parameter of a connector's `run` is a `Partition`, each worker runs its own clone of the connector:
///
/// ```
/// use pathway_io::dataflow::{Partition, Workers};
/// use pathway_io::{Pipeline, Schema, Subject, connector};
///
/// #[derive(Schema)]
/// struct Number { n: u64 }
///
/// #[derive(Clone)]
/// struct Numbers { to: u64 }
///
/// #[connector]
/// impl Numbers {
///     fn run(&mut self, numbers: Subject<Number>, part: Partition) -> pathway_io::RunResult {
///         for n in (0..self.to).filter(|n| n % part.count as u64 == part.index as u64) {
///             numbers.next(Number { n })?;
///         }
///         Ok(())
///     }
/// }
///
/// // All parts feed one table.
/// let pipeline = Pipeline::new();
/// pipeline.read(Numbers { to: 100 });
/// let summary = pipeline.run_on(Workers::threads(3))?;
/// assert_eq!(summary.rows(), 100);
/// # Ok::<(), pathway_io::Error>(())
/// ```
///
/// The partitions of one process share a clock, so results never wait for an idle partition of the same process.
///
/// With several processes, each process has its own clock. The times of one partition strictly increase, but commits of
/// partitions in different processes can have the same `time`. A sink receives these as one commit, in which the rows
/// are ordered by partition and then by push. If two pushes of the same key have the same time, the push of the
/// partition with the higher index wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Partition {
    /// The number of the worker over all processes, from 0 to `count - 1`.
    pub index: usize,
    /// The number of partitions, which equals the number of workers in all processes.
    pub count: usize,
}

impl Partition {
    /// The only partition of a partitioned source that runs on one worker.
    pub const WHOLE: Partition = Partition { index: 0, count: 1 };
}
