//! Partitioned sources, of which each process reads its own partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{Cluster, ranked};
use crate::common::TempDir;

/// Adds up the updates of a file. Every prefix must be a table.
fn table(path: &Path) -> BTreeMap<String, i64> {
    let mut rows = BTreeMap::new();
    for line in ranked(path) {
        let (row, diff) = line.rsplit_once(',').unwrap();
        let (row, _) = row.rsplit_once(',').unwrap();
        let count = rows.entry(row.to_owned()).or_insert(0);
        *count += diff.parse::<i64>().unwrap();
        assert!(*count >= 0, "{row} was retracted before it was added");
    }
    rows.retain(|_, count| *count != 0);
    rows
}

/// Returns the updates of a file as a set.
fn updates(path: &Path) -> BTreeSet<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// Returns the updates that the workers have written, each into its own file.
fn in_parts_of(dir: &TempDir, workers: usize) -> BTreeSet<String> {
    assert!(!dir.path(&format!("each.{workers}.csv")).exists());
    (0..workers).flat_map(|worker| updates(&dir.path(&format!("each.{worker}.csv")))).collect()
}

/// Checks that the rows of a commit are in push order. With a key, this is the order of each key's first push.
fn in_push_order(dir: &TempDir, workers: usize) {
    let lines = ranked(&dir.path("0.lines.csv"));
    for part in 0..workers {
        let of_part = lines.iter().filter_map(|line| line.strip_prefix(&format!("{part},NaN,")));
        let texts: Vec<&str> = of_part.map(|line| &line[..line.rfind("\",").unwrap()]).collect();
        let pushed = (0..10).flat_map(|commit| (0..40).map(move |key| format!("\"\"\"{key}\"\",{commit}")));
        assert_eq!(texts, pushed.collect::<Vec<_>>());
    }
    let words = ranked(&dir.path("0.words.csv"));
    let times_and_keys = words.iter().map(|row| -> (u64, u32) {
        let mut fields = row.split(',');
        let key = fields.next().unwrap().parse().unwrap();
        (fields.nth(1).unwrap().parse().unwrap(), key)
    });
    // One partition may have reached the last key while another still pushes the earlier keys.
    assert!(times_and_keys.filter(|(_, key)| *key < 40).is_sorted(), "{words:?}");
}

#[test]
fn partitions_of_all_processes_feed_one_table() {
    for (processes, threads) in [(1, 2), (2, 1), (2, 2)] {
        let mut cluster = Cluster::start(&["parts", "parts"][..processes], threads);
        for (out, err) in cluster.end() {
            assert!(out.contains("ended: None"), "{out}{err}");
        }
        let workers = processes * threads;
        let words = table(&cluster.dir.path("0.words.csv"));
        assert_eq!(words.len(), 41, "{words:?}");
        assert!(words.keys().all(|row| row.ends_with("in 9") || row == "40,the last"), "{words:?}");
        assert_eq!(in_parts_of(&cluster.dir, workers), updates(&cluster.dir.path("0.words.csv")));
        in_push_order(&cluster.dir, workers);
        let lines = table(&cluster.dir.path("0.lines.csv"));
        assert_eq!(lines.len(), 400 * workers);
        assert!(lines.keys().any(|row| row == "0,NaN,\"\"\"39\"\",9\""), "{lines:?}");
        let counts = table(&cluster.dir.path("0.csv"));
        let counted: i64 = counts.keys().map(|row| row.rsplit_once(',').unwrap().1.parse::<i64>().unwrap()).sum();
        assert_eq!(counted, 41, "{counts:?}");
        assert_eq!(table(&cluster.dir.path("0.projected.csv")), counts);
    }
}

#[test]
fn each_process_has_its_own_quarantine_file() {
    let mut cluster = Cluster::start(&["bad", "bad"], 2);
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: None"), "{out}{err}");
    }
    for process in [0, 1] {
        let bad = fs::read_to_string(cluster.dir.path(&format!("bad.{process}.jsonl"))).unwrap();
        let mut rows: Vec<bool> = (0..4).map(|part| bad.contains(&format!("bad {part}"))).collect();
        rows.rotate_left(process * 2);
        assert_eq!(rows, [true, true, false, false], "{bad}");
    }
    assert_eq!(table(&cluster.dir.path("0.csv")).len(), 4);
}

#[cfg(unix)]
#[test]
fn an_idle_process_does_not_delay_the_others() {
    let mut cluster = Cluster::start(&["silent", "silent"], 2);
    cluster.wait_for_lines("0.words.csv", 1 + 40 + 9 * 80 + 1);
    cluster.wait_for_lines("0.lines.csv", 1 + 400);
    cluster.signal(0, "-TERM");
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
    }
}

#[test]
fn rows_that_only_a_computation_reads_are_not_gathered() {
    let mut cluster = Cluster::start(&["between", "between"], 1);
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: None"), "{out}{err}");
    }
    let counts = table(&cluster.dir.path("0.csv"));
    assert_eq!(counts.into_keys().collect::<Vec<_>>(), ["0,400", "1,400"]);
}

/// Each worker opens its own file once.
#[test]
fn the_file_of_each_worker_fails_once() {
    let mut cluster = Cluster::start(&["misplaced", "misplaced"], 1);
    for (process, (out, err)) in cluster.end().into_iter().enumerate() {
        let own = format!("sink `{}` failed", cluster.dir.path(&format!("missing/each.{process}.csv")).display());
        assert_eq!(out.matches(&own).count(), 1, "{out}{err}");
    }
}
