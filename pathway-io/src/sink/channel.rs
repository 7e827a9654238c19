//! The sink behind `commits`: a bounded channel of commits.

use crossbeam_channel::Sender;

use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::error::RunResult;
use crate::sink::Sink;

/// Sends each commit, and waits while the channel is full. A dropped receiver ends its subscription: later commits are
/// discarded without an error.
pub(crate) struct Channel<S: Schema>(pub(crate) Sender<Commit<S>>);

impl<S: Schema> Sink<S> for Channel<S> {
    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        let _ = self.0.send(commit.clone());
        Ok(())
    }
}
