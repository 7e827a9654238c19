//! Sinks that are called on the thread that makes a commit: [`InlineSink`], for
//! [`SinkOptions::inline`](crate::SinkOptions::inline).
//!
//! The sink's own thread opens it, lends it to the [`Outlet`](super::outlet::Outlet), and takes it back to close it. In
//! between, the thread answers requests for a sync.

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
use crate::run::error::{BoxError, FailureKind};
use crate::run::guard::dropped;
use crate::run::lock::Lock;
use crate::run::part::Phase;

/// A sink, shared by its own thread and the threads that make commits.
pub(crate) struct InlineSink<S: Schema> {
    part: Arc<SinkPart>,
    control: Arc<Control>,
    /// `None` before the sink is open, and after its close.
    open: Lock<Option<OpenSink<S>>>,
}

struct OpenSink<S: Schema> {
    sink: Box<dyn AnySink<S>>,
    /// Whether a call has failed, so that only the drop may follow.
    has_failed: bool,
    /// Events of the user's code belong to the span of the sink, and not to the span of the committing source.
    span: Span,
}

impl<S: Schema> InlineSink<S> {
    pub(super) fn new(part: Arc<SinkPart>, control: &Arc<Control>) -> Arc<Self> {
        Arc::new(InlineSink { part, control: Arc::clone(control), open: Lock::default() })
    }

    /// Writes and flushes a commit.
    pub(super) fn write(&self, commit: &Commit<S>) {
        self.call(|sink, method| {
            method.set("write");
            sink.write(commit)?;
            self.part.progress.taken(commit.len());
            method.set("flush");
            sink.flush()
        });
    }

    /// Calls the sink, if it is open and has not failed. Returns whether the call succeeded.
    fn call(&self, call: impl FnOnce(&mut dyn AnySink<S>, &Cell<&'static str>) -> Result<(), BoxError>) -> bool {
        let mut open = self.open.lock();
        let Some(OpenSink { sink, has_failed: has_failed @ false, span }) = &mut *open else { return false };
        let method = Cell::new("write");
        self.part.progress.set_idle(false);
        let kind = span.in_scope(|| failure(&method, || call(&mut **sink, &method)));
        self.part.progress.set_idle(true);
        let Some(kind) = kind else { return true };
        *has_failed = true;
        drop(open);
        self.fail(kind);
        false
    }

    fn fail(&self, kind: FailureKind) {
        self.control.fail(self.part.error(kind));
    }

    fn drop_sink(&self, OpenSink { sink, span, .. }: OpenSink<S>) {
        if let Err(kind) = span.in_scope(|| dropped("its drop", [sink])) {
            self.fail(kind);
        }
    }
}

impl Worker {
    /// Opens the sink, lends it until the end of the run, and closes it.
    pub(super) fn serve_inline<S: Schema>(
        &self,
        spec: SinkSpec<S>,
        messages: &Receiver<SinkMessage<S>>,
        inline: &InlineSink<S>,
    ) {
        let span = info_span!("sink", sink = &*self.part.name);
        let mut open = OpenSink { sink: spec.sink, has_failed: false, span: span.clone() };
        let _span = span.enter();
        let mut is_open = false;
        let kind = failure(&self.method, || {
            if self.control.wait_until_checked() {
                open.sink.open(S::SCHEMA)?;
                is_open = true;
            }
            Ok(())
        });
        if let Some(kind) = kind {
            inline.fail(kind);
        }
        if !is_open {
            return inline.drop_sink(open);
        }
        *inline.open.lock() = Some(open);
        self.part.progress.set_idle(true);
        self.control.set_phase(self.id, Phase::Running);
        for message in messages {
            // Commits do not come through the channel.
            if let SinkMessage::Sync { reply, .. } = message
                && inline.call(|sink, method| {
                    method.set("flush");
                    sink.flush()
                })
            {
                // The checkpointer may have given up.
                let _ = reply.send(0);
            }
        }
        inline.call(|sink, method| {
            method.set("close");
            sink.close()
        });
        let closed = inline.open.lock().take();
        closed.into_iter().for_each(|sink| inline.drop_sink(sink));
        info!(sink = &*self.part.name, "end");
    }
}
