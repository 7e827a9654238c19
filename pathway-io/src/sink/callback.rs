//! The sink that calls a closure: [`Callback`].

use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::error::RunResult;
use crate::sink::Sink;

/// Calls a closure with each commit.
pub(crate) struct Callback<F>(pub(crate) F);

impl<S: Schema, F: FnMut(&Commit<S>) + Send> Sink<S> for Callback<F> {
    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        (self.0)(commit);
        Ok(())
    }
}
