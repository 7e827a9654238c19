//! The thread that sends messages to one other process.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use super::message::PeerMessage;
use super::{Peer, ShutdownBarrier};
use crate::dataflow::flow::Flow;
use crate::run::control::{Control, RunState};

/// The interval between two heartbeats to a peer.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

impl Peer {
    /// Sends this process's clock and its stop, failure or end to the peer, until every process has ended.
    pub(super) fn send_messages(&self, flow: &Flow, control: &Control, barrier: &ShutdownBarrier) {
        let mut sent = PeerProgress::default();
        loop {
            let (mut news, mut over) = (None, false);
            let alive = (!sent.done).then(|| Instant::now() + HEARTBEAT_INTERVAL);
            control.wait(
                |run| {
                    news = sent.news(run, flow, barrier);
                    over = barrier.read(|state| state.cut_short || (sent.done && state.is_over()));
                    news.is_some() || over
                },
                |_| alive,
            );
            let message = match news {
                Some(message) => message,
                None if over => break,
                None => PeerMessage::Heartbeat,
            };
            // The receiver of this connection reports a peer that is gone.
            let _ = message.write(&mut &self.control);
            match message {
                PeerMessage::Heartbeat => {}
                PeerMessage::Time(time) => sent.time = time,
                PeerMessage::Stop(_) => sent.stop = true,
                PeerMessage::Failing(_) => sent.failure = true,
                PeerMessage::Done => {
                    sent.done = true;
                    barrier.mark_sent(control);
                }
                PeerMessage::Failed(_) => {
                    barrier.mark_sent(control);
                    // The peer may have missed the message, but it notices the closed connection.
                    let _ = self.data.shutdown(Shutdown::Both);
                    return;
                }
            }
        }
        if !sent.done {
            barrier.mark_sent(control);
        }
        // Once all parts are done, only this side is closed, so that the peer can still send. Otherwise the peer is
        // abandoned.
        let how = if sent.done { Shutdown::Write } else { Shutdown::Both };
        let _ = self.control.shutdown(how);
    }
}

/// The progress that a peer knows of.
#[derive(Default)]
struct PeerProgress {
    time: u64,
    stop: bool,
    failure: bool,
    done: bool,
}

impl PeerProgress {
    /// Returns the next message for the peer, if there is news.
    fn news(&self, run: &RunState, flow: &Flow, barrier: &ShutdownBarrier) -> Option<PeerMessage> {
        let failure = || run.failures.first().map(ToString::to_string);
        // A failure after `Done` comes from another process, which tells all processes itself.
        if !self.done {
            if flow.has_failed() {
                return failure().map(PeerMessage::Failed);
            }
            if !self.failure
                && !barrier.read(|state| state.peer_has_failed)
                && let Some(failure) = failure()
            {
                return Some(PeerMessage::Failing(failure));
            }
        }
        // The stop that a failure causes is not sent, because the other processes would take it for a clean end.
        if !self.stop
            && run.failures.is_empty()
            && let Some((stop, _)) = run.stop
        {
            return Some(PeerMessage::Stop(stop));
        }
        // Only the latest time matters.
        let time = barrier.read(|state| state.time);
        if time > self.time {
            return Some(PeerMessage::Time(time));
        }
        (!self.done && run.is_done()).then_some(PeerMessage::Done)
    }
}
