//! What the output of `#[connector]` refers to besides [`Connector`](crate::Connector): the types here carry the bounds that
//! make one mistake one error, at the user's own tokens.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::{BoxError, RunResult};
use crate::source::connector::{OneSubject, Subjects};
use crate::source::declare::Declare;
use crate::source::intake::pending::AnyPool;
use crate::source::offset::{Offset, OffsetType};
use crate::source::shared::Source;
use crate::source::subject::Subject;

/// A partitioned source, of which each worker has a copy.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` reads a part of its source, and cannot be cloned for the others",
    label = "each worker runs a clone of its own",
    note = "add `#[derive(Clone)]` to it"
)]
pub trait Partitioned: Clone {}

#[diagnostic::do_not_recommend]
impl<C: Clone> Partitioned for C {}

/// Copies a partitioned source: the bound is here, for an error of our own.
#[doc(hidden)]
pub fn partition_of<C: Partitioned>(connector: &C) -> C {
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

impl<C, R, const I: usize> Handle<C, R, I> {
    #[cfg(feature = "tokio")]
    pub(crate) fn source(&self) -> &Arc<Source> {
        self.0.source()
    }
}

impl<C: HandleOf<R, I>, R, const I: usize> Handle<C, R, I> {
    #[must_use]
    pub fn subject(self) -> C::Subject {
        self.0.of_types::<C::Schema, C::Offset>().into()
    }
}

impl<C: HandleOf<R, I>, R: 'static, const I: usize> OneSubject for Handle<C, R, I> {
    type Table = C::Table;

    fn declare_one(tables: &mut impl Declare) -> C::Table {
        <Subject<C::Schema, C::Offset>>::declare_one(tables).into()
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

    fn declare(_: &mut impl Declare) -> T {
        unreachable!("a connector whose macro failed was run")
    }

    fn offset_type() -> OffsetType {
        OffsetType::of::<()>()
    }

    fn open(_: &Arc<Source>, _: &[AnyPool], _: usize) -> Self {
        NoSubjects(PhantomData)
    }
}
