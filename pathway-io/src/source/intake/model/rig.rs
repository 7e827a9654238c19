//! The common part of the models: [`Model`], an intake with its sources' threads and a replacement for the sequencer.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::rows::batch::{Batch, Pool};
use crate::rows::schema::Schema;
use crate::run::sync::thread::{self, JoinHandle};
use crate::source::intake::pending::{AnyPool, Pending};
use crate::source::intake::*;

#[derive(pathway_derive::Schema)]
#[schema(crate = crate)]
pub(super) struct Row {
    n: u64,
}

/// A channel that is made of the intake's locks, so that loom controls it.
#[derive(Default)]
pub(super) struct Channel {
    messages: Mutex<VecDeque<Option<IntakeMessage>>>,
    sent: Condvar,
    /// The number of rows in flight, and its limit. No model observes them, so they need not be loom's atomics.
    pub(super) in_flight: AtomicUsize,
    pub(super) limit: AtomicUsize,
    /// Whether the sinks take nothing before the end.
    pub(super) stuck: bool,
    /// The number of rows that the sinks have.
    delivered: Mutex<usize>,
    delivery: Condvar,
}

pub(super) struct Sending(Arc<Channel>);

impl Outbox for Sending {
    fn send(&self, message: IntakeMessage) {
        if let IntakeMessage::Commit(cut) = &message {
            let rows = cut.credit.load.rows;
            let before = self.0.in_flight.fetch_add(rows, Ordering::SeqCst);
            let limit = self.0.limit.load(Ordering::SeqCst);
            assert!(before == 0 || before + rows <= limit, "{rows} rows beside {before} in a backlog of {limit}");
        }
        self.0.push(Some(message));
    }

    fn post(&self, message: IntakeMessage) {
        self.send(message);
    }

    // The models of the sequencer's inbox cover the other methods.
    fn serve(&self, _: usize) {}
}

impl Channel {
    /// Sends a message; `None` ends the sequencer.
    fn push(&self, message: Option<IntakeMessage>) {
        self.messages.lock().unwrap().push_back(message);
        self.sent.notify_one();
    }

    pub(super) fn deliver(&self, rows: usize) {
        *self.delivered.lock().unwrap() += rows;
        self.delivery.notify_all();
    }

    pub(super) fn wait_for(&self, rows: usize) {
        let mut delivered = self.delivered.lock().unwrap();
        while *delivered < rows {
            delivered = self.delivery.wait(delivered).unwrap();
        }
    }

    pub(super) fn receive(&self) -> Option<IntakeMessage> {
        let mut messages = self.messages.lock().unwrap();
        loop {
            match messages.pop_front() {
                Some(message) => return message,
                None => messages = self.sent.wait(messages).unwrap(),
            }
        }
    }
}

/// The delivered commits: the rows of each, and its offset.
pub(super) type Commits = Vec<(Vec<u64>, Option<u64>)>;

pub(super) struct Model {
    pub(super) intake: Arc<Intake>,
    pub(super) channel: Arc<Channel>,
    sequencer: JoinHandle<Commits>,
}

pub(super) const FIRST: Entry = Entry { table: 0, attempt: 0 };
pub(super) const OTHER_TABLE: Entry = Entry { table: 1, attempt: 0 };

pub(super) fn pool() -> AnyPool {
    Pool::<Row>::new()
}

pub(super) fn push(intake: &Arc<Intake>, entry: Entry, n: u64) -> Result<(), Refused> {
    fill(intake.admit(entry, Push::Wait)?, n);
    Ok(())
}

/// Returns the rows that `push` accepts.
pub(super) fn accepted(rows: &[u64], mut push: impl FnMut(u64) -> Result<(), Refused>) -> Vec<u64> {
    rows.iter().copied().filter(|n| push(*n).is_ok()).collect()
}

/// Commits a transaction. Returns whether the intake accepts it.
pub(super) fn accepts(intake: &Arc<Intake>, transaction: Pending) -> bool {
    intake.commit_transaction(FIRST, transaction, None::<()>).is_ok()
}

/// Pushes a row that may go ahead.
pub(super) fn fill(admitted: Admitted<'_>, n: u64) {
    assert!(admitted.push::<Row, _>(&pool(), |batch| batch.push(Row { n }.into_fields())).is_ok());
}

pub(super) fn push_at(intake: &Arc<Intake>, entry: Entry, n: u64, offset: u64) -> Result<(), Refused> {
    let pushed = intake
        .admit(entry, Push::At)?
        .push_at::<Row, u64, _>(&pool(), offset, |batch| batch.push(Row { n }.into_fields()));
    assert!(pushed.is_ok());
    Ok(())
}

pub(super) fn transaction(rows: &[u64]) -> Pending {
    transaction_of(FIRST, rows)
}

