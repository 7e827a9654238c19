//! The public API for computations ([`compute`], [`Table::compute`]) and their type-erased form for the engine.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use timely::dataflow::Scope;

use super::Collection;
use super::building::{Building, Computation, identity};
use super::engine;
use super::ports::{Ports, Tables};
use super::region::WatchedOperator;
use super::results::Gather;
use super::row::{Input, ResultRow};
use super::table::{DataflowTable, GatheredOutlets};
use crate::pipeline::any_table::{AnyTable, TableRun};
use crate::pipeline::extensions::ComputedOn;
use crate::rows::table::{Extensions, Table};
use crate::sink::start::CheckpointedSink;

/// Computes a table from one or more tables of the same pipeline.
///
/// The closure runs once on each worker when the pipeline starts. It describes the computation with the methods of
/// [`Collection`] and with all operators of Timely and Differential Dataflow.
///
/// # Panics
///
/// Panics if the pipeline of the tables has been started or dropped.
///
/// ```
/// # use pathway_io::{Pipeline, Schema, Subject, connector};
/// use pathway_io::dataflow::compute;
/// # #[derive(Schema)] #[schema(dataflow)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
/// # #[derive(Schema)] #[schema(dataflow)] struct Owner { cat: i64, name: String }
/// # struct Cats;
/// # #[connector] impl Cats { fn run(&mut self, cats: Subject<Cat>, owners: Subject<Owner>) -> pathway_io::RunResult {
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
    let ports = tables.ports();
    ports.assert_not_started(&name);
    let output = Table::<Out>::new(Arc::clone(&name));
    output.extensions().get::<DataflowTable>().set_from_dataflow();
    let computed: Arc<dyn Computation> = Arc::new(Computed {
        number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        name,
        ports,
        output: output.clone(),
        outlets: GatheredOutlets::default(),
        computation,
    });
    for table in computed.inputs().iter().filter_map(Weak::upgrade) {
        table.get::<ComputedOn>().0.get_or_init(|| engine::find);
        table.get::<DataflowTable>().add(&computed);
    }
    output
}

// The bound is on the method because rustc does not name the missing trait if the bound is on the impl.
impl<S> Table<S> {
    /// Computes a table from this one.
    ///
    /// See [`compute`] for several tables.
    ///
    /// ```
    /// # use pathway_io::{connector, Pipeline, RunResult, Schema, Subject};
    /// # #[derive(Schema, Clone)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # struct Cats;
    /// # #[connector] impl Cats { fn run(&mut self, cats: Subject<Cat>) -> RunResult { Ok(cats.next(Cat { key: 1, genus: "felis".into() })?) } }
    /// #[derive(Schema)]
    /// #[schema(dataflow)]
    /// struct GenusCount {
    ///     #[schema(primary_key)]
    ///     genus: String,
    ///     n: i64,
    /// }
    ///
    /// let pipeline = Pipeline::new();
    /// let cats = pipeline.read(Cats);
    /// let counts = cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
    /// counts.subscribe(|update| println!("{:+} {} {}", update.diff, update.row.genus, update.row.n)); // +1 felis 1
    /// pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the pipeline of the table has been started or dropped.
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
    outlets: GatheredOutlets<Out>,
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

    fn inputs(&self) -> Vec<Weak<Extensions>> {
        self.ports.tables()
    }

    fn output(&self) -> Arc<dyn AnyTable> {
        Arc::new(self.output.clone())
    }

    fn start(&self, run: &TableRun<'_>, checkpointed: &mut Vec<CheckpointedSink>) {
        self.ports.start(run.workers.len());
        self.outlets.start(self.output.extensions(), run, checkpointed);
    }

    fn build(&self, building: &mut Building<'_>) {
        let (scope, busy, computation) = (building.scope, building.busy.clone(), building.computation);
        let (results, operator, slot) = scope.scoped_raw::<u64, _, _>(&self.name, |inner| {
            let collections = self.ports.enter(building, inner);
            busy.with(computation, || (self.computation)(inner, collections)).leave_region(scope)
        });
        slot.install(Box::new(WatchedOperator { operator, computation, busy }));
        let output = self.output.extensions();
        let is_read = !output.get::<DataflowTable>().computations().is_empty();
        let table = identity(&Arc::downgrade(output));
        self.outlets.gather(building, (&*self.name, table), results, Gather::Each, is_read);
    }

    fn abandon(&self) {
        self.outlets.abandon();
    }
}
