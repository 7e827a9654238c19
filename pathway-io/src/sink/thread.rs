//! The thread of a sink.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError, unbounded};
use tracing::info;

use crate::control::{Control, SinkState, failed, panicked};
use crate::error::{Error, FailureKind, RunResult};
use crate::schema::Schema;
use crate::sequencer::Outlet;
use crate::sink::{Delivery, Progress, Sink, SinkSpec};
use crate::threads;

/// Starts the thread of a sink, which opens it first. The control knows when it is open and when it has ended.
pub(crate) fn spawn<S: Schema>(spec: SinkSpec<S>, control: &Arc<Control>) -> Outlet<S> {
    // Bounded by the backlog of the table's source: each delivery holds credit for its rows.
    let (sender, deliveries) = unbounded();
    let progress = Arc::new(Progress::default());
    let state =
        SinkState { name: Arc::clone(&spec.name), progress: Arc::clone(&progress), opened: false, ended: false };
    let index = control.update(|run| {
        run.sinks.push(state);
        run.sinks.len() - 1
    });
    let worker = Worker {
        name: Arc::clone(&spec.name),
        index,
        progress: Arc::clone(&progress),
        control: Arc::clone(control),
        place: Cell::new("open"),
    };
    let name = Arc::clone(&spec.name);
    let spawned = threads::spawn(&format!("sink {name}"), move || worker.run(spec.sink, deliveries));
    if let Err(error) = spawned {
        control.fail(Error::sink(&name, FailureKind::Failed(Box::new(error))));
        control.update(|run| run.sinks[index].ended = true);
    }
    Outlet { deliveries: sender, progress }
}

struct Worker {
    name: Arc<str>,
    index: usize,
    progress: Arc<Progress>,
    control: Arc<Control>,
    /// The method of the sink that is being called, for the text of a panic.
    place: Cell<&'static str>,
}

impl Worker {
    fn run<S: Schema>(self, sink: Box<dyn Sink<S>>, deliveries: Receiver<Delivery<S>>) {
        // The sink is dropped inside, since its drop may panic too.
        let result = catch_unwind(AssertUnwindSafe(|| self.serve(sink, &deliveries)));
        let failure = match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(failed(error)),
            Err(payload) => Some(panicked(self.place.get(), &*payload)),
        };
        if let Some(kind) = failure {
            self.control.fail(Error::sink(&self.name, kind));
        }
        // What is still queued gives its credit back here, and the sequencer sees that nobody is left.
        drop(deliveries);
        info!(sink = &*self.name, "end");
        self.control.update(|run| run.sinks[self.index].ended = true);
    }

    fn serve<S: Schema>(&self, mut sink: Box<dyn Sink<S>>, deliveries: &Receiver<Delivery<S>>) -> RunResult {
        sink.open(S::SCHEMA)?;
        self.control.update(|run| run.sinks[self.index].opened = true);
        while let Ok(mut delivery) = deliveries.recv() {
            loop {
                self.place.set("write");
                sink.write(&delivery.commit)?;
                self.progress.taken(delivery.commit.len());
                drop(delivery);
                delivery = match deliveries.try_recv() {
                    Ok(next) => next,
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                };
            }
            self.place.set("flush");
            sink.flush()?;
        }
        self.place.set("close");
        sink.close()?;
        self.place.set("its drop");
        Ok(())
    }
}
