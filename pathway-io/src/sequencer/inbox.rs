//! The messages to the sequencer, and the threads that handle them: [`Inbox`].
//!
//! Messages are handled one after the other, in the order of the queue, by whichever thread holds the lock of the
//! [`Sequencer`]:
//!
//! - The sequencer's own thread sleeps until it is woken or a timer is due. Then it takes the lock and handles all
//!   messages.
//! - A thread that calls `commit` *posts* its message, which wakes no thread, and then *serves* the inbox: if the lock
//!   is free, the thread handles the messages itself. Its commit then does not have to wait until another thread wakes
//!   up.
//!
//! A thread that serves never waits for the lock, and its work is limited: it stops at the first message that is not
//! brief ([`Sequencer::is_brief`]), and after [`SERVED`] messages. Then it wakes the sequencer's thread if a message is
//! left.
//!
//! Every message is seen by some thread. A thread that serves reads the queue again after it has released the lock or
//! found it taken. If a message was posted before this, the thread sees the message and wakes the sequencer's thread,
//! which waits for the lock. A message that is posted later is served by the thread that posted it.
//!
//! Locks are taken in this order: the sequencer, an intake, the queue. A thread that serves holds no lock of an intake.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::Instant;

use super::{Sequencer, SequencerMessage};
use crate::run::error::Error;
use crate::run::guard::{dropped, guarded};
use crate::run::sync::{Condvar, Mutex, MutexGuard};
use crate::run::time::Time;
use crate::source::intake::{IntakeMessage, Outbox};

/// The maximum number of messages that a committing thread handles, its own included.
const SERVED: usize = 8;

/// The queue of the sequencer. The module documentation describes it.
pub(crate) struct Inbox {
    queue: Mutex<Queue>,
    /// Notified to wake the sequencer's thread.
    woken: Condvar,
    /// `None` before the sequencer's thread runs, after a panic, and after the end. During these times, only that
    /// thread takes messages.
    sequencer: Mutex<Option<Sequencer>>,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<SequencerMessage>,
    /// Whether the sequencer's thread must check the queue and the timers.
    is_woken: bool,
    /// Whether the sequencer's thread sleeps.
    is_asleep: bool,
    /// Whether the sequencer has ended.
    is_closed: bool,
}

