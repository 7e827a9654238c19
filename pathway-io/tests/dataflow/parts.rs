//! Partitioned sources, with one partition for each worker.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pathway_io::dataflow::{Partition, Workers};
use pathway_io::{BadRows, Error, ReadOptions, RunResult, Schema, Subject, connector};

use crate::common::{Seen, commits, pipeline, run, run_on};

#[derive(Schema)]
#[schema(dataflow)]
struct Number {
    n: u64,
    part: u64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Count {
    #[schema(primary_key)]
    part: u64,
    n: i64,
}

#[derive(Clone)]
struct Numbers;

#[connector]
impl Numbers {
    fn run(&mut self, numbers: Subject<Number>, part: Partition) -> RunResult {
        for n in (0..60).filter(|n| n % part.count as u64 == part.index as u64) {
            numbers.next(Number { n, part: part.index as u64 })?;
        }
        Ok(())
    }
}

#[test]
fn each_worker_reads_its_partition() {
    for workers in [1, 2, 3] {
        let pipeline = pipeline();
        let numbers = pipeline.read(Numbers);
        let counts =
            commits(&numbers.compute(|numbers| {
                numbers.map(|number| number.part).count().map(|(part, n)| Count { part, n: n as i64 })
            }));
        let numbers = commits(&numbers);
        let summary = run_on(pipeline, Workers::threads(workers)).unwrap();
        assert_eq!(summary.sources.len(), workers);
        assert_eq!(summary.rows(), 60);
        let numbers: Vec<Seen<Number>> = numbers.try_iter().collect();
        let rows: BTreeSet<u64> = numbers.iter().flat_map(|commit| &commit.updates).map(|(row, _)| row.n).collect();
        assert_eq!(rows, (0..60).collect());
        let times: Vec<u64> = numbers.iter().map(|commit| commit.time).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
        let counts: BTreeSet<(Count, i64)> = counts.try_iter().flat_map(|commit| commit.updates).collect();
        let each = 60 / workers as i64;
        assert_eq!(counts, (0..workers as u64).map(|part| (Count { part, n: each }, 1)).collect());
    }
}

#[test]
fn a_run_on_one_worker_has_one_partition_and_the_plain_source_name() {
    let pipeline = pipeline();
    pipeline.read(Numbers);
    let summary = run(pipeline).unwrap();
    assert_eq!(summary.source("Numbers").map(|source| source.rows), Some(60));
}

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    #[schema(primary_key)]
    key: u64,
    by: u64,
}

/// A source whose partitions all push the same keys.
#[derive(Clone)]
struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>, part: Partition) -> RunResult {
        for key in 0..50 {
            cats.next(Cat { key, by: part.index as u64 })?;
            if key % 10 == 0 {
                cats.commit()?;
            }
        }
        cats.commit()?;
        cats.remove(7)?;
        Ok(())
    }
}

/// A source whose partitions each commit a whole table.
#[derive(Clone)]
struct Whole;

#[connector]
impl Whole {
    fn run(&mut self, cats: Subject<Cat>, part: Partition) -> RunResult {
        cats.next(Cat { key: part.index as u64, by: 0 })?;
        cats.commit()?;
        let all = cats.transaction().replace_all();
        all.next(Cat { key: 7, by: part.index as u64 })?;
        Ok(all.commit()?)
    }
}

#[test]
fn a_partition_cannot_replace_the_whole_table() {
    let pipeline = pipeline();
    let cats = commits(&pipeline.read(Whole));
    let error = run_on(pipeline, Workers::threads(2)).unwrap_err();
    assert!(error.to_string().contains("`replace_all`, but it is read in 2 partitions"), "{error}");
    let updates: Vec<_> = cats.try_iter().flat_map(|commit| commit.updates).collect();
    assert!(updates.iter().all(|(row, diff)| row.key < 2 && *diff == 1), "{updates:?}");
}

