//! The sink as a part of the run ([`SinkPart`]), and the state of its thread ([`Worker`]).

use std::cell::Cell;
use std::sync::Arc;

use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::control::{Control, PartId};
use crate::run::error::{BoxError, Error, FailureKind, RunResult, is_refused};
use crate::run::guard::failed;
use crate::run::panics::caught;
use crate::run::part::{Evidence, Part, Role};
use crate::sink::Sink;
use crate::sink::outlet::Progress;

/// A sink as a part of the run that has to end.
pub(crate) struct SinkPart {
    pub(crate) name: Arc<str>,
    pub(crate) progress: Arc<Progress>,
    pub(super) is_transactional: bool,
    /// Whether updates that the sink refuses permanently are left out.
    pub(super) leaves_out: bool,
}

/// The help for a sink that refuses rows.
const REFUSED: &str = "make the sink accept the rows, or leave them out with its option `refused_rows`";

impl SinkPart {
    /// Returns the error of the pipeline for a failure of the sink.
    pub(super) fn error(&self, kind: FailureKind) -> Error {
        let is_refusal = matches!(&kind, FailureKind::Failed(error) if is_refused(&**error));
        let error = Error::sink(&self.name, kind);
        if is_refusal && !self.leaves_out { error.with_help(REFUSED) } else { error }
    }
}

impl Part for SinkPart {
    fn role(&self) -> Role {
        Role::Downstream
    }

    fn opens_first(&self) -> bool {
        self.is_transactional
    }

    fn overdue(&self) -> Vec<(Evidence, Error)> {
        let evidence = if self.progress.is_busy() { Evidence::Busy } else { Evidence::Idle };
        let kind = FailureKind::TimedOut { undelivered: Some(self.progress.undelivered()) };
        vec![(evidence, Error::sink(&self.name, kind))]
    }
}

/// The thread of a sink.
pub(super) struct Worker {
    pub(super) part: Arc<SinkPart>,
    pub(super) id: PartId,
    pub(super) control: Arc<Control>,
    /// The method of the sink that is being called, for the error text of a panic.
    pub(super) method: Cell<&'static str>,
}

impl Worker {
    pub(super) fn write<S: Schema>(&self, sink: &mut dyn Sink<S>, commit: &Commit<S>) -> RunResult {
        self.method.set("write");
        sink.write(commit)
    }

    pub(super) fn flush<S: Schema>(&self, sink: &mut dyn Sink<S>) -> RunResult {
        self.method.set("flush");
        sink.flush()
    }

    /// Makes the sink undo everything that was not flushed. Returns the time of its last commit, or 0.
    pub(super) fn recover<S: Schema>(&self, sink: &mut dyn Sink<S>) -> Result<u64, BoxError> {
        self.method.set("recover");
        Ok(sink.recover(S::SCHEMA)?.unwrap_or(0))
    }
}

/// Returns the failure of a call, if there was one.
pub(super) fn failure(method: &Cell<&'static str>, call: impl FnOnce() -> Result<(), BoxError>) -> Option<FailureKind> {
    match caught(call) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(failed(error)),
        Err(message) => Some(FailureKind::Panicked { place: method.get(), message }),
    }
}
