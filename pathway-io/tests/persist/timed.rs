//! Transactional sinks, which store the time of their last commit.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pathway_io::{Commit, Durability, RunResult, Schema, Sink, Subject, TableSchema, csv};

use crate::common::{Cat, Number, TempDir, cat, run, source, wait_until};
use crate::restart::{options, persistent};

/// A simulated database: the updates of all commits, and the time of the last one.
#[derive(Default, Clone)]
pub struct Database {
    pub rows: Vec<(String, i64)>,
    time: Option<u64>,
}

/// A sink that writes to the database in one step, like a transaction.
pub struct Timed<F> {
    database: Arc<Mutex<Database>>,
    open: Database,
    row: F,
    /// The number of commits until the database is full.
    pub room: usize,
}

impl<S: Schema, F: Fn(&S) -> String + Send> Sink<S> for Timed<F> {
    fn is_transactional(&self) -> bool {
        true
    }

    fn recover(
        &mut self,
        _schema: &'static TableSchema,
    ) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> {
        self.open = self.database.lock().unwrap().clone();
        Ok(self.open.time)
    }

    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        self.room = self.room.checked_sub(1).ok_or("the database is full")?;
        self.open.rows.extend(commit.iter().map(|update| ((self.row)(&update.row), update.diff)));
        self.open.time = Some(commit.time());
        if self.room.is_multiple_of(2) {
            // Some commits are written alone, and some together with the next one.
            Sink::<S>::flush(self)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> RunResult {
        *self.database.lock().unwrap() = self.open.clone();
        Ok(())
    }
}

pub fn timed<F>(database: &Arc<Mutex<Database>>, row: F) -> Timed<F> {
    Timed { database: Arc::clone(database), open: Database::default(), row, room: usize::MAX }
}

fn genus(cat: &Cat) -> String {
    cat.genus.clone()
}

/// Pushes cats from the offset up to `to`, all with the same few keys. Then it fails if `fail` is set.
fn cats(to: u64, fail: bool) -> impl FnMut(Subject<Cat, u64>) -> RunResult + Send + 'static {
    move |cats| {
        for n in cats.resume().unwrap_or(0)..to {
            cats.next(cat((n % 3) as i64, &n.to_string()))?;
            cats.commit_at(n + 1)?;
        }
        if fail { Err("torn".into()) } else { Ok(()) }
    }
}

fn expected(to: u64) -> Vec<(String, i64)> {
    let mut rows = Vec::new();
    for n in 0..to {
        if let Some(old) = n.checked_sub(3) {
            rows.push((old.to_string(), -1));
        }
        rows.push((n.to_string(), 1));
    }
    rows
}

// Contract 9.8
#[test]
fn a_transactional_sink_receives_each_commit_once_across_restarts() {
    let directory = TempDir::new();
    let database = Arc::new(Mutex::new(Database::default()));
    for round in 1..=5 {
        let pipeline = persistent(&directory);
        pipeline.durability(Durability::NoSync);
        let table = pipeline.read_with(source(cats(round * 20, round % 2 == 0)), options("cats"));
        table.write_to(timed(&database, genus));
        csv::write(&table, directory.path("cats.csv"));
        let result = run(pipeline);
        assert_eq!(result.is_err(), round % 2 == 0);
        assert_eq!(database.lock().unwrap().rows, expected(round * 20));
    }
}

#[test]
fn a_transactional_sink_behind_the_checkpoint_receives_the_missing_commits() {
    for room in 0..6 {
        let directory = TempDir::new();
        let database = Arc::new(Mutex::new(Database::default()));
        let numbers = Arc::new(Mutex::new(Database::default()));
        let run_once = |room: usize, to: u64| {
            let pipeline = persistent(&directory);
            let table = pipeline.read_with(source(cats(to, false)), options("cats"));
            let mut sink = timed(&database, genus);
            sink.room = room;
            table.write_to(sink);
            // The table has no key, so the log stores its rows only for the transactional sink.
            let table = pipeline.read_with(
                source(move |numbers: Subject<Number, u64>| {
                    for n in numbers.resume().unwrap_or(0)..to {
                        numbers.next(Number { n })?;
                        numbers.commit_at(n + 1)?;
                    }
                    Ok(())
                }),
                options("numbers"),
            );
            let mut sink = timed(&numbers, |number: &Number| number.n.to_string());
            sink.room = room;
            table.write_to(sink);
            run(pipeline)
        };
        run_once(room, 50).unwrap_err();
        assert!(database.lock().unwrap().rows.len() <= expected(50).len());
        run_once(usize::MAX, 60).unwrap();
        assert_eq!(database.lock().unwrap().rows, expected(60), "room for {room}");
        assert!(numbers.lock().unwrap().rows.iter().map(|(n, _)| n.parse::<u64>().unwrap()).eq(0..60));
        run_once(usize::MAX, 70).unwrap();
        assert_eq!(database.lock().unwrap().rows, expected(70));
    }
}

