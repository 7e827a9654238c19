//! The channel of a sink: its messages ([`SinkMessage`]), its sending end ([`Outlet`]), and the progress of the sink
//! ([`Progress`]). An inline sink is called by its outlet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::lock::Lock;

/// A message to the thread of a sink.
pub(crate) enum SinkMessage<S: Schema> {
    Commit(Delivery<S>),
    /// Make everything up to `time` durable, and reply with the length of the file at `time`.
    Sync {
        time: u64,
        reply: Sender<u64>,
    },
}

/// A commit on its way to one sink.
pub(crate) struct Delivery<S: Schema> {
    pub(crate) commit: Commit<S>,
    /// Dropped with the delivery, once the sink has taken the rows. For a source's table it is the commit's credit.
    pub(crate) _receipt: Arc<dyn Send + Sync>,
}

/// A function that passes a commit to an inline sink.
pub(crate) type Inline<S> = Box<dyn Fn(&Commit<S>) + Send + Sync>;

/// The sending end of a sink's channel.
pub(crate) struct Outlet<S: Schema> {
    pub(crate) sender: Sender<SinkMessage<S>>,
    pub(crate) progress: Arc<Progress>,
    /// Calls an inline sink; `None` if the thread of the sink calls it.
    pub(crate) inline: Option<Inline<S>>,
}

impl<S: Schema> Outlet<S> {
    pub(crate) fn is_inline(&self) -> bool {
        self.inline.is_some()
    }

    pub(crate) fn deliver(&self, commit: &Commit<S>, receipt: &Arc<dyn Send + Sync>) {
        self.progress.queued(commit);
        if let Some(write) = &self.inline {
            return write(commit);
        }
        // A sink that has failed or ended has dropped its receiver. It is no longer served.
        let _ =
            self.sender.send(SinkMessage::Commit(Delivery { commit: commit.clone(), _receipt: Arc::clone(receipt) }));
    }
}

/// A target that can be asked to make its data durable: the type-erased channel of a sink, or a route to it.
pub(crate) trait SyncTarget: Send + Sync {
    /// Requests a sync up to `time`. The receiver is disconnected without a reply if the sink has failed.
    fn request(&self, time: u64) -> Receiver<u64> {
        let (reply, answer) = bounded(1);
        self.request_with(time, reply);
        answer
    }

    fn request_with(&self, time: u64, reply: Sender<u64>);
}

impl<S: Schema> SyncTarget for Sender<SinkMessage<S>> {
    fn request_with(&self, time: u64, reply: Sender<u64>) {
        // A sink that has ended does not reply.
        let _ = self.send(SinkMessage::Sync { time, reply });
    }
}

/// The progress of a sink, in updates.
#[derive(Default)]
pub(crate) struct Progress {
    queued: AtomicU64,
    taken: AtomicU64,
    commits: AtomicU64,
    /// The time of the oldest commit that the sink has not taken, if there is one.
    oldest: AtomicU64,
    /// Everything up to this time is durable in a transactional sink.
    durable: AtomicU64,
    /// Whether the sink waits for the next message.
    idle: AtomicBool,
    /// The number of retries after an error.
    retries: AtomicU64,
    /// The number of updates that were left out because the sink refuses them permanently.
    refused: AtomicU64,
    /// Whether the sink has failed and has not recovered since.
    retrying: AtomicBool,
    /// The last error after which the sink was retried.
    last_error: Lock<Option<String>>,
}

impl Progress {
    fn queued<S: Schema>(&self, commit: &Commit<S>) {
        if self.undelivered() == 0 {
            self.oldest.store(commit.time(), Ordering::Relaxed);
        }
        self.queued.fetch_add(commit.len() as u64, Ordering::Relaxed);
    }

    /// Records that the sink begins to write the commit of `time`.
    pub(crate) fn writes(&self, time: u64) {
        self.oldest.store(time, Ordering::Relaxed);
    }

    /// Returns the time of the oldest commit that the sink has not taken, if there is one.
    pub(crate) fn oldest_undelivered(&self) -> Option<u64> {
        (self.undelivered() > 0).then(|| self.oldest.load(Ordering::Relaxed))
    }

    /// Returns whether the sink waits for the next message.
    pub(crate) fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Relaxed)
    }

    pub(crate) fn taken(&self, updates: usize) {
        self.taken.fetch_add(updates as u64, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_durable(&self, time: u64) {
        self.durable.fetch_max(time, Ordering::Release);
    }

    /// Returns the time up to which a transactional sink is durable.
    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Returns the updates that the sink has taken, and the number of commits that they were in.
    pub(crate) fn done(&self) -> (u64, u64) {
        (self.taken.load(Ordering::Relaxed), self.commits.load(Ordering::Relaxed))
    }

    pub(crate) fn set_idle(&self, idle: bool) {
        self.idle.store(idle, Ordering::Relaxed);
    }

    /// Records that the sink is retried after this error.
    pub(crate) fn retry(&self, error: String) {
        *self.last_error.lock() = Some(error);
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.retrying.store(true, Ordering::Relaxed);
    }

    /// Records that the sink works again.
    pub(crate) fn recovered(&self) {
        self.retrying.store(false, Ordering::Relaxed);
    }

    /// Records updates that were left out because the sink refuses them permanently.
    pub(crate) fn refused(&self, updates: usize) {
        self.refused.fetch_add(updates as u64, Ordering::Relaxed);
    }

    /// Returns the number of updates that were left out.
    pub(crate) fn refused_updates(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Returns the number of retries after an error.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Returns the last error after which the sink was retried.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.lock().clone()
    }

    /// Returns whether the sink has failed and has not recovered since.
    pub(crate) fn is_retrying(&self) -> bool {
        self.retrying.load(Ordering::Relaxed)
    }

    /// Returns whether the sink is working or has work queued, rather than waiting for commits that are still upstream.
    pub(crate) fn is_busy(&self) -> bool {
        !self.idle.load(Ordering::Relaxed) || self.undelivered() > 0
    }

    /// Returns the number of updates that were queued and not taken.
    pub(crate) fn undelivered(&self) -> u64 {
        let taken = self.taken.load(Ordering::Relaxed);
        self.queued.load(Ordering::Relaxed).saturating_sub(taken)
    }
}
