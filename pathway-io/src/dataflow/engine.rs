//! The engine of a running pipeline: it finds the computations and runs the workers.
//!
//! All computations of a pipeline form one dataflow. Each worker builds it in the same order on its own thread. The
//! worker then runs in steps: it does all pending work, and sleeps until a commit, another worker or a sink wakes it.
//! The dataflow is complete when the sources have ended and the sinks have taken all results.
//!
//! If a worker panics, the other workers would wait for its data forever. A worker that fails therefore sets a flag in
//! [`Flow`], and all workers end immediately without finishing their work. This loses nothing, since the failure ends
//! the run.

use std::any::Any;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use timely::WorkerConfig;
use timely::communication::allocator::ProcessBuilder;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::{AllocatorBuilder, Hooks, WorkerGuards};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::{Concatenate, Operator};
use timely::execute::execute_from;
use timely::worker::Worker;

use crossbeam_channel::bounded;

use super::building::{Building, Computation, identity};
use super::cluster::{Cluster, ShutdownBarrier};
use super::flow::Flow;
use super::partitioned::AnyPartitioned;
use super::region::Busy;
use super::table::DataflowTable;
use crate::pipeline::any_table::{AnyTable, TableRun};
use crate::pipeline::extensions::{Engine, EngineChoice, EngineRun, RunningEngine, StartedEngine};
use crate::pipeline::workers::Workers;
use crate::rows::description::TableSchema;
use crate::run::control::{Control, PartId};
use crate::run::error::{Error, FailureKind, Result};
use crate::run::guard::{Ending, guarded};
use crate::run::part::{Evidence, Part, Phase, Role};
use crate::run::threads;
use crate::sequencer::feed::Downstream;

/// The computations of a pipeline, in the order in which the workers build them.
struct DataflowEngine {
    computations: Vec<Arc<dyn Computation>>,
    /// The tables that computations read.
    read: Vec<Arc<dyn AnyTable>>,
    /// The tables whose commits are made by several processes.
    partitioned: Vec<Arc<dyn AnyPartitioned>>,
}

/// The worker threads of the engine.
struct Guards {
    guards: WorkerGuards<()>,
    flow: Arc<Flow>,
    control: Arc<Control>,
    barrier: Option<Arc<ShutdownBarrier>>,
}

impl RunningEngine for Guards {
    fn cut_short(&self) {
        if let Some(barrier) = &self.barrier {
            barrier.cut_short(&self.control);
        }
    }

    fn join(self: Box<Self>, drained: bool, grace_period: Duration) {
        if !drained {
            // A worker whose dataflow loops forever checks the flag between steps.
            self.flow.abort();
        }
        // A worker that has not ended may never do so. Neither may the threads of a connection to a process that is
        // gone.
        let waits = drained && !(self.flow.is_aborted() && self.barrier.is_some());
        let (ended, end) = bounded::<()>(0);
        let spawned = threads::spawn("leave", move || {
            // The workers have been told to end, so a panic during their join is not reported.
            let _ = guarded("a worker", || drop(self.guards));
            drop(ended);
        });
        if spawned.is_ok() && waits {
            // Nothing is ever sent on this channel: the wait ends when the sender is dropped or the grace period is
            // over.
            let _ = end.recv_timeout(grace_period);
        }
    }
}

/// A worker, as the control of the run sees it.
struct WorkerPart(Busy);

impl Part for WorkerPart {
    fn role(&self) -> Role {
        Role::Downstream
    }

    fn overdue(&self) -> Vec<(Evidence, Error)> {
        let overdue = |evidence| {
            move |name: Arc<str>| (evidence, Error::computation(&name, FailureKind::TimedOut { undelivered: None }))
        };
        let busy = self.0.name().map(overdue(Evidence::Busy));
        // A worker that is not marked as busy may be between two steps of a computation.
        busy.or_else(|| self.0.last().map(overdue(Evidence::BetweenSteps))).into_iter().collect()
    }
}

