//! What a schema must be for some of a subject's methods.

use super::Schema;

/// A keyed schema whose rows may be retracted: every one that is not `append_only`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is append-only",
    label = "rows of `{Self}` are never removed",
    note = "take `append_only` out of its `#[schema(..)]` to allow `remove`"
)]
pub trait Removable {}

/// A schema with a `data` column of type `T`, all of whose other columns have defaults.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no column `data: {T}` beside columns that all have a default",
    label = "needs a `data: {T}` column",
    note = "name every column with `next`, or use the ready-made schemas `pathway_io::Text` and `pathway_io::Bytes`"
)]
pub trait DataColumn<T>: Schema {
    fn from_data(data: T) -> Self;
}