#[test]
fn a_partition_that_is_the_only_one_replaces_the_table() {
    let pipeline = pipeline();
    let cats = commits(&pipeline.read(Whole));
    run_on(pipeline, Workers::threads(1)).unwrap();
    let updates: Vec<_> = cats.try_iter().flat_map(|commit| commit.updates).collect();
    assert_eq!(updates, [(Cat { key: 0, by: 0 }, 1), (Cat { key: 7, by: 0 }, 1), (Cat { key: 0, by: 0 }, -1)]);
}

#[test]
fn all_partitions_feed_one_table_with_one_row_for_each_key() {
    let pipeline = pipeline();
    let cats = pipeline.read(Cats);
    let cats = (commits(&cats.compute(|cats| cats)), commits(&cats));
    run_on(pipeline, Workers::threads(3)).unwrap();
    for cats in [cats.0, cats.1] {
        let mut rows = std::collections::BTreeMap::new();
        for (row, diff) in cats.try_iter().flat_map(|commit| commit.updates) {
            *rows.entry(row).or_insert(0) += diff;
        }
        rows.retain(|_, n| *n != 0);
        assert!(rows.values().all(|n| *n == 1));
        let keys: BTreeSet<u64> = rows.keys().map(|row| row.key).collect();
        assert_eq!(keys.len(), rows.len());
        // The last removal of key 7 may come before the last push of it.
        assert!((0..50).filter(|key| *key != 7).all(|key| keys.contains(&key)));
    }
}

#[derive(Clone)]
struct Broken;

#[connector(name = "broken")]
impl Broken {
    fn run(&mut self, numbers: Subject<Number>, part: Partition) -> RunResult {
        if part.index == 1 {
            return Err("no such partition".into());
        }
        numbers.wait_closed()?;
        Ok(())
    }
}

#[test]
fn a_failing_partition_is_named() {
    let pipeline = pipeline();
    pipeline.read(Broken);
    let error = run_on(pipeline, Workers::threads(3)).unwrap_err();
    assert!(matches!(error, Error::Connector(_)));
    assert_eq!(error.to_string(), "connector `broken[1]` failed: no such partition");
}

/// A source that cannot be cloned for the third worker. The first clone is made when the source is added.
struct Unclonable(Arc<AtomicUsize>);

impl Clone for Unclonable {
    fn clone(&self) -> Self {
        assert!(self.0.fetch_add(1, Ordering::Relaxed) < 3, "no more clones");
        Unclonable(Arc::clone(&self.0))
    }
}

#[connector(name = "unclonable")]
impl Unclonable {
    fn run(&mut self, numbers: Subject<Number>, _part: Partition) {
        drop(numbers);
    }
}

#[test]
fn a_source_that_cannot_be_cloned_is_named() {
    for is_computed_on in [false, true] {
        let pipeline = pipeline();
        let numbers = pipeline.read(Unclonable(Arc::default()));
        let _computed = is_computed_on.then(|| numbers.compute(|numbers| numbers));
        let error = run_on(pipeline, Workers::threads(3)).unwrap_err();
        assert_eq!(error.to_string(), "connector `unclonable` panicked in its clone: no more clones");
    }
}

#[derive(Clone)]
struct Torn;

#[connector(name = "torn")]
impl Torn {
    fn run(&mut self, numbers: Subject<Number>, _part: Partition) -> RunResult {
        for _ in 0..2 {
            numbers.next_json("torn")?;
        }
        Ok(())
    }
}

// Contract 7.3
#[test]
fn the_limit_of_bad_rows_holds_for_all_partitions_together() {
    for (limit, is_exceeded) in [(5, true), (6, false)] {
        let pipeline = pipeline();
        pipeline.read_with(Torn, ReadOptions::new().bad_rows(BadRows::Skip).bad_rows_limit(limit));
        let result = run_on(pipeline, Workers::threads(3));
        assert_eq!(result.is_err(), is_exceeded, "{result:?}");
    }
}
