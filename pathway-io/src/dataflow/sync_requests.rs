//! The path of the checkpointer's sync requests to the sinks of a derived table, through the dataflow:
//! [`PendingSyncs`].
//!
//! A checkpoint at time `t` needs the length of each output file once all results up to `t` are in it. The dataflow
//! produces these results later than the sequencer commits `t`. A request therefore waits until the operator has sent
//! the results to the sinks, and then follows them.

use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::run::lock::Lock;
use crate::sink::outlet::SyncTarget;

#[derive(Default)]
pub(crate) struct PendingSyncs(Lock<SyncState>);

#[derive(Default)]
struct SyncState {
    reached: Reached,
    waiting: Vec<WaitingSync>,
}

/// The time up to which the operator has sent results to the sinks.
enum Reached {
    Before(u64),
    All,
    /// The dataflow was abandoned, and the missing results will never arrive.
    Never,
}

impl Default for Reached {
    fn default() -> Self {
        Reached::Before(0)
    }
}

struct WaitingSync {
    time: u64,
    reply: Sender<u64>,
    sink: Arc<dyn SyncTarget>,
}

impl PendingSyncs {
    /// Records that all results before `frontier` were sent to the sinks. `None` means all results.
    pub(crate) fn reach(&self, frontier: Option<u64>) {
        let mut state = self.0.lock();
        state.reached = frontier.map_or(Reached::All, Reached::Before);
        state.release();
    }

    /// Records that no more results will be sent.
    fn give_up(&self) {
        let mut state = self.0.lock();
        if let Reached::Before(_) = state.reached {
            state.reached = Reached::Never;
            state.release();
        }
    }
}

impl SyncState {
    fn release(&mut self) {
        match self.reached {
            Reached::Never => self.waiting.clear(),
            Reached::All => self.waiting.drain(..).for_each(WaitingSync::pass_on),
            Reached::Before(frontier) => {
                self.waiting.extract_if(.., |waiting| waiting.time < frontier).for_each(WaitingSync::pass_on);
            }
        }
    }
}

impl WaitingSync {
    fn pass_on(self) {
        self.sink.request_with(self.time, self.reply);
    }
}

/// A sink that sync requests reach through the dataflow.
pub(crate) struct RoutedSink {
    pub(crate) pending: Arc<PendingSyncs>,
    pub(crate) sink: Arc<dyn SyncTarget>,
}

impl SyncTarget for RoutedSink {
    fn request_with(&self, time: u64, reply: Sender<u64>) {
        let mut state = self.pending.0.lock();
        state.waiting.push(WaitingSync { time, reply, sink: Arc::clone(&self.sink) });
        state.release();
    }
}

/// The operator's end. If it is dropped before all results were sent, the pending requests fail.
pub(crate) struct ServedSyncs(pub(crate) Arc<PendingSyncs>);

impl Drop for ServedSyncs {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// A target that replies immediately, for the transactional sinks of a derived table. The request has followed the
/// results, so the log already has them.
pub(super) struct ResultsLogged;

impl SyncTarget for ResultsLogged {
    fn request_with(&self, _time: u64, reply: Sender<u64>) {
        // This fails only if the checkpointer no longer waits for the reply.
        let _ = reply.send(0);
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::{Receiver, TryRecvError, bounded};

    use super::*;

    /// A sink that replies with the time of the request.
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
    fn a_sync_request_reaches_the_sink_after_the_results_up_to_its_time() {
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
    fn a_sync_request_to_an_abandoned_dataflow_is_not_answered() {
        let pending = Arc::new(PendingSyncs::default());
        let served = ServedSyncs(Arc::clone(&pending));
        pending.reach(Some(5));
        let answer = request(&pending, 5);
        drop(served);
        assert_eq!(answer.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(request(&pending, 9).try_recv(), Err(TryRecvError::Disconnected));
    }
}
