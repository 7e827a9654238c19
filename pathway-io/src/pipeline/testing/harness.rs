//! [`Harness`]: runs one connector under conditions that a test chooses, and reports the result.

use std::any::TypeId;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread;
use std::time::Duration;

use super::clock::{Clock, DEADLINE};
use super::memory::{KeptOffsets, Memory};
use super::recorder::{Fail, Received, Recorder, StopRule};
use super::report::Report;
use super::stuck::Stuck;
use super::tables::TestedTables;
use crate::pipeline::monitor::{Monitor, Snapshot, SourceState};
use crate::pipeline::running::Running;
use crate::pipeline::workers::Workers;
use crate::pipeline::{Pipeline, StopHandle, short_type_name};
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::control::Control;
use crate::run::error::{Error, RunResult};
use crate::run::lock::Lock;
use crate::sink::Sink;
use crate::source::connector::{Connector, Subjects};
use crate::source::intake::{Cuts, Level};
use crate::source::offset::{Offset, Offsets};
use crate::source::options::ReadOptions;
use crate::source::partition::Partition;
use crate::source::shared::Source;

/// Runs a connector, and reports the result.
///
/// `S` is the row type of its table, or a tuple of the row types of its tables. The updates of one of several tables
/// are in [`Report::commits_of`].
///
/// ```
/// use pathway_io::{RunResult, Schema, Subject, connector, testing::Harness};
///
/// #[derive(Schema)]
/// struct Line { n: u64 }
///
/// struct Lines;
///
/// #[connector]
/// impl Lines {
///     fn run(&mut self, lines: Subject<Line, u64>) -> RunResult {
///         for n in lines.resume().unwrap_or(0)..10 {
///             lines.next_at(n + 1, Line { n })?;
///         }
///         Ok(())
///     }
/// }
///
/// let report = Harness::new(Lines).resume_at(7_u64).run();
/// let rows: Vec<u64> = report.rows().map(|update| update.row.n).collect();
/// assert_eq!(rows, [7, 8, 9]);
/// assert_eq!(report.offsets::<u64>().last(), Some(&10));
/// assert_eq!(report.on_stops(), 1);
/// assert!(report.result().is_ok());
/// ```
#[must_use]
pub struct Harness<C: Connector, S> {
    connector: C,
    options: ReadOptions,
    resume: Offsets,
    stop: StopRule,
    attached: Vec<Attach<C::Tables>>,
    /// Whether a sink takes nothing until the source has ended.
    is_stuck: bool,
    clock: Option<Clock>,
    grace_period: Duration,
    raw: bool,
    cuts: Cuts,
    workers: usize,
    fail: Fail,
    deadline: Duration,
    /// Whether the run is stopped at the deadline instead of failing.
    stops_at_deadline: bool,
    rows: PhantomData<fn() -> S>,
}

/// The default deadline of a run. It must suffice for a large test on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// Attaches sinks to tables.
type Attach<T> = Box<dyn FnOnce(&T) + Send>;

