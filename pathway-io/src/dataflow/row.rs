//! What a row must be able to do to take part in a computation.

use std::fmt::Debug;
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Collection;
use crate::rows::schema::Schema;

/// A row that a computation can read: any schema that is `Clone`.
///
/// What else is asked of it depends on what is done with it, and `#[schema(dataflow)]` gives it all.
#[diagnostic::on_unimplemented(
    message = "rows of `{Self}` cannot be computed on",
    label = "lacks the traits that the engine needs",
    note = "put `#[schema(dataflow)]` on the struct"
)]
pub trait Row: Schema + Clone {}

#[diagnostic::do_not_recommend]
impl<S: Schema + Clone> Row for S {}

/// A row that a computation can read which gives rows of `Out`: any [`Row`], whatever `Out` is.
///
/// As a bound, `Row` would leave the rows in the closure what they are, and be one error; the first method of the engine
/// that asks for `Clone` would be the next. Here they are an associated type, and rustc has two implementations to choose
/// from. It looks into both, finds that neither holds, and takes the rows for an error, with which nothing else is wrong.
#[diagnostic::on_unimplemented(
    message = "rows of `{Self}` cannot be computed on",
    label = "lacks the traits that the engine needs",
    note = "put `#[schema(dataflow)]` on the struct"
)]
pub trait Input<Out: ?Sized>: Row {
    /// The row itself.
    type Row;

    #[doc(hidden)]
    fn rows(rows: Collection<'_, Self>) -> Collection<'_, Self::Row>;
}

#[diagnostic::do_not_recommend]
impl<S: Row, Out> Input<Out> for S {
    type Row = S;

    fn rows(rows: Collection<'_, S>) -> Collection<'_, S> {
        rows
    }
}

/// What nothing is.
#[doc(hidden)]
pub trait Nothing {}

#[diagnostic::do_not_recommend]
impl<S: Row + Nothing> Input<[S]> for S {
    type Row = S;

    fn rows(rows: Collection<'_, S>) -> Collection<'_, S> {
        rows
    }
}

/// A row that a computation can give: it is compared, hashed, sorted, and sent to other workers and processes.
///
/// `#[schema(dataflow)]` on its struct gives it all of that, and so do derives of `Clone`, `Debug`, `PartialEq`, `Eq`,
/// `PartialOrd`, `Ord`, `Hash` and serde's two.
#[diagnostic::on_unimplemented(
    message = "rows of `{Self}` cannot come out of a computation",
    label = "lacks the traits that the engine needs",
    note = "it gives rows of a struct with `#[derive(Schema)]` and `#[schema(dataflow)]`: `.map(|..| Row {{ .. }})` makes them"
)]
pub trait ResultRow: Row + Debug + Ord + Hash + Serialize + DeserializeOwned + Send + Sync {}

#[diagnostic::do_not_recommend]
impl<S: Row + Debug + Ord + Hash + Serialize + DeserializeOwned + Send + Sync> ResultRow for S {}
