//! [`Partition`]: which part of a source one of its readers reads.

/// The part of a partitioned source that one run reads: number `index` of `count`.
///
/// A connector whose `run` takes it as its last parameter runs once for each worker, as a clone of its own:
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
///     fn run(&mut self, numbers: Subject<Number>, part: Partition) -> pathway_io::Result<()> {
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
/// The parts of one process share its clock, so that no result waits for the clock of a part that is silent. Where there are
/// several processes, each has its own: the times of a part strictly increase, and commits of parts in different processes
/// may have one `time`. A sink is handed those as one, with the rows by part and then in push order; of two pushes of one
/// key at one time, that of the higher part counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Partition {
    /// From 0 to `count - 1`: the number of the worker among those of all processes.
    pub index: usize,
    /// How many parts there are: the workers of all processes.
    pub count: usize,
}

impl Partition {
    /// All of it: what a source in parts reads where there is one worker.
    pub const WHOLE: Partition = Partition { index: 0, count: 1 };
}
