//! The sinks behind `subscribe` and `subscribe_commits`, which call closures.

use crate::rows::commit::{Commit, Update};
use crate::rows::schema::Schema;
use crate::run::error::RunResult;
use crate::sink::Sink;

/// Calls a closure with each update.
pub(crate) struct UpdateCallback<F>(pub(crate) F);

impl<S: Schema, F: FnMut(&Update<S>) + Send> Sink<S> for UpdateCallback<F> {
    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        for update in commit.iter() {
            (self.0)(&update);
        }
        Ok(())
    }
}

/// Calls a closure with each commit.
pub(crate) struct CommitCallback<F>(pub(crate) F);

impl<S: Schema, F: FnMut(&Commit<S>) + Send> Sink<S> for CommitCallback<F> {
    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        (self.0)(commit);
        Ok(())
    }
}
