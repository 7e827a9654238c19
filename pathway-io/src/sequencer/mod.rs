//! The sequencer: orders the commits of all sources.
//!
//! The sequencer assigns each commit its time, turns pushes into updates if a table has a primary key, and sends the
//! result to the sinks of the table. It never waits for a sink that has its own thread, because the backlogs of the
//! sources limit the rows in the sinks' channels. It also runs the autocommit timers.
//!
//! One thread at a time is the sequencer: its own, or one that has just called `commit` ([`inbox`]).

pub(crate) mod clock;
pub(crate) mod feed;
pub(crate) mod inbox;
pub(crate) mod journal;
#[cfg(test)]
mod model;
pub(crate) mod multiset;
mod segments;
pub(crate) mod stage;
pub(crate) mod upsert;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use crossbeam_channel::Sender;
use tracing::debug;

use self::clock::CommitClock;
use self::feed::Downstream;
use self::inbox::Inbox;
use self::journal::{CheckpointMessage, CommitRecord, SnapshotPiece, TableRecord};
use self::stage::{Stage, StageCommit};
use crate::run::control::Control;
use crate::run::part::{Part, Role};
use crate::source::intake::{Cut, Intake, IntakeMessage};

/// The maximum number of rows that a committing thread sequences if the table has state. They take about ten
/// microseconds.
const BRIEF_ROWS: usize = 32;

pub(crate) enum SequencerMessage {
    Intake(IntakeMessage),
    /// Asks for all rows of the tables that have state.
    Snapshot(Sender<SnapshotPiece>),
    /// Another process has made a commit at this time.
    PeerTime(u64),
    /// The manual clock of the run was set.
    TimePassed,
    /// All sources have ended, and all of their commits were sent before this message.
    Finish,
}

/// The sequencer as a part of the run that has to end. It waits for no other part, so it never prevents the end.
pub(crate) struct SequencerPart {
    /// The time of the last commit.
    pub(crate) time: Arc<AtomicU64>,
    pub(crate) inbox: Arc<Inbox>,
}

impl Part for SequencerPart {
    fn role(&self) -> Role {
        Role::Downstream
    }

    fn time_passed(&self) {
        // A sequencer that has ended has no timers.
        let _ = self.inbox.send(SequencerMessage::TimePassed);
    }
}

pub(crate) struct Sequencer {
    pub(crate) clock: CommitClock,
    pub(crate) control: Arc<Control>,
    pub(crate) sources: Vec<SequencedSource>,
    /// The tables of each connector. All partitions of a connector share them.
    pub(crate) tables: Vec<Vec<Box<dyn Stage>>>,
    /// The channel to the checkpointer of a persistent pipeline.
    pub(crate) checkpointer: Option<Sender<CheckpointMessage>>,
    /// The computations, if there are any.
    pub(crate) downstream: Option<Arc<dyn Downstream>>,
}

/// The sequencer's data about a source or a partition of one.
pub(crate) struct SequencedSource {
    pub(crate) name: Arc<str>,
    pub(crate) intake: Arc<Intake>,
    /// The connector's index in [`Sequencer::tables`].
    pub(crate) connector: usize,
    /// The worker that owns the partition, for a partitioned source.
    pub(crate) partition: Option<usize>,
    /// The time of the next autocommit.
    pub(crate) timer: Option<Instant>,
}

impl Sequencer {
    fn handle(&mut self, message: SequencerMessage) {
        match message {
            SequencerMessage::Intake(IntakeMessage::Commit(cut)) => self.commit(cut),
            SequencerMessage::Intake(IntakeMessage::Arm { source, at }) => self.sources[source].timer = Some(at),
            SequencerMessage::Intake(IntakeMessage::Backpressured) => self.send(CheckpointMessage::Backpressured),
            SequencerMessage::Snapshot(pieces) => self.snapshot(&pieces),
            SequencerMessage::PeerTime(time) => {
                self.clock.observe(time);
                if let Some(downstream) = &self.downstream {
                    downstream.advance(time + 1);
                }
            }
            // The sequencer's thread checks the timers after each message.
            SequencerMessage::TimePassed | SequencerMessage::Finish => {}
        }
    }

