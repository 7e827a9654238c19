//! Sync requests of the checkpointer to the sinks of a derived table, on their way through the dataflow: [`PendingSyncs`].
//!
//! A checkpoint of a time needs the length that a file has once everything up to that time is in it. The results of a time
//! come when the dataflow has completed it. So a request waits for the operator that sends the results to the sinks, and
//! follows them there.

use std::sync::{Arc, MutexGuard};

use crossbeam_channel::Sender;

use crate::run::lock::Lock;
use crate::sink::outlet::SyncTarget;

#[derive(Default)]
pub(crate) struct PendingSyncs(Lock<State>);

#[derive(Default)]
struct State {
    reached: Reached,
    waiting: Vec<Waiting>,
}

/// How far the results are on their way to the sinks.
enum Reached {
    Before(u64),
    All,
    /// The dataflow was given up, and what is missing does not come any more.
    Never,
}

impl Default for Reached {
    fn default() -> Self {
        Reached::Before(0)
    }
}

struct Waiting {
    time: u64,
    reply: Sender<u64>,
    sink: Arc<dyn SyncTarget>,
}

impl PendingSyncs {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    /// All results of times before `frontier` were handed on; all there are, if there is none.
    pub(crate) fn reach(&self, frontier: Option<u64>) {
        let mut state = self.lock();
        state.reached = frontier.map_or(Reached::All, Reached::Before);
        state.release();
    }

    /// Nothing more will be handed on.
    fn give_up(&self) {
        let mut state = self.lock();
        if let Reached::Before(_) = state.reached {
            state.reached = Reached::Never;
            state.release();
        }
    }
}

impl State {
    fn release(&mut self) {
        match self.reached {
            Reached::Never => self.waiting.clear(),
            Reached::All => self.waiting.drain(..).for_each(Waiting::pass_on),
            Reached::Before(frontier) => {
                self.waiting.extract_if(.., |waiting| waiting.time < frontier).for_each(Waiting::pass_on);
            }
        }
    }
}

impl Waiting {
    fn pass_on(self) {
        self.sink.request_with(self.time, self.reply);
    }
}

/// A sink that sync requests reach by way of the dataflow.
pub(crate) struct RoutedSink {
    pub(crate) pending: Arc<PendingSyncs>,
    pub(crate) sink: Arc<dyn SyncTarget>,
}

impl SyncTarget for RoutedSink {
    fn request_with(&self, time: u64, reply: Sender<u64>) {
        let mut state = self.pending.lock();
        state.waiting.push(Waiting { time, reply, sink: Arc::clone(&self.sink) });
        state.release();
    }
}

/// The operator's end. When it is dropped before all results were handed on, they never will be.
pub(crate) struct ServedSyncs(pub(crate) Arc<PendingSyncs>);

impl Drop for ServedSyncs {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// Replies at once. It stands for the transactional sinks of a computed table: its request has followed the results, which
/// the log therefore has.
pub(super) struct ResultsLogged;

impl SyncTarget for ResultsLogged {
    fn request_with(&self, _time: u64, reply: Sender<u64>) {
        // The checkpointer may have given up.
        let _ = reply.send(0);
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::{Receiver, TryRecvError, bounded};

    use super::*;

    /// Answers with the time.
    struct Sink;

    impl SyncTarget for Sink {
        fn request_with(&self, time: u64, reply: Sender<u64>) {
            reply.send(time).unwrap();
        }
    }

    fn request(pending: &Arc<PendingSyncs>, time: u64) -> Receiver<u64> {
        let (reply, answer) = bounded(1);
        RoutedSink { pending: Arc::clone(pending), sink: Arc::new(Sink) }.request_with(time, reply);
        answer
    }

    #[test]
    fn an_ask_follows_the_results_up_to_its_time() {
        let pending = Arc::new(PendingSyncs::default());
        let served = ServedSyncs(Arc::clone(&pending));
        let early = request(&pending, 5);
        pending.reach(Some(5));
        assert_eq!(early.try_recv(), Err(TryRecvError::Empty));
        pending.reach(Some(6));
        assert_eq!(early.try_recv(), Ok(5));
        assert_eq!(request(&pending, 5).try_recv(), Ok(5));
        let late = request(&pending, 6);
        pending.reach(None);
        assert_eq!(late.try_recv(), Ok(6));
        drop(served);
        assert_eq!(request(&pending, 7).try_recv(), Ok(7));
    }

    #[test]
    fn nobody_answers_for_a_dataflow_that_was_given_up() {
        let pending = Arc::new(PendingSyncs::default());
        let served = ServedSyncs(Arc::clone(&pending));
        pending.reach(Some(5));
        let answer = request(&pending, 5);
        drop(served);
        assert_eq!(answer.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(request(&pending, 9).try_recv(), Err(TryRecvError::Disconnected));
    }
}
