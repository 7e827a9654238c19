//! Models of committing threads and the sequencer's thread, like [those of the intake](crate::source::intake::model).
//!
//! A model has the real intakes, inbox, sequencer and stages. A replacement for the computation that reads the tables
//! records each commit. If no thread handles a message, the model hangs. The clock is set by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};

use super::clock::CommitClock;
use super::feed::{Downstream, Feed};
use super::inbox::Inbox;
use super::journal::CheckpointMessage;
use super::stage::TableStage;
use super::upsert::Upsert;
use super::*;
use crate::rows::batch::Pool;
use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::sync::thread::{self, JoinHandle};
use crate::run::sync::{Condvar, Mutex};
use crate::run::time::{ManualTime, Time};
use crate::source::intake::model::rig::check;
use crate::source::intake::pending::{AnyPool, Pending};
use crate::source::intake::{Credit, Cuts, Entry, IntakeSettings, Push, Tail};
use crate::source::offset::Offsets;

#[derive(pathway_derive::Schema)]
#[schema(crate = crate)]
struct Row {
    #[schema(primary_key)]
    n: u64,
}

const TABLE: Entry = Entry { table: 0, attempt: 0 };
/// The computation panics at this row.
const UNLUCKY: u64 = 1313;
const INTERVAL: Duration = Duration::from_secs(1);

/// The commits in the order in which they were sequenced: time and rows.
#[derive(Default)]
struct Seen {
    commits: Mutex<Vec<(u64, Vec<u64>)>>,
    came: Condvar,
    /// The frontier of the computation. No model waits for it.
    frontier: AtomicU64,
}

impl Seen {
    fn wait_for(&self, rows: usize) {
        let mut commits = self.commits.lock().unwrap();
        while commits.iter().map(|(_, rows)| rows.len()).sum::<usize>() < rows {
            commits = self.came.wait(commits).unwrap();
        }
    }
}

impl Feed<Row> for Arc<Seen> {
    fn send(&mut self, commit: &Commit<Row>, _: Option<usize>) {
        let (time, rows): (u64, Vec<u64>) = (commit.time(), commit.iter().map(|update| update.row.n).collect());
        assert!(!rows.contains(&UNLUCKY), "unlucky");
        assert!(time >= self.frontier.load(Ordering::SeqCst), "a commit came after the advance to its time");
        self.commits.lock().unwrap().push((time, rows));
        self.came.notify_all();
    }
}

impl Downstream for Seen {
    fn committed(&self, time: u64, _: &Arc<Credit>) {
        assert!(self.frontier.fetch_max(time + 1, Ordering::SeqCst) <= time);
    }

    fn advance(&self, frontier: u64) {
        self.frontier.fetch_max(frontier, Ordering::SeqCst);
    }

    fn finish(&self) {}
}

struct Model {
    intakes: Vec<Arc<Intake>>,
    inbox: Arc<Inbox>,
    control: Arc<Control>,
    time: Arc<ManualTime>,
    seen: Arc<Seen>,
    journal: Receiver<CheckpointMessage>,
    sequencer: JoinHandle<()>,
}

