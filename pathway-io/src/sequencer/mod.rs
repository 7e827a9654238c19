//! The sequencer: the one thread that puts the commits of all sources in order.
//!
//! It gives each commit its time, turns pushes into updates where a table has a primary key, and hands the result to
//! the table's sinks. It never waits for a sink: what is in the sinks' channels is bounded by the backlogs of the
//! sources. Between commits it keeps the autocommit timers, and sleeps when there are none.

pub(crate) mod clock;
pub(crate) mod journal;
pub(crate) mod multiset;
mod stage;
pub(crate) mod upsert;

use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use tracing::debug;

pub(crate) use self::stage::{Keeping, Outlet, SharedStage, Stage, TableStage};
use crate::sequencer::clock::Clock;
use crate::sequencer::journal::{Entry, Handed, Part, Piece};
use crate::source::intake::{Cut, Intake};
use crate::source::shared;

/// What the sequencer is told.
pub(crate) enum Message {
    /// A source has made a commit.
    Commit(Cut),
    /// Call [`Intake::autocommit`] of a source at that time.
    Arm { source: usize, at: Instant },
    /// A source waits for room in its backlog.
    Pressed,
    /// Give all rows of the tables that have a state.
    Snapshot(Sender<Piece>),
    /// Another process has made a commit at that time.
    #[cfg(feature = "dataflow")]
    Heard(u64),
    /// All sources have ended, and all their commits were sent.
    Finish,
}

pub(crate) struct Sequencer {
    pub(crate) messages: Receiver<Message>,
    pub(crate) clock: Clock,
    pub(crate) sources: Vec<Source>,
    /// Where the commits of a persistent pipeline become durable.
    pub(crate) checkpointer: Option<Sender<Handed>>,
    /// The computations, where there are any.
    #[cfg(feature = "dataflow")]
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
    pub(crate) fn new(source: &shared::Source, tables: Vec<Box<dyn Stage>>) -> Self {
        Source { name: Arc::clone(&source.name), intake: Arc::clone(&source.intake), tables, timer: None }
    }
}

impl Sequencer {
    /// Runs until it is told to finish.
    pub(crate) fn run(mut self) {
        #[cfg(feature = "dataflow")]
        self.restore();
        loop {
            let next = self.sources.iter().filter_map(|source| source.timer).min();
            let message = match next {
                None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.messages.recv_deadline(at),
            };
            match message {
                Ok(Message::Commit(cut)) => self.commit(cut),
                Ok(Message::Arm { source, at }) => self.sources[source].timer = Some(at),
                Ok(Message::Pressed) => self.hand_over(Handed::Pressed),
                Ok(Message::Snapshot(pieces)) => self.snapshot(&pieces),
                #[cfg(feature = "dataflow")]
                Ok(Message::Heard(time)) => {
                    self.clock.observe(time);
                    if let Some(flow) = &self.flow {
                        flow.advance(time + 1);
                    }
                }
                Ok(Message::Finish) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.sources.iter().any(|source| source.timer.is_some()) {
                self.fire(Instant::now());
            }
        }
    }

    /// What was computed before a restart is made anew, of all rows as they were at the checkpoint, and at its time.
    #[cfg(feature = "dataflow")]
    fn restore(&mut self) {
        if self.checkpointer.is_none() {
            return;
        }
        let Some(flow) = &self.flow else { return };
        let time = self.clock.last();
        for table in self.sources.iter_mut().flat_map(|source| &mut source.tables) {
            table.feed_all(time);
        }
        flow.advance(time + 1);
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
        let mut parts = Vec::new();
        let tables = source.tables.len();
        #[cfg(feature = "dataflow")]
        let mut computed_on = false;
        let mut sequence = |table: usize, batches| {
            let stage = &mut source.tables[table];
            let sequenced = stage.sequence(time, batches, cut.whole, &cut.credit);
            if sequenced.delivered {
                #[cfg(feature = "dataflow")]
                (computed_on |= stage.is_computed_on());
                parts.push(Part { table, durable: sequenced.durable });
            }
        };
        let mut given = cut.parts.into_iter().peekable();
        if cut.whole {
            for table in 0..tables {
                sequence(table, given.next_if(|(given, _)| *given == table).map(|(_, batches)| batches));
            }
        } else {
            for (table, batches) in given {
                sequence(table, Some(batches));
            }
        }
        #[cfg(feature = "dataflow")]
        if let Some(flow) = &self.flow {
            if computed_on {
                flow.committed(time, &cut.credit);
            } else if self.checkpointer.is_some() {
                // A checkpoint of this time waits for the results up to it.
                flow.advance(time + 1);
            }
        }
        #[cfg(not(feature = "dataflow"))]
        let computed_on = false;
        debug!(connector = &*source.name, time, delivered = !parts.is_empty(), "commit");
        let (source, offset, bad) = (cut.source, cut.offset, cut.bad);
        self.hand_over(Handed::Commit(Entry { time, source, parts, computed_on, offset, bad, _credit: cut.credit }));
    }

    fn hand_over(&self, handed: Handed) {
        if let Some(checkpointer) = &self.checkpointer {
            // It outlives the sequencer; were it gone, the run has failed and says so.
            let _ = checkpointer.send(handed);
        }
    }

    /// Gives all current rows. The receiver takes them as they come, unless it has given up.
    fn snapshot(&self, pieces: &Sender<Piece>) {
        for (source, stages) in self.sources.iter().enumerate() {
            for (table, stage) in stages.tables.iter().enumerate() {
                stage.snapshot(&mut |rows| {
                    let _ = pieces.send(Piece::Rows { source, table, rows });
                });
            }
        }
        let _ = pieces.send(Piece::End { time: self.clock.last() });
    }
}
