//! The sequencer: the one thread that puts the commits of all sources in order.
//!
//! It gives each commit its time, turns pushes into updates where a table has a primary key, and hands the result to
//! the table's sinks. It never waits for a sink: what is in the sinks' channels is bounded by the backlogs of the
//! sources. Between commits it keeps the autocommit timers, and sleeps when there are none.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use tracing::debug;

use crate::batch::{Batch, Pool};
use crate::clock::Clock;
use crate::commit::Commit;
use crate::intake::{Credit, Cut, Intake};
use crate::schema::Schema;
use crate::sink::{Delivery, Progress};
use crate::source;
use crate::upsert::{self, Upsert};

/// What the sequencer is told.
pub(crate) enum Message {
    /// A source has made a commit.
    Commit(Cut),
    /// Call [`Intake::autocommit`] of a source at that time.
    Arm { source: usize, at: Instant },
    /// All sources have ended, and all their commits were sent.
    Finish,
}

/// A table as the sequencer has it, with the row type forgotten.
pub(crate) trait Stage: Send {
    /// Takes a `Vec<Batch<S>>`; says whether there was anything to deliver.
    fn sequence(&mut self, time: u64, batches: Box<dyn Any + Send>, credit: &Arc<Credit>) -> bool;
    /// Whether computations read it.
    #[cfg(feature = "differential")]
    fn is_computed_on(&self) -> bool;
}

/// The end of a sink's channel that the sequencer writes to.
pub(crate) struct Outlet<S: Schema> {
    pub(crate) deliveries: Sender<Delivery<S>>,
    pub(crate) progress: Arc<Progress>,
}

/// The state of one table, and its sinks.
pub(crate) struct TableStage<S: Schema> {
    /// The current row of each key; `None` for a table without one, or one that is only appended to.
    upsert: Option<Upsert<S>>,
    pool: Arc<Pool<S>>,
    outlets: Vec<Outlet<S>>,
    /// The computations that read the table.
    #[cfg(feature = "differential")]
    pub(crate) feeds: Vec<crate::dataflow::Feeds<S>>,
}

impl<S: Schema> TableStage<S> {
    pub(crate) fn new(pool: Arc<Pool<S>>, outlets: Vec<Outlet<S>>) -> Self {
        TableStage {
            upsert: upsert::applies::<S>().then(Upsert::default),
            pool,
            outlets,
            #[cfg(feature = "differential")]
            feeds: Vec::new(),
        }
    }
}

impl<S: Schema> Stage for TableStage<S> {
    fn sequence(&mut self, time: u64, batches: Box<dyn Any + Send>, credit: &Arc<Credit>) -> bool {
        let Ok(batches) = batches.downcast::<Vec<Batch<S>>>() else {
            unreachable!("a table's index stands for its own row type");
        };
        let batches = match &mut self.upsert {
            None => *batches,
            Some(upsert) => {
                let updates = upsert.apply(&batches, &self.pool);
                for batch in *batches {
                    self.pool.put(batch);
                }
                updates
            }
        };
        if batches.is_empty() {
            return false;
        }
        let commit = Commit::new(time, batches, Arc::clone(&self.pool));
        for outlet in &self.outlets {
            outlet.progress.queued(commit.len());
            // A sink that has failed or ended has dropped its receiver: it is no longer served.
            let _ = outlet.deliveries.send(Delivery { commit: commit.clone(), _receipt: Arc::clone(credit) as _ });
        }
        #[cfg(feature = "differential")]
        for feeds in &mut self.feeds {
            feeds.send(&commit);
        }
        true
    }

    #[cfg(feature = "differential")]
    fn is_computed_on(&self) -> bool {
        !self.feeds.is_empty()
    }
}

pub(crate) struct Sequencer {
    pub(crate) messages: Receiver<Message>,
    pub(crate) clock: Clock,
    pub(crate) sources: Vec<Source>,
    /// The computations, where there are any.
    #[cfg(feature = "differential")]
    pub(crate) flow: Option<Arc<crate::dataflow::Flow>>,
}

/// A source as the sequencer has it.
pub(crate) struct Source {
    name: Arc<str>,
    intake: Arc<Intake>,
    tables: Vec<Box<dyn Stage>>,
    /// When its autocommit is due.
    timer: Option<Instant>,
}

impl Source {
    pub(crate) fn new(source: &source::Source, tables: Vec<Box<dyn Stage>>) -> Self {
        Source { name: Arc::clone(&source.name), intake: Arc::clone(&source.intake), tables, timer: None }
    }
}

impl Sequencer {
    /// Runs until it is told to finish.
    pub(crate) fn run(mut self) {
        loop {
            let next = self.sources.iter().filter_map(|source| source.timer).min();
            let message = match next {
                None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.messages.recv_deadline(at),
            };
            match message {
                Ok(Message::Commit(cut)) => self.commit(cut),
                Ok(Message::Arm { source, at }) => self.sources[source].timer = Some(at),
                Ok(Message::Finish) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.sources.iter().any(|source| source.timer.is_some()) {
                self.fire(Instant::now());
            }
        }
    }

    fn fire(&mut self, now: Instant) {
        for source in &mut self.sources {
            if source.timer.is_some_and(|at| at <= now) {
                source.timer = source.intake.autocommit(now);
            }
        }
    }

    fn commit(&mut self, cut: Cut) {
        let source = &mut self.sources[cut.source];
        let time = self.clock.tick();
        let mut delivered = false;
        #[cfg(feature = "differential")]
        let mut computed_on = false;
        for (table, batches) in cut.parts {
            let table = &mut source.tables[table];
            let changed = table.sequence(time, batches, &cut.credit);
            delivered |= changed;
            #[cfg(feature = "differential")]
            (computed_on |= changed && table.is_computed_on());
        }
        #[cfg(feature = "differential")]
        if computed_on && let Some(flow) = &self.flow {
            flow.committed(time, &cut.credit);
        }
        debug!(connector = &*source.name, time, delivered, "commit");
    }
}
