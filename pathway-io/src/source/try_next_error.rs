//! [`TryNextError`], which returns a row that could not be pushed without waiting.

use std::fmt;

/// The error of [`Subject::try_next`](crate::Subject::try_next): a row that was not pushed.
///
/// It is also the error of [`Subject::try_remove`](crate::Subject::try_remove), with the key instead of the row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TryNextError<S> {
    /// The backlog is full, because the sinks have not yet taken earlier rows.
    Full(S),
    /// The subject is closed. The row itself can be the cause: if a sink [can never accept](crate::Sink::row_check) it,
    /// and the policy for bad rows is to fail, the row fails the pipeline.
    Closed(S),
}

impl<S> TryNextError<S> {
    /// Returns the row, or the key.
    #[must_use]
    pub fn into_row(self) -> S {
        match self {
            TryNextError::Full(row) | TryNextError::Closed(row) => row,
        }
    }

    /// Returns whether the subject is closed, so that every later push fails too.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, TryNextError::Closed(_))
    }
}

impl<S> fmt::Debug for TryNextError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_closed() { "Closed(..)" } else { "Full(..)" })
    }
}

impl<S> fmt::Display for TryNextError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_closed() { "the subject is closed" } else { "the backlog is full" })
    }
}

impl<S> std::error::Error for TryNextError<S> {}
