//! A boxed sink is a sink, so a program can choose its sinks at run time.

use crate::rows::check::RowCheck;
use crate::rows::commit::Commit;
use crate::rows::description::TableSchema;
use crate::rows::schema::Schema;
use crate::run::error::{BoxError, RunResult};
use crate::sink::Sink;

/// Passes on the calls of all methods, including those with a default: without `recover`, a transactional sink would
/// repeat commits.
impl<S: Schema, K: Sink<S> + ?Sized> Sink<S> for Box<K> {
    fn open(&mut self, schema: &'static TableSchema) -> RunResult {
        (**self).open(schema)
    }

    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        (**self).write(commit)
    }

    fn flush(&mut self) -> RunResult {
        (**self).flush()
    }

    fn is_transactional(&self) -> bool {
        (**self).is_transactional()
    }

    fn recover(&mut self, schema: &'static TableSchema) -> Result<Option<u64>, BoxError> {
        (**self).recover(schema)
    }

    fn row_check(&self) -> Option<RowCheck<S>> {
        (**self).row_check()
    }

    fn close(&mut self) -> RunResult {
        (**self).close()
    }
}
