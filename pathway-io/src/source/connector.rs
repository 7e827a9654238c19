//! The source as the runtime sees it: the [`Connector`] trait and what its associated types may be.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::pipeline::any_table::AnyTable;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::{BoxError, RunResult};
use crate::source::intake::pending::AnyPool;
use crate::source::offset::{Offset, OffsetType};
use crate::source::options::ReadOptions;
use crate::source::partition::Partition;
use crate::source::shared::Source;
use crate::source::subject::Subject;

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
    /// `Closed`; with a [`Restart`](crate::Restart), `run` is called again before that.
    fn run(&mut self, subjects: Self::Subjects) -> RunResult;

    /// A copy of the source that reads one part, if it is a source in parts. It then runs once for each worker of the
    /// pipeline, in all processes, each time by [`run_partition`](Self::run_partition) of a copy. `#[connector]` implements both for
    /// a `run` whose last parameter is a [`Partition`].
    ///
    /// The parts feed one table. Of a table with a key, the part that pushed last has its say; of two pushes at one time,
    /// that with the higher number.
    fn partition(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// Reads one part of the source.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    fn run_partition(&mut self, subjects: Self::Subjects, partition: Partition) -> RunResult {
        let _ = partition;
        self.run(subjects)
    }

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

    /// The type of the offsets, which all subjects share.
    #[doc(hidden)]
    fn offset_type() -> OffsetType;

    /// Makes the subjects for a run; `first` is the index of the first table in `pools`.
    #[doc(hidden)]
    fn open(source: &Arc<Source>, pools: &[AnyPool], first: usize) -> Self;
}

/// The subject of one table: an element of [`Subjects`].
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "expected a `Subject<_>`, found `{Self}`",
    label = "not a subject",
    note = "`run` takes one `Subject<_>` for each table that it feeds"
)]
pub trait OneSubject: Sized + Send + 'static {
    type Table;

    fn declare_one(source: &Arc<str>, list: &mut Vec<Arc<dyn AnyTable>>) -> Self::Table;
    fn offset_type_one() -> OffsetType;
    fn open_one(source: &Arc<Source>, pools: &[AnyPool], index: usize) -> Self;
}

impl<S: Schema, O: Offset> OneSubject for Subject<S, O> {
    type Table = Table<S>;

    fn declare_one(source: &Arc<str>, list: &mut Vec<Arc<dyn AnyTable>>) -> Table<S> {
        let table = Table::new(Arc::clone(source));
        list.push(table.any());
        table
    }

    fn offset_type_one() -> OffsetType {
        OffsetType::of::<O>()
    }

    fn open_one(source: &Arc<Source>, pools: &[AnyPool], index: usize) -> Self {
        Subject::new(Arc::clone(source), index, Arc::clone(&pools[index]))
    }
}

impl<S: OneSubject> Subjects for S {
    type Tables = S::Table;

    fn declare(source: &Arc<str>, list: &mut Vec<Arc<dyn AnyTable>>) -> S::Table {
        S::declare_one(source, list)
    }

    fn offset_type() -> OffsetType {
        S::offset_type_one()
    }

    fn open(source: &Arc<Source>, pools: &[AnyPool], first: usize) -> Self {
        S::open_one(source, pools, first)
    }
}

macro_rules! tuples {
    ($($S:ident $i:tt),+) => {
        impl<$($S: OneSubject),+> Subjects for ($($S,)+) {
            type Tables = ($($S::Table,)+);

            fn declare(source: &Arc<str>, list: &mut Vec<Arc<dyn AnyTable>>) -> Self::Tables {
                ($($S::declare_one(source, list),)+)
            }

            fn offset_type() -> OffsetType {
                A::offset_type_one()
            }

            fn open(source: &Arc<Source>, pools: &[AnyPool], first: usize) -> Self {
                ($($S::open_one(source, pools, first + $i),)+)
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// A source in parts, of which each worker has a copy.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` reads a part of its source, and cannot be cloned for the others",
    label = "each worker runs a clone of its own",
    note = "add `#[derive(Clone)]` to it"
)]
pub trait InParts: Clone {}

#[diagnostic::do_not_recommend]
impl<C: Clone> InParts for C {}

/// A copy of a source in parts: the bound is here, for an error of our own.
#[doc(hidden)]
pub fn part_of<C: InParts>(connector: &C) -> C {
    connector.clone()
}

/// What `run` may return under `#[connector]`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`run` must return `()` or `Result<(), E>`, found `{Self}`",
    label = "not a result of `run`",
    note = "`E` is any error that converts into `Box<dyn Error + Send + Sync>`; `pathway_io::RunResult` takes them all"
)]
pub trait IntoRunResult {
    fn into_run_result(self) -> RunResult;
}

