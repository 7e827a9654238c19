//! The push methods of an [`AsyncSubject`]: each waits for space, and then pushes like the same method of a
//! [`Subject`](crate::Subject).

use std::fmt;

use serde_json::Value;

use super::AsyncSubject;
use crate::rows::batch::{Batch, RefusedRow};
use crate::rows::bounds::{DataColumn, Removable};
use crate::rows::schema::{Keyed, Schema};
use crate::run::error::Closed;
use crate::run::error::row_error::RowError;
use crate::source::intake::Push;
use crate::source::lines::{Lines, LinesError, LinesReport};
use crate::source::try_next_error::TryNextError;

/// The parts of the push methods.
impl<S, O> AsyncSubject<S, O> {
    /// Pushes into a batch like [`Subject::push_row`](crate::Subject::push_row). The outer `Err` means that the subject
    /// is closed, and the inner one that `fill` failed.
    #[inline]
    async fn push_row<E>(&self, fill: impl FnOnce(&mut Batch<S>) -> Result<(), E>) -> Result<Result<(), E>, Closed>
    where
        S: Schema,
    {
        let admitted = self.admit(Push::Wait).await?;
        Ok(admitted.push::<S, E>(self.subject.pool(), fill))
    }

    pub(super) fn refused_row(&self, refused: RefusedRow<S>) -> Result<(), Closed> {
        self.subject.source().refused_row(self.subject.entry(), refused, None::<()>, Push::Reserved)
    }

    /// Applies the `bad_rows` policy to a row that does not fit. Its push has waited for space already.
    pub(super) fn bad_row(&self, error: RowError, raw: &[u8]) -> Result<(), RowError> {
        self.subject.source().bad_row(self.subject.entry(), error, raw, None::<()>, Push::Reserved)
    }
}

// The bounds are on the methods. With a bound on the impl, rustc would not report that the type is not a schema.
impl<S, O> AsyncSubject<S, O> {
    /// Pushes one row. Waits while the backlog is full.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the row is dropped and not pushed. With
    /// [`reserve`](Self::reserve), you keep the row.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject is closed. Return from `run` in this case.
    ///
    /// # Panics
    ///
    /// Panics if a column cannot hold its value; see [`Subject::next`](crate::Subject::next).
    #[inline]
    #[doc(alias("push", "send", "emit"))]
    pub async fn next(&self, row: S) -> Result<(), Closed>
    where
        S: Schema,
    {
        // This happens before the wait, because it may run the user's code, which must not run under the intake's
        // lock.
        let fields = row.into_fields();
        let admitted = self.admit(Push::Wait).await?;
        let pushed = admitted.push::<S, _>(self.subject.pool(), |batch| batch.push(fields));
        pushed.or_else(|refused| self.refused_row(*refused))
    }

    /// Pushes one row if that is possible without waiting.
    ///
    /// It never yields to the runtime, so a loop of calls must do so itself.
    ///
    /// # Errors
    ///
    /// Returns the row if the backlog is full or the subject is closed.
    pub fn try_next(&self, row: S) -> Result<(), TryNextError<S>>
    where
        S: Schema,
    {
        self.subject.try_next(row)
    }

    /// Decodes one JSON object and pushes it if this is possible without waiting. See
    /// [`Subject::try_next_json`](crate::Subject::try_next_json).
    ///
    /// It never yields to the runtime.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Subject::try_next_json`](crate::Subject::try_next_json).
    pub fn try_next_json(&self, json: impl AsRef<[u8]>) -> Result<(), RowError>
    where
        S: Schema,
    {
        self.subject.try_next_json(json)
    }

    /// Retracts the row with this primary key if this is possible without waiting. See
    /// [`Subject::try_remove`](crate::Subject::try_remove).
    ///
    /// It never yields to the runtime.
    ///
    /// # Errors
    ///
    /// Returns the key if the backlog is full or the subject is closed.
    pub fn try_remove(&self, key: <S as Keyed>::Key) -> Result<(), TryNextError<<S as Keyed>::Key>>
    where
        S: Keyed + Removable,
    {
        self.subject.try_remove(key)
    }

    /// Decodes one JSON object by the schema and pushes it, as [`Subject::next_json`](crate::Subject::next_json) does.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the row is not pushed, and does not count as a bad one.
    ///
    /// # Errors
    ///
    /// Returns a [`RowError`] that names column, position and reason, if the policy for bad rows is to fail. On a
    /// closed subject, returns an error whose [`is_closed`](RowError::is_closed) is true.
    pub async fn next_json(&self, json: impl AsRef<[u8]>) -> Result<(), RowError>
    where
        S: Schema,
    {
        let pushed =
            self.push_row(|batch| batch.push_json(json.as_ref())).await.map_err(|Closed| RowError::closed())?;
        pushed.or_else(|error| self.bad_row(error, json.as_ref()))
    }