impl<C, S> Harness<C, S>
where
    C: Connector,
    C::Tables: TestedTables<Rows = S>,
{
    /// Returns a harness that runs the connector to its end, with a sink that keeps all commits.
    pub fn new(connector: C) -> Self {
        Harness {
            connector,
            options: ReadOptions::new(),
            resume: Offsets::default(),
            stop: StopRule::Never,
            attached: Vec::new(),
            is_stuck: false,
            clock: None,
            grace_period: Duration::from_secs(10),
            raw: false,
            cuts: Cuts::Anywhere,
            workers: 1,
            fail: Fail::Never,
            deadline: LONGEST,
            stops_at_deadline: false,
            rows: PhantomData::<fn() -> S>,
        }
    }

    /// Reads the source with options that override the options of the connector.
    pub fn options(mut self, options: ReadOptions) -> Self {
        self.options = options;
        self
    }

    /// Makes the source resume from an offset, as after a restart.
    ///
    /// # Panics
    ///
    /// Panics if the offsets of the connector have another type.
    pub fn resume_at<O: Offset>(self, offset: O) -> Self {
        assert_eq!(
            <C::Subjects as Subjects>::offset_type().name,
            std::any::type_name::<O>(),
            "the offsets of the connector have another type"
        );
        self.resume(Offsets::resumed(offset))
    }

    pub(super) fn resume(mut self, offsets: Offsets) -> Self {
        self.resume = offsets;
        self
    }

    /// Stops the run once the sinks have received this many updates. 0 stops it when `run` is entered.
    ///
    /// If the source neither ends nor causes that many updates, the run fails at its [deadline](Self::deadline). With a
    /// primary key, several pushes of the same key in a commit are one update.
    pub fn stop_after_rows(self, rows: usize) -> Self {
        self.stop(if rows == 0 { StopRule::Before } else { StopRule::AfterRows(rows) })
    }

    /// Stops the run when the source waits for a sink that takes nothing ([`Stuck`]). The backlog is one row.
    ///
    /// A source that ends before that is not stopped.
    pub fn stop_when_full(self) -> Self {
        self.stop(StopRule::Full)
    }

    pub(super) fn stop(mut self, stop: StopRule) -> Self {
        self.stop = stop;
        self
    }

    /// Calls a function with the tables before the start, which adds sinks.
    ///
    /// ```
    /// # use pathway_io::{RunResult, Schema, Subject, connector, testing::Harness};
    /// # #[derive(Schema)] struct Author { id: u64 }
    /// # #[derive(Schema)] struct Post { id: u64 }
    /// # struct Blog;
    /// # #[connector] impl Blog { fn run(&mut self, _: Subject<Author>, posts: Subject<Post>) -> RunResult { Ok(posts.next(Post { id: 1 })?) } }
    /// let (sender, ids) = std::sync::mpsc::channel();
    /// let report = Harness::new(Blog)
    ///     .attach(|(_authors, posts)| posts.subscribe(move |post| sender.send(post.row.id).unwrap()))
    ///     .run();
    /// assert_eq!(ids.iter().collect::<Vec<_>>(), [1]);
    /// # assert!(report.result().is_ok());
    /// ```
    pub fn attach(mut self, attach: impl FnOnce(&C::Tables) + Send + 'static) -> Self {
        self.attached.push(Box::new(attach));
        self
    }

    /// Makes the run follow a clock.
    ///
    /// Autocommit follows it, too: rows wait for their commit until another thread of the test advances the clock.
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// Sets the grace period. The default is 10 s.
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.grace_period = grace_period;
        self
    }

    /// Sets the deadline of the run, in real time. The default is 60 s.
    ///
    /// A run that has not ended by then is stopped and fails. The error says what the run was waiting for.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use pathway_io::{RunResult, Schema, Subject, connector, testing::Harness};
    /// # #[derive(Schema)] struct Line { n: u64 }
    /// struct Silent;
    ///
    /// #[connector]
    /// impl Silent {
    ///     fn run(&mut self, lines: Subject<Line>) -> RunResult {
    ///         Ok(lines.wait_closed()?)
    ///     }
    /// }
    ///
    /// let report = Harness::new(Silent).deadline(Duration::from_millis(100)).run();
    /// assert!(report.result().unwrap_err().to_string().contains("connector `Silent` has not ended"));
    /// ```
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Makes sinks receive the pushes themselves, before they become updates by key.
    pub(super) fn raw(mut self) -> Self {
        self.raw = true;
        self
    }

    /// Keeps the rows of a source with offsets until it sets an offset, as a persistent pipeline does. Otherwise rows
    /// before the first offset may be committed without it, and a restart sends them again.
    pub(super) fn cut_at_offsets(mut self) -> Self {
        self.cuts = Cuts::AtOffsets;
        self
    }

    pub(super) fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    pub(super) fn fail(mut self, fail: Fail) -> Self {
        self.fail = fail;
        self
    }

    /// Stops a run that has not ended within the deadline of an expected event, so that it does not fail.
    pub(super) fn stop_at_deadline(mut self) -> Self {
        self.stops_at_deadline = true;
        self.deadline(DEADLINE)
    }

    /// Runs the connector.
    pub fn run(self) -> Report<S> {
        let kept = KeptOffsets::default();
        let has_offsets = !<C::Subjects as Subjects>::offset_type().is_unit;
        let memory = Memory { cuts: self.cuts, resume: Lock::new(self.resume), kept: Arc::clone(&kept) };
        let mut pipeline = Pipeline::with_persistence(has_offsets.then(|| Arc::new(memory) as _));
        pipeline.handle_signals(false).grace_period(self.grace_period);
        if let Some(clock) = &self.clock {
            pipeline = clock.drive(pipeline);
        }
        let (monitor, stop) = (pipeline.monitor(), pipeline.stop_handle());
        let calls = Arc::new(Calls {
            on_stops: AtomicUsize::new(0),
            control: Arc::downgrade(&pipeline.control),
            sources: OnceLock::new(),
            stop_before: (self.stop == StopRule::Before).then(|| stop.clone()),
        });
        let counted = Counted { connector: self.connector, calls: Arc::clone(&calls), fail: self.fail };
        let mut options = self.options.or(C::options());
        // Without a name, errors would have the name of the type that counts.
        options.name.get_or_insert_with(|| short_type_name::<C>().to_owned());
        let options = if self.stop == StopRule::Full { options.backlog(1) } else { options };
        let tables = pipeline.read_with(counted, options);
        self.attached.into_iter().for_each(|attach| attach(&tables));
        let progress = Arc::new(Received {
            counts: Lock::default(),
            stop: self.stop.clone(),
            handle: stop.clone(),
            fail: Lock::new(self.fail),
            control: Arc::downgrade(&pipeline.control),
        });
        let mut recorder = Recorder { raw: self.raw, progress: Arc::clone(&progress), tables: Vec::new() };
        tables.visit(&mut recorder);
        let recorded = recorder.tables;
        let control = Arc::clone(&pipeline.control);
        let (ended, end) = crossbeam_channel::bounded::<()>(0);
        let (late, watched, seen) = (stop.clone(), Arc::clone(&control), monitor.clone());
        // The thread ends with the run, which drops the sender.
        thread::spawn(move || match end.recv_timeout(self.deadline) {
            Err(error) if !error.is_timeout() => {}
            _ if self.stops_at_deadline => late.stop(),
            _ => watched.fail(Error::pipeline(progress.not_ended(&seen.snapshot(), self.deadline))),
        });
        let running = pipeline.start_on(Workers::threads(self.workers));
        if self.is_stuck || self.stop == StopRule::Full {
            stop_when_full(&monitor, &control, &stop);
        }
        let result = running.and_then(Running::join);
        drop(ended);
        let last = monitor.snapshot();
        let levels: Vec<Level> =
            calls.sources.get().into_iter().flatten().map(|source| source.intake.level()).collect();
        Report {
            tables: recorded.into_iter().map(|take| take()).collect(),
            rows: PhantomData::<fn() -> S>,
            kept,
            on_stops: calls.on_stops.load(Ordering::Acquire),
            refusals: levels.iter().map(|level| level.refusals).sum(),
            uncommitted: levels.iter().map(|level| level.offered - level.counts.rows - level.counts.bad_rows).sum(),
            bad_rows: last.sources.iter().map(|source| source.bad_rows).sum(),
            returned: has_ended(&last),
            result,
        }
    }
}

