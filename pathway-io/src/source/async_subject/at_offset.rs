//! The methods of an [`AsyncSubject`] for offsets.

use super::AsyncSubject;
use super::sink::OffsetSink;
use crate::rows::schema::Schema;
use crate::run::error::Closed;
use crate::run::error::row_error::RowError;
use crate::source::intake::Push;
use crate::source::offset::Offset;

/// Offsets follow the same rules as those of a [`Subject`](crate::Subject).
impl<S: Schema, O> AsyncSubject<S, O> {
    /// Returns the last committed offset, from which the source should continue, or `None` if there is none, as at the
    /// first start.
    #[must_use]
    pub fn resume(&self) -> Option<O>
    where
        O: Offset,
    {
        self.subject.resume()
    }

    /// Pushes one row together with its offset. Waits while the backlog is full.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the row is not pushed and the offset is not set.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject is closed. Return from `run` in this case.
    #[inline]
    pub async fn next_at(&self, offset: O, row: S) -> Result<(), Closed>
    where
        O: Offset,
    {
        let fields = row.into_fields();
        let admitted = self.admit(Push::At).await?;
        let pushed = admitted.push_at::<S, O, _>(self.subject.pool(), offset, |batch| batch.push(fields));
        pushed.or_else(|(offset, refused)| self.refused_row_at(*refused, offset))
    }

    /// Decodes and pushes one JSON object as [`next_json`](Self::next_json) does, together with its offset. The offset
    /// also counts if the row is bad and the policy for bad rows lets it pass.
    ///
    /// # Cancel safety
    ///
    /// The same as for [`next_at`](Self::next_at).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`next_json`](Self::next_json). The offset is not set then.
    pub async fn next_json_at(&self, offset: O, json: impl AsRef<[u8]>) -> Result<(), RowError>
    where
        O: Offset,
    {
        let json = json.as_ref();
        let pushed = match self.admit(Push::At).await {
            Ok(admitted) => {
                admitted.push_at::<S, O, RowError>(self.subject.pool(), offset, |batch| batch.push_json(json))
            }
            Err(Closed) => return Err(RowError::closed()),
        };
        let (source, entry) = (self.subject.source(), self.subject.entry());
        pushed.or_else(|(offset, error)| source.bad_row(entry, error, json, Some(offset), Push::Reserved))
    }

    /// Sets the offset for everything pushed so far, without a commit. It never waits.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject is closed.
    pub fn advance(&self, offset: O) -> Result<(), Closed>
    where
        O: Offset,
    {
        self.subject.advance(offset)
    }

    /// Sets the offset for everything pushed so far, and commits.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the call commits nothing. Once the future has been polled, the
    /// offset stays set, as after [`advance`](Self::advance).
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] after a stop.
    pub async fn commit_at(&self, offset: O) -> Result<(), Closed>
    where
        O: Offset,
    {
        self.advance(offset)?;
        self.commit().await
    }

    /// Calls `callback` with each offset once the checkpoint that contains it is on disk.
    ///
    /// See [`Subject::on_durable`](crate::Subject::on_durable). The callback runs on a thread of the library, outside
    /// the runtime of `run`.
    pub fn on_durable(&self, callback: impl FnMut(&O) + Send + 'static)
    where
        O: Offset,
    {
        self.subject.on_durable(callback);
    }

    /// Returns a `futures::Sink` of rows with their offsets. Each item is a pair of an offset and a row.
    ///
    /// ```
    /// use futures_util::{Stream, StreamExt};
    /// use pathway_io::{AsyncSubject, Closed, TextRow};
    ///
    /// type Feed = (u64, TextRow);
    ///
    /// async fn forward(lines: AsyncSubject<TextRow, u64>, feed: impl Stream<Item = Feed>) -> Result<(), Closed> {
    ///     feed.map(Ok).forward(lines.at()).await
    /// }
    /// ```
    pub fn at(&self) -> OffsetSink<S, O>
    where
        O: Offset,
    {
        OffsetSink::new(self)
    }
}