    /// Pushes many rows in one call: one JSON object per line.
    ///
    /// It works like [`Subject::next_json_lines`](crate::Subject::next_json_lines). Returns the number of rows that
    /// were pushed.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the lines before the one that waited were pushed, and the others
    /// were not. You cannot find out which line that was. If that matters, push line by line.
    ///
    /// # Errors
    ///
    /// Returns a [`LinesError`] that names the bad lines, if the policy for bad rows is to fail. The good lines around
    /// them were pushed. If the subject is closed, the error names the first line that was not pushed.
    pub async fn next_json_lines(&self, lines: impl AsRef<[u8]>) -> Result<usize, LinesError>
    where
        S: Schema,
    {
        let mut lines = Lines::new(lines.as_ref());
        let mut report = LinesReport::default();
        loop {
            let refused = match self.admit(Push::Wait).await {
                Ok(admitted) => {
                    let pushed = admitted.push_all::<S, RowError>(self.subject.pool(), &mut |batch| {
                        let pushed = batch.push_json(lines.advance()?);
                        if pushed.is_ok() {
                            report.pushed();
                        }
                        Some(pushed)
                    });
                    match pushed {
                        Ok(true) => return report.result(),
                        Ok(false) => continue,
                        Err(error) => self.bad_row(error, lines.line()),
                    }
                }
                Err(Closed) if lines.advance().is_none() => return report.result(),
                Err(Closed) => Err(RowError::closed()),
            };
            if let Err(error) = refused
                && !report.refused(lines.number(), error)
            {
                return report.result();
            }
        }
    }

    /// Pushes a row from JSON that is already parsed, as [`Subject::next_value`](crate::Subject::next_value) does.
    ///
    /// # Cancel safety
    ///
    /// The same as for [`next_json`](Self::next_json).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`next_json`](Self::next_json), without a position.
    pub async fn next_value(&self, value: Value) -> Result<(), RowError>
    where
        S: Schema,
    {
        let pushed = self.push_row(|batch| batch.push_value(&value)).await.map_err(|Closed| RowError::closed())?;
        pushed.or_else(|error| self.bad_row(error, value.to_string().as_bytes()))
    }

    /// Pushes a row with this text in its column `data: String`. The other columns receive their defaults.
    ///
    /// ```
    /// # use pathway_io::{AsyncSubject, Closed, TextRow};
    /// async fn push(lines: AsyncSubject<TextRow>) -> Result<(), Closed> {
    ///     lines.next_str("felis catus").await
    /// }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// The same as for [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject is closed.
    pub async fn next_str(&self, data: impl AsRef<str>) -> Result<(), Closed>
    where
        S: DataColumn<String>,
    {
        self.next(S::from_data(data.as_ref().to_owned())).await
    }

    /// Pushes a row with these bytes in its column `data: Vec<u8>`. The other columns receive their defaults.
    ///
    /// ```
    /// # use pathway_io::{AsyncSubject, BytesRow, Closed};
    /// async fn push(frames: AsyncSubject<BytesRow>) -> Result<(), Closed> {
    ///     frames.next_bytes([0x66, 0x65]).await
    /// }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// The same as for [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject is closed.
    pub async fn next_bytes(&self, data: impl AsRef<[u8]>) -> Result<(), Closed>
    where
        S: DataColumn<Vec<u8>>,
    {
        self.next(S::from_data(data.as_ref().to_vec())).await
    }

    /// Retracts the row with this primary key; see [`Subject::remove`](crate::Subject::remove).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, nothing is retracted.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject is closed.
    #[doc(alias("delete"))]
    pub async fn remove(&self, key: <S as Keyed>::Key) -> Result<(), Closed>
    where
        S: Keyed + Removable,
    {
        let Ok(()) = self.push_row(|batch| batch.push_removal(key)).await?;
        Ok(())
    }

    /// Reports a bad row that the source itself has found; the policy for bad rows handles it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the row does not count.
    ///
    /// # Errors
    ///
    /// Returns the row's error with that `reason`, if the policy is to fail. On a closed subject, returns an error
    /// whose [`is_closed`](RowError::is_closed) is true.
    pub async fn reject(&self, raw: impl AsRef<[u8]>, reason: impl fmt::Display) -> Result<(), RowError>
    where
        S: Schema,
    {
        let error = RowError::new(reason.to_string());
        drop(self.admit(Push::Wait).await.map_err(|Closed| RowError::closed())?);
        self.bad_row(error, raw.as_ref())
    }
}
