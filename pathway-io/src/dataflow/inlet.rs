//! The entry of commits into the dataflow: [`WorkerFeed`] on the side of the sequencer, the operator [`inlet`] on the
//! side of the worker.
//!
//! The sequencer passes a whole commit in columns, and the worker turns it into rows. With several workers, the
//! batches of a commit are distributed among them in turn. A worker takes a limited number of commits and computes on
//! them before it takes more. Commits cost less memory in columns than inside the engine, which keeps state for each
//! time.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use differential_dataflow::AsCollection;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::operators::generic::operator::source;
use timely::dataflow::{Scope, Stream};

use super::Collection;
use super::flow::Flow;
use super::row::Row;
use super::selection::Selection;
use crate::rows::batch::Batch;
use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::sequencer::feed::Feed;

/// The largest number of commits that a worker takes in one step.
const AT_ONCE: usize = 1024;

/// A worker's share of a commit: the batches `first`, `first + step`, and so on.
pub(crate) struct Arrival<S: Schema> {
    commit: Commit<S>,
    first: usize,
    step: usize,
}

/// The sequencer's end of the queues that carry one table's commits to the workers of one computation.
pub(crate) struct WorkerFeed<S: Schema> {
    workers: Vec<Sender<Arrival<S>>>,
    /// The worker that receives the next batch.
    next: usize,
}

impl<S: Schema> WorkerFeed<S> {
    /// Makes the feed and one queue per worker. The queues are unbounded, because the backlog of the source limits
    /// their contents.
    pub(crate) fn new(workers: usize) -> (Self, Vec<Receiver<Arrival<S>>>) {
        let (workers, queues) = (0..workers).map(|_| unbounded()).unzip();
        (WorkerFeed { workers, next: 0 }, queues)
    }
}

impl<S: Schema> Feed<S> for WorkerFeed<S> {
    fn send(&mut self, commit: &Commit<S>, partition: Option<usize>) {
        if let Some(worker) = partition {
            // The commit stays with the worker that owns this partition of the source.
            let _ = self.workers[worker].send(Arrival { commit: commit.clone(), first: 0, step: 1 });
            return;
        }
        let (step, batches) = (self.workers.len(), commit.batches().len());
        for first in 0..batches.min(step) {
            let worker = (self.next + first) % step;
            // This fails only if the worker has ended, and a worker that fails reports its own error.
            let _ = self.workers[worker].send(Arrival { commit: commit.clone(), first, step });
        }
        self.next = (self.next + batches) % step.max(1);
    }
}

/// Builds the operator that brings a table into the dataflow as rows with times and diffs.
pub(crate) fn inlet<'scope, S: Row, P: Selection<S>>(
    scope: Scope<'scope, u64>,
    name: &str,
    queue: Option<Receiver<Arrival<S>>>,
    flow: Arc<Flow>,
    inlets: &mut Vec<Vec<usize>>,
    mut selection: P,
) -> Collection<'scope, P::Row> {
    let take = move |batch: &Batch<S>, time: u64, rows: &mut Vec<(P::Row, u64, isize)>| {
        let diffs = (0..batch.len()).map(|row| batch.diff(row));
        rows.extend(selection.read(&batch.columns, diffs).map(|(row, diff)| (row, time, diff as isize)));
    };
    inlet_of(scope, name, queue, flow, inlets, take).as_collection()
}

/// Builds the operator that takes a worker's share of a table, and adds its address to `inlets` so that it can be
/// activated. Without a queue it produces nothing: another process has the table. `take` turns a batch into output.
pub(crate) fn inlet_of<'scope, S: Schema, D: Clone + 'static>(
    scope: Scope<'scope, u64>,
    name: &str,
    queue: Option<Receiver<Arrival<S>>>,
    flow: Arc<Flow>,
    inlets: &mut Vec<Vec<usize>>,
    mut take: impl FnMut(&Batch<S>, u64, &mut Vec<(D, u64, isize)>) + 'static,
) -> Stream<'scope, u64, Vec<(D, u64, isize)>> {
    source::<_, CapacityContainerBuilder<Vec<(D, u64, isize)>>, _, _>(scope, name, |capability, info| {
        inlets.push(info.address.to_vec());
        let activator = scope.activator_for(info.address);
        let mut capability = queue.is_some().then_some(capability);
        move |output| {
            let (Some(held), Some(queue)) = (&mut capability, &queue) else { return };
            // The frontier is read before the queue is emptied. A commit that is queued later has a time at or after
            // it.
            let horizon = flow.horizon();
            let mut taken = 0;
            while taken < AT_ONCE
                && let Ok(arrival) = queue.try_recv()
            {
                taken += 1;
                let time = arrival.commit.time();
                held.downgrade(&time);
                let mut session = output.session(&*held);
                for batch in arrival.commit.batches().iter().skip(arrival.first).step_by(arrival.step) {
                    let mut rows = Vec::new();
                    take(batch, time, &mut rows);
                    session.give_container(&mut rows);
                }
            }
            if taken == AT_ONCE {
                // The queue may hold more commits, with times before the frontier, so the capability must not advance
                // yet.
                activator.activate();
            } else if horizon.finished {
                capability = None;
            } else if *held.time() < horizon.frontier {
                held.downgrade(&horizon.frontier);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use pathway_derive::Schema;

    use super::super::selection::Whole;
    use super::*;
    use crate::rows::batch::Pool;
    use crate::sequencer::feed::Downstream;

    #[derive(Clone, Schema)]
    #[schema(crate = crate)]
    struct Number {
        n: u64,
    }

    #[test]
    fn a_worker_computes_before_it_takes_more_commits() {
        const COMMITS: usize = 2 * AT_ONCE + 7;
        timely::execute_directly(|worker| {
            let (mut feeds, mut queues) = WorkerFeed::<Number>::new(1);
            let pool = Pool::new();
            for n in 1..=COMMITS as u64 {
                let mut batch = pool.get();
                batch.push_times(Number { n }.into_fields(), 1);
                feeds.send(&Commit::new(n, vec![batch], Arc::clone(&pool)), None);
            }
            let flow = Arc::<Flow>::default();
            flow.advance(COMMITS as u64 + 1);
            flow.finish();
            let seen = Rc::new(Cell::new(0));
            let (queue, counted) = (queues.pop(), Rc::clone(&seen));
            worker.dataflow::<u64, _, _>(|scope| {
                let numbers = inlet(scope, "numbers", queue, flow, &mut Vec::new(), Whole);
                numbers.inspect(move |_| counted.set(counted.get() + 1));
            });
            worker.step();
            assert_eq!(feeds.workers[0].len(), COMMITS - AT_ONCE);
            while worker.has_dataflows() {
                worker.step();
            }
            assert_eq!(seen.get(), COMMITS);
        });
    }
}
