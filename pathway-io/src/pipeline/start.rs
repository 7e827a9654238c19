//! Starts a pipeline: turns its plan into running threads.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use tracing::warn;

use super::any_table::{AnyTable, TableRun};
use super::extensions::{
    ComputedOn, Engine, EngineChoice, EngineRun, FindEngine, Persistence, Prepared, StartedEngine,
};
use super::monitor::Monitor;
use super::plan::{Plan, SourcePlan, SourceReader};
use super::progress::{self, Display};
use super::running::Running;
use super::signals::Signals;
use super::supervisor::{Launch, Supervisor};
use super::workers::Workers;
use crate::run::control::Control;
use crate::run::error::Result;
use crate::run::guard::guarded;
use crate::run::lock::Lock;
use crate::run::part::Phase;
use crate::run::restart::Attempts;
use crate::sequencer::clock::CommitClock;
use crate::sequencer::inbox::Inbox;
use crate::sequencer::stage::Stage;
use crate::sequencer::{SequencedSource, Sequencer};
use crate::sink::start::CheckpointedSink;
use crate::source::bad_rows::BadRowPolicy;
use crate::source::hook::Hooks;
use crate::source::intake::{Cuts, Intake, IntakeSettings};
use crate::source::on_durable::DurableCallbacks;
use crate::source::shared::Source;

/// Makes all checks that can fail without side effects, and starts the threads.
pub(super) fn start(
    mut plan: Plan,
    control: Arc<Control>,
    monitor: Monitor,
    persistence: Option<Arc<dyn Persistence>>,
    workers: &Workers,
) -> Result<Running> {
    let (unstarted, engine) = find_tables(&plan.sources, workers);
    let engine = engine?;
    let derived = engine.as_ref().map(|engine| engine.tables()).unwrap_or_default();
    unstarted.0.iter().try_for_each(|table| table.check_sinks())?;
    plan.check_paths(&derived, workers.count(), persistence.as_deref().map(Persistence::directory))?;
    if workers.process > 0 {
        plan.keep_partitioned();
    }
    if workers.processes() > 1 {
        plan.number_quarantines(workers.process);
    }
    // This runs the user's code, so it comes before the start of the threads.
    let readers: Vec<_> = plan.sources.iter_mut().map(|source| source.take_readers(workers)).collect::<Result<_>>()?;
    let prepared = persistence.map(|persistence| persistence.prepare(&plan.sources, &derived, workers)).transpose()?;
    let persistent = prepared.as_ref().is_some_and(|prepared| prepared.is_resumed());
    let policies: Vec<BadRowPolicy> = plan
        .sources
        .iter()
        .map(|source| BadRowPolicy::open(source.options.bad_row_policy(), persistent))
        .collect::<Result<_>>()?;
    if plan.progress {
        // The cell is empty: a pipeline starts once.
        let _ = control.notices.set(progress::write_notice);
    }
    let draws = plan.progress && progress::is_shown();
    let signals = if plan.handle_signals { Some(Signals::install(&control, draws)?) } else { None };
    control.update(|run| run.checking = persistent);
    let inbox = Inbox::new();
    let mut starter = Starter {
        control: &control,
        inbox: &inbox,
        workers,
        prepared,
        sinks: Vec::new(),
        sources: Vec::new(),
        tables: Vec::new(),
        launches: Vec::new(),
    };
    let engine = match engine {
        Some(engine) => starter.start_engine(engine, &plan)?,
        None => None,
    };
    let (downstream, engine) = engine.map(|engine| (engine.downstream, engine.running)).unzip();
    for ((source, readers), policy) in plan.sources.into_iter().zip(readers).zip(policies) {
        starter.add_source(&source, readers, policy);
    }
    let Starter { prepared, sinks, sources, tables, launches, .. } = starter;
    let clock = CommitClock::after(prepared.as_ref().map_or(0, |prepared| prepared.time()));
    if let Some(ahead) = clock.ahead() {
        let seconds = ahead.as_secs();
        warn!(seconds, "the state is {seconds} s ahead of this machine's clock: commit times continue from there");
    }
    let (checkpointer, state) = prepared.map(|prepared| prepared.begin(sinks, &inbox, &control)).unzip();
    let sequencer = Sequencer { clock, control: Arc::clone(&control), sources, tables, checkpointer, downstream };
    let display = if plan.progress { Display::start(&monitor) } else { None };
    let supervisor =
        Supervisor { control, monitor, inbox, grace_period: plan.grace_period, signals, display, state, engine };
    supervisor.start(sequencer, launches)
}

/// Starts the parts of a run, and holds those that were started.
struct Starter<'a> {
    control: &'a Arc<Control>,
    inbox: &'a Arc<Inbox>,
    workers: &'a Workers,
    /// The state of a persistent pipeline.
    prepared: Option<Box<dyn Prepared>>,
    /// The sinks that take part in checkpoints, with the numbers of their source and table.
    sinks: Vec<(Option<(usize, usize)>, CheckpointedSink)>,
    sources: Vec<SequencedSource>,
    /// The stages of each source's tables.
    tables: Vec<Vec<Box<dyn Stage>>>,
    launches: Vec<Launch>,
}

