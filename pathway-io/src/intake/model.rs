//! Models of the hand-over. Under `.ci/loom` every order in which threads can take the intake's lock and be woken is tried,
//! up to a number of preemptions, and the promises are asserted in each; among the ordinary tests they are run with real
//! threads, a number of times.
//!
//! A model has the real intake, its sources' threads, and one thread that stands for sequencer and sinks: it takes the
//! messages one by one, notes the rows of each cut, and gives the credit back. Its channel is made of loom's own locks.
//! Time passes as it likes: an armed autocommit fires when the sequencer comes to its message.

use std::any::Any;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::batch::{Batch, Pool};
use crate::pending::AnyPool;
use crate::schema::Schema;
use crate::sequencer::Message;
use crate::sync::thread::{self, JoinHandle};

#[derive(pathway_derive::Schema)]
#[schema(crate = crate)]
struct Row {
    n: u64,
}

/// A channel of the intake's own locks, so that loom knows it.
#[derive(Default)]
struct Channel {
    messages: Mutex<VecDeque<Message>>,
    sent: Condvar,
    /// How many rows are on the way, and how many may be at a time; seen by no model, so that there are no more orders.
    in_flight: AtomicUsize,
    limit: AtomicUsize,
    /// The sinks take nothing before the end.
    stuck: bool,
    /// How many rows the sinks have.
    delivered: Mutex<usize>,
    delivery: Condvar,
}

struct Sending(Arc<Channel>);

impl Outbox for Sending {
    fn send(&self, message: Message) -> Result<(), Message> {
        if let Message::Commit(cut) = &message {
            let rows = cut.credit.load.rows;
            let before = self.0.in_flight.fetch_add(rows, Ordering::SeqCst);
            let limit = self.0.limit.load(Ordering::SeqCst);
            assert!(before == 0 || before + rows <= limit, "{rows} rows beside {before} in a backlog of {limit}");
        }
        self.0.messages.lock().unwrap().push_back(message);
        self.0.sent.notify_one();
        Ok(())
    }
}

impl Channel {
    fn deliver(&self, rows: usize) {
        *self.delivered.lock().unwrap() += rows;
        self.delivery.notify_all();
    }

    fn wait_for(&self, rows: usize) {
        let mut delivered = self.delivered.lock().unwrap();
        while *delivered < rows {
            delivered = self.delivery.wait(delivered).unwrap();
        }
    }

    fn receive(&self) -> Message {
        let mut messages = self.messages.lock().unwrap();
        loop {
            match messages.pop_front() {
                Some(message) => return message,
                None => messages = self.sent.wait(messages).unwrap(),
            }
        }
    }
}

/// What the sinks have seen: the rows of each commit, and its offset.
type Commits = Vec<(Vec<u64>, Option<u64>)>;

struct Model {
    intake: Arc<Intake>,
    channel: Arc<Channel>,
    sequencer: JoinHandle<Commits>,
}

const FIRST: Entry = Entry { table: 0, attempt: 0 };
const OTHER_TABLE: Entry = Entry { table: 1, attempt: 0 };

fn pool() -> AnyPool {
    Pool::<Row>::new()
}

fn push(intake: &Arc<Intake>, entry: Entry, n: u64) -> Result<(), Refused> {
    let Ok(()) = intake.admit(entry, Push::Wait)?.push::<Row, Infallible>(&pool(), |batch| {
        batch.push(Row { n }.into_fields());
        Ok(())
    });
    Ok(())
}

fn push_at(intake: &Arc<Intake>, entry: Entry, n: u64, offset: u64) -> Result<(), Refused> {
    let pushed = intake.admit(entry, Push::At)?.push_at::<Row, u64, Infallible>(&pool(), offset, |batch| {
        batch.push(Row { n }.into_fields());
        Ok(())
    });
    assert!(pushed.is_ok());
    Ok(())
}

fn transaction(rows: &[u64]) -> Pending {
    transaction_of(FIRST, rows)
}

fn transaction_of(entry: Entry, rows: &[u64]) -> Pending {
    let mut pending = Pending::default();
    for n in rows {
        let Ok(()) = pending.push::<Row, Infallible>(entry.table, &pool(), |batch| {
            batch.push(Row { n: *n }.into_fields());
            Ok(())
        });
    }
    pending
}

