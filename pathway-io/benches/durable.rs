//! The cost of durability: the time from a commit to `on_durable`, and the rows per second of a persistent pipeline.
//! For comparison, it also measures the two syncs that every checkpoint needs, one of the output and one of the log.
//!
//! `peers/compare` runs `durable IN.jsonl OUT.csv ROWS-A-COMMIT none|every|interval|os`, which prints the seconds of
//! the run and the peak memory in MB.
//!
//! The benchmark has its own harness, because the distribution matters here and not the mean. Its files are in the
//! directory for temporary files, so `TMPDIR` selects the disk.

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use common::{Cat, KeyedCat, cat, closure, peak, percentiles};
use pathway_io::{Durability, Pipeline, ReadOptions, RunResult, Schema, Subject, csv};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if let [input, output, every, durability] = &args[..] {
        let durability = match durability.as_str() {
            "none" => None,
            "every" => Some(Durability::EveryCommit),
            "interval" => Some(Durability::Interval(Duration::from_millis(100))),
            _ => Some(Durability::NoSync),
        };
        let took = job(input, Path::new(output), every.parse().expect("a number of rows"), durability);
        println!("secs {:.4}", took.as_secs_f64());
        if let Some(peak) = peak() {
            println!("peak {:.1}", peak as f64 / 1e6);
        }
        return;
    }
    // `cargo test --benches` requests a short run.
    let short = std::env::args().any(|arg| arg == "--test");
    let (commits, rows) = if short { (10, 10_000) } else { (2_000, 2_000_000) };
    println!("{:<58} {:>9} {:>9}", "us", "p50", "p99");
    report("limit: two files written and synced in turn", two_syncs(commits));
    for durability in [Durability::EveryCommit, Durability::NoSync] {
        report(&format!("commit_at to on_durable, {durability:?}"), latency(durability, commits));
    }
    println!("\n{:<58} {:>9}", "rows to CSV, 1,000 a commit", "rows/s");
    let keyed = |n: u64| {
        let Cat { key, genus, epithet } = cat(n);
        KeyedCat { key: key % 100_000, genus, epithet }
    };
    for (name, durability) in [
        ("not persistent", None),
        ("EveryCommit", Some(Durability::EveryCommit)),
        ("Interval(100ms)", Some(Durability::Interval(Duration::from_millis(100)))),
        ("NoSync", Some(Durability::NoSync)),
    ] {
        println!("{:<58} {:>9.0}", format!("no key, {name}"), throughput(durability, rows, cat));
        println!("{:<58} {:>9.0}", format!("100,000 keys, {name}"), throughput(durability, rows, keyed));
    }
}

/// Copies the lines of a file to CSV, with `every` rows per commit. The state is on the same disk as the output.
fn job(input: &str, output: &Path, every: u64, durability: Option<Durability>) -> Duration {
    let input = input.to_owned();
    let directory = output.parent().expect("a file is in a directory");
    let state = tempfile::tempdir_in(directory).expect("a directory");
    persistent(state.path(), output, durability, move |cats: Subject<Cat, u64>| {
        let mut reader = BufReader::with_capacity(64 * 1024, File::open(&input)?);
        let mut line = Vec::new();
        let mut at = 0;
        while reader.read_until(b'\n', &mut line)? > 0 {
            at += 1;
            cats.next_json_at(at, &line)?;
            if at.is_multiple_of(every) {
                cats.commit()?;
            }
            line.clear();
        }
        Ok(())
    })
}

fn report(name: &str, nanos: Vec<u128>) {
    println!("{name:<58}{}", percentiles(nanos, [50.0, 99.0]));
}

fn two_syncs(rounds: u64) -> Vec<u128> {
    let directory = tempfile::tempdir().expect("a directory");
    let [mut output, mut log] =
        ["output", "log"].map(|name| File::create(directory.path().join(name)).expect("a file"));
    let round = |_| {
        let start = Instant::now();
        for file in [&mut output, &mut log] {
            file.write_all(&[b'x'; 100]).and_then(|()| file.sync_data()).expect("a disk");
        }
        start.elapsed().as_nanos()
    };
    (0..rounds).map(round).collect()
}

fn persistent<S: Schema>(
    directory: &Path,
    output: &Path,
    durability: Option<Durability>,
    run: impl FnMut(Subject<S, u64>) -> RunResult + Send + 'static,
) -> Duration {
    let pipeline = match durability {
        None => Pipeline::new(),
        Some(_) => Pipeline::persistent(directory.join("state")).expect("a state"),
    };
    pipeline.handle_signals(false).durability(durability.unwrap_or_default());
    let table = pipeline.read_with(closure(run), ReadOptions::new().name("source").autocommit(None));
    csv::write(&table, output);
    let start = Instant::now();
    pipeline.run().expect("it runs");
    start.elapsed()
}

fn latency(durability: Durability, rounds: u64) -> Vec<u128> {
    let directory = tempfile::tempdir().expect("a directory");
    let (report, reported) = channel();
    persistent(
        directory.path(),
        &directory.path().join("output.csv"),
        Some(durability),
        move |cats: Subject<Cat, u64>| {
            let (durable, is_durable) = channel();
            cats.on_durable(move |offset: &u64| _ = durable.send((*offset, Instant::now())));
            for n in 0..rounds {
                let start = Instant::now();
                cats.next(cat(n))?;
                cats.commit_at(n)?;
                let (offset, at) = is_durable.recv()?;
                assert_eq!(offset, n);
                report.send(at.duration_since(start).as_nanos())?;
            }
            Ok(())
        },
    );
    reported.try_iter().collect()
}

fn throughput<S: Schema>(
    durability: Option<Durability>,
    rows: u64,
    row: impl Fn(u64) -> S + Send + Copy + 'static,
) -> f64 {
    let directory = tempfile::tempdir().expect("a directory");
    let took = persistent(
        directory.path(),
        &directory.path().join("output.csv"),
        durability,
        move |table: Subject<S, u64>| {
            for n in 0..rows {
                table.next(row(n))?;
                if n % 1000 == 999 {
                    table.commit_at(n)?;
                }
            }
            Ok(())
        },
    );
    rows as f64 / took.as_secs_f64()
}
