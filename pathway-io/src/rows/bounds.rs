//! The bounds that some methods of a subject put on a schema.

#[cfg(any(not(feature = "arrow"), not(feature = "dataflow")))]
use super::description::TableSchema;
use super::schema::Schema;

/// A schema whose rows may be retracted: every one that is not `append_only`.
///
/// [`Subject::remove`](crate::Subject::remove) requires it together with [`Keyed`](crate::Keyed), for code that is
/// generic over rows:
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
    note = "remove `append_only` from its `#[schema(..)]` to allow `remove` and `replace_all`"
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
    /// Returns a row with this data and the defaults of all other columns.
    fn from_data(data: T) -> Self;
}

/// A trait that no `Vec` implements, because no other crate may implement it for one.
///
/// A trait with an impl for all types `T` has a second impl `where Vec<T>: Never`, which never applies. With only one
/// candidate, rustc would select it, report each of its failed bounds, and still know the associated type. With two
/// candidates, rustc checks their bounds first. It then reports the trait itself as missing, with the trait's own
/// message, and treats the associated type as an error that causes no others.
#[doc(hidden)]
pub trait Never {}

/// Methods of a feature that is off: a call fails to compile, with an error that names the feature. No type meets
/// their bound. For functions and modules, rustc itself names the feature.
macro_rules! without {
    ($feature:literal: $bound:ident, $message:literal, $label:literal, $note:literal; $($item:tt)*) => {
        #[cfg(not(feature = $feature))]
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(message = $message, label = $label, note = $note)]
        pub trait $bound {}

        #[cfg(not(feature = $feature))]
        $($item)*
    };
}

without! {
    "dataflow": WithDataflow,
    "`Table::compute` needs the feature `dataflow`",
    "the feature `dataflow` of `pathway-io` is off",
    "turn it on with `cargo add pathway-io --features dataflow`";
    impl<S: Schema> crate::rows::table::Table<S> {
        /// Fails to compile: the feature `dataflow` is off.
        #[doc(hidden)]
        pub fn compute<F>(&self, _computation: F)
        where
            for<'a> TableSchema: WithDataflow,
        {
        }
    }
}

without! {
    "arrow": WithArrow,
    "`TableSchema::arrow_schema` needs the feature `arrow`",
    "the feature `arrow` of `pathway-io` is off",
    "turn it on with `cargo add pathway-io --features arrow`";
    impl TableSchema {
        /// Fails to compile: the feature `arrow` is off.
        #[doc(hidden)]
        pub fn arrow_schema(&self)
        where
            for<'a> TableSchema: WithArrow,
        {
        }
    }
}

without! {
    "arrow": WithArrowBatches,
    "`Commit::record_batch` needs the feature `arrow`",
    "the feature `arrow` of `pathway-io` is off",
    "turn it on with `cargo add pathway-io --features arrow`";
    impl<S: Schema> crate::rows::commit::Commit<S> {
        /// Fails to compile: the feature `arrow` is off.
        #[doc(hidden)]
        pub fn record_batch(&self)
        where
            for<'a> TableSchema: WithArrowBatches,
        {
        }
    }
}

pub(crate) use without;
