//! How the collection of a derived table gets from the computation that gives it to those that read it.
//!
//! They are built one after the other, by code that knows nothing of each other's row types, so that a collection has to
//! be kept with its type forgotten; and what borrows its scope cannot be a `dyn Any`. But a stream is only its place in
//! the graph and a list of those who are sent its data. [`Exported`] holds these two, and a list of our own hangs at
//! the operator that gathers the table's results: all that is sent to it goes to the list as well.

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

/// A stream of some type, without its scope.
pub(crate) struct Exported {
    source: Source,
    /// A `TeeHelper<u64, C>`.
    readers: Box<dyn Any>,
}

impl Exported {
    /// The stream's data will come by way of the returned `Tee`.
    pub(crate) fn new<C: Clone + timely::Container>(stream: &Stream<'_, u64, C>) -> (Self, Tee<u64, C>) {
        let (tee, readers) = Tee::new();
        (Exported { source: *stream.name(), readers: Box::new(readers) }, tee)
    }

    /// Of a stream that no operator gathers, if somebody reads it; and one that is empty and as far as it is.
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

    /// The stream again, for one more reader; `None` if it is of another type.
    pub(crate) fn stream<'scope, C: Clone + 'static>(
        &self,
        scope: Scope<'scope, u64>,
    ) -> Option<Stream<'scope, u64, C>> {
        let readers = self.readers.downcast_ref::<TeeHelper<u64, C>>()?;
        Some(Stream::new(self.source, readers.clone(), scope))
    }
}

/// A contract that sends everything to a `Tee` too.
pub(crate) struct AlsoTo<P, C> {
    pub(crate) pact: P,
    /// None if nobody reads there: data is not copied for nobody.
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

/// Pushes what it is given to both.
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
