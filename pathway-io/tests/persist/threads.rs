//! Several threads that push with offsets into one subject.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use pathway_io::{Durability, RunResult, Schema, csv};

use crate::common::{Subject, TempDir, run, source};
use crate::restart::{options, persistent, rows};

#[derive(Schema)]
struct Event {
    partition: u64,
    n: u64,
}

/// The position in each partition.
type Positions = BTreeMap<u64, u64>;

const PARTITIONS: u64 = 4;
const EVENTS: u64 = 300;

/// Reads each partition on its own thread from its position, and stops after `most` events in total.
fn read_partitions(events: &Subject<Event, Positions>, most: u64) -> RunResult {
    let positions = events.resume().unwrap_or_default();
    let from = positions.clone();
    // The offset holds the positions of all partitions, so the row and its offset are pushed under one lock.
    let shared = Mutex::new((positions, most));
    thread::scope(|scope| {
        for partition in 0..PARTITIONS {
            let (shared, from) = (&shared, from.get(&partition).copied().unwrap_or(0));
            scope.spawn(move || {
                for n in from..EVENTS {
                    let (positions, left) = &mut *shared.lock().unwrap();
                    let Some(fewer) = left.checked_sub(1) else { return };
                    *left = fewer;
                    positions.insert(partition, n + 1);
                    if events.next_at(positions.clone(), Event { partition, n }).is_err() {
                        return;
                    }
                    if n % 7 == 0 && events.commit().is_err() {
                        return;
                    }
                }
            });
        }
    });
    if shared.into_inner().unwrap().1 == 0 { Err("torn".into()) } else { Ok(()) }
}

#[test]
fn each_row_arrives_once_however_often_the_run_is_interrupted() {
    for durability in [Durability::EveryCommit, Durability::NoSync] {
        let directory = TempDir::new();
        let mut runs = 0;
        loop {
            let pipeline = persistent(&directory);
            pipeline.durability(durability);
            let events = pipeline.read_with(
                source(|events: Subject<Event, Positions>| read_partitions(&events, 170)),
                options("events").autocommit(Duration::from_millis(1)).backlog(16),
            );
            csv::write(&events, directory.path("events.csv"));
            runs += 1;
            if run(pipeline).is_ok() {
                break;
            }
        }
        assert!(runs > 5, "{runs} runs");
        let mut next = [0; PARTITIONS as usize];
        for row in rows(&directory, "events.csv") {
            let numbers = row.strip_suffix(" 1").and_then(|row| row.split_once(',')).unwrap();
            let (partition, n): (usize, u64) = (numbers.0.parse().unwrap(), numbers.1.parse().unwrap());
            assert_eq!(n, next[partition], "in partition {partition}");
            next[partition] += 1;
        }
        assert_eq!(next, [EVENTS; PARTITIONS as usize]);
    }
}
