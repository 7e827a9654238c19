//! Computations, as the user writes them and as the engine has them: [`compute`], [`Table::compute`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crossbeam_channel::Receiver;
use differential_dataflow::{AsCollection, Hashable};
use timely::dataflow::{Scope, Stream};

use super::Collection;
use super::export::Exported;
use super::flow::Flow;
use super::inlet::{Arrival, Feeds, inlet};
use super::partitioned::decoded;
use super::region::{Busy, Named};
use super::results::{Gather, Outlets, gather};
use super::row::{Input, ResultRow, Row};
use crate::dataflow::table::Derived;
use crate::persist::AskedSink;
use crate::pipeline::any_table::{AnyTable, StartedBy};
use crate::pipeline::workers::Workers;
use crate::rows::table::Table;

/// A computation with its types forgotten.
pub trait Computation: Send + Sync {
    /// Its place among all computations of the program: each comes after those whose tables it reads.
    fn number(&self) -> u64;
    fn name(&self) -> &Arc<str>;
    fn inputs(&self) -> Vec<Weak<dyn AnyTable>>;
    fn output(&self) -> Arc<dyn AnyTable>;
    /// A run begins: starts the sinks of the output that are in this process, and makes the queues between the
    /// sequencer and the workers. Gives the sinks that a checkpoint waits for.
    fn start(&self, started_by: &StartedBy, workers: &Workers, asked: &mut Vec<AskedSink>);
    /// Builds it on one worker.
    fn build(&self, building: &mut Building<'_>);
    /// A run has failed: lets go of what no worker has taken, so that the sinks end.
    fn abandon(&self);
}

/// A worker's dataflow while it is being built.
pub struct Building<'scope> {
    pub(crate) scope: Scope<'scope, u64>,
    pub(crate) flow: Arc<Flow>,
    /// The number of the worker in this process.
    pub(crate) worker: usize,
    /// The number of the computation that is being built.
    pub(crate) computation: usize,
    pub(crate) busy: Busy,
    /// The collections of derived tables.
    pub(crate) derived: HashMap<usize, Exported>,
    /// For each derived table, how far its results were taken.
    pub(crate) taken: Vec<Stream<'scope, u64, Vec<()>>>,
    /// The addresses of the operators that take something in.
    pub(crate) inlets: Vec<Vec<usize>>,
}

/// What tells a table from all others, as long as somebody holds on to it.
pub(crate) fn identity(table: &Weak<dyn AnyTable>) -> usize {
    table.as_ptr().cast::<()>() as usize
}

/// The tables that a computation reads: a reference to one, or a tuple of up to eight.
#[diagnostic::on_unimplemented(
    message = "a computation cannot read `{Self}`",
    label = "not a tuple of tables",
    note = "it reads a tuple of references to tables: `compute((&cats, &owners), |scope, (cats, owners)| ..)`"
)]
pub trait Tables {
    #[doc(hidden)]
    type Ports: Ports;

    #[doc(hidden)]
    fn ports(self) -> Self::Ports;
}

/// How the rows of some tables come into a computation.
#[doc(hidden)]
pub trait Ports: Send + Sync + 'static {
    /// What the closure is handed.
    type Collections<'scope>;

    fn tables(&self) -> Vec<Weak<dyn AnyTable>>;
    fn start(&self, workers: usize);
    fn enter<'inner>(&self, building: &mut Building<'_>, inner: Scope<'inner, u64>) -> Self::Collections<'inner>;
}

/// How the rows of one table come into a computation.
#[doc(hidden)]
pub struct Port<S: Row> {
    table: Weak<dyn AnyTable>,
    name: Arc<str>,
    /// Of a run, the queues of the workers; none where the table is itself derived.
    queues: Mutex<Vec<Option<Receiver<Arrival<S>>>>>,
}

impl<S: Row> Tables for &Table<S> {
    type Ports = Port<S>;

    fn ports(self) -> Port<S> {
        Port { table: Arc::downgrade(&self.any()), name: Arc::clone(self.name()), queues: Mutex::default() }
    }
}

impl<S: Row> Ports for Port<S> {
    type Collections<'scope> = Collection<'scope, S>;

    fn tables(&self) -> Vec<Weak<dyn AnyTable>> {
        vec![Weak::clone(&self.table)]
    }