impl Starter<'_> {
    fn start_engine(&mut self, engine: Box<dyn Engine>, plan: &Plan) -> Result<Option<StartedEngine>> {
        let partitioned = plan.sources.iter().filter(|source| source.is_partitioned());
        let mut started = engine.start(&EngineRun {
            workers: self.workers,
            partitioned: partitioned.flat_map(|source| source.tables.clone()).collect(),
            prepared: self.prepared.as_deref(),
            control: self.control,
            inbox: self.inbox,
            grace_period: plan.grace_period,
        })?;
        if let Some(started) = &mut started {
            self.sinks.extend(started.sinks.drain(..).map(|sink| (None, sink)));
        }
        Ok(started)
    }

    /// Starts the sinks of a source, and adds its partitions, or the whole source.
    fn add_source(&mut self, plan: &SourcePlan, readers: Vec<SourceReader>, bad_rows: BadRowPolicy) {
        let connector = self.tables.len();
        let mut stages = Vec::new();
        for (number, table) in plan.tables.iter().enumerate() {
            let state = self.prepared.as_ref().map(|prepared| prepared.table(&plan.name, number));
            let started = table.start(&TableRun { control: self.control, workers: self.workers.numbers(), state });
            stages.push(started.stage);
            self.sinks.extend(started.sinks.into_iter().map(|sink| (Some((connector, number)), sink)));
        }
        self.tables.push(stages);
        let (bad_rows, bad_rows_seen) = (Arc::new(bad_rows), Arc::default());
        for reader in readers {
            self.add_reader(connector, plan, reader, &bad_rows, &bad_rows_seen);
        }
    }

    fn add_reader(
        &mut self,
        connector: usize,
        plan: &SourcePlan,
        reader: SourceReader,
        bad_rows: &Arc<BadRowPolicy>,
        bad_rows_seen: &Arc<AtomicU64>,
    ) {
        let SourceReader { name, worker, spawn } = reader;
        let options = &plan.options;
        let settings = IntakeSettings {
            backlog: options.backlog_rows(),
            autocommit: options.autocommit_interval(),
            eager: options.is_eager(),
            offsets: self.prepared.as_mut().map(|prepared| prepared.take_offsets(connector)).unwrap_or_default(),
            cuts: self.prepared.as_ref().map_or(Cuts::Anywhere, |prepared| prepared.cuts(options)),
            time: self.control.time.clone(),
        };
        let source = Arc::new(Source {
            intake: Intake::new(self.sources.len(), plan.tables.len(), settings, Arc::clone(self.inbox)),
            hooks: Hooks::new(Arc::clone(&name), Arc::clone(self.control)),
            name,
            durables: DurableCallbacks::default(),
            bad_rows: Arc::clone(bad_rows),
            persistent: self.prepared.as_ref().is_some_and(|prepared| prepared.is_resumed()),
            partitions: worker.map_or(1, |_| self.workers.count()),
            bad_rows_limit: options.bad_rows_limit,
            bad_rows_seen: Arc::clone(bad_rows_seen),
            restart: options.restart.clone(),
            idle: options.idle_limit(),
            attempts: Attempts::default(),
            control: Arc::clone(self.control),
            started: OnceLock::new(),
            ended: OnceLock::new(),
            activity: Lock::default(),
        });
        if let Some(prepared) = &mut self.prepared {
            prepared.add_source(&source, options.bad_row_policy());
        }
        self.sources.push(SequencedSource {
            name: Arc::clone(&source.name),
            intake: Arc::clone(&source.intake),
            connector,
            partition: worker,
            timer: None,
        });
        let id = self.control.add(Arc::clone(&source) as _, Phase::Opening);
        self.launches.push((source, id, spawn));
    }
}

/// The tables of a pipeline. Its drop drops the sinks that were not started, so that a program which waits for a
/// receiver of commits continues.
pub(super) struct Unstarted(Vec<Arc<dyn AnyTable>>);

impl Drop for Unstarted {
    fn drop(&mut self) {
        for table in &self.0 {
            // The pipeline has failed or was dropped, and the panic hook has printed the text.
            let _ = guarded("the drop of a sink", || table.sinks().leave());
        }
    }
}

/// Returns the tables of the sources and of the computations on them, and the engine.
pub(super) fn find_tables(sources: &[SourcePlan], workers: &Workers) -> (Unstarted, Result<Option<Box<dyn Engine>>>) {
    let mut tables: Vec<Arc<dyn AnyTable>> = sources.iter().flat_map(|source| source.tables.clone()).collect();
    let engine = find_engine(&tables, workers);
    if let Ok(Some(engine)) = &engine {
        tables.extend(engine.tables());
    }
    (Unstarted(tables), engine)
}

/// Returns the engine, if a computation reads one of the tables or the command line asks for several processes.
fn find_engine(tables: &[Arc<dyn AnyTable>], workers: &Workers) -> Result<Option<Box<dyn Engine>>> {
    let of_table =
        |table: &Arc<dyn AnyTable>| -> Option<FindEngine> { table.extensions().find::<ComputedOn>()?.0.get().copied() };
    let of_workers = || workers.engine.as_ref()?.downcast_ref::<EngineChoice>().map(|choice| choice.find);
    tables.iter().find_map(of_table).or_else(of_workers).map(|find| find(tables)).transpose()
}