pub(super) fn transaction_of(entry: Entry, rows: &[u64]) -> Pending {
    let mut pending = Pending::default();
    for n in rows {
        let pushed = pending.push::<Row, _>(entry.table, &pool(), |batch| batch.push(Row { n: *n }.into_fields()));
        assert!(pushed.is_ok());
    }
    pending
}

impl Model {
    pub(super) fn new(backlog: usize, autocommit: bool) -> Self {
        Self::with(backlog, autocommit, false)
    }

    pub(super) fn with(backlog: usize, autocommit: bool, eager: bool) -> Self {
        Self::on(Channel::default(), backlog, autocommit, eager)
    }

    /// Returns a model with a sink that blocks.
    pub(super) fn stuck(backlog: usize, autocommit: bool) -> Self {
        Self::on(Channel { stuck: true, ..Channel::default() }, backlog, autocommit, false)
    }

    pub(super) fn on(channel: Channel, backlog: usize, autocommit: bool, eager: bool) -> Self {
        let channel = Arc::new(Channel { limit: AtomicUsize::new(backlog), ..channel });
        let settings = IntakeSettings {
            backlog,
            // Longer than any model, so that it fires only on a message to the sequencer.
            autocommit: autocommit.then_some(Duration::from_secs(3600)),
            eager,
            offsets: Offsets::default(),
            cuts: Cuts::Anywhere,
            time: Time::default(),
        };
        let intake = Intake::new(0, 2, settings, Sending(Arc::clone(&channel)));
        let sequencer = thread::spawn({
            let (intake, channel) = (Arc::clone(&intake), Arc::clone(&channel));
            move || sequence(&intake, &channel)
        });
        Model { intake, channel, sequencer }
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Arc<Intake>) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let intake = Arc::clone(&self.intake);
        thread::spawn(move || run(&intake))
    }

    /// Ends the source after all threads were joined. Returns everything that was delivered.
    pub(super) fn end(self) -> Commits {
        // The end commits all rows in memory, even if the backlog is full.
        self.channel.limit.store(usize::MAX, Ordering::SeqCst);
        self.intake.finish(Tail::Commit);
        self.channel.push(None);
        let commits = self.sequencer.join().unwrap();
        let state = self.intake.lock();
        assert!(state.in_flight.is_zero(), "credit is lost");
        assert_eq!((state.pending.load, state.transactions_waiting), (Amount::default(), 0));
        drop(state);
        commits
    }
}

pub(super) fn sequence(intake: &Arc<Intake>, channel: &Channel) -> Commits {
    let mut commits = Vec::new();
    let mut kept = Vec::new();
    let later = Instant::now() + Duration::from_secs(24 * 3600);
    loop {
        match channel.receive() {
            Some(IntakeMessage::Commit(cut)) => {
                let offset = cut.offset.map(|offset| (&*offset as &dyn Any).downcast_ref::<u64>().copied());
                let batches = cut.parts.into_iter().map(|(_, batches)| batches.downcast::<Vec<Batch<Row>>>());
                let rows = batches.flat_map(|batches| *batches.expect("they are rows"));
                let rows: Vec<Batch<Row>> = rows.collect();
                let rows = rows.iter().flat_map(|batch| (0..batch.len()).map(|row| batch.row(row).n));
                let rows: Vec<u64> = rows.collect();
                channel.deliver(rows.len());
                commits.push((rows, offset.map(|offset| offset.expect("it is a u64"))));
                if channel.stuck {
                    kept.push(cut.credit);
                } else {
                    // The sinks have taken the rows.
                    channel.in_flight.fetch_sub(cut.credit.load.rows, Ordering::SeqCst);
                }
            }
            Some(IntakeMessage::Arm { .. }) => assert_eq!(intake.autocommit(later), None),
            Some(IntakeMessage::Backpressured) => {}
            None => return commits,
        }
    }
}

pub(super) fn rows(commits: &Commits) -> Vec<u64> {
    commits.iter().flat_map(|(rows, _)| rows.iter().copied()).collect()
}

/// Returns the rows of one thread, in the order in which they were delivered.
pub(super) fn of(all: &[u64], thread: u64) -> Vec<u64> {
    all.iter().copied().filter(|n| n / 10 == thread).collect()
}

/// Tries all orders, and prints their number.
#[cfg(pathway_loom)]
pub(crate) fn check(name: &str, model: impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    loom::model(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!("{name}: {} executions", runs.load(Ordering::Relaxed));
}

/// Runs the model several times with real threads.
#[cfg(not(pathway_loom))]
pub(crate) fn check(name: &str, model: impl Fn() + Send + Sync + 'static) {
    let (sender, done) = std::sync::mpsc::channel();
    let models = thread::spawn(move || {
        for _ in 0..if cfg!(miri) { 3 } else { 200 } {
            model();
        }
        // The send fails if the deadline has passed and the test has ended.
        let _ = sender.send(());
    });
    match done.recv_timeout(Duration::from_secs(60)) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it hangs: {name}"),
        _ => models.join().unwrap(),
    }
}