impl Inbox {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Inbox { queue: Mutex::new(Queue::default()), woken: Condvar::new(), sequencer: Mutex::new(None) })
    }

    /// Sends a message, and wakes the sequencer's thread.
    ///
    /// # Errors
    ///
    /// Returns the message if the sequencer has ended.
    pub(crate) fn send(&self, message: SequencerMessage) -> Result<(), SequencerMessage> {
        self.push(message)?;
        self.wake();
        Ok(())
    }

    fn push(&self, message: SequencerMessage) -> Result<(), SequencerMessage> {
        let mut queue = self.queue();
        if queue.is_closed {
            return Err(message);
        }
        queue.messages.push_back(message);
        Ok(())
    }

    fn wake(&self) {
        let mut queue = self.queue();
        queue.is_woken = true;
        let is_asleep = std::mem::take(&mut queue.is_asleep);
        drop(queue);
        if is_asleep {
            self.woken.notify_one();
        }
    }

    /// Handles messages on a thread of the source `own`, if no other thread does.
    fn serve(&self, own: usize) {
        let lock = match self.sequencer.try_lock() {
            Ok(sequencer) => Some(sequencer),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(mut sequencer) = lock {
            for _ in 0..SERVED {
                let is_brief =
                    |message: &SequencerMessage| sequencer.as_ref().is_some_and(|it| it.is_brief(message, own));
                let Some(message) = self.pop_if(is_brief) else { break };
                self.guard(&mut sequencer, |sequencer| sequencer.handle(message));
            }
        }
        // The lock is already released here.
        if !self.queue().messages.is_empty() {
            self.wake();
        }
    }

    fn pop_if(&self, is_right: impl FnOnce(&SequencerMessage) -> bool) -> Option<SequencerMessage> {
        let mut queue = self.queue();
        if queue.messages.front().is_some_and(is_right) { queue.messages.pop_front() } else { None }
    }

    /// Runs the sequencer's own thread until it receives [`SequencerMessage::Finish`].
    pub(crate) fn run(&self, sequencer: Sequencer) {
        let time = sequencer.control.time.clone();
        let mut restored = Some(sequencer);
        self.guard(&mut restored, Sequencer::restore);
        *self.lock() = restored;
        while let ControlFlow::Continue(due) = self.handle_all() {
            self.sleep(due, &time);
        }
        self.close();
    }

    /// Handles all messages. Returns when the next timer is due, if there is one, and breaks after the last message.
    fn handle_all(&self) -> ControlFlow<(), Option<Instant>> {
        let mut sequencer = self.lock();
        loop {
            let message = self.pop_if(|_| true);
            if matches!(message, Some(SequencerMessage::Finish)) {
                return ControlFlow::Break(());
            }
            self.guard(&mut sequencer, |sequencer| {
                message.into_iter().for_each(|message| sequencer.handle(message));
                // Timers are checked after each message, so that many messages do not delay them.
                sequencer.fire();
            });
            if self.queue().messages.is_empty() {
                return ControlFlow::Continue(sequencer.as_ref().and_then(Sequencer::due));
            }
        }
    }

    /// Calls the sequencer. A panic in it fails the pipeline, on any thread, and drops the sequencer. The sinks then
    /// end, and later commits return their credit, for which sources may be waiting.
    fn guard(&self, sequencer: &mut Option<Sequencer>, call: impl FnOnce(&mut Sequencer)) {
        let Some(running) = sequencer else { return };
        if let Err(kind) = guarded(PLACE, || call(running)) {
            running.control.fail(Error::pipeline_failure(kind));
            drop_sequencer(sequencer);
        }
    }

    /// Sleeps until a thread wakes this one, or until a timer is due. A thread that has been woken since it last looked
    /// at the queue does not sleep.
    fn sleep(&self, due: Option<Instant>, time: &Time) {
        let _waiting = time.wait_until(due);
        // A manual clock sends a message when it is set.
        let due = due.filter(|_| !time.is_manual());
        let mut queue = self.queue();
        while !std::mem::take(&mut queue.is_woken) {
            queue.is_asleep = true;
            queue = match due.map(|due| due.saturating_duration_since(Instant::now())) {
                None => self.woken.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => break,
                Some(left) => self.woken.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        queue.is_asleep = false;
    }

    /// Refuses further messages, and drops the sequencer, which ends the sinks.
    pub(crate) fn close(&self) {
        let mut sequencer = self.lock();
        let mut queue = self.queue();
        queue.is_closed = true;
        let unhandled = std::mem::take(&mut queue.messages);
        drop(queue);
        // Abandoned sources have sent these messages after the end.
        drop(unhandled);
        drop_sequencer(&mut sequencer);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Sequencer>> {
        self.sequencer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_sequencer(sequencer: &mut Option<Sequencer>) {
    let Some(ended) = sequencer.take() else { return };
    let control = Arc::clone(&ended.control);
    if let Err(kind) = dropped(PLACE, [ended]) {
        control.fail(Error::pipeline_failure(kind));
    }
}

/// The place of a panic.
const PLACE: &str = "its sequencer";

impl Outbox for Arc<Inbox> {
    fn send(&self, message: IntakeMessage) {
        if let Err(unsent) = Inbox::send(self, SequencerMessage::Intake(message)) {
            std::mem::forget(unsent);
        }
    }

    fn post(&self, message: IntakeMessage) {
        if let Err(unsent) = self.push(SequencerMessage::Intake(message)) {
            std::mem::forget(unsent);
        }
    }

    fn serve(&self, source: usize) {
        Inbox::serve(self, source);
    }
}
