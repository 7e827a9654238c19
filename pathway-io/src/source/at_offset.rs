//! The methods of a [`Subject`] for offsets, from which a source continues after a restart.

use crate::rows::schema::Schema;
use crate::run::error::Closed;
use crate::run::error::row_error::RowError;
use crate::source::intake::Push;
use crate::source::offset::Offset;
use crate::source::subject::Subject;

/// Methods that set the position to resume from.
///
/// An offset covers everything that the connector pushed before it, into any of its tables. Once a connector has set
/// one, commits end only directly after an offset: later rows wait for the next offset, even at a `commit`. More than
/// one backlog of such rows fails the pipeline. Threads that push with offsets must order their pushes themselves.
///
/// An offset also covers the rows of a [`Transaction`](crate::Transaction) that is open when it is set. Such an offset,
/// and the rows before it, therefore wait until the transaction is committed. If the transaction is dropped instead, or
/// if rows are pushed into it after the offset, they wait for the next offset.
impl<S: Schema, O> Subject<S, O> {
    /// Returns the last committed offset, or `None` if there is none, as on the first start.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Line { text: String }
    /// # fn run(lines: Subject<Line, u64>) -> pathway_io::RunResult {
    /// let from = lines.resume().unwrap_or(0);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn resume(&self) -> Option<O>
    where
        O: Offset,
    {
        self.source().intake.resume()
    }

    /// Pushes one row together with its offset. It waits while the backlog is full.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Line { text: String }
    /// # fn run(lines: Subject<Line, u64>) -> pathway_io::RunResult {
    /// let input = ["tea", "milk"];
    /// for (offset, text) in (0..).zip(input).skip(lines.resume().unwrap_or(0) as usize) {
    ///     // The position after the row: where to continue.
    ///     lines.next_at(offset + 1, Line { text: text.into() })?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject is closed. Return from `run` in this case.
    #[inline]
    pub fn next_at(&self, offset: O, row: S) -> Result<(), Closed>
    where
        O: Offset,
    {
        let fields = row.into_fields();
        let admitted = self.admit(Push::At)?;
        let pushed = admitted.push_at::<S, O, _>(self.pool(), offset, |batch| batch.push(fields));
        pushed.or_else(|(offset, refused)| self.source().refused_row(self.entry(), *refused, Some(offset), Push::Wait))
    }

    /// Decodes and pushes one JSON object together with its offset. See [`next_json`](Self::next_json).
    ///
    /// The offset also counts if the row is bad and the policy for bad rows lets it pass.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Line { text: String }
    /// # fn run(lines: Subject<Line, u64>) -> pathway_io::RunResult {
    /// lines.next_json_at(1, r#"{"text": "tea"}"#)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`next_json`](Self::next_json). In this case the offset is not set.
    #[inline]
    pub fn next_json_at(&self, offset: O, json: impl AsRef<[u8]>) -> Result<(), RowError>
    where
        O: Offset,
    {
        let json = json.as_ref();
        let admitted = self.admit(Push::At).map_err(|Closed| RowError::closed())?;
        let pushed = admitted.push_at::<S, O, RowError>(self.pool(), offset, |batch| batch.push_json(json));
        pushed.or_else(|(offset, error)| self.source().bad_row(self.entry(), error, json, Some(offset), Push::Wait))
    }

    /// Sets the offset for everything pushed so far, without a commit. Use it after a [`remove`](Self::remove) or after
    /// several rows.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Line { text: String }
    /// # fn run(lines: Subject<Line, u64>) -> pathway_io::RunResult {
    /// lines.next(Line { text: "tea".into() })?;
    /// lines.next(Line { text: "milk".into() })?;
    /// lines.advance(2)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject is closed.
    pub fn advance(&self, offset: O) -> Result<(), Closed>
    where
        O: Offset,
    {
        self.source().intake.advance(self.entry(), offset)
    }

    /// Sets the offset for everything pushed so far, and commits. See [`commit`](Self::commit).
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Line { text: String }
    /// # fn run(lines: Subject<Line, u64>) -> pathway_io::RunResult {
    /// lines.next(Line { text: "tea".into() })?;
    /// lines.commit_at(1)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] after a stop.
    pub fn commit_at(&self, offset: O) -> Result<(), Closed>
    where
        O: Offset,
    {
        self.source().intake.commit_at(self.entry(), offset)
    }

    /// Calls `callback` with each offset once the checkpoint that contains it is on disk.
    ///
    /// Use it to acknowledge the messages of a queue that has no positions. The calls are in order, on a thread of the
    /// library, and can come after `run` has ended. Of several offsets between two commits, only the last is reported;
    /// it covers those before it. No other checkpoint is made during the call, so do not push rows or wait for long in
    /// it. A panic in the callback fails the pipeline. The callback is dropped before another attempt of `run`, and is
    /// never called in a pipeline that is not persistent.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Line { text: String }
    /// # fn run(lines: Subject<Line, u64>) -> pathway_io::RunResult {
    /// let (acknowledge, _queue) = std::sync::mpsc::channel();
    /// lines.on_durable(move |offset| {
    ///     let _ = acknowledge.send(*offset);
    /// });
    /// # Ok(()) }
    /// ```
    pub fn on_durable(&self, callback: impl FnMut(&O) + Send + 'static)
    where
        O: Offset,
    {
        self.source().durables.add(self.entry().attempt, callback);
    }
}