    fn start(&self, workers: usize) {
        if let Some(table) = self.table.upgrade()
            && !table.is_derived()
            && table.comes_here()
            && !table.is_parted()
        {
            let (feeds, queues) = Feeds::<S>::new(workers);
            crate::dataflow::table::add_feeds(&*table, feeds);
            *self.queues.lock().unwrap_or_else(PoisonError::into_inner) = queues.into_iter().map(Some).collect();
        }
    }

    fn enter<'inner>(&self, building: &mut Building<'_>, inner: Scope<'inner, u64>) -> Collection<'inner, S> {
        let collection = match building.derived.get(&identity(&self.table)) {
            Some(exported) => match exported.stream(building.scope) {
                Some(stream) => stream.as_collection(),
                None => decoded(exported.stream(building.scope).expect(crate::rows::table::OWN_TYPE)),
            },
            None => {
                let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
                let queue = queues.get_mut(building.worker).and_then(Option::take);
                inlet(building.scope, &self.name, queue, Arc::clone(&building.flow), &mut building.inlets)
            }
        };
        collection.enter_region(inner)
    }
}

macro_rules! tuples {
    ($($S:ident $i:tt),+) => {
        impl<'t, $($S: Row),+> Tables for ($(&'t Table<$S>,)+) {
            type Ports = ($(Port<$S>,)+);

            fn ports(self) -> Self::Ports {
                ($(self.$i.ports(),)+)
            }
        }

        impl<$($S: Row),+> Ports for ($(Port<$S>,)+) {
            type Collections<'scope> = ($(Collection<'scope, $S>,)+);

            fn tables(&self) -> Vec<Weak<dyn AnyTable>> {
                vec![$(Weak::clone(&self.$i.table)),+]
            }

            fn start(&self, workers: usize) {
                $(self.$i.start(workers);)+
            }

            fn enter<'inner>(
                &self,
                building: &mut Building<'_>,
                inner: Scope<'inner, u64>,
            ) -> Self::Collections<'inner> {
                ($(self.$i.enter(building, inner),)+)
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// Computes a table from several others, which must all be of one pipeline.
///
/// The closure is called once on each worker, when the pipeline starts; it lays the computation out, with the methods of
/// [`Collection`] and all that Timely and Differential Dataflow have to offer.
///
/// # Panics
///
/// If the pipeline of the tables has been started.
///
/// ```
/// # use pathway_io::{Pipeline, Schema, Subject, connector};
/// use pathway_io::dataflow::compute;
/// # #[derive(Schema)] #[schema(dataflow)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
/// # #[derive(Schema)] #[schema(dataflow)] struct Owner { cat: i64, name: String }
/// # struct Cats;
/// # #[connector] impl Cats { fn run(&mut self, cats: Subject<Cat>, owners: Subject<Owner>) -> pathway_io::Result<()> {
/// #     cats.next(Cat { key: 1, genus: "felis".into() })?;
/// #     Ok(owners.next(Owner { cat: 1, name: "Ann".into() })?)
/// # } }
///
/// #[derive(Schema)]
/// #[schema(dataflow)]
/// struct Owned {
///     genus: String,
///     owner: String,
/// }
///
/// let pipeline = Pipeline::new();
/// let (cats, owners) = pipeline.read(Cats);
/// let owned = compute((&cats, &owners), |_scope, (cats, owners)| {
///     cats.map(|cat| (cat.key, cat.genus)).join_map(
///         owners.map(|owner| (owner.cat, owner.name)),
///         |_, genus, owner| Owned { genus: genus.clone(), owner: owner.clone() },
///     )
/// });
/// let commits = owned.commits(16);
/// pipeline.run()?;
/// assert_eq!(commits.iter().map(|commit| commit.len()).sum::<usize>(), 1);
/// # Ok::<(), pathway_io::Error>(())
/// ```
pub fn compute<T, Out, F>(tables: T, computation: F) -> Table<Out>
where
    T: Tables,
    Out: ResultRow,
    F: for<'scope> Fn(Scope<'scope, u64>, <T::Ports as Ports>::Collections<'scope>) -> Collection<'scope, Out>
        + Send
        + Sync
        + 'static,
{
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let name: Arc<str> = Out::SCHEMA.name.into();
    let output = Table::derived(Arc::clone(&name));
    let computed: Arc<dyn Computation> = Arc::new(Computed {
        number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        name,
        ports: tables.ports(),
        output: output.clone(),
        is_gathered: AtomicBool::new(false),
        outlets: Mutex::new(None),
        spread: Mutex::default(),
        computation,
    });
    for table in computed.inputs().iter().filter_map(Weak::upgrade) {
        table.add_computation(&computed);
    }
    output
}

