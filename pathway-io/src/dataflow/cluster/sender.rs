//! What each of the other processes is told, and when.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use super::message::PeerMessage;
use super::{Peer, ShutdownBarrier};
use crate::dataflow::flow::Flow;
use crate::run::control::{Control, RunState};

/// How often the others hear that this process is there.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

impl Peer {
    /// Tells it how far the clock is, and when this process stops, fails, or has done its part, until all have done theirs.
    pub(super) fn tell(&self, flow: &Flow, control: &Control, barrier: &ShutdownBarrier) {
        let mut told = PeerProgress::default();
        loop {
            let (mut news, mut over) = (None, false);
            let alive = (!told.done).then(|| Instant::now() + HEARTBEAT_INTERVAL);
            control.wait(
                |run| {
                    news = told.news(run, flow, barrier);
                    over = barrier.read(|state| state.cut_short || (told.done && state.is_over()));
                    news.is_some() || over
                },
                |_| alive,
            );
            let word = match news {
                Some(word) => word,
                None if over => break,
                None => PeerMessage::Heartbeat,
            };
            // Who is gone is missed by the one who listens.
            let _ = word.write(&mut &self.control);
            match word {
                PeerMessage::Heartbeat => {}
                PeerMessage::Time(time) => told.time = time,
                PeerMessage::Stop(_) => told.stop = true,
                PeerMessage::Failing(_) => told.failure = true,
                PeerMessage::Done => {
                    told.done = true;
                    barrier.mark_told(control);
                }
                PeerMessage::Failed(_) => {
                    barrier.mark_told(control);
                    // It is to notice, if it has not heard.
                    let _ = self.data.shutdown(Shutdown::Both);
                    return;
                }
            }
        }
        if !told.done {
            barrier.mark_told(control);
        }
        // Nobody says anything any more: who listens may go. Who is left behind is not listened to.
        let how = if told.done { Shutdown::Write } else { Shutdown::Both };
        let _ = self.control.shutdown(how);
    }
}

/// What it has been told.
#[derive(Default)]
struct PeerProgress {
    time: u64,
    stop: bool,
    failure: bool,
    done: bool,
}

impl PeerProgress {
    /// What is to be told next, if anything.
    fn news(&self, run: &RunState, flow: &Flow, barrier: &ShutdownBarrier) -> Option<PeerMessage> {
        let failure = || run.failures.first().map(ToString::to_string);
        // What fails after the bye is of another process, and the others hear it there.
        if !self.done {
            if flow.has_failed() {
                return failure().map(PeerMessage::Failed);
            }
            if !self.failure
                && !barrier.read(|state| state.heard_failure)
                && let Some(failure) = failure()
            {
                return Some(PeerMessage::Failing(failure));
            }
        }
        // Not the stop that comes with a failure, which would be a clean end for the others.
        if !self.stop
            && run.failures.is_empty()
            && let Some((stop, _)) = run.stop
        {
            return Some(PeerMessage::Stop(stop));
        }
        // Only the last counts.
        let time = barrier.read(|state| state.time);
        if time > self.time {
            return Some(PeerMessage::Time(time));
        }
        (!self.done && run.is_done()).then_some(PeerMessage::Done)
    }
}
