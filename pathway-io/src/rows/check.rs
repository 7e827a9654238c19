//! Checks by which a sink refuses rows when they are pushed: [`RowCheck`].
//!
//! In a persistent pipeline a row is durable before a database sees it, so a row that the database always refuses
//! would be refused at every start. The checks run when the row is in its columns, before it counts as pushed. Tables
//! without such a sink pay one comparison per row.

use std::fmt::{self, Display};
use std::sync::Arc;

use crate::rows::schema::{ColumnsOf, Schema, row_at};
use crate::run::error::row_error::RowError;

/// The checks of all sinks of a table; `None` if there are none.
pub(crate) type RowChecks<S> = Option<Arc<[RowCheck<S>]>>;

type Check<S> = dyn Fn(&ColumnsOf<S>, usize) -> Result<(), RowError> + Send + Sync;

/// A check for rows that a sink can never accept. [`Sink::row_check`](crate::Sink::row_check) returns it.
pub struct RowCheck<S: Schema> {
    /// The check accepts every row of a batch with fewer bytes.
    from_bytes: usize,
    check: Box<Check<S>>,
}

impl<S: Schema> RowCheck<S> {
    /// Creates a check from a function that returns an error for a row that the sink can never accept.
    ///
    /// The error's text becomes the reason of the bad row. The function is called with each row that is pushed, on the
    /// thread that pushes, while the source's other threads wait. It must not push or commit.
    ///
    /// ```
    /// # use pathway_io::{RowCheck, Schema};
    /// # #[derive(Schema)] struct Cat { key: i64, genus: String }
    /// let check = RowCheck::new(|cat: &Cat| match cat.genus.len() {
    ///     0..=20 => Ok(()),
    ///     len => Err(format!("column `genus` has {len} bytes, and the archive takes 20")),
    /// });
    /// # let _: RowCheck<Cat> = check;
    /// ```
    pub fn new<E: Display>(check: impl Fn(&S) -> Result<(), E> + Send + Sync + 'static) -> Self {
        RowCheck::of_columns(0, move |columns, row| {
            check(&row_at(columns, row)).map_err(|reason| RowError::new(reason.to_string()))
        })
    }

    /// Creates a check of the values in their columns. It is skipped for batches with fewer bytes of data.
    pub(crate) fn of_columns(
        from_bytes: usize,
        check: impl Fn(&ColumnsOf<S>, usize) -> Result<(), RowError> + Send + Sync + 'static,
    ) -> Self {
        RowCheck { from_bytes, check: Box::new(check) }
    }

    /// Checks a row of a batch that has `bytes` bytes of data.
    pub(crate) fn check(&self, columns: &ColumnsOf<S>, row: usize, bytes: usize) -> Result<(), RowError> {
        if bytes < self.from_bytes { Ok(()) } else { (self.check)(columns, row) }
    }
}

impl<S: Schema> fmt::Debug for RowCheck<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowCheck").field("schema", &S::SCHEMA.name).finish_non_exhaustive()
    }
}