    /// Returns whether a committing thread of the source `own` may handle the message. Such a message takes a short
    /// time for any size of the table, and calls no sink of another source.
    fn is_brief(&self, message: &SequencerMessage, own: usize) -> bool {
        match message {
            SequencerMessage::Intake(IntakeMessage::Commit(cut)) => {
                let stages = &self.tables[self.sources[cut.source].connector];
                let is_small = !cut.replaces && cut.credit.rows() <= BRIEF_ROWS;
                (is_small || !stages.iter().any(|stage| stage.has_state()))
                    && (cut.source == own || !stages.iter().any(|stage| stage.calls_sinks()))
            }
            SequencerMessage::Intake(IntakeMessage::Arm { .. } | IntakeMessage::Backpressured) => true,
            SequencerMessage::Snapshot(_)
            | SequencerMessage::PeerTime(_)
            | SequencerMessage::TimePassed
            | SequencerMessage::Finish => false,
        }
    }

    /// Returns when the next timer is due.
    fn due(&self) -> Option<Instant> {
        self.sources.iter().filter_map(|source| source.timer).min()
    }

    /// Recomputes the derived tables of a persistent pipeline from the rows of the checkpoint, at the time of the
    /// checkpoint.
    fn restore(&mut self) {
        let (Some(_), Some(downstream)) = (&self.checkpointer, &self.downstream) else { return };
        let time = self.clock.last();
        self.tables.iter_mut().flatten().for_each(|table| table.feed_all(time));
        downstream.advance(time + 1);
    }

    /// Makes the autocommits that are due.
    fn fire(&mut self) {
        if self.due().is_none() {
            return;
        }
        let now = self.control.time.now();
        for source in &mut self.sources {
            if source.timer.is_some_and(|at| at <= now) {
                source.timer = source.intake.autocommit(now);
            }
        }
    }

    fn commit(&mut self, cut: Cut) {
        let source = &self.sources[cut.source];
        let stages = &mut self.tables[source.connector];
        let time = self.clock.tick();
        let of = StageCommit { time, whole: cut.whole, partition: source.partition, credit: &cut.credit };
        let (mut tables, mut computed_on) = (Vec::new(), false);
        let mut parts = cut.parts.into_iter().peekable();
        for (table, stage) in stages.iter_mut().enumerate() {
            let batches = parts.next_if(|(next, _)| *next == table).map(|(_, batches)| batches);
            if batches.is_none() && !cut.whole {
                continue;
            }
            let sequenced = stage.sequence(batches, &of);
            if sequenced.delivered {
                computed_on |= stage.is_computed_on();
                tables.push(TableRecord { table, journaled: sequenced.journaled });
            }
        }
        if let Some(downstream) = &self.downstream {
            if computed_on {
                downstream.committed(time, &cut.credit);
            } else if self.checkpointer.is_some() {
                // The tables of this commit feed no computation, but a checkpoint of this time waits for all results up
                // to it.
                downstream.advance(time + 1);
            }
        }
        // The events do not belong to the span of the committing source.
        debug!(parent: None, connector = &*source.name, time, delivered = !tables.is_empty(), "commit");
        let (source, offset, bad) = (cut.source, cut.offset, cut.bad);
        let record = CommitRecord { time, source, tables, computed_on, offset, bad, _credit: cut.credit };
        self.send(CheckpointMessage::Commit(record));
    }

    fn send(&self, message: CheckpointMessage) {
        if let Some(checkpointer) = &self.checkpointer {
            // The checkpointer outlives the sequencer. If it has ended, the run has failed with an error of the
            // checkpointer.
            let _ = checkpointer.send(message);
        }
    }

    /// Sends all current rows. Send errors are ignored: they mean that the receiver no longer needs the snapshot.
    fn snapshot(&self, pieces: &Sender<SnapshotPiece>) {
        for (source, stages) in self.tables.iter().enumerate() {
            for (table, stage) in stages.iter().enumerate() {
                stage.snapshot(&mut |rows| {
                    let _ = pieces.send(SnapshotPiece::Rows { source, table, rows });
                });
            }
        }
        let _ = pieces.send(SnapshotPiece::End { time: self.clock.last() });
    }
}