impl<C: Connector<Tables = Table<S>>, S: Schema> Harness<C, S> {
    /// Adds a sink. With [`Stuck`], the run is also stopped when the source waits for it.
    pub fn sink<K: Sink<S> + 'static>(mut self, sink: K) -> Self {
        self.is_stuck |= TypeId::of::<K>() == TypeId::of::<Stuck>();
        self.attach(|table| table.write_to(sink))
    }
}

fn has_ended(seen: &Snapshot) -> bool {
    seen.sources.iter().all(|source| source.state == SourceState::Ended)
}

/// Requests a stop once each source that has not ended waits for space. A stop for another reason ends the wait.
fn stop_when_full(monitor: &Monitor, control: &Control, stop: &StopHandle) {
    while !control.is_stopping() {
        let seen = monitor.snapshot();
        if has_ended(&seen) {
            break;
        }
        if seen.sources.iter().all(|source| matches!(source.state, SourceState::Backpressured | SourceState::Ended)) {
            stop.stop();
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// A connector whose calls are counted.
struct Counted<C> {
    connector: C,
    calls: Arc<Calls>,
    fail: Fail,
}

/// The calls of all partitions of a connector.
struct Calls {
    on_stops: AtomicUsize,
    control: Weak<Control>,
    /// The sources of the run, which forgets them at its end.
    sources: OnceLock<Vec<Arc<Source>>>,
    /// Stops the run when it is entered.
    stop_before: Option<StopHandle>,
}

impl<C> Counted<C> {
    fn enter(&mut self) {
        self.calls.sources.get_or_init(|| self.calls.control.upgrade().map_or(Vec::new(), |control| control.parts()));
        if let Some(stop) = &self.calls.stop_before {
            stop.stop();
        }
        if let Fail::AfterPolls(polls) = std::mem::replace(&mut self.fail, Fail::Never) {
            drop_after(polls);
        }
    }
}

#[cfg(feature = "tokio")]
use crate::source::async_subject::drive::drop_after;

/// No `run` is async.
#[cfg(not(feature = "tokio"))]
fn drop_after(_: u64) {}

impl<C: Connector> Connector for Counted<C> {
    type Subjects = C::Subjects;
    type Tables = C::Tables;

    fn run(&mut self, subjects: Self::Subjects) -> RunResult {
        self.enter();
        self.connector.run(subjects)
    }

    fn partition(&self) -> Option<Self> {
        let connector = self.connector.partition()?;
        Some(Counted { connector, calls: Arc::clone(&self.calls), fail: self.fail })
    }

    fn run_partition(&mut self, subjects: Self::Subjects, partition: Partition) -> RunResult {
        self.enter();
        self.connector.run_partition(subjects, partition)
    }

    fn on_stop(&mut self) {
        self.calls.on_stops.fetch_add(1, Ordering::Release);
        self.connector.on_stop();
    }
}
