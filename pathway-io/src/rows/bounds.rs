//! What a schema must be for some of a subject's methods.

use super::schema::Schema;

/// A schema whose rows may be retracted: every one that is not `append_only`.
///
/// It is what [`Subject::remove`](crate::Subject::remove) asks of a row beside its key, for code that is generic over rows:
///
/// ```
/// use pathway_io::schema::Removable;
/// use pathway_io::{Closed, Keyed, Subject};
///
/// fn remove_all<S: Keyed + Removable>(rows: &Subject<S>, keys: Vec<S::Key>) -> Result<(), Closed> {
///     keys.into_iter().try_for_each(|key| rows.remove(key))
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is append-only",
    label = "rows of `{Self}` are never removed",
    note = "take `append_only` out of its `#[schema(..)]` to allow `remove`"
)]
pub trait Removable {}

/// A schema with a `data` column of type `T`, all of whose other columns have defaults: `String` for
/// [`Subject::next_str`](crate::Subject::next_str), `Vec<u8>` for [`Subject::next_bytes`](crate::Subject::next_bytes).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no column `data: {T}` beside columns that all have a default",
    label = "needs a `data: {T}` column",
    note = "name every column with `next`, or use the ready-made schemas `pathway_io::TextRow` and `pathway_io::BytesRow`"
)]
pub trait DataColumn<T>: Schema {
    /// A row of which only the data is given.
    fn from_data(data: T) -> Self;
}
