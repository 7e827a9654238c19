//! The traits that a row needs to take part in a computation.

use std::fmt::Debug;
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Collection;
use crate::rows::schema::Schema;

/// A row that a computation can read: any schema that is `Clone`.
///
/// An operator may need more traits. `#[schema(dataflow)]` implements all of them.
#[diagnostic::on_unimplemented(
    message = "rows of `{Self}` cannot be computed on",
    label = "does not implement the traits that computations need",
    note = "put `#[schema(dataflow)]` on the struct"
)]
pub trait Row: Schema + Clone {}

#[diagnostic::do_not_recommend]
impl<S: Schema + Clone> Row for S {}

/// A row that a computation can read to produce rows of `Out`: any [`Row`], for every `Out`.
///
/// This trait exists so that a row without `Clone` causes one compile error. With the bound `Row`, rustc would report
/// the row and then also the first operator that needs `Clone`. Here the closure receives an associated type, and rustc
/// has two implementations to choose from. If neither applies, rustc treats the rows as erroneous and reports nothing
/// further.
#[diagnostic::on_unimplemented(
    message = "rows of `{Self}` cannot be computed on",
    label = "does not implement the traits that computations need",
    note = "put `#[schema(dataflow)]` on the struct"
)]
pub trait Input<Out: ?Sized>: Row {
    /// The row type itself.
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

/// A trait without implementations.
#[doc(hidden)]
pub trait Nothing {}

#[diagnostic::do_not_recommend]
impl<S: Row + Nothing> Input<[S]> for S {
    type Row = S;

    fn rows(rows: Collection<'_, S>) -> Collection<'_, S> {
        rows
    }
}

/// A row that a computation can produce.
///
/// The engine compares, hashes and sorts it, and sends it to other workers and processes.
///
/// `#[schema(dataflow)]` on the struct implements everything that is needed. You can also derive `Clone`, `Debug`,
/// `PartialEq`, `Eq`, `PartialOrd`, `Ord`, `Hash`, and serde's `Serialize` and `Deserialize`.
#[diagnostic::on_unimplemented(
    message = "rows of `{Self}` cannot come out of a computation",
    label = "does not implement the traits that computations need",
    note = "return rows of a struct with `#[derive(Schema)]` and `#[schema(dataflow)]`: `.map(|..| Row {{ .. }})`"
)]
pub trait ResultRow: Row + Debug + Ord + Hash + Serialize + DeserializeOwned + Send + Sync {}

#[diagnostic::do_not_recommend]
impl<S: Row + Debug + Ord + Hash + Serialize + DeserializeOwned + Send + Sync> ResultRow for S {}