impl Model {
    fn new(backlog: usize, autocommit: bool) -> Self {
        Self::with(backlog, autocommit, false)
    }

    fn with(backlog: usize, autocommit: bool, eager: bool) -> Self {
        Self::on(Channel::default(), backlog, autocommit, eager)
    }

    /// With a sink that blocks.
    fn stuck(backlog: usize, autocommit: bool) -> Self {
        Self::on(Channel { stuck: true, ..Channel::default() }, backlog, autocommit, false)
    }

    fn on(channel: Channel, backlog: usize, autocommit: bool, eager: bool) -> Self {
        let channel = Arc::new(Channel { limit: AtomicUsize::new(backlog), ..channel });
        let gathering = Gathering {
            backlog,
            // Longer than any model, so that it fires only when the sequencer is told to.
            autocommit: autocommit.then_some(Duration::from_secs(3600)),
            eager,
            offsets: Offsets::default(),
            cuts: Cuts::Anywhere,
        };
        let intake = Intake::new(0, 2, gathering, Sending(Arc::clone(&channel)));
        let sequencer = thread::spawn({
            let (intake, channel) = (Arc::clone(&intake), Arc::clone(&channel));
            move || sequence(&intake, &channel)
        });
        Model { intake, channel, sequencer }
    }

    fn spawn<T: Send + 'static>(&self, run: impl FnOnce(&Arc<Intake>) -> T + Send + 'static) -> JoinHandle<T> {
        let intake = Arc::clone(&self.intake);
        thread::spawn(move || run(&intake))
    }

    /// `run` has returned and all threads are joined: what was delivered in the end.
    fn end(self) -> Commits {
        // What is in memory already goes, whatever the backlog says.
        self.channel.limit.store(usize::MAX, Ordering::SeqCst);
        self.intake.finish(Tail::Commit);
        assert!(Sending(Arc::clone(&self.channel)).send(Message::Finish).is_ok());
        let commits = self.sequencer.join().unwrap();
        let state = self.intake.lock();
        assert!(state.in_flight.is_zero(), "credit is lost");
        assert_eq!((state.pending.load, state.transactions_waiting), (Load::default(), 0));
        drop(state);
        commits
    }
}

