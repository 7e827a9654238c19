//! Sinks that are called on the thread that makes a commit: [`InlineSink`], for
//! [`SinkOptions::inline`](crate::SinkOptions::inline).
//!
//! The sink's own thread opens it, lends it to the [`Outlet`](super::outlet::Outlet), and takes it back to close it. In between
//! it answers requests for a sync.

use std::cell::Cell;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use tracing::{Span, info, info_span};

use super::outlet::SinkMessage;
use super::part::{SinkPart, Worker, failure};
use super::spec::{AnySink, SinkSpec};
use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::control::Control;
use crate::run::error::{BoxError, Error, FailureKind};
use crate::run::guard::dropped;
use crate::run::lock::Lock;
use crate::run::part::Phase;

/// A sink, shared by its own thread and the threads that make commits.
pub(crate) struct InlineSink<S: Schema> {
    part: Arc<SinkPart>,
    control: Arc<Control>,
    /// `None` before the sink is open, after a failure, and from its close on.
    lent: Lock<Option<Lent<S>>>,
}

struct Lent<S: Schema> {
    sink: AnySink<S>,
    /// Events of the user's code belong to the span of the sink, and not to the span of the committing source.
    span: Span,
}

impl<S: Schema> InlineSink<S> {
    pub(super) fn new(part: Arc<SinkPart>, control: &Arc<Control>) -> Arc<Self> {
        Arc::new(InlineSink { part, control: Arc::clone(control), lent: Lock::default() })
    }

    /// Writes and flushes a commit. The sink is dropped if it fails.
    pub(super) fn write(&self, commit: &Commit<S>) {
        self.call(|sink, place| {
            place.set("write");
            sink.get().write(commit)?;
            self.part.progress.taken(commit.len());
            place.set("flush");
            sink.get().flush()
        });
    }

    /// Calls the sink, if it is open. Returns whether the call succeeded.
    fn call(&self, call: impl FnOnce(&mut AnySink<S>, &Cell<&'static str>) -> Result<(), BoxError>) -> bool {
        let mut lent = self.lent.lock();
        let Some(Lent { sink, span }) = &mut *lent else { return false };
        let place = Cell::new("write");
        let Some(kind) = span.in_scope(|| failure(&place, || call(sink, &place))) else { return true };
        let taken = lent.take();
        drop(lent);
        self.fail(kind);
        self.drop_sink(taken);
        false
    }

    fn fail(&self, kind: FailureKind) {
        self.control.fail(Error::sink(&self.part.name, kind));
    }

    fn drop_sink(&self, sink: Option<Lent<S>>) {
        let Some(Lent { sink, span }) = sink else { return };
        if let Err(kind) = span.in_scope(|| dropped("its drop", [sink])) {
            self.fail(kind);
        }
    }
}

impl Worker {
    /// Opens the sink, lends it until the end of the run, and closes it.
    pub(super) fn lend<S: Schema>(&self, spec: SinkSpec<S>, told: &Receiver<SinkMessage<S>>, inline: &InlineSink<S>) {
        let span = info_span!("sink", sink = &*self.part.name);
        let mut lent = Lent { sink: spec.sink, span: span.clone() };
        let _span = span.enter();
        let mut is_open = false;
        let kind = failure(&self.place, || {
            if self.control.wait_until_checked() {
                lent.sink.get().open(S::SCHEMA)?;
                is_open = true;
            }
            Ok(())
        });
        if let Some(kind) = kind {
            inline.fail(kind);
        }
        if !is_open {
            return inline.drop_sink(Some(lent));
        }
        *inline.lent.lock() = Some(lent);
        self.part.progress.set_idle(true);
        self.control.set_phase(self.id, Phase::Running);
        for message in told {
            // Commits do not come through the channel.
            if let SinkMessage::Sync { reply, .. } = message
                && inline.call(|sink, place| {
                    place.set("flush");
                    sink.get().flush()
                })
            {
                // The checkpointer may have given up.
                let _ = reply.send(0);
            }
        }
        inline.call(|sink, place| {
            place.set("close");
            sink.get().close()
        });
        let closed = inline.lent.lock().take();
        inline.drop_sink(closed);
        info!(sink = &*self.part.name, "end");
    }
}
