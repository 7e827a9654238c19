//! The methods of a [`Subject`] that have to do with offsets: where the source goes on after a restart.

use std::convert::Infallible;

use crate::rows::schema::Schema;
use crate::run::error::Closed;
use crate::run::error::row_error::RowError;
use crate::source::intake::Push;
use crate::source::offset::Offset;
use crate::source::subject::Subject;

/// A row and its offset are committed together. An offset stands for everything that the connector pushed before it,
/// into any of its tables. Once a connector has set one, commits end only directly after an offset: what is pushed
/// behind the last one waits for the next, whoever asks for a commit, and more than a backlog of it is an error that
/// fails the pipeline. Threads that push with offsets see to their order themselves.
impl<S: Schema, O: Offset> Subject<S, O> {
    /// The last committed offset: where to go on. `None` if there is none, as on the first start.
    #[must_use]
    pub fn resume(&self) -> Option<O> {
        self.source().intake.resume()
    }

    /// Pushes one row, and sets the offset that stands for everything up to and with it. It waits while the backlog is
    /// full.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the subject is closed: `run` should end.
    #[inline]
    pub fn next_at(&self, offset: O, row: S) -> Result<(), Closed> {
        let fields = row.into_fields();
        let admitted = self.admit_at()?;
        let pushed = admitted.push_at::<S, O, Infallible>(self.pool(), offset, |batch| {
            batch.push(fields);
            Ok(())
        });
        match pushed {
            Ok(()) => Ok(()),
            Err((_, never)) => match never {},
        }
    }

    /// [`next_json`](Self::next_json), with the offset that stands for everything up to and with the row. A bad row
    /// that the policy lets pass counts: its offset is set too.
    ///
    /// # Errors
    ///
    /// As [`next_json`](Self::next_json). The offset is not set then.
    #[inline]
    pub fn next_json_at(&self, offset: O, json: impl AsRef<[u8]>) -> Result<(), RowError> {
        let json = json.as_ref();
        let admitted = self.admit_at().map_err(|Closed| RowError::closed())?;
        match admitted.push_at::<S, O, RowError>(self.pool(), offset, |batch| batch.push_json(json)) {
            Ok(()) => Ok(()),
            Err((offset, error)) => self.source().bad_row_at(self.entry(), error, json, offset, Push::Wait),
        }
    }

    /// Sets the offset that stands for everything pushed so far, after a [`remove`](Self::remove) or several rows,
    /// without a commit.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the subject is closed.
    pub fn advance(&self, offset: O) -> Result<(), Closed> {
        self.source().intake.advance(self.entry(), offset)
    }

    /// Sets the offset that stands for everything pushed so far, and makes that one commit; see
    /// [`commit`](Self::commit).
    ///
    /// # Errors
    ///
    /// [`Closed`] after a stop.
    pub fn commit_at(&self, offset: O) -> Result<(), Closed> {
        self.source().intake.commit_at(self.entry(), offset)
    }

    /// Has `callback` called with each offset once the checkpoint that holds it is on disk: in order, from a thread of
    /// the runtime, also after `run` has ended. A source over a queue that keeps no positions acknowledges there; of
    /// several offsets between two commits only the last is seen, and it stands for those before it. In a pipeline that
    /// is not [persistent](crate::Pipeline::persistent) nothing is ever durable, and it is not called. Before `run` is
    /// [run again](crate::Restart) it is dropped. While it is called no other checkpoint is made, so it is not the place to push
    /// rows or to wait for long. A panic in it fails the pipeline.
    pub fn on_durable(&self, callback: impl FnMut(&O) + Send + 'static) {
        self.source().durables.add(self.entry().attempt, callback);
    }

    #[inline]
    fn admit_at(&self) -> Result<crate::source::intake::Admitted<'_>, Closed> {
        self.source().intake.admit(self.entry(), Push::At).map_err(|refused| self.source().refuse(refused))
    }
}
