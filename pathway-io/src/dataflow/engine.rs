//! The engine of a running pipeline: which computations there are, and the workers that run them.
//!
//! All computations of a pipeline are one dataflow, which each worker builds in the same order on its own thread. Then it
//! steps: what there is to do is done, and the thread sleeps until a commit, another worker or a sink wakes it. The
//! dataflow is complete when the sources have ended and all results were taken.
//!
//! A worker that panics leaves the others waiting for ever for what it would have sent. So whoever fails says so
//! to all, and they leave everything as it is; the failure is the end of the run anyway.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use timely::communication::allocator::ProcessBuilder;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::{AllocatorBuilder, Hooks, WorkerGuards};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::{Concatenate, Operator};
use timely::execute::execute_from;
use timely::worker::Worker;

use crossbeam_channel::Sender;

use super::cluster::Cluster;
use super::computation::{Building, Computation, identity};
use super::flow::Flow;
use super::partitioned::Parted;
use super::region::Busy;
use crate::persist::{AskedSink, Start};
use crate::pipeline::any_table::{AnyTable, StartedBy};
use crate::pipeline::workers::Workers;
use crate::run::control::{Control, panicked};
use crate::run::error::{Error, FailureKind, Result};
use crate::run::threads;
use crate::sequencer::Message;

/// The worker that gathers results, among those of all processes.
pub(crate) const FIRST_WORKER: u64 = 0;

/// The computations of a pipeline, in the order in which they are built.
pub(crate) struct Engine {
    computations: Vec<Arc<dyn Computation>>,
    /// The tables whose commits several processes make.
    parted: Vec<Arc<dyn Parted>>,
}

/// A running engine.
pub(crate) struct Started {
    pub(crate) flow: Arc<Flow>,
    pub(crate) guards: Guards,
    /// The sinks of derived tables that a checkpoint waits for.
    pub(crate) sinks: Vec<AskedSink>,
}

/// The threads of the engine.
pub(crate) struct Guards {
    guards: WorkerGuards<()>,
    flow: Arc<Flow>,
}

impl Guards {
    /// Waits for the threads, if they have all done their work, and for what other processes are still sent. After a
    /// failure there may be some that never end.
    pub(crate) fn leave(self, ended: bool, control: &Arc<Control>, grace: Duration) {
        if !ended {
            // What goes on step by step, such as a loop without an end, goes on no longer.
            self.flow.abort();
        }
        if self.flow.is_aborted() {
            std::mem::forget(self.guards);
            return;
        }
        let leaving = Arc::clone(control);
        let spawned = threads::spawn("leave", move || {
            // It is of no account any more how they end.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(self.guards)));
            leaving.update(|run| run.left = true);
        });
        if spawned.is_ok() {
            let deadline = Instant::now().checked_add(grace);
            control.wait(|run| run.left, |_| deadline);
        }
    }
}

/// What is known of a worker from outside.
pub(crate) struct WorkerState {
    pub(crate) busy: Busy,
    pub(crate) built: bool,
    pub(crate) ended: bool,
}

impl WorkerState {
    /// The failures of those that have not ended in time: the computations that they are busy with, each once.
    pub(crate) fn left_behind(workers: &[WorkerState]) -> Vec<Error> {
        Self::of_names(workers.iter().filter(|worker| !worker.ended).filter_map(|worker| worker.busy.name()))
    }

    /// The same where nobody is busy, and some are all the same not at the end: they may be between two steps.
    pub(crate) fn left_between_steps(workers: &[WorkerState]) -> Vec<Error> {
        Self::of_names(workers.iter().filter(|worker| !worker.ended).filter_map(|worker| worker.busy.last()))
    }

    fn of_names(names: impl Iterator<Item = Arc<str>>) -> Vec<Error> {
        let mut names: Vec<Arc<str>> = names.collect();
        names.sort_unstable();
        names.dedup();
        names.iter().map(|name| Error::computation(name, FailureKind::TimedOut { undelivered: None })).collect()
    }
}

