//! Passes the collection of a derived table from the computation that produces it to the computations that read it.
//!
//! The engine builds one computation after the other and does not know their row types, so it must keep a collection
//! type-erased. A collection borrows its scope, so it cannot be a `dyn Any`. A stream, however, consists only of its
//! place in the graph and a list of its readers, and [`Exported`] keeps these two. The operator that gathers the
//! results of the table copies its input to the readers ([`AlsoTo`]).

use std::any::Any;
use std::rc::Rc;

use timely::Accountable;
use timely::communication::Push;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::Message;
use timely::dataflow::channels::pact::{ParallelizationContract, Pipeline};
use timely::dataflow::channels::pushers::Tee;
use timely::dataflow::channels::pushers::tee::TeeHelper;
use timely::dataflow::operators::Operator;
use timely::dataflow::{Scope, Stream};
use timely::logging::TimelyLogger;
use timely::progress::Source;
use timely::worker::Worker;

/// A type-erased stream without its scope.
pub(crate) struct Exported {
    source: Source,
    /// A `TeeHelper<u64, C>`.
    readers: Box<dyn Any>,
}

impl Exported {
    /// Exports a stream. Whatever is pushed into the returned `Tee` reaches the readers.
    pub(crate) fn new<C: Clone + timely::Container>(stream: &Stream<'_, u64, C>) -> (Self, Tee<u64, C>) {
        let (tee, readers) = Tee::new();
        (Exported { source: *stream.name(), readers: Box::new(readers) }, tee)
    }

    /// Exports a stream that no operator gathers, if a computation reads it. Also returns an empty stream with the same
    /// frontier.
    pub(crate) fn of<'scope, D: Clone + 'static>(
        stream: Stream<'scope, u64, Vec<D>>,
        is_read: bool,
    ) -> (Stream<'scope, u64, Vec<()>>, Option<Self>) {
        let (exported, tee) = is_read.then(|| Exported::new(&stream)).unzip();
        let ends = stream.unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(
            AlsoTo { pact: Pipeline, tee },
            "end",
            |_, _| |input, _| input.for_each(|_, rows| rows.clear()),
        );
        (ends, exported)
    }

    /// Returns the stream for one more reader, or `None` if the stream has another type.
    pub(crate) fn stream<'scope, C: Clone + 'static>(
        &self,
        scope: Scope<'scope, u64>,
    ) -> Option<Stream<'scope, u64, C>> {
        let readers = self.readers.downcast_ref::<TeeHelper<u64, C>>()?;
        Some(Stream::new(self.source, readers.clone(), scope))
    }
}

/// A contract that copies all data to a `Tee`.
pub(crate) struct AlsoTo<P, C> {
    pub(crate) pact: P,
    /// `None` if no computation reads the stream, so that its data is not copied.
    pub(crate) tee: Option<Tee<u64, C>>,
}

impl<P, C> ParallelizationContract<u64, C> for AlsoTo<P, C>
where
    P: ParallelizationContract<u64, C>,
    C: Accountable + timely::Container + Clone,
{
    type Pusher = Both<P::Pusher, C>;
    type Puller = P::Puller;

    fn connect(
        self,
        worker: &Worker,
        identifier: usize,
        address: Rc<[usize]>,
        logging: Option<TimelyLogger>,
    ) -> (Self::Pusher, Self::Puller) {
        let (pusher, puller) = self.pact.connect(worker, identifier, address, logging);
        (Both { pusher, tee: self.tee }, puller)
    }
}

/// A pusher that pushes into two others.
pub(crate) struct Both<P, C> {
    pusher: P,
    tee: Option<Tee<u64, C>>,
}

impl<P, C> Push<Message<u64, C>> for Both<P, C>
where
    P: Push<Message<u64, C>>,
    C: timely::Container + Clone,
{
    fn push(&mut self, message: &mut Option<Message<u64, C>>) {
        if let Some(tee) = &mut self.tee {
            let mut copy = message.clone();
            tee.push(&mut copy);
        }
        self.pusher.push(message);
    }
}