impl Model {
    /// Returns a model with this many sources, each with one table.
    fn new(sources: usize, is_keyed: bool, autocommit: bool) -> Self {
        let (inbox, time, seen) = (Inbox::new(), ManualTime::new(), Arc::<Seen>::default());
        let mut control = Control::default();
        control.time = Time::manual(&time);
        let control = Arc::new(control);
        let intake = |source| {
            let settings = IntakeSettings {
                backlog: 1_000,
                autocommit: autocommit.then_some(INTERVAL),
                eager: false,
                offsets: Offsets::default(),
                cuts: Cuts::Anywhere,
                time: control.time.clone(),
            };
            Intake::new(source, 1, settings, Arc::clone(&inbox))
        };
        let intakes: Vec<_> = (0..sources).map(intake).collect();
        let source = |(number, intake): (usize, &Arc<Intake>)| SequencedSource {
            name: "rows".into(),
            intake: Arc::clone(intake),
            connector: number,
            partition: None,
            timer: None,
        };
        let table = || -> Vec<Box<dyn Stage>> {
            vec![Box::new(TableStage::<Row> {
                upsert: is_keyed.then(Upsert::default),
                multiset: None,
                pool: Pool::new(),
                outlets: Vec::new(),
                worker_outlets: Vec::new(),
                journal: None,
                feeds: vec![Box::new(Arc::clone(&seen))],
            })]
        };
        let (checkpointer, journal) = unbounded();
        let sequencer = Sequencer {
            clock: CommitClock::after(0),
            control: Arc::clone(&control),
            sources: intakes.iter().enumerate().map(source).collect(),
            tables: (0..sources).map(|_| table()).collect(),
            checkpointer: Some(checkpointer),
            downstream: Some(Arc::clone(&seen) as Arc<dyn Downstream>),
        };
        let running = Arc::clone(&inbox);
        let sequencer = thread::spawn(move || running.run(sequencer));
        Model { intakes, inbox, control, time, seen, journal, sequencer }
    }

    fn spawn(&self, source: usize, run: impl FnOnce(&Arc<Intake>) + Send + 'static) -> JoinHandle<()> {
        let intake = Arc::clone(&self.intakes[source]);
        thread::spawn(move || run(&intake))
    }

    fn pass_time(&self) {
        self.time.advance(INTERVAL);
        let _ = self.inbox.send(SequencerMessage::TimePassed);
    }

    /// Ends as the supervisor does. Returns the rows of all commits.
    fn end(self) -> Vec<Vec<u64>> {
        self.intakes.iter().for_each(|intake| intake.finish(Tail::Commit));
        let _ = self.inbox.send(SequencerMessage::Finish);
        self.sequencer.join().unwrap();
        let commits = std::mem::take(&mut *self.seen.commits.lock().unwrap());
        assert!(commits.windows(2).all(|pair| pair[0].0 < pair[1].0), "times do not increase: {commits:?}");
        let record = |message| match message {
            CheckpointMessage::Commit(record) => Some(record.time),
            CheckpointMessage::Backpressured => None,
        };
        let journal: Vec<u64> = self.journal.try_iter().filter_map(record).collect();
        let times: Vec<u64> = commits.iter().map(|(time, _)| *time).collect();
        assert_eq!(journal, times, "the journal has the order of the commits");
        for intake in &self.intakes {
            assert!(intake.level().in_flight.is_zero(), "credit is lost");
        }
        commits.into_iter().map(|(_, rows)| rows).collect()
    }
}

fn push(intake: &Arc<Intake>, n: u64) -> bool {
    let pool: AnyPool = Pool::<Row>::new();
    let Ok(admitted) = intake.admit(TABLE, Push::Wait) else { return false };
    assert!(admitted.push::<Row, _>(&pool, |batch| batch.push(Row { n }.into_fields())).is_ok());
    true
}

fn transaction(rows: impl Iterator<Item = u64>) -> Pending {
    let (mut pending, pool) = (Pending::default(), Pool::<Row>::new() as AnyPool);
    for n in rows {
        assert!(pending.push::<Row, _>(0, &pool, |batch| batch.push(Row { n }.into_fields())).is_ok());
    }
    pending
}

/// Returns the commits with rows of one source, whose rows begin with its number.
fn of(commits: &[Vec<u64>], source: u64) -> Vec<Vec<u64>> {
    commits.iter().filter(|rows| rows[0] / 100 == source).cloned().collect()
}

#[test]
fn two_sources_that_commit_at_once() {
    for (name, is_keyed) in [("two sources commit", false), ("two sources commit by key", true)] {
        check(name, move || {
            let model = Model::new(2, is_keyed, false);
            let other = model.spawn(1, |intake| {
                for n in [100, 101] {
                    assert!(push(intake, n));
                    intake.commit(TABLE).unwrap();
                }
            });
            assert!(push(&model.intakes[0], 0));
            model.intakes[0].commit(TABLE).unwrap();
            // No other event would wake a thread.
            model.seen.wait_for(3);
            other.join().unwrap();
            let commits = model.end();
            assert_eq!((of(&commits, 0), of(&commits, 1)), (vec![vec![0]], vec![vec![100], vec![101]]));
        });
    }
}