/// Finds all computations that read the tables of a pipeline, directly or through other computations.
pub(super) fn find(tables: &[Arc<dyn AnyTable>]) -> Result<Box<dyn Engine>> {
    let (mut known, mut read) = (HashSet::new(), Vec::new());
    let mut computations: BTreeMap<u64, Arc<dyn Computation>> = BTreeMap::new();
    let mut tables: Vec<Arc<dyn AnyTable>> = tables.to_vec();
    while let Some(table) = tables.pop() {
        known.insert(identity(&Arc::downgrade(table.extensions())));
        let readers = table.extensions().get::<DataflowTable>().computations();
        if !readers.is_empty() {
            read.push(table);
        }
        for computation in readers {
            if computations.insert(computation.number(), Arc::clone(&computation)).is_none() {
                tables.push(computation.output());
            }
        }
    }
    let computations: Vec<_> = computations.into_values().collect();
    for computation in &computations {
        if computation.inputs().iter().any(|table| !known.contains(&identity(table))) {
            let message = "it reads tables of two pipelines\nhelp: read all of its tables with one `Pipeline`";
            return Err(Error::computation(computation.name(), FailureKind::Failed(message.into())));
        }
    }
    Ok(Box::new(DataflowEngine { computations, read, partitioned: Vec::new() }))
}

impl DataflowEngine {
    /// Drops the queued commits that no worker has taken.
    fn abandon(&self) {
        self.computations.iter().for_each(|computation| computation.abandon());
        self.partitioned.iter().for_each(|table| table.abandon());
    }

    /// Hashes the parts of the program that determine the shape of the dataflow and the rows in it. All processes must
    /// agree on them.
    fn fingerprint(&self, partitioned: &[Arc<dyn AnyTable>]) -> u64 {
        let mut state = DefaultHasher::new();
        partitioned.len().hash(&mut state);
        for table in partitioned {
            hash_columns(table.schema(), &mut state);
            table.sinks().kinds().hash(&mut state);
        }
        // The other processes have already dropped the sinks of the tables that are not partitioned.
        self.read.iter().for_each(|table| hash_columns(table.schema(), &mut state));
        for computation in &self.computations {
            hash_columns(computation.output().schema(), &mut state);
            computation.inputs().len().hash(&mut state);
            computation.output().sinks().kinds().hash(&mut state);
        }
        state.finish()
    }
}

/// Hashes the properties of a table that rows from another process must have.
fn hash_columns(schema: &TableSchema, state: &mut impl Hasher) {
    (schema.name, schema.append_only, schema.columns.len()).hash(state);
    for column in schema.columns {
        (column.name, column.data_type.to_string(), column.optional, column.primary_key).hash(state);
    }
}

impl Engine for DataflowEngine {
    fn tables(&self) -> Vec<Arc<dyn AnyTable>> {
        self.computations.iter().map(|computation| computation.output()).collect()
    }

    /// Starts the workers. Later failures are reported to the control.
    ///
    /// If there are several processes, the engine first waits for the others, and then combines each partitioned table
    /// from the rows that all processes read.
    fn start(mut self: Box<Self>, run: &EngineRun<'_>) -> Result<Option<StartedEngine>> {
        let EngineRun { workers, partitioned, prepared, control, inbox, grace_period } = run;
        if self.computations.is_empty() && (workers.processes() == 1 || partitioned.is_empty()) {
            return Ok(None);
        }
        let cluster = if workers.processes() > 1 {
            match Cluster::meet(workers, self.fingerprint(partitioned), control)? {
                Some(cluster) => Some(cluster),
                None => {
                    self.tables().iter().for_each(|table| table.sinks().leave());
                    return Ok(None);
                }
            }
        } else {
            None
        };
        let table_run = |state| TableRun { control, workers: workers.numbers(), state };
        if workers.processes() > 1 {
            let partition = |table: &Arc<dyn AnyTable>| table.partition(&table_run(None)).downcast().ok();
            self.partitioned =
                partitioned.iter().filter_map(partition).map(|table: Box<Arc<dyn AnyPartitioned>>| *table).collect();
        }
        let (allocators, network) = allocators(workers, cluster.as_ref())?;
        let flow = Arc::new(Flow::default());
        let mut sinks = Vec::new();
        for (number, computation) in self.computations.iter().enumerate() {
            computation.start(&table_run(prepared.map(|prepared| prepared.derived(number))), &mut sinks);
        }
        let names: Arc<[Arc<str>]> =
            self.computations.iter().map(|computation| Arc::clone(computation.name())).collect();
        let team: Vec<(PartId, Busy)> = (0..workers.threads)
            .map(|_| {
                let busy = Busy::new(&names);
                (control.add(Arc::new(WorkerPart(busy.clone())), Phase::Opening), busy)
            })
            .collect();
        let engine = Arc::<Self>::from(self);
        let barrier = cluster.map(|cluster| {
            let engine = Arc::clone(&engine);
            let abandon: Arc<dyn Fn() + Send + Sync> = Arc::new(move || engine.abandon());
            cluster.watch(&flow, control, inbox, &abandon, *grace_period)
        });
        let first = workers.numbers().start;
        let team = Team { team, first, engine, flow: Arc::clone(&flow), control: Arc::clone(control) };
        let started = execute_from(allocators, network, config(workers), move |worker| team.run(worker));
        match started {
            Ok(guards) => Ok(Some(StartedEngine {
                downstream: Arc::clone(&flow) as Arc<dyn Downstream>,
                running: Box::new(Guards { guards, flow, control: Arc::clone(control), barrier }),
                sinks,
            })),
            Err(error) => {
                // Some workers may have started. They must not wait for the missing ones, nor other processes for this
                // process.
                flow.fail(control, Error::pipeline(error.clone()));
                Err(Error::pipeline(error))
            }
        }
    }
}

