//! The entry of tables into a computation: [`Tables`] are the tables that the user names, and [`Ports`] brings their
//! rows to the closure.

use std::sync::{Arc, Weak};

use crossbeam_channel::Receiver;
use timely::dataflow::Scope;

use super::Collection;
use super::building::{Building, identity};
use super::inlet::{Arrival, WorkerFeed, inlet};
use super::partitioned::decoded;
use super::row::Row;
use super::selection::{Selection, Whole};
use super::table::DataflowTable;
use crate::pipeline::table::TableData;
use crate::rows::column::tuple::for_tuples;
use crate::rows::table::{Extensions, Table};
use crate::run::lock::Lock;
use crate::sink::attach::TableSinks;

/// The tables that a computation reads: a reference to a table or to a [`Projection`](super::Projection), or a tuple of
/// up to eight of them.
#[diagnostic::on_unimplemented(
    message = "a computation cannot read `{Self}`",
    label = "expected a reference to a table, or a tuple of references",
    note = "pass references to the tables: `compute((&cats, &owners), |scope, (cats, owners)| ..)`"
)]
pub trait Tables {
    #[doc(hidden)]
    type Ports: Ports;

    #[doc(hidden)]
    fn ports(self) -> Self::Ports;
}

/// The entry of several tables into a computation.
#[doc(hidden)]
pub trait Ports: Send + Sync + 'static {
    /// The collections that the user's closure receives.
    type Collections<'scope>;

    fn tables(&self) -> Vec<Weak<Extensions>>;
    /// Checks that a computation can still be added.
    ///
    /// # Panics
    ///
    /// Panics if the pipeline of a table has been started or dropped.
    fn assert_not_started(&self, computation: &str);
    fn start(&self, workers: usize);
    fn enter<'inner>(&self, building: &mut Building<'_>, inner: Scope<'inner, u64>) -> Self::Collections<'inner>;
}

/// The entry of one table into a computation.
#[doc(hidden)]
pub struct Port<S: Row, P> {
    table: Weak<Extensions>,
    name: Arc<str>,
    selection: P,
    /// One queue per worker. The list is empty if the table is itself derived.
    queues: Lock<Vec<Option<Receiver<Arrival<S>>>>>,
}

impl<S: Row, P: Selection<S>> Port<S, P> {
    pub(super) fn new(table: &Table<S>, selection: P) -> Self {
        let (name, queues) = (Arc::clone(table.name()), Lock::default());
        Port { table: Arc::downgrade(table.extensions()), name, selection, queues }
    }
}

impl<S: Row> Tables for &Table<S> {
    type Ports = Port<S, Whole>;

    fn ports(self) -> Self::Ports {
        Port::new(self, Whole)
    }
}

impl<S: Row, P: Selection<S>> Ports for Port<S, P> {
    type Collections<'scope> = Collection<'scope, P::Row>;

    fn tables(&self) -> Vec<Weak<Extensions>> {
        vec![Weak::clone(&self.table)]
    }

    fn assert_not_started(&self, computation: &str) {
        let is_started = self.table.upgrade().is_none_or(|table| table.get::<TableSinks<S>>().is_taken());
        assert!(
            !is_started,
            "cannot compute `{computation}` from the table of `{}`: its pipeline has been started or dropped\nhelp: call `compute` before `run` or `start`",
            self.name
        );
    }

    fn start(&self, workers: usize) {
        // If the sinks are taken before the sources start, another process makes the commits of this table.
        if let Some(table) = self.table.upgrade()
            && table.get::<DataflowTable>().is_sequenced()
            && !table.get::<TableSinks<S>>().is_taken()
        {
            let (feed, queues) = WorkerFeed::<S>::new(workers);
            table.get::<TableData<S>>().add_feed(Box::new(feed));
            *self.queues.lock() = queues.into_iter().map(Some).collect();
        }
    }

    fn enter<'inner>(&self, building: &mut Building<'_>, inner: Scope<'inner, u64>) -> Self::Collections<'inner> {
        let selection = self.selection.clone();
        let collection = match building.derived.get(&identity(&self.table)) {
            Some(exported) => match exported.stream(building.scope) {
                Some(stream) => selection.convert(stream),
                None => {
                    let rows = exported.stream(building.scope).expect("the stream holds the rows of this table");
                    decoded(rows, selection)
                }
            },
            None => {
                let mut queues = self.queues.lock();
                let queue = queues.get_mut(building.worker).and_then(Option::take);
                let flow = Arc::clone(&building.flow);
                inlet(building.scope, &self.name, queue, flow, &mut building.inlets, selection)
            }
        };
        collection.enter_region(inner)
    }
}

macro_rules! tuples {
    (($($S:ident $i:tt)+)) => {
        impl<$($S: Tables),+> Tables for ($($S,)+) {
            type Ports = ($($S::Ports,)+);

            fn ports(self) -> Self::Ports {
                ($(self.$i.ports(),)+)
            }
        }

        impl<$($S: Ports),+> Ports for ($($S,)+) {
            type Collections<'scope> = ($($S::Collections<'scope>,)+);

            fn tables(&self) -> Vec<Weak<Extensions>> {
                [$(self.$i.tables()),+].concat()
            }

            fn assert_not_started(&self, computation: &str) {
                $(self.$i.assert_not_started(computation);)+
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

for_tuples!(tuples, 8);
