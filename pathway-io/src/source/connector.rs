//! The runtime's view of a source: the [`Connector`] trait and the requirements on its associated types.

use std::iter::Enumerate;
use std::slice;
use std::sync::Arc;

use crate::rows::column::tuple::for_tuples;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::RunResult;
use crate::source::declare::Declare;
use crate::source::intake::pending::AnyPool;
use crate::source::offset::{Offset, OffsetType};
use crate::source::options::ReadOptions;
use crate::source::partition::Partition;
use crate::source::shared::Source;
use crate::source::subject::Subject;

/// A source of rows.
///
/// `#[connector]` implements it for a type that has an inherent method `run`. You can also implement it by hand.
///
/// Each source, and each partition of one, runs on its own thread.
///
/// ```
/// use pathway_io::{Connector, ReadOptions, RunResult, Schema, Subject, Table};
///
/// #[derive(Schema)]
/// struct Count { n: u32 }
///
/// struct UpTo(u32);
///
/// impl Connector for UpTo {
///     type Subjects = Subject<Count>;
///     type Tables = Table<Count>;
///
///     fn options() -> ReadOptions {
///         ReadOptions::new().name("counts")
///     }
///
///     fn run(&mut self, counts: Subject<Count>) -> RunResult {
///         for n in 0..self.0 {
///             counts.next(Count { n })?;
///         }
///         Ok(())
///     }
/// }
///
/// let updates = pathway_io::testing::collect(UpTo(3))?;
/// assert_eq!(updates.len(), 3);
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connector",
    label = "not a connector",
    note = "put `#[connector]` on its `impl` block with the `run` method"
)]
pub trait Connector: Send + 'static {
    /// The parameter of `run`: a [`Subject`] if the connector feeds one table, otherwise a tuple of subjects.
    type Subjects: Subjects<Tables = Self::Tables>;
    /// The result of [`Pipeline::read`](crate::Pipeline::read): a [`Table`] for each subject.
    type Tables;

    /// Returns the default options. The options of [`Pipeline::read_with`](crate::Pipeline::read_with) override them.
    fn options() -> ReadOptions {
        ReadOptions::new()
    }

    /// Reads the source and pushes rows until the source ends or a push returns [`Closed`](crate::Closed).
    ///
    /// # Errors
    ///
    /// An implementation can return any error. An error fails the pipeline, unless a stop was requested before or a
    /// subject had returned `Closed`. With a [`Restart`](crate::Restart), `run` is called again, and the pipeline fails
    /// only when the attempts are used up.
    fn run(&mut self, subjects: Self::Subjects) -> RunResult;

    /// Returns a copy of the source that reads one partition, if the source is partitioned.
    ///
    /// A partitioned source runs once for each worker of the pipeline, in all processes. Each worker calls
    /// [`run_partition`](Self::run_partition) on its copy. `#[connector]` implements both methods if the last parameter
    /// of `run` is a [`Partition`].
    ///
    /// All partitions feed the same tables. If a table has a key, the last push of a key wins. If two pushes have the
    /// same time, the push of the partition with the higher index wins.
    fn partition(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// Reads one partition of the source.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`run`](Self::run).
    fn run_partition(&mut self, subjects: Self::Subjects, partition: Partition) -> RunResult {
        let _ = partition;
        self.run(subjects)
    }

    /// Cleans up after the last `run`.
    ///
    /// The library calls it once, on the source's thread, unless `run` was never called. It cannot end a `run` that
    /// blocks; register a hook for that with [`on_interrupt`](crate::Subject::on_interrupt).
    fn on_stop(&mut self) {}
}

/// The subjects of a connector: one [`Subject`], or a tuple of up to eight.
#[diagnostic::on_unimplemented(
    message = "expected a `Subject<_>`, found `{Self}`",
    label = "not a subject",
    note = "`run` takes one `Subject<_>` for each table that it feeds"
)]
pub trait Subjects: Sized + Send + 'static {
    /// The tables that the subjects feed.
    type Tables;

    /// Declares the tables, in the order of the subjects.
    #[doc(hidden)]
    fn declare(tables: &mut impl Declare) -> Self::Tables;

    /// Returns the type of the offsets, which all subjects share.
    #[doc(hidden)]
    fn offset_type() -> OffsetType;

    /// Makes the subjects for one call of `run`. Each takes the pool of its table.
    #[doc(hidden)]
    fn open(source: &Arc<Source>, pools: &mut Pools<'_>) -> Self;
}

/// The pools of a connector's tables that no subject has taken yet, with the numbers of the tables.
#[doc(hidden)]
pub type Pools<'a> = Enumerate<slice::Iter<'a, AnyPool>>;

impl<S: Schema, O: Offset> Subjects for Subject<S, O> {
    type Tables = Table<S>;

    fn declare(tables: &mut impl Declare) -> Table<S> {
        tables.table()
    }

    fn offset_type() -> OffsetType {
        OffsetType::of::<O>()
    }

    fn open(source: &Arc<Source>, pools: &mut Pools<'_>) -> Self {
        let (table, pool) = pools.next().expect("each declared table has a pool");
        Subject::new(Arc::clone(source), table, Arc::clone(pool))
    }
}

macro_rules! tuples {
    (($($S:ident $i:tt)+)) => {
        impl<$($S: Subjects),+> Subjects for ($($S,)+) {
            type Tables = ($($S::Tables,)+);

            fn declare(tables: &mut impl Declare) -> Self::Tables {
                ($($S::declare(tables),)+)
            }

            fn offset_type() -> OffsetType {
                A::offset_type()
            }

            fn open(source: &Arc<Source>, pools: &mut Pools<'_>) -> Self {
                ($($S::open(source, pools),)+)
            }
        }
    };
}

for_tuples!(tuples, 8);
