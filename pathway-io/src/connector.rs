//! The source as the runtime sees it: the [`Connector`] trait and what its associated types may be.

use std::sync::Arc;

use crate::error::{BoxError, RunResult};
use crate::intake::AnyPool;
use crate::options::ReadOptions;
use crate::schema::Schema;
use crate::source::Source;
use crate::subject::Subject;
use crate::table::{AnyTable, Table};

/// A source of rows. `#[connector]` implements it for a type whose inherent impl has a `run`; it can also be
/// implemented by hand.
///
/// Each reader of a connector runs on a thread of its own.
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
    /// What `run` is handed: a [`Subject`] for the connector's one table, or a tuple of them.
    type Subjects: Subjects<Tables = Self::Tables>;
    /// What [`Pipeline::read`](crate::Pipeline::read) returns: a [`Table`] for each subject.
    type Tables;

    /// The defaults of the options; a reader's own win over them.
    fn options() -> ReadOptions {
        ReadOptions::new()
    }

    /// Reads the source and pushes rows until it ends or a push says [`Closed`](crate::Closed).
    ///
    /// # Errors
    ///
    /// Whatever the author returns. It fails the pipeline, unless a stop had been asked for or a handle had returned
    /// `Closed`.
    fn run(&mut self, subjects: Self::Subjects) -> RunResult;

    /// Cleans up: called exactly once, on the source's thread, however the last `run` ended.
    fn on_stop(&mut self) {}
}

/// The subjects of a connector: one [`Subject`], or a tuple of up to eight.
#[diagnostic::on_unimplemented(
    message = "expected a `Subject<_>`, found `{Self}`",
    label = "not a subject",
    note = "`run` takes one `Subject<_>` for each table that it feeds"
)]
pub trait Subjects: Sized + Send + 'static {
    /// The tables that they feed.
    type Tables;

    /// Makes the tables, and lists them in the order of the subjects.
    #[doc(hidden)]
    fn declare(source: &Arc<str>, list: &mut Vec<Arc<dyn AnyTable>>) -> Self::Tables;

    /// Makes the subjects for a run; `first` is the index of the first table in `pools`.
    #[doc(hidden)]
    fn open(source: &Arc<Source>, pools: &[AnyPool], first: usize) -> Self;
}

impl<S: Schema, O: Send + 'static> Subjects for Subject<S, O> {
    type Tables = Table<S>;

    fn declare(source: &Arc<str>, list: &mut Vec<Arc<dyn AnyTable>>) -> Table<S> {
        let table = Table::new(Arc::clone(source));
        list.push(table.any());
        table
    }

    fn open(source: &Arc<Source>, pools: &[AnyPool], first: usize) -> Self {
        Subject::new(Arc::clone(source), first, Arc::clone(&pools[first]))
    }
}

macro_rules! tuples {
    ($($S:ident $O:ident $i:tt),+) => {
        impl<$($S: Schema, $O: Send + 'static),+> Subjects for ($(Subject<$S, $O>,)+) {
            type Tables = ($(Table<$S>,)+);

            fn declare(source: &Arc<str>, list: &mut Vec<Arc<dyn AnyTable>>) -> Self::Tables {
                ($(<Subject<$S, $O> as Subjects>::declare(source, list),)+)
            }

            fn open(source: &Arc<Source>, pools: &[AnyPool], first: usize) -> Self {
                ($(<Subject<$S, $O> as Subjects>::open(source, pools, first + $i),)+)
            }
        }
    };
}

tuples!(A OA 0);
tuples!(A OA 0, B OB 1);
tuples!(A OA 0, B OB 1, C OC 2);
tuples!(A OA 0, B OB 1, C OC 2, D OD 3);
tuples!(A OA 0, B OB 1, C OC 2, D OD 3, E OE 4);
tuples!(A OA 0, B OB 1, C OC 2, D OD 3, E OE 4, F OF 5);
tuples!(A OA 0, B OB 1, C OC 2, D OD 3, E OE 4, F OF 5, G OG 6);
tuples!(A OA 0, B OB 1, C OC 2, D OD 3, E OE 4, F OF 5, G OG 6, H OH 7);

/// What `run` may return under `#[connector]`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`run` must return `()` or `Result<(), E>`, found `{Self}`",
    label = "not a result of `run`",
    note = "`E` is any error that converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait IntoRunResult {
    fn into_run_result(self) -> RunResult;
}

impl IntoRunResult for () {
    fn into_run_result(self) -> RunResult {
        Ok(())
    }
}

impl<E: Into<BoxError>> IntoRunResult for Result<(), E> {
    fn into_run_result(self) -> RunResult {
        self.map_err(Into::into)
    }
}
