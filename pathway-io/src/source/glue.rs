//! The items that the output of `#[connector]` uses, besides [`Connector`](crate::Connector). Their bounds are placed
//! so that one mistake causes one compile error, at the user's own tokens.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::rows::bounds::Never;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::{BoxError, RunResult};
use crate::source::connector::{Connector, Pools, Subjects};
use crate::source::declare::Declare;
use crate::source::offset::{Offset, OffsetType};
use crate::source::shared::Source;
use crate::source::subject::Subject;

/// A partitioned source.
///
/// Each worker runs its own clone.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a partitioned source must be `Clone`, and `{Self}` is not",
    label = "each worker runs its own clone",
    note = "add `#[derive(Clone)]` to it"
)]
pub trait Partitioned: Clone {}

#[diagnostic::do_not_recommend]
impl<C: Connector + Clone> Partitioned for C {}

/// Returns the function that clones a partitioned source.
///
/// The bound is here so that a missing `Clone` causes this trait's error message. The function has no parameters, so
/// that rustc underlines the type, and not an argument.
#[doc(hidden)]
#[must_use]
pub fn clone_partition<C: Partitioned>() -> fn(&C) -> Option<C> {
    |connector| Some(connector.clone())
}

/// A type that `run` may return under `#[connector]`.
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

/// The return type of `run` under `#[connector]`.
///
/// The bound is here so that an unsuitable type causes one error. Each use of the macro defines its own `R`, so that
/// two uses on one type cause one conflict and not several.
#[doc(hidden)]
pub trait Returns<R> {
    type Output: IntoRunResult;
}

/// Converts the result of `run` to the result that the trait declares.
///
/// # Errors
///
/// Returns the error of `run`.
#[doc(hidden)]
pub fn run_result<C: Returns<R>, R>(result: C::Output) -> RunResult {
    result.into_run_result()
}

/// The type parameters of a subject, whether or not the row type is a schema.
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

/// A trait whose associated type is always `T`.
#[doc(hidden)]
pub trait Same<T> {
    type Type;
}

impl<F: ?Sized, T> Same<T> for F {
    type Type = T;
}

/// `T`, if `S` is a schema.
///
/// If `S` is not a schema, rustc reports that and treats the alias as an erroneous type, which causes no further
/// errors. For this, the path to `T` goes through an associated type of the missing trait. With a bound, rustc would
/// keep the type, and each use of it would cause a further error.
#[doc(hidden)]
pub type IfSchema<S, T> = <<S as Schema>::Fields as Same<T>>::Type;

/// An [`Offset`], for [`IfOffset`]. See [`Never`] for the second impl.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an offset",
    label = "not an offset",
    note = "an offset implements serde's `Serialize` and `DeserializeOwned`, `Clone` and `Send`, and borrows nothing"
)]
pub trait IsOffset {
    type Itself;
}

#[diagnostic::do_not_recommend]
impl<O: Offset> IsOffset for O {
    type Itself = O;
}

#[diagnostic::do_not_recommend]
impl<O> IsOffset for O
where
    Vec<O>: Never,
{
    type Itself = O;
}

/// `T`, if `O` is an offset type.
///
/// It limits errors in the same way as [`IfSchema`].
#[doc(hidden)]
pub type IfOffset<O, T> = <<O as IsOffset>::Itself as Same<T>>::Type;

/// `T`, if it is the subject of a schema, with an offset type.
///
/// It limits errors in the same way as [`IfSchema`].
#[doc(hidden)]
pub type IfSubject<T> = IfSchema<<T as SubjectTypes>::Schema, IfOffset<<T as SubjectTypes>::Offset, T>>;

/// The table of a subject, whether or not the row type is a schema.
#[doc(hidden)]
pub type TableOf<T> = Table<<T as SubjectTypes>::Schema>;

/// Converts a subject of `run` to the type that was checked.
///
/// The return type is not inferred from the argument, because then an erroneous argument type would spread.
#[doc(hidden)]
#[inline]
pub fn checked<T, U: Into<T>>(subject: U) -> T {
    subject.into()
}

/// A type as the user wrote it. rustc makes the same suggestion for a generic argument as for the user's own type, and
/// therefore shows the error of an unknown type only once.
#[doc(hidden)]
pub type AsWritten<T> = T;

/// The types of the `I`th parameter of `run`.
#[doc(hidden)]
pub trait HandleOf<R, const I: usize>: 'static {
    type Schema: Schema;
    /// The offset type as it is written.
    type Written;
    /// The same type, if it is an offset type. The subject's type does not use it, because each use would be a further
    /// error.
    type Offset: Offset;
    type Subject: From<Subject<Self::Schema, Self::Written>>;
    /// The table of the schema. If the row type is not a schema, a placeholder that causes no further errors.
    type Table: From<Table<Self::Schema>>;
}

/// The subject of a connector's `I`th parameter.
///
/// The row type appears only in the connector's impl. A check of this type, for example for `Send`, therefore never
/// meets an erroneous type.
#[doc(hidden)]
pub struct SubjectHandle<C, R, const I: usize>(Subject<(), ()>, PhantomData<fn(C, R)>);

impl<C, R, const I: usize> SubjectHandle<C, R, I> {
    #[cfg(feature = "tokio")]
    pub(crate) fn source(&self) -> &Arc<Source> {
        self.0.source()
    }
}

impl<C: HandleOf<R, I>, R, const I: usize> SubjectHandle<C, R, I> {
    #[must_use]
    pub fn subject(self) -> C::Subject {
        self.0.of_types::<C::Schema, C::Written>().into()
    }
}

impl<C: HandleOf<R, I>, R: 'static, const I: usize> Subjects for SubjectHandle<C, R, I> {
    type Tables = C::Table;

    fn declare(tables: &mut impl Declare) -> C::Table {
        <Subject<C::Schema, C::Offset>>::declare(tables).into()
    }

    fn offset_type() -> OffsetType {
        <Subject<C::Schema, C::Offset>>::offset_type()
    }

    fn open(source: &Arc<Source>, pools: &mut Pools<'_>) -> Self {
        SubjectHandle(<Subject<C::Schema, C::Offset>>::open(source, pools).of_types(), PhantomData)
    }
}

/// Requires that the offset type of the `I`th parameter of `run` equals that of the first.
#[doc(hidden)]
pub trait OffsetOf<R, const I: usize> {
    type First;
    type Offset: SameOffset<Self::First>;
}

/// A trait that holds for two equal types.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the subjects of one connector share one offset",
    label = "has offsets of type `{Self}`, the first subject has `{First}`"
)]
pub trait SameOffset<First> {}

impl<O> SameOffset<O> for O {}

/// The subjects of a connector whose macro reported an error.
///
/// A program that contains one does not compile.
#[doc(hidden)]
pub struct NoSubjects<T>(PhantomData<fn() -> T>);

impl<T: 'static> Subjects for NoSubjects<T> {
    type Tables = T;

    fn declare(_: &mut impl Declare) -> T {
        // The build also fails if only the macro cannot read the block, such as one with a new syntax.
        const { panic!("`#[connector]` cannot read this `impl` block") }
    }

    fn offset_type() -> OffsetType {
        OffsetType::of::<()>()
    }

    fn open(_: &Arc<Source>, _: &mut Pools<'_>) -> Self {
        NoSubjects(PhantomData)
    }
}
