//! The start of a pipeline: from its plan to the threads that run it.

use std::sync::Arc;

use crossbeam_channel::unbounded;

use super::plan::{Part, Plan, SourcePlan};
#[cfg(feature = "dataflow")]
use crate::dataflow::Engine;
use crate::persist::directory::StateDirectory;
use crate::persist::prepare::{self, Prepared};
use crate::pipeline::running::Running;
use crate::pipeline::signals::Signals;
use crate::pipeline::supervisor::Supervisor;
use crate::pipeline::workers::Workers;
use crate::run::control::{Control, SourceState};
use crate::run::error::Result;
use crate::sequencer::clock::Clock;
use crate::sequencer::{self, Sequencer};
use crate::source::bad_rows::BadRowPolicy;
use crate::source::hook::Hooks;
use crate::source::intake::{Cuts, Gathering, Intake};
use crate::source::on_durable::Durables;
use crate::source::restart::Attempts;
use crate::source::shared::Source;

/// Checks all that can be refused, and starts the threads.
pub(super) fn start(
    #[cfg_attr(not(feature = "dataflow"), expect(unused_mut, reason = "there is one process"))] mut plan: Plan,
    control: Arc<Control>,
    state: Option<Arc<StateDirectory>>,
    workers: &Workers,
) -> Result<Running> {
    #[cfg(feature = "dataflow")]
    let engine = Engine::of(plan.sources.iter().flat_map(|source| &source.tables))?;
    #[cfg(feature = "dataflow")]
    let derived: Vec<_> = engine.tables().collect();
    #[cfg(not(feature = "dataflow"))]
    let derived = Vec::new();
    plan.check_paths(&derived, state.as_deref().map(StateDirectory::path))?;
    if state.is_some() {
        prepare::check_workers(workers, plan.sources.iter().any(SourcePlan::is_in_parts))?;
    }
    #[cfg(feature = "dataflow")]
    if workers.process > 0 {
        plan.leave_to_others();
    }
    #[cfg(feature = "dataflow")]
    if workers.processes() > 1 {
        plan.number_quarantines(workers.process);
    }
    let mut prepared = state
        .map(|directory| Prepared::new(directory, plan.durability, &plan.sources, &derived, workers))
        .transpose()?;
    let persistent = prepared.is_some();
    let policies: Vec<BadRowPolicy> = plan
        .sources
        .iter()
        .map(|source| BadRowPolicy::open(source.options.bad_row_policy(), persistent))
        .collect::<Result<_>>()?;
    let (messages, received) = unbounded();
    let signals = if plan.handle_signals { Some(Signals::install(&control)?) } else { None };
    control.update(|run| run.checking = persistent);
    let (mut sources, mut launches) = (Vec::new(), Vec::new());
    let (mut persisted, mut sinks) = (Vec::new(), Vec::new());
    #[cfg(feature = "dataflow")]
    let (flow, guards) = {
        let parted = plan.sources.iter().filter(|source| source.is_in_parts());
        let parted = parted.flat_map(|source| &source.tables);
        let start = prepared.as_ref().map(|prepared| &prepared.start);
        let started = engine.start(workers, parted, start, &control, &messages, plan.grace)?;
        let started = started.map(|started| {
            sinks.extend(started.sinks.into_iter().map(|sink| (None, sink)));
            (started.flow, started.guards)
        });
        started.unzip()
    };
    for (plan, bad_rows) in plan.sources.into_iter().zip(policies) {
        let (options, bad_rows) = (plan.options.clone(), Arc::new(bad_rows));
        let start = prepared.as_ref().map(|prepared| &prepared.start);
        for Part { name, stages, asked, spawn } in plan.parts(workers, &control, start) {
            let index = sources.len();
            let gathering = Gathering {
                backlog: options.backlog_rows(),
                autocommit: options.autocommit_interval(),
                eager: options.is_eager(),
                offsets: prepared.as_mut().map(|prepared| prepared.take_offsets(index)).unwrap_or_default(),
                cuts: if persistent { prepare::cuts(&options) } else { Cuts::Anywhere },
            };
            let source = Arc::new(Source {
                intake: Intake::new(index, stages.len(), gathering, messages.clone()),
                hooks: Hooks::new(index, Arc::clone(&name), Arc::clone(&control)),
                name,
                durables: Durables::default(),
                bad_rows: Arc::clone(&bad_rows),
                persistent,
                bad_rows_limit: options.bad_row_limit(),
                restart: options.restart_policy(),
                attempts: Attempts::default(),
                control: Arc::clone(&control),
            });
            sinks.extend(asked.into_iter().map(|(table, sink)| (Some((index, table)), sink)));
            if let Some(prepared) = &mut prepared {
                persisted.push(prepared.source(index, &source, options.bad_row_policy()));
            }
            sources.push(sequencer::Source::new(&source, stages));
            control.update(|run| run.sources.push(SourceState::new(&source)));
            launches.push((source, spawn));
        }
    }
    let time = prepared.as_ref().map_or(0, |prepared| prepared.start.time());
    let (checkpointer, state) =
        prepared.map(|prepared| prepared.checkpointer(persisted, sinks, &messages, &control)).unzip();
    let supervisor = Supervisor {
        control,
        messages,
        grace: plan.grace,
        signals,
        progress: plan.progress,
        state,
        #[cfg(feature = "dataflow")]
        workers: guards,
    };
    let sequencer = Sequencer {
        messages: received,
        clock: Clock::after(time),
        sources,
        checkpointer,
        #[cfg(feature = "dataflow")]
        flow,
    };
    supervisor.start(sequencer, launches)
}