#[test]
fn two_threads_of_a_source_commit_at_once() {
    check("two threads of a source commit", || {
        let model = Model::new(1, false, false);
        let other = model.spawn(0, |intake| {
            assert!(push(intake, 10));
            intake.commit(TABLE).unwrap();
        });
        model.intakes[0].commit_transaction(TABLE, transaction([20, 21].into_iter()), None::<()>).unwrap();
        model.seen.wait_for(3);
        other.join().unwrap();
        let commits = model.end();
        let whole = commits.iter().find(|rows| rows.contains(&20)).unwrap();
        assert!(whole.ends_with(&[20, 21]), "{commits:?}");
    });
}

#[test]
fn a_commit_that_is_not_brief_is_left_to_the_thread() {
    check("a large commit, and small ones around it", || {
        let model = Model::new(2, true, false);
        let other = model.spawn(1, |intake| {
            assert!(push(intake, 100));
            intake.commit(TABLE).unwrap();
        });
        let rows = 0..=BRIEF_ROWS as u64;
        model.intakes[0].commit_transaction(TABLE, transaction(rows.clone()), None::<()>).unwrap();
        assert!(push(&model.intakes[0], 99));
        model.intakes[0].commit(TABLE).unwrap();
        model.seen.wait_for(BRIEF_ROWS + 3);
        other.join().unwrap();
        let commits = model.end();
        assert_eq!((of(&commits, 0), of(&commits, 1)), (vec![rows.collect(), vec![99]], vec![vec![100]]));
    });
}

#[test]
fn a_timer_and_a_commit_at_once() {
    check("timer and commit", || {
        let model = Model::new(1, false, true);
        let other = model.spawn(0, |intake| {
            assert!(push(intake, 10));
            intake.commit(TABLE).unwrap();
        });
        assert!(push(&model.intakes[0], 20));
        model.pass_time();
        // The timer alone commits a row that was pushed after the commit.
        model.seen.wait_for(1);
        other.join().unwrap();
        model.pass_time();
        model.seen.wait_for(2);
        let mut rows = model.end().concat();
        rows.sort_unstable();
        assert_eq!(rows, [10, 20]);
    });
}

#[test]
fn a_stop_during_a_commit() {
    check("stop during a commit", || {
        let model = Model::new(1, false, false);
        let intake = Arc::clone(&model.intakes[0]);
        let pusher = thread::spawn(move || {
            let mut taken = Vec::new();
            for n in [10, 11] {
                if push(&intake, n) {
                    taken.push(n);
                }
                let _ = intake.commit(TABLE);
            }
            taken
        });
        model.intakes[0].close();
        // An abandoned source can commit after the end.
        let commits = model.end();
        assert_eq!(pusher.join().unwrap(), commits.concat());
    });
}

/// With real threads only: to loom, a panic is a failure of the model.
#[cfg(not(pathway_loom))]
#[test]
fn a_panic_on_a_committing_thread_fails_the_pipeline_and_not_the_source() {
    check("a panic in the sequencer", || {
        let model = Model::new(1, false, false);
        assert!(push(&model.intakes[0], UNLUCKY));
        // The commit succeeds on whichever thread it is sequenced.
        assert_eq!(model.intakes[0].commit(TABLE), Ok(()));
        model.control.wait(|run| !run.failures.is_empty(), |_| None);
        let text = model.control.update(|run| run.failures[0].to_string());
        assert!(text.contains("panicked in its sequencer: unlucky"), "{text}");
        // Later commits are dropped, and return their credit.
        assert!(push(&model.intakes[0], 14));
        assert_eq!(model.intakes[0].commit(TABLE), Ok(()));
        let journal = model.journal.clone();
        assert_eq!(model.end(), Vec::<Vec<u64>>::new());
        assert!(journal.is_empty());
    });
}
