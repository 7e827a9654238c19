//! [`Permit`], which pushes one row without waiting.

use std::fmt;

use super::AsyncSubject;
use crate::rows::batch::RefusedRow;
use crate::rows::bounds::Removable;
use crate::rows::schema::{Keyed, Schema};
use crate::run::error::Closed;
use crate::run::error::row_error::RowError;
use crate::source::intake::Push;
use crate::source::offset::Offset;

/// Pushes one row without waiting. [`AsyncSubject::reserve`] returns it.
#[must_use = "a permit that is dropped pushes nothing"]
pub struct Permit<'a, S, O = ()> {
    subject: &'a AsyncSubject<S, O>,
}

impl<'a, S, O> Permit<'a, S, O> {
    pub(super) fn new(subject: &'a AsyncSubject<S, O>) -> Self {
        Permit { subject }
    }

    /// Pushes the row. It never waits.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject has been closed since the permit was returned.
    ///
    /// # Panics
    ///
    /// Panics if a column cannot hold its value; see [`Subject::next`](crate::Subject::next).
    pub fn next(self, row: S) -> Result<(), Closed>
    where
        S: Schema,
    {
        self.subject.push_reserved(row)
    }

    /// Decodes one JSON object and pushes it. It never waits.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`AsyncSubject::next_json`].
    pub fn next_json(self, json: impl AsRef<[u8]>) -> Result<(), RowError>
    where
        S: Schema,
    {
        self.subject.push_reserved_json(json.as_ref())
    }

    /// Retracts the row with this primary key. It never waits.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject has been closed since the permit was returned.
    pub fn remove(self, key: <S as Keyed>::Key) -> Result<(), Closed>
    where
        S: Keyed + Removable,
    {
        let subject = &self.subject.subject;
        let Ok(()) = subject.admit(Push::Reserved)?.push::<S, _>(subject.pool(), |batch| batch.push_removal(key));
        Ok(())
    }

    /// Pushes the row together with its offset. It never waits.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject has been closed since the permit was returned.
    pub fn next_at(self, offset: O, row: S) -> Result<(), Closed>
    where
        S: Schema,
        O: Offset,
    {
        self.subject.push_reserved_at(offset, row)
    }
}

impl<S, O> fmt::Debug for Permit<'_, S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(self.subject).finish()
    }
}

/// Pushes whose wait is over.
impl<S: Schema, O> AsyncSubject<S, O> {
    pub(super) fn push_reserved(&self, row: S) -> Result<(), Closed> {
        let fields = row.into_fields();
        let pushed = self.subject.admit(Push::Reserved)?.push::<S, _>(self.subject.pool(), |batch| batch.push(fields));
        pushed.or_else(|refused| self.refused_row(*refused))
    }

    pub(super) fn refused_row_at(&self, refused: RefusedRow<S>, offset: O) -> Result<(), Closed>
    where
        O: Offset,
    {
        self.subject.source().refused_row(self.subject.entry(), refused, Some(offset), Push::Reserved)
    }

    pub(super) fn push_reserved_at(&self, offset: O, row: S) -> Result<(), Closed>
    where
        O: Offset,
    {
        let fields = row.into_fields();
        let pushed = self
            .subject
            .admit(Push::ReservedAt)?
            .push_at::<S, O, _>(self.subject.pool(), offset, |batch| batch.push(fields));
        pushed.or_else(|(offset, refused)| self.refused_row_at(*refused, offset))
    }

    pub(super) fn push_reserved_json(&self, json: &[u8]) -> Result<(), RowError> {
        let admitted = self.subject.admit(Push::Reserved).map_err(|Closed| RowError::closed())?;
        admitted
            .push::<S, RowError>(self.subject.pool(), |batch| batch.push_json(json))
            .or_else(|error| self.bad_row(error, json))
    }
}