fn sequence(intake: &Arc<Intake>, channel: &Channel) -> Commits {
    let mut commits = Vec::new();
    let mut kept = Vec::new();
    let later = Instant::now() + Duration::from_secs(24 * 3600);
    loop {
        match channel.receive() {
            Message::Commit(cut) => {
                let offset = cut.offset.map(|offset| (offset as Box<dyn Any>).downcast::<u64>().map(|offset| *offset));
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
            Message::Arm { .. } => assert_eq!(intake.autocommit(later), None),
            Message::Pressed => {}
            Message::Finish => return commits,
            // What an intake does not send.
            _ => unreachable!("the model has neither state nor computations"),
        }
    }
}

fn rows(commits: &Commits) -> Vec<u64> {
    commits.iter().flat_map(|(rows, _)| rows.iter().copied()).collect()
}

/// Those of one thread, in the order in which they came out.
fn of(all: &[u64], thread: u64) -> Vec<u64> {
    all.iter().copied().filter(|n| n / 10 == thread).collect()
}

/// Tries all orders, and says how many they were.
#[cfg(pathway_loom)]
fn check(name: &str, model: impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    loom::model(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    println!("{name}: {} executions", runs.load(std::sync::atomic::Ordering::Relaxed));
}

/// Tries the orders that come.
#[cfg(not(pathway_loom))]
fn check(name: &str, model: impl Fn() + Send + Sync + 'static) {
    let (sender, done) = std::sync::mpsc::channel();
    let models = thread::spawn(move || {
        for _ in 0..if cfg!(miri) { 3 } else { 200 } {
            model();
        }
        // Nobody waits any more after the deadline.
        let _ = sender.send(());
    });
    match done.recv_timeout(Duration::from_secs(60)) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it hangs: {name}"),
        _ => models.join().unwrap(),
    }
}

#[test]
fn pushes_of_two_threads_and_autocommit() {
    check("pushes and autocommit", || {
        let model = Model::new(1, true);
        let other = model.spawn(|intake| {
            push(intake, FIRST, 10).unwrap();
            push(intake, FIRST, 11).unwrap();
        });
        push(&model.intake, FIRST, 20).unwrap();
        push(&model.intake, FIRST, 21).unwrap();
        other.join().unwrap();
        let all = rows(&model.end());
        assert_eq!((of(&all, 1), of(&all, 2), all.len()), (vec![10, 11], vec![20, 21], 4));
    });
}

#[test]
fn autocommit_brings_out_every_row_while_nothing_else_happens() {
    // A cut of two rows holds up another of two, or of one, and nobody but the timer makes it.
    for (name, backlog, eager) in
        [("autocommit", 3, false), ("autocommit in a small backlog", 2, false), ("eager autocommit", 3, true)]
    {
        check(name, move || {
            let model = Model::with(backlog, true, eager);
            let other = model.spawn(|intake| {
                push(intake, FIRST, 10).unwrap();
                push(intake, FIRST, 11).unwrap();
            });
            push(&model.intake, FIRST, 20).unwrap();
            push(&model.intake, FIRST, 21).unwrap();
            // A row that nobody commits would be waited for for ever.
            model.channel.wait_for(4);
            other.join().unwrap();
            let all = rows(&model.end());
            assert_eq!((of(&all, 1), of(&all, 2)), (vec![10, 11], vec![20, 21]));
        });
    }
}

#[test]
fn the_row_that_fills_the_backlog_brings_out_all_of_them() {
    check("full backlog", || {
        let model = Model::new(2, false);
        let other = model.spawn(|intake| push(intake, FIRST, 10).unwrap());
        push(&model.intake, FIRST, 20).unwrap();
        // Nobody else asks for a commit, nor for room.
        model.channel.wait_for(2);
        other.join().unwrap();
        let all = rows(&model.end());
        assert_eq!((of(&all, 1), of(&all, 2)), (vec![10], vec![20]));
    });
}

#[test]
fn a_commit_takes_what_was_pushed_before_it() {
    check("push and commit", || {
        let model = Model::new(2, false);
        let other = model.spawn(|intake| {
            for n in [10, 11] {
                push(intake, FIRST, n).unwrap();
                // The second may have to wait for room.
                intake.commit(FIRST).unwrap();
            }
            push(intake, FIRST, 12).unwrap();
        });
        push(&model.intake, FIRST, 20).unwrap();
        model.intake.commit(FIRST).unwrap();
        push(&model.intake, FIRST, 21).unwrap();
        other.join().unwrap();
        let commits = model.end();
        let all = rows(&commits);
        assert_eq!((of(&all, 1), of(&all, 2), all.len()), (vec![10, 11, 12], vec![20, 21], 5));
        for n in [10, 11, 20] {
            let of = |n| commits.iter().position(|(rows, _)| rows.contains(&n));
            assert!(of(n) < of(n + 1), "a commit has not cut between {n} and the next: {commits:?}");
        }
    });
}

#[test]
fn a_transaction_is_never_split() {
    // It is larger than the one backlog, and the other has room for more.
    for (name, backlog) in [("transaction, push and autocommit", 2), ("the same in a large backlog", 8)] {
        check(name, move || {
            let model = Model::new(backlog, true);
            let other = model.spawn(|intake| {
                push(intake, FIRST, 10).unwrap();
                intake.commit_transaction(FIRST, transaction(&[11, 12, 13]), None::<()>).unwrap();
            });
            push(&model.intake, FIRST, 20).unwrap();
            push(&model.intake, FIRST, 21).unwrap();
            other.join().unwrap();
            let commits = model.end();
            let all = rows(&commits);
            assert_eq!((of(&all, 1), of(&all, 2), all.len()), (vec![10, 11, 12, 13], vec![20, 21], 6));
            let whole = commits.iter().find(|(rows, _)| rows.contains(&11)).map(|(rows, _)| rows.as_slice());
            assert!(whole.is_some_and(|rows| rows.ends_with(&[11, 12, 13])), "{commits:?}");
        });
    }
}

#[test]
fn transactions_wait_for_room_and_for_nothing_else() {
    check("two transactions and a commit", || {
        let model = Model::new(1, false);
        let other = model.spawn(|intake| {
            intake.commit_transaction(FIRST, transaction(&[10, 11]), None::<()>).unwrap();
        });
        push(&model.intake, FIRST, 20).unwrap();
        model.intake.commit_transaction(FIRST, transaction(&[21, 22]), None::<()>).unwrap();
        model.intake.commit(FIRST).unwrap();
        other.join().unwrap();
        let all = rows(&model.end());
        assert_eq!((of(&all, 1), of(&all, 2)), (vec![10, 11], vec![20, 21, 22]));
    });
}

#[test]
fn a_transaction_that_is_refused_holds_up_no_row() {
    check("transaction, close of its table, and a row behind it", || {
        let model = Model::new(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let unit = model.spawn(|intake| {
            intake.commit_transaction(FIRST, transaction_of(OTHER_TABLE, &[20, 21]), None::<()>).is_ok()
        });
        model.intake.close_table(OTHER_TABLE).unwrap();
        push(&model.intake, FIRST, 11).unwrap();
        let committed = unit.join().unwrap();
        // All of them, while nobody ends anything.
        model.channel.wait_for(if committed { 4 } else { 2 });
        let all = rows(&model.end());
        assert_eq!(of(&all, 1), [10, 11]);
        assert_eq!(of(&all, 2), if committed { vec![20, 21] } else { vec![] });
    });
}

#[test]
fn a_transaction_that_is_refused_holds_up_no_commit() {
    check("transaction, close of its table, and a commit behind it", || {
        let model = Model::new(2, false);
        model.intake.commit_transaction(FIRST, transaction(&[10, 11, 12]), None::<()>).unwrap();
        let unit = model.spawn(|intake| {
            intake.commit_transaction(FIRST, transaction_of(OTHER_TABLE, &[20, 21]), None::<()>).is_ok()
        });
        model.intake.close_table(OTHER_TABLE).unwrap();
        push(&model.intake, FIRST, 13).unwrap();
        model.intake.commit(FIRST).unwrap();
        let committed = unit.join().unwrap();
        let all = rows(&model.end());
        assert_eq!(of(&all, 1), [10, 11, 12, 13]);
        assert_eq!(of(&all, 2), if committed { vec![20, 21] } else { vec![] });
    });
}

#[test]
fn a_transaction_of_a_failed_attempt_is_committed_before_the_next_or_never() {
    check("transaction and restart", || {
        let model = Model::new(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let unit = model.spawn(|intake| intake.commit_transaction(FIRST, transaction(&[20, 21]), None::<()>).is_ok());
        push(&model.intake, FIRST, 11).unwrap();
        model.intake.end_attempt();
        assert!(model.intake.begin_attempt(Some(Instant::now())));
        let begun = Entry { table: 0, attempt: model.intake.attempt() };
        push(&model.intake, begun, 30).unwrap();
        let committed = unit.join().unwrap();
        let all = rows(&model.end());
        assert_eq!(of(&all, 1), [10, 11]);
        assert_eq!(of(&all, 2), if committed { vec![20, 21] } else { vec![] });
        assert!(all.ends_with(&[30]), "a row of the failed attempt came after one of the next: {all:?}");
    });
}

#[test]
fn what_got_ok_before_a_stop_is_delivered_and_nobody_hangs() {
    check("stop", || {
        let model = Model::new(1, true);
        let pusher = model.spawn(|intake| {
            let mut taken = Vec::new();
            for n in [10, 11, 12] {
                match push(intake, FIRST, n) {
                    Ok(()) => taken.push(n),
                    Err(refused) => assert_eq!(refused, Refused::Closed),
                }
            }
            taken
        });
        let unit = model.spawn(|intake| intake.commit_transaction(FIRST, transaction(&[20, 21]), None::<()>).is_ok());
        model.intake.close();
        assert_eq!(model.intake.wait_closed(FIRST, None), Err(Closed));
        let (taken, committed) = (pusher.join().unwrap(), unit.join().unwrap());
        let all = rows(&model.end());
        assert_eq!(of(&all, 1), taken);
        assert_eq!(of(&all, 2), if committed { vec![20, 21] } else { vec![] });
    });
}

#[test]
fn a_stop_wakes_who_waits_for_a_sink_that_takes_nothing() {
    check("stop beside a sink that blocks", || {
        let model = Model::stuck(1, true);
        let pusher = model.spawn(|intake| [10, 11, 12].map(|n| push(intake, FIRST, n).is_ok()));
        let unit = model.spawn(|intake| intake.commit_transaction(FIRST, transaction(&[20, 21]), None::<()>).is_ok());
        model.intake.close();
        let (taken, committed) = (pusher.join().unwrap(), unit.join().unwrap());
        let all = rows(&model.end());
        let taken = [10, 11, 12].into_iter().zip(taken).filter(|(_, taken)| *taken).map(|(n, _)| n);
        assert_eq!(of(&all, 1), taken.collect::<Vec<_>>());
        assert_eq!(of(&all, 2), if committed { vec![20, 21] } else { vec![] });
    });
}

#[test]
fn a_table_that_closes_wakes_a_transaction_that_waits_for_a_sink_that_takes_nothing() {
    check("close of a table beside a sink that blocks", || {
        let model = Model::stuck(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let unit =
            model.spawn(|intake| intake.commit_transaction(FIRST, transaction_of(OTHER_TABLE, &[20]), None::<()>));
        model.intake.close_table(OTHER_TABLE).unwrap();
        assert_eq!(unit.join().unwrap(), Err(Refused::Closed));
        assert_eq!(rows(&model.end()), [10]);
    });
}

#[test]
fn the_end_of_an_attempt_wakes_who_waits_for_a_sink_that_takes_nothing() {
    check("restart beside a sink that blocks", || {
        let model = Model::stuck(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let client = model.spawn(|intake| [push(intake, FIRST, 11), intake.commit(FIRST).map_err(Refused::from)]);
        model.intake.end_attempt();
        let [pushed, _] = client.join().unwrap();
        assert_eq!(rows(&model.end()), if pushed.is_ok() { vec![10, 11] } else { vec![10] });
    });
}

#[test]
fn a_table_that_closes_wakes_who_waits_for_it() {
    check("close of a table", || {
        let model = Model::new(1, false);
        let waiting = model.spawn(|intake| intake.wait_closed(FIRST, None));
        let pusher = model.spawn(|intake| {
            let taken = [10, 11].map(|n| push(intake, FIRST, n).is_ok());
            [10, 11].into_iter().zip(taken).filter(|(_, taken)| *taken).map(|(n, _)| n).collect::<Vec<_>>()
        });
        model.intake.close_table(FIRST).unwrap();
        assert_eq!(waiting.join().unwrap(), Err(Closed));
        let taken = pusher.join().unwrap();
        assert_eq!(rows(&model.end()), taken);
    });
}

#[test]
fn handles_of_a_failed_attempt_push_nothing_into_the_next() {
    check("restart", || {
        let model = Model::new(1, false);
        // The client's own thread, which knows nothing of the failure.
        let client = model.spawn(|intake| {
            let taken = [10, 11].map(|n| push(intake, FIRST, n).is_ok());
            [10, 11].into_iter().zip(taken).filter(|(_, taken)| *taken).map(|(n, _)| n).collect::<Vec<_>>()
        });
        model.intake.end_attempt();
        assert!(model.intake.begin_attempt(Some(Instant::now())));
        let begun = Entry { table: 0, attempt: model.intake.attempt() };
        push(&model.intake, begun, 20).unwrap();
        let taken = client.join().unwrap();
        let all = rows(&model.end());
        assert_eq!(of(&all, 1), taken);
        assert_eq!(of(&all, 2), [20]);
        assert!(all.ends_with(&[20]), "a row of the failed attempt came after one of the next: {all:?}");
    });
}

#[test]
fn a_stop_between_two_attempts_is_the_end() {
    check("restart and stop", || {
        let model = Model::new(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let stop = model.spawn(|intake| intake.close());
        model.intake.end_attempt();
        // Without a stop it would wait for ever.
        assert!(!model.intake.begin_attempt(None));
        stop.join().unwrap();
        assert_eq!(rows(&model.end()), [10]);
    });
}

#[test]
fn a_source_with_offsets_is_cut_directly_behind_them() {
    check("offsets, commit and autocommit", || {
        let model = Model::new(3, true);
        let other = model.spawn(|intake| intake.commit(FIRST).unwrap());
        push_at(&model.intake, FIRST, 10, 1).unwrap();
        push(&model.intake, FIRST, 11).unwrap();
        push_at(&model.intake, FIRST, 12, 3).unwrap();
        other.join().unwrap();
        let commits = model.end();
        assert_eq!(rows(&commits), [10, 11, 12]);
        for (rows, offset) in &commits {
            // Row 10 is the first that was read, and an offset counts what was.
            assert_eq!(rows.last().map(|n| n - 9), *offset, "{commits:?}");
        }
    });
}