impl IntoRunResult for () {
    fn into_run_result(self) -> RunResult {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> IntoRunResult for Result<(), E> {
    fn into_run_result(self) -> RunResult {
        self.map_err(Into::into)
    }
}

/// What the `run` under `#[connector]` returns: the bound is here, for one error at the user's type. `R` is a type that
/// each use of the macro makes, so that two on one type are one conflict and not several.
#[doc(hidden)]
pub trait Returns<R> {
    type Output: IntoRunResult;
}

/// The result of a `run` as the trait has it.
///
/// # Errors
///
/// That of `run`.
#[doc(hidden)]
pub fn run_result<C: Returns<R>, R>(result: C::Output) -> RunResult {
    result.into_run_result()
}

/// What a subject is one of, be that a schema or not.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "expected a `Subject<_>`, found `{Self}`",
    label = "not a subject",
    note = "`run` takes one `Subject<_>` for each table that it feeds"
)]
pub trait SubjectTypes {
    type Schema;
    type Offset;
}

impl<S, O> SubjectTypes for Subject<S, O> {
    type Schema = S;
    type Offset = O;
}

/// `T`, whatever the type that it is asked of.
#[doc(hidden)]
pub trait Same<T> {
    type Type;
}

impl<F: ?Sized, T> Same<T> for F {
    type Type = T;
}

/// `T`, if `S` is a schema. If not, rustc says so and has no type at all, with which nothing else can be wrong: for that
/// the way to `T` leads through an associated type of the trait that may be missing. A bound would leave the type as it is,
/// and each use of it would be a further error.
#[doc(hidden)]
pub type IfSchema<S, T> = <<S as Schema>::Fields as Same<T>>::Type;

/// `T`, if it is the subject of a schema, in the same way.
#[doc(hidden)]
pub type IfSubject<T> = IfSchema<<T as SubjectTypes>::Schema, T>;

/// The table of a subject by another name, be its row a schema or not.
#[doc(hidden)]
pub type TableOf<T> = Table<<T as SubjectTypes>::Schema>;

/// A subject of `run` as the type that it is checked to be. Which that is, the argument does not tell: or it would be what an
/// error type is taken for.
#[doc(hidden)]
#[inline]
pub fn checked<T, U: Into<T>>(subject: U) -> T {
    subject.into()
}

/// The types of the `I`th parameter of `run`.
#[doc(hidden)]
pub trait HandleOf<R, const I: usize>: 'static {
    type Schema: Schema;
    type Offset: Offset;
    type Subject: From<Subject<Self::Schema, Self::Offset>>;
    /// That of the schema, or of what is none, so that a use of it is no further error.
    type Table: From<Table<Self::Schema>>;
}

/// The subject of a connector's `I`th parameter. What it is of stands with the connector alone: whoever looks into this type,
/// for a `Send`, meets no type that is an error.
#[doc(hidden)]
pub struct Handle<C, R, const I: usize>(Subject<(), ()>, PhantomData<fn(C, R)>);

impl<C: HandleOf<R, I>, R, const I: usize> Handle<C, R, I> {
    #[must_use]
    pub fn subject(self) -> C::Subject {
        self.0.of_types::<C::Schema, C::Offset>().into()
    }
}

impl<C: HandleOf<R, I>, R: 'static, const I: usize> OneSubject for Handle<C, R, I> {
    type Table = C::Table;

    fn declare_one(source: &Arc<str>, list: &mut Vec<Arc<dyn AnyTable>>) -> C::Table {
        <Subject<C::Schema, C::Offset>>::declare_one(source, list).into()
    }

    fn offset_type_one() -> OffsetType {
        <Subject<C::Schema, C::Offset>>::offset_type_one()
    }

    fn open_one(source: &Arc<Source>, pools: &[AnyPool], index: usize) -> Self {
        Handle(<Subject<C::Schema, C::Offset>>::open_one(source, pools, index).of_types(), PhantomData)
    }
}

/// The offset type of the `I`th parameter of `run` is that of the first.
#[doc(hidden)]
pub trait OffsetOf<R, const I: usize> {
    type First;
    type Offset: SameOffset<Self::First>;
}

/// One type by two names.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the subjects of one connector share one offset",
    label = "has offsets of type `{Self}`, the first subject has `{First}`"
)]
pub trait SameOffset<First> {}

impl<O> SameOffset<O> for O {}

/// The subjects of a connector whose macro failed: no program with it ever runs.
#[doc(hidden)]
pub struct NoSubjects<T>(PhantomData<fn() -> T>);

impl<T: 'static> Subjects for NoSubjects<T> {
    type Tables = T;

    fn declare(_: &Arc<str>, _: &mut Vec<Arc<dyn AnyTable>>) -> T {
        unreachable!("a connector whose macro failed was run")
    }

    fn offset_type() -> OffsetType {
        OffsetType::of::<()>()
    }

    fn open(_: &Arc<Source>, _: &[AnyPool], _: usize) -> Self {
        NoSubjects(PhantomData)
    }
}
