//! What each of the other processes is told, and when.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use super::Peer;
use super::message::Word;
use crate::dataflow::flow::Flow;
use crate::run::control::{Control, RunState};

/// How often the others hear that this process is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

impl Peer {
    /// Tells it how far the clock is, and when this process stops, fails, or has done its part, until all have done theirs.
    pub(super) fn tell(&self, flow: &Flow, control: &Control) {
        let mut said = Said::default();
        loop {
            let (mut news, mut over) = (None, false);
            let alive = (!said.bye).then(|| Instant::now() + SIGN_OF_LIFE);
            control.wait(
                |run| {
                    news = said.news(run, flow);
                    over = run.farewell.cut_short || (said.bye && run.farewell.is_over());
                    news.is_some() || over
                },
                |_| alive,
            );
            let word = match news {
                Some(word) => word,
                None if over => break,
                None => Word::Alive,
            };
            // Who is gone is missed by the one who listens.
            let _ = word.write(&mut &self.control);
            match word {
                Word::Alive => {}
                Word::Time(time) => said.time = time,
                Word::Stop(_) => said.stop = true,
                Word::Failing(_) => said.failure = true,
                Word::Bye => {
                    said.bye = true;
                    control.update(|run| run.farewell.telling -= 1);
                }
                Word::Failed(_) => {
                    control.update(|run| run.farewell.telling -= 1);
                    // It is to notice, if it has not heard.
                    let _ = self.data.shutdown(Shutdown::Both);
                    return;
                }
            }
        }
        if !said.bye {
            control.update(|run| run.farewell.telling -= 1);
        }
        // Nobody says anything any more: who listens may go. Who is left behind is not listened to.
        let how = if said.bye { Shutdown::Write } else { Shutdown::Both };
        let _ = self.control.shutdown(how);
    }
}

/// What it has been told.
#[derive(Default)]
struct Said {
    time: u64,
    stop: bool,
    failure: bool,
    bye: bool,
}

impl Said {
    /// What is to be said next, if anything.
    fn news(&self, run: &RunState, flow: &Flow) -> Option<Word> {
        let failure = || run.failures.first().map(ToString::to_string);
        // What fails after the bye is of another process, and the others hear it there.
        if !self.bye {
            if flow.has_failed() {
                return failure().map(Word::Failed);
            }
            if !self.failure
                && !run.farewell.heard_failure
                && let Some(failure) = failure()
            {
                return Some(Word::Failing(failure));
            }
        }
        // Not the stop that comes with a failure, which would be a clean end for the others.
        if !self.stop
            && run.failures.is_empty()
            && let Some((stop, _)) = run.stop
        {
            return Some(Word::Stop(stop));
        }
        // Only the last counts.
        if run.farewell.time > self.time {
            return Some(Word::Time(run.farewell.time));
        }
        (!self.bye && run.is_done()).then_some(Word::Bye)
    }
}