/// The bound is on the method: for one on the impl rustc would not say what is missing.
impl<S> Table<S> {
    /// Computes a table from this one. See [`compute`] for several.
    ///
    /// # Panics
    ///
    /// If the pipeline of the table has been started.
    pub fn compute<Out, F>(&self, computation: F) -> Table<Out>
    where
        S: Input<Out>,
        Out: ResultRow,
        F: for<'scope> Fn(Collection<'scope, S::Row>) -> Collection<'scope, Out> + Send + Sync + 'static,
    {
        compute(self, move |_scope, rows| computation(S::rows(rows)))
    }
}

struct Computed<P, Out: ResultRow, F> {
    number: u64,
    name: Arc<str>,
    ports: P,
    output: Table<Out>,
    /// It has sinks for all of it, in all processes of a run.
    is_gathered: AtomicBool,
    /// Of a run, until the gathering worker has taken them.
    outlets: Mutex<Option<Outlets<Out>>>,
    /// The same for sinks of which each worker has one.
    spread: Mutex<Vec<Option<Outlets<Out>>>>,
    computation: F,
}

impl<P, Out, F> Computation for Computed<P, Out, F>
where
    P: Ports,
    Out: ResultRow,
    F: for<'scope> Fn(Scope<'scope, u64>, P::Collections<'scope>) -> Collection<'scope, Out> + Send + Sync + 'static,
{
    fn number(&self) -> u64 {
        self.number
    }

    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn inputs(&self) -> Vec<Weak<dyn AnyTable>> {
        self.ports.tables()
    }

    fn output(&self) -> Arc<dyn AnyTable> {
        self.output.any()
    }

    fn start(&self, started_by: &StartedBy, workers: &Workers, asked: &mut Vec<AskedSink>) {
        self.ports.start(workers.threads);
        let (has_sinks, _) = self.output.any().has_sinks();
        self.is_gathered.store(has_sinks, Ordering::Relaxed);
        let Derived { outlets, spread } = self.output.start_derived(started_by, workers, asked);
        *self.spread.lock().unwrap_or_else(PoisonError::into_inner) = spread;
        *self.outlets.lock().unwrap_or_else(PoisonError::into_inner) = outlets;
    }

    fn build(&self, building: &mut Building<'_>) {
        let (scope, busy, computation) = (building.scope, building.busy.clone(), building.computation);
        let (results, operator, slot) = scope.scoped_raw::<u64, _, _>(&self.name, |inner| {
            let collections = self.ports.enter(building, inner);
            busy.with(computation, || (self.computation)(inner, collections)).leave_region(scope)
        });
        slot.install(Box::new(Named { operator, computation, busy }));
        // The first worker of a process builds first of all in taking what there is one of.
        let outlets = match building.worker {
            0 => self.outlets.lock().unwrap_or_else(PoisonError::into_inner).take(),
            _ => None,
        };
        let spread = {
            let mut spread = self.spread.lock().unwrap_or_else(PoisonError::into_inner);
            spread.get_mut(building.worker).and_then(Option::take)
        };
        if let Some(spread) = spread {
            let place = Gather::Each(Box::new(|row: &Out| row.hashed()));
            let (taken, _) = gather::<Out, Out>(&self.name, results.clone(), place, Some(spread), false);
            building.taken.push(taken);
        }
        let output = self.output.any();
        let is_read = !output.computations().is_empty();
        let (taken, exported) = if self.is_gathered.load(Ordering::Relaxed) {
            gather::<Out, Out>(&self.name, results, Gather::First, outlets, is_read)
        } else {
            Exported::of(results.inner, is_read)
        };
        building.taken.push(taken);
        building.derived.extend(exported.map(|exported| (identity(&Arc::downgrade(&output)), exported)));
    }

    fn abandon(&self) {
        drop(self.outlets.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.spread.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