/// Returns the options that the user has set for Timely itself.
fn config(workers: &Workers) -> WorkerConfig {
    let choice = workers.engine.as_ref().and_then(|engine| engine.downcast_ref::<EngineChoice>());
    choice.and_then(|choice| choice.options.downcast_ref::<WorkerConfig>()).cloned().unwrap_or_default()
}

/// Returns the channels between the workers, and a guard that must be kept until the workers have ended.
fn allocators(workers: &Workers, cluster: Option<&Cluster>) -> Result<(Vec<AllocatorBuilder>, Box<dyn Any + Send>)> {
    if let Some(cluster) = cluster {
        let hooks = Hooks::default();
        let threads = ProcessBuilder::new_typed_vector(workers.threads, hooks.refill.clone(), None);
        let streams = cluster.data_streams(workers.process).map_err(Error::pipeline)?;
        let (allocators, threads) =
            initialize_networking_from_sockets(threads, streams, workers.process, workers.threads, hooks)
                .map_err(Error::pipeline)?;
        return Ok((allocators.into_iter().map(AllocatorBuilder::Tcp).collect(), Box::new(threads)));
    }
    let config = match workers.threads {
        1 => timely::CommunicationConfig::Thread,
        threads => timely::CommunicationConfig::Process(threads),
    };
    config.try_build().map_err(Error::pipeline)
}

/// The state that the workers of one process share.
struct Team {
    team: Vec<(PartId, Busy)>,
    /// The number of the first worker of this process, counted over all processes.
    first: usize,
    engine: Arc<DataflowEngine>,
    flow: Arc<Flow>,
    control: Arc<Control>,
}

impl Team {
    /// Runs one worker on its own thread until its dataflow is complete or the run has failed.
    fn run(&self, worker: &mut Worker) {
        let number = worker.index() - self.first;
        let _ending = Ending { control: &self.control, id: self.team[number].0 };
        if let Err(kind) = guarded("an operator", || self.work(worker, number)) {
            self.fail(number, kind);
        }
        // After a failure the dataflow still exists. Its drop runs the drops of the values that the user's closures
        // captured.
        let dropped = guarded("the drop of an operator", || {
            for dataflow in worker.installed_dataflows() {
                worker.drop_dataflow(dataflow);
            }
        });
        if let Err(kind) = dropped {
            self.fail(number, kind);
        }
    }

    fn fail(&self, number: usize, kind: FailureKind) {
        let error = match self.team[number].1.name() {
            Some(name) => Error::computation(&name, kind),
            None => Error::pipeline_failure(kind),
        };
        self.flow.fail(&self.control, error);
        self.engine.abandon();
    }

    fn work(&self, worker: &mut Worker, number: usize) {
        let inlets = worker.dataflow::<u64, _, _>(|scope| {
            let mut building = Building {
                scope,
                flow: Arc::clone(&self.flow),
                worker: number,
                computation: 0,
                busy: self.team[number].1.clone(),
                derived: HashMap::new(),
                taken: Vec::new(),
                inlets: Vec::new(),
            };
            for table in &self.engine.partitioned {
                table.build(&mut building);
            }
            for (number, computation) in self.engine.computations.iter().enumerate() {
                building.computation = number;
                computation.build(&mut building);
            }
            let flow = (number == 0).then(|| Arc::clone(&self.flow));
            scope.concatenate(building.taken).sink(Pipeline, "taken", move |(_, frontier)| {
                if let Some(flow) = &flow {
                    flow.release(frontier.frontier().first().copied());
                }
            });
            building.inlets
        });
        self.flow.join(worker.activations().borrow().sync(), inlets);
        self.control.set_phase(self.team[number].0, Phase::Running);
        while !self.flow.is_aborted() && worker.has_dataflows() {
            worker.step_or_park(None);
        }
    }
}
