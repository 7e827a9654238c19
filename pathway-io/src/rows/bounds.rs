//! What a schema must be for some of a subject's methods.

#[cfg(any(not(feature = "arrow"), not(feature = "dataflow")))]
use super::description::TableSchema;
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
    /// Returns a row of which only the data is given.
    fn from_data(data: T) -> Self;
}

/// A trait that no `Vec` implements, because no other crate may implement it for one.
///
/// A trait with an impl for all types `T` has a second one `where Vec<T>: Never`, which never applies. If one impl alone could
/// apply, rustc would take it, report each of its bounds that fails, and know an associated type all the same. Where two
/// could, it looks at their bounds first: then the trait itself is what a type lacks, with its own message, and the
/// associated type is an error that causes no others.
#[doc(hidden)]
pub trait Never {}

/// Methods of a feature that is off: a call fails to compile, with an error that names the feature. Their bound is one that no
/// type meets. Of functions and modules, rustc itself says that they are behind a feature.
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