/// A worker that is told of as ended, however it ends.
struct Alive<'a> {
    control: &'a Control,
    number: usize,
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.control.update(|run| run.workers[self.number].ended = true);
    }
}

impl Engine {
    /// Finds all computations on the tables of a pipeline.
    pub(crate) fn of<'a>(tables: impl Iterator<Item = &'a Arc<dyn AnyTable>>) -> Result<Self> {
        let mut known = HashSet::new();
        let mut computations: HashMap<u64, Arc<dyn Computation>> = HashMap::new();
        let mut tables: Vec<Arc<dyn AnyTable>> = tables.cloned().collect();
        while let Some(table) = tables.pop() {
            known.insert(identity(&Arc::downgrade(&table)));
            for computation in table.computations() {
                if computations.insert(computation.number(), Arc::clone(&computation)).is_none() {
                    tables.push(computation.output());
                }
            }
        }
        let mut computations: Vec<_> = computations.into_values().collect();
        computations.sort_unstable_by_key(|computation| computation.number());
        for computation in &computations {
            if computation.inputs().iter().any(|table| !known.contains(&identity(table))) {
                let message = "it reads tables of two pipelines";
                return Err(Error::computation(computation.name(), FailureKind::Failed(message.into())));
            }
        }
        Ok(Engine { computations, parted: Vec::new() })
    }

    /// Lets go of what no worker has taken.
    fn abandon(&self) {
        self.computations.iter().for_each(|computation| computation.abandon());
        self.parted.iter().for_each(|table| table.abandon());
    }

    /// What the same program has in all its processes, and the form of the dataflow depends on.
    fn fingerprint(&self, parted: &[&Arc<dyn AnyTable>]) -> u64 {
        let mut state = DefaultHasher::new();
        parted.len().hash(&mut state);
        for table in parted {
            table.schema().name.hash(&mut state);
            table.has_sinks().hash(&mut state);
        }
        for computation in &self.computations {
            computation.name().hash(&mut state);
            computation.inputs().len().hash(&mut state);
            computation.output().has_sinks().hash(&mut state);
        }
        state.finish()
    }

    /// The derived tables.
    pub(crate) fn tables(&self) -> impl Iterator<Item = Arc<dyn AnyTable>> + '_ {
        self.computations.iter().map(|computation| computation.output())
    }

    /// Starts the workers. They are to be waited for; what they lack is in the control.
    ///
    /// Where there are several processes it waits for the others, and the tables `parted` are put together of what all of
    /// them have. A persistent pipeline has a `state` to start from. `None` if there is nothing to compute, or a stop came
    /// before the others did.
    pub(crate) fn start<'a>(
        mut self,
        workers: &Workers,
        parted: impl Iterator<Item = &'a Arc<dyn AnyTable>>,
        state: Option<&Arc<Start>>,
        control: &Arc<Control>,
        messages: &Sender<Message>,
        grace: Duration,
    ) -> Result<Option<Started>> {
        let parted: Vec<_> = parted.collect();
        if self.computations.is_empty() && (workers.processes() == 1 || parted.is_empty()) {
            return Ok(None);
        }
        let cluster = if workers.processes() > 1 {
            match Cluster::meet(workers, self.fingerprint(&parted), control)? {
                Some(cluster) => Some(cluster),
                None => {
                    self.tables().for_each(|table| table.leave_to_others());
                    return Ok(None);
                }
            }
        } else {
            None
        };
        if workers.processes() > 1 {
            let started_by = StartedBy { control: Arc::clone(control), place: None };
            let parted = parted.into_iter();
            self.parted =
                parted.map(|table| table.make_parted(&started_by, identity(&Arc::downgrade(table)), workers)).collect();
        }
        let (allocators, network) = allocators(workers, cluster.as_ref())?;
        let flow = Arc::new(Flow::default());
        let mut sinks = Vec::new();
        for (number, computation) in self.computations.iter().enumerate() {
            let place = state.map(|start| start.place_of_computed(number));
            computation.start(&StartedBy { control: Arc::clone(control), place }, workers, &mut sinks);
        }
        let names: Arc<[Arc<str>]> =
            self.computations.iter().map(|computation| Arc::clone(computation.name())).collect();
        let states = (0..workers.threads).map(|_| WorkerState { busy: Busy::new(&names), built: false, ended: false });
        let busy: Vec<Busy> = control.update(|run| {
            run.workers.extend(states);
            run.workers.iter().map(|worker| worker.busy.clone()).collect()
        });
        let engine = Arc::new(self);
        if let Some(cluster) = cluster {
            let engine = Arc::clone(&engine);
            let abandon: Arc<dyn Fn() + Send + Sync> = Arc::new(move || engine.abandon());
            cluster.watch(&flow, control, messages, &abandon, grace);
        }
        let team = Team {
            busy,
            first: workers.threads * workers.process,
            engine,
            flow: Arc::clone(&flow),
            control: Arc::clone(control),
        };
        let started = execute_from(allocators, network, workers.config.clone(), move |worker| team.run(worker));
        match started {
            Ok(guards) => Ok(Some(Started { flow: Arc::clone(&flow), guards: Guards { guards, flow }, sinks })),
            Err(error) => {
                // Those that did start must not wait for the others, nor other processes for this one.
                flow.fail(control, Error::pipeline(error.clone()));
                Err(Error::pipeline(error))
            }
        }
    }
}

