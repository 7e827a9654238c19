//! [`Recorder`]: attaches a sink to each table. The sinks keep the commits, and can stop or interrupt the run.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::report::Recorded;
use super::stuck::Stuck;
use super::tables::TableVisitor;
use crate::pipeline::StopHandle;
use crate::pipeline::monitor::{Snapshot, SourceState};
use crate::pipeline::table::TableData;
use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::control::Control;
use crate::run::error::RunResult;
use crate::run::lock::Lock;
use crate::sink::Sink;
use crate::source::shared::Source;

/// The event after which the harness stops the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StopRule {
    Never,
    /// `run` has been entered, and has pushed nothing.
    Before,
    /// The sinks have received this many updates.
    AfterRows(usize),
    /// The sinks of each table have received this many of its updates.
    AfterEach(Vec<usize>),
    /// The source waits for a sink that takes nothing.
    Full,
}

/// The event after which the harness ends the first attempt of the source. The restart policy then calls `run` again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fail {
    Never,
    /// The sinks have received this many updates.
    AfterRows(usize),
    /// The future of `run` was polled this many times. It has no effect on a `run` that is not async.
    AfterPolls(u64),
}

/// Attaches a sink to each table.
pub(super) struct Recorder {
    /// Whether sinks receive the pushes themselves, before they become updates by key.
    pub(super) raw: bool,
    pub(super) progress: Arc<Received>,
    /// Functions that take the commits of each table after the run.
    pub(super) tables: Vec<Box<dyn FnOnce() -> Box<dyn Recorded>>>,
}

impl TableVisitor for Recorder {
    fn table<S: Schema>(&mut self, table: &Table<S>) {
        if self.raw {
            table.extensions().get::<TableData<S>>().leave_pushes();
        }
        if self.progress.stop == StopRule::Full {
            table.write_to(Stuck);
        }
        let commits = Arc::new(Lock::new(Vec::new()));
        self.progress.counts.lock().push(0);
        table.write_to(RecordingSink {
            table: self.tables.len(),
            commits: Arc::clone(&commits),
            progress: Arc::clone(&self.progress),
        });
        self.tables.push(Box::new(move || Box::new(std::mem::take(&mut *commits.lock()))));
    }
}

/// The number of updates that the sinks of all tables have received, and the number after which something happens.
pub(super) struct Received {
    /// The updates of each table.
    pub(super) counts: Lock<Vec<usize>>,
    pub(super) stop: StopRule,
    pub(super) handle: StopHandle,
    pub(super) fail: Lock<Fail>,
    pub(super) control: Weak<Control>,
}

impl Received {
    fn add(&self, table: usize, rows: usize) {
        let mut counts = self.counts.lock();
        counts[table] += rows;
        let total = counts.iter().sum::<usize>();
        let is_stopped = match &self.stop {
            StopRule::AfterRows(rows) => total >= *rows,
            StopRule::AfterEach(each) => counts.iter().zip(each).all(|(count, rows)| count >= rows),
            StopRule::Never | StopRule::Before | StopRule::Full => false,
        };
        drop(counts);
        if is_stopped {
            self.handle.stop();
        }
        let mut fail = self.fail.lock();
        if matches!(*fail, Fail::AfterRows(rows) if total >= rows) {
            *fail = Fail::Never;
            drop(fail);
            let sources = self.control.upgrade().map(|control| control.parts::<Source>()).unwrap_or_default();
            sources.iter().for_each(|source| source.interrupt_attempt());
        }
    }
}

impl Received {
    /// Describes the parts for which a run is still waiting at its deadline.
    pub(super) fn not_ended(&self, seen: &Snapshot, deadline: Duration) -> String {
        let busy = seen.sources.iter().filter(|source| source.state != SourceState::Ended);
        let busy: Vec<String> = busy.map(|source| format!("connector `{}` has not ended", source.name)).collect();
        let waits_for = if seen.sources.iter().any(|source| source.state == SourceState::Starting) {
            "not all sinks are open".to_owned()
        } else if busy.is_empty() {
            "not all sinks have ended".to_owned()
        } else {
            busy.join(", ")
        };
        let received: usize = self.counts.lock().iter().sum();
        let stop = match self.stop {
            StopRule::AfterRows(rows) => format!(" of {rows}"),
            StopRule::Full => ", and the backlog is not full".to_owned(),
            StopRule::Never | StopRule::Before | StopRule::AfterEach(_) => String::new(),
        };
        format!(
            "it has not ended within {deadline:?}, the deadline of its test: {waits_for}; updates received: \
             {received}{stop}\nhelp: test a source that ends, stop it with `stop_after_rows`, or set a later \
             `Harness::deadline`"
        )
    }
}

/// Keeps the commits of one table.
struct RecordingSink<S: Schema> {
    table: usize,
    commits: Arc<Lock<Vec<Commit<S>>>>,
    progress: Arc<Received>,
}

impl<S: Schema> Sink<S> for RecordingSink<S> {
    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        self.commits.lock().push(commit.clone());
        self.progress.add(self.table, commit.len());
        Ok(())
    }
}