#[test]
fn a_newer_or_exchanged_transactional_sink_is_rejected_and_no_file_is_touched() {
    let directory = TempDir::new();
    let database = Arc::new(Mutex::new(Database::default()));
    let run_once = |to: u64| {
        let pipeline = persistent(&directory);
        let table = pipeline.read_with(source(cats(to, false)), options("cats"));
        table.write_to(timed(&database, genus));
        csv::write(&table, directory.path("cats.csv"));
        run(pipeline)
    };
    run_once(10).unwrap();
    run_once(20).unwrap();
    let longer = format!("{}junk", crate::common::read(directory.path("cats.csv")));
    std::fs::write(directory.path("cats.csv"), &longer).unwrap();
    let good = database.lock().unwrap().clone();

    database.lock().unwrap().time = Some(u64::MAX);
    let error = run_once(30).unwrap_err().to_string();
    assert!(error.contains("sink `cats` failed: it has commits up to time 18446744073709551615"), "{error}");
    let help = "\nhelp: restore what the sink has written and the state directory from one backup, or remove both to start \
                over; if you have changed the order in which the sinks of the table are attached, undo that";
    assert!(error.contains(help), "{error}");
    *database.lock().unwrap() = Database::default();
    let error = run_once(30).unwrap_err().to_string();
    assert!(error.contains("it has no commit, but had commits up to ") && error.contains(help), "{error}");
    database.lock().unwrap().time = Some(1);
    let error = run_once(30).unwrap_err().to_string();
    assert!(error.contains("it has commits up to time 1 only, but had commits up to "), "{error}");
    assert!(error.contains("it was replaced by an older one") && error.contains(help), "{error}");
    assert_eq!(crate::common::read(directory.path("cats.csv")), longer);

    *database.lock().unwrap() = good;
    run_once(30).unwrap();
    assert_eq!(database.lock().unwrap().rows, expected(30));
}

#[test]
fn a_source_that_waits_for_a_transactional_sink_triggers_a_checkpoint() {
    for backlog in [1, 4, 100] {
        let directory = TempDir::new();
        let database = Arc::new(Mutex::new(Database::default()));
        let pipeline = persistent(&directory);
        pipeline.durability(Durability::Interval(Duration::from_secs(3600)));
        let table = pipeline.read_with(source(cats(200, false)), options("cats").backlog(backlog));
        table.write_to(timed(&database, genus));
        // A transaction makes many rows one commit.
        let numbers = pipeline.read_with(
            source(|numbers: Subject<Number, u64>| {
                for unit in 0..3 {
                    let transaction = numbers.transaction();
                    for n in 0..70 {
                        transaction.next(Number { n })?;
                    }
                    transaction.commit_at(unit + 1)?;
                }
                Ok(())
            }),
            options("numbers").backlog(backlog),
        );
        let numbers_database = Arc::new(Mutex::new(Database::default()));
        numbers.write_to(timed(&numbers_database, |number: &Number| number.n.to_string()));
        run(pipeline).unwrap();
        assert_eq!(database.lock().unwrap().rows, expected(200));
        assert_eq!(numbers_database.lock().unwrap().rows.len(), 210);
    }
}

#[test]
fn each_of_two_sinks_of_a_table_receives_the_commits_that_it_lacks() {
    let directory = TempDir::new();
    let databases: [Arc<Mutex<Database>>; 2] = Default::default();
    let run_with = |room: usize| {
        let pipeline = persistent(&directory);
        let first = Arc::clone(&databases[0]);
        let push = source(move |cats: Subject<Cat, u64>| {
            if cats.resume().is_none() {
                cats.next_at(1, cat(1, "felis"))?;
                cats.commit()?;
                wait_until("the first sink has the commit", || !first.lock().unwrap().rows.is_empty());
            }
            Ok(())
        });
        let cats = pipeline.read_with(push, options("cats"));
        cats.write_to(timed(&databases[0], genus));
        let mut second = timed(&databases[1], genus);
        second.room = room;
        cats.write_to(second);
        run(pipeline)
    };
    assert!(run_with(0).unwrap_err().to_string().contains("the database is full"));
    run_with(usize::MAX).unwrap();
    for database in databases {
        assert_eq!(database.lock().unwrap().rows, [("felis".to_owned(), 1)]);
    }
}