/// What the workers send each other their data by, and what is to be kept until they have ended.
fn allocators(workers: &Workers, cluster: Option<&Cluster>) -> Result<(Vec<AllocatorBuilder>, Box<dyn Any + Send>)> {
    if let Some(cluster) = cluster {
        let hooks = Hooks::default();
        let threads = ProcessBuilder::new_typed_vector(workers.threads, hooks.refill.clone(), None);
        let lines = cluster.data_lines(workers.process).map_err(Error::pipeline)?;
        let (allocators, threads) =
            initialize_networking_from_sockets(threads, lines, workers.process, workers.threads, hooks)
                .map_err(Error::pipeline)?;
        return Ok((allocators.into_iter().map(AllocatorBuilder::Tcp).collect(), Box::new(threads)));
    }
    let config = match workers.threads {
        1 => timely::CommunicationConfig::Thread,
        threads => timely::CommunicationConfig::Process(threads),
    };
    config.try_build().map_err(Error::pipeline)
}

/// What the workers of a process have in common.
struct Team {
    busy: Vec<Busy>,
    /// The number of the first of them, among those of all processes.
    first: usize,
    engine: Arc<Engine>,
    flow: Arc<Flow>,
    control: Arc<Control>,
}

impl Team {
    /// The life of one worker, on its own thread.
    fn run(&self, worker: &mut Worker) {
        let number = worker.index() - self.first;
        let _alive = Alive { control: &self.control, number };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.work(worker, number))) {
            self.fail(number, panicked("an operator", &*payload));
        }
        // After a failure there is something left, with what the user's closures have captured.
        let dropped = catch_unwind(AssertUnwindSafe(|| {
            for dataflow in worker.installed_dataflows() {
                worker.drop_dataflow(dataflow);
            }
        }));
        if let Err(payload) = dropped {
            self.fail(number, panicked("the drop of an operator", &*payload));
        }
    }

    fn fail(&self, number: usize, kind: FailureKind) {
        let error = match self.busy[number].name() {
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
                busy: self.busy[number].clone(),
                derived: HashMap::new(),
                taken: Vec::new(),
                inlets: Vec::new(),
            };
            for table in &self.engine.parted {
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
        self.control.update(|run| run.workers[number].built = true);
        while !self.flow.is_aborted() && worker.has_dataflows() {
            worker.step_or_park(None);
        }
    }
}
