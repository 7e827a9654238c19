//! The engine beside the plain way: rows to CSV as they are, through a computation that changes nothing, and counted by
//! genus; on one thread and on two; 100 k, 1 M and 10 M rows. And from a commit to the callback, with and without it.
//!
//! Each figure comes from a process of its own, since a peak of memory is a process's. Where `PATHWAY_IO_PEER_PYTHON` names
//! a Python with Pathway, its groupby is measured in the same run.

mod common;

use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use common::{Cat, Closure, cat, closure, peak, scratch};
use pathway_io::dataflow::Workers;
use pathway_io::{Pipeline, ReadOptions, Schema, Subject, csv};

#[derive(Schema)]
#[schema(dataflow)]
struct FlowCat {
    key: i64,
    genus: String,
    epithet: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct GenusCount {
    #[schema(primary_key)]
    genus: String,
    n: i64,
}

const WAYS: [&str; 3] = ["plain", "through", "counted"];

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, way, workers, rows, ..] = args.as_slice()
        && let (Ok(workers), Ok(rows)) = (workers.parse(), rows.parse())
    {
        return child(way, workers, rows);
    }
    let short = args.iter().any(|arg| arg == "--test");
    let sizes: &[u64] = if short { &[1_000] } else { &[100_000, 1_000_000, 10_000_000] };
    println!("{:<10} {:>8} {:>12} {:>12} {:>10}", "", "workers", "rows", "k rows/s", "peak MB");
    for &rows in sizes {
        for (way, workers) in WAYS.iter().flat_map(|way| [(way, 1), (way, 2)]) {
            if *way == "plain" && workers == 2 {
                continue;
            }
            let exe = std::env::current_exe().expect("this program");
            let status = Command::new(exe).args([way.to_string(), workers.to_string(), rows.to_string()]).status();
            assert!(status.is_ok_and(|status| status.success()), "the measured process failed");
        }
        peer(rows);
    }
    println!("\n{:<42} {:>9} {:>9}", "us", "p50", "p99");
    let rounds = if short { 10 } else { 20_000 };
    for (name, workers) in [("plain", 0), ("counted, 1 worker", 1), ("counted, 2 workers", 2)] {
        latency(name, workers, rounds);
    }
}

fn flow_cat(n: u64) -> FlowCat {
    let Cat { key, genus, epithet } = cat(n);
    FlowCat { key, genus, epithet }
}

fn child(way: &str, workers: usize, rows: u64) {
    let path = scratch("dataflow.csv");
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    let source: Closure<FlowCat, _> = closure(move |cats: Subject<FlowCat>| {
        for n in 0..rows {
            cats.next(flow_cat(n))?;
        }
        Ok(())
    });
    let cats = pipeline.read(source);
    match way {
        "plain" => csv::write(&cats, &path),
        "through" => csv::write(&cats.compute(|cats| cats), &path),
        _ => {
            let counts = cats
                .compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
            csv::write(&counts, &path);
        }
    }
    let start = Instant::now();
    pipeline.run_on(Workers::threads(workers)).expect("the benchmark's pipeline runs");
    report(way, workers, rows, start.elapsed());
    let _ = std::fs::remove_file(path);
}

fn report(way: &str, workers: usize, rows: u64, took: Duration) {
    let megabytes = peak().map_or("unknown".to_owned(), |peak| format!("{:.1}", peak as f64 / 1e6));
    println!("{way:<10} {workers:>8} {rows:>12} {:>12.0} {megabytes:>10}", rows as f64 / took.as_secs_f64() / 1e3);
}

/// Pathway's own, where it is there.
fn peer(rows: u64) {
    let Ok(python) = std::env::var("PATHWAY_IO_PEER_PYTHON") else { return };
    let path = scratch("peer.csv");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/pathway_groupby.py");
    let output = Command::new(python).arg(script).arg(rows.to_string()).arg(&path).output().expect("a Python");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let seconds = said.lines().find_map(|line| line.strip_prefix("secs ")).and_then(|secs| secs.parse::<f64>().ok());
    match seconds {
        Some(seconds) => println!("{:<10} {:>8} {rows:>12} {:>12.0}", "Pathway", 1, rows as f64 / seconds / 1e3),
        None => println!("Pathway could not be measured: {}", String::from_utf8_lossy(&output.stderr)),
    }
    let _ = std::fs::remove_file(path);
}

/// From a commit to the callback; without workers, without a computation.
fn latency(name: &str, workers: usize, rounds: u64) {
    let (seen, arrivals) = channel::<Instant>();
    let (report, reported) = channel();
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    let source: Closure<FlowCat, _> = closure(move |cats: Subject<FlowCat>| {
        let mut nanos = Vec::new();
        for n in 0..rounds {
            let start = Instant::now();
            cats.next(flow_cat(n))?;
            cats.commit()?;
            nanos.push((arrivals.recv()? - start).as_nanos());
        }
        report.send(nanos)?;
        Ok(())
    });
    let cats = pipeline.read_with(source, ReadOptions::new().autocommit(None));
    if workers == 0 {
        cats.subscribe_commits(move |_| _ = seen.send(Instant::now()));
    } else {
        let counts =
            cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
        counts.subscribe_commits(move |_| _ = seen.send(Instant::now()));
    }
    pipeline.run_on(Workers::threads(workers)).expect("the benchmark's pipeline runs");
    let mut nanos: Vec<u128> = reported.recv().expect("a report");
    nanos.sort_unstable();
    let percentile = |p: f64| nanos[((nanos.len() - 1) as f64 * p) as usize] as f64 / 1e3;
    println!("{name:<42} {:>9.1} {:>9.1}", percentile(0.5), percentile(0.99));
}
