//! What the checkpointer asks of the sinks of a derived table: [`Asks`], on the way through the dataflow.
//!
//! A checkpoint of a time wants the length that a file has once everything up to that time is in it. The results of a time
//! come when the dataflow has done with it; so an ask waits for the operator that hands them to the sinks, and follows
//! them there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;

use crate::sink::Ask;

#[derive(Default)]
pub(crate) struct Asks(Mutex<State>);

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
    sink: Arc<dyn Ask>,
}

impl Asks {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.sink.ask_for(self.time, self.reply);
    }
}

/// A sink that is asked by way of the dataflow.
pub(crate) struct Behind {
    pub(crate) asks: Arc<Asks>,
    pub(crate) sink: Arc<dyn Ask>,
}

impl Ask for Behind {
    fn ask_for(&self, time: u64, reply: Sender<u64>) {
        let mut state = self.asks.lock();
        state.waiting.push(Waiting { time, reply, sink: Arc::clone(&self.sink) });
        state.release();
    }
}

/// The operator's end. When it is dropped before all results were handed on, they never will be.
pub(crate) struct Served(pub(crate) Arc<Asks>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::{Receiver, TryRecvError, bounded};

    use super::*;

    /// Answers with the time.
    struct Sink;

    impl Ask for Sink {
        fn ask_for(&self, time: u64, reply: Sender<u64>) {
            reply.send(time).unwrap();
        }
    }

    fn ask(asks: &Arc<Asks>, time: u64) -> Receiver<u64> {
        let (reply, answer) = bounded(1);
        Behind { asks: Arc::clone(asks), sink: Arc::new(Sink) }.ask_for(time, reply);
        answer
    }

    #[test]
    fn an_ask_follows_the_results_up_to_its_time() {
        let asks = Arc::new(Asks::default());
        let served = Served(Arc::clone(&asks));
        let early = ask(&asks, 5);
        asks.reach(Some(5));
        assert_eq!(early.try_recv(), Err(TryRecvError::Empty));
        asks.reach(Some(6));
        assert_eq!(early.try_recv(), Ok(5));
        assert_eq!(ask(&asks, 5).try_recv(), Ok(5));
        let late = ask(&asks, 6);
        asks.reach(None);
        assert_eq!(late.try_recv(), Ok(6));
        drop(served);
        assert_eq!(ask(&asks, 7).try_recv(), Ok(7));
    }

    #[test]
    fn nobody_answers_for_a_dataflow_that_was_given_up() {
        let asks = Arc::new(Asks::default());
        let served = Served(Arc::clone(&asks));
        asks.reach(Some(5));
        let answer = ask(&asks, 5);
        drop(served);
        assert_eq!(answer.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(ask(&asks, 9).try_recv(), Err(TryRecvError::Disconnected));
    }
}
