//! Counting cats with the engine and by hand: rows per second, peak memory, and the time from a commit to the sink.
//!
//! Each figure comes from its own process, because peak memory is measured per process. `peers/compare` runs this
//! program with the arguments `groupby IN.jsonl OUT.csv THREADS` beside Pathway.

mod common;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use common::{Cat, GENERA, cat, peak, percentiles, scratch, time_on};
use pathway_io::dataflow::Workers;
use pathway_io::{ReadOptions, RunResult, Schema, Subject, Table, csv};

/// The column by which cats are counted.
#[derive(Schema, Clone)]
struct Genus {
    genus: String,
}

#[derive(Schema, Clone)]
struct Key {
    key: i64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct GenusCount {
    #[schema(primary_key)]
    genus: String,
    n: i64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct KeyCount {
    #[schema(primary_key)]
    key: i64,
    n: i64,
}

/// A computation on the cats.
#[derive(Clone, Copy)]
struct Job {
    name: &'static str,
    says: &'static str,
    lay_out: fn(&Table<Cat>),
}

const JOBS: [Job; 8] = [
    Job { name: "no-engine", says: "no engine, no sink", lay_out: |_| () },
    Job { name: "by-hand", says: "no engine, counted by hand", lay_out: by_hand },
    Job { name: "map", says: "engine, rows in and none out", lay_out: |cats| write(&filtered(cats)) },
    Job { name: "genus", says: "engine, count by genus", lay_out: |cats| write(&by_genus(cats)) },
    Job { name: "column", says: "engine, count by genus alone", lay_out: |cats| write(&by_genus_alone(cats)) },
    Job { name: "number", says: "engine, count by number", lay_out: |cats| write(&by_number(cats)) },
    Job { name: "key", says: "engine, count by key", lay_out: |cats| write(&by_key(cats)) },
    Job { name: "key-column", says: "engine, count by key alone", lay_out: |cats| write(&by_key_alone(cats)) },
];

fn by_hand(cats: &Table<Cat>) {
    let mut counts: HashMap<String, i64> = HashMap::new();
    let mut output = File::create(output()).expect("a file");
    cats.subscribe_commits(move |commit| {
        for update in commit.iter() {
            match counts.get_mut(&update.row.genus) {
                Some(n) => *n += update.diff,
                None => _ = counts.insert(update.row.genus, update.diff),
            }
        }
        for (genus, n) in &counts {
            writeln!(output, "{genus},{n},{},1", commit.time()).expect("the write succeeds");
        }
    });
}

fn filtered(cats: &Table<Cat>) -> Table<KeyCount> {
    cats.compute(|cats| cats.filter(|cat| cat.key < 0).map(|cat| KeyCount { key: cat.key, n: 0 }))
}

fn by_genus(cats: &Table<Cat>) -> Table<GenusCount> {
    cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }))
}

/// Counts by genus, without a struct of all columns for each cat.
fn by_genus_alone(cats: &Table<Cat>) -> Table<GenusCount> {
    cats.columns::<Genus>()
        .compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }))
}

fn by_number(cats: &Table<Cat>) -> Table<KeyCount> {
    cats.compute(|cats| cats.map(|cat| cat.key % 7).count().map(|(key, n)| KeyCount { key, n: n as i64 }))
}

fn by_key(cats: &Table<Cat>) -> Table<KeyCount> {
    cats.compute(|cats| cats.map(|cat| cat.key).count().map(|(key, n)| KeyCount { key, n: n as i64 }))
}

/// Reads only the key, so no two rows are equal.
fn by_key_alone(cats: &Table<Cat>) -> Table<KeyCount> {
    cats.columns::<Key>().compute(|cats| cats.map(|cat| cat.key).count().map(|(key, n)| KeyCount { key, n: n as i64 }))
}

fn write<S: Schema>(table: &Table<S>) {
    csv::write(table, output());
}

fn output() -> std::path::PathBuf {
    scratch("dataflow.csv")
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["groupby", input, output, threads] => groupby(input, output, number(threads) as usize),
        ["throughput", job, threads, rows] => throughput(job, number(threads) as usize, number(rows)),
        ["latency", job, threads, rounds] => latency(job, number(threads) as usize, number(rounds)),
        _ => all(args.iter().any(|arg| arg == "--test")),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// Runs all measurements. `cargo test --benches` sets `short`.
fn all(short: bool) {
    let sizes: &[&str] = if short { &["1000"] } else { &["100000", "1000000", "10000000"] };
    println!("{:<32} {:>7} {:>11} {:>11} {:>9} {:>8}", "", "threads", "rows", "k rows/s", "ns a row", "peak MB");
    for job in JOBS {
        for threads in ["1", "2"] {
            if threads == "2" && !job.says.starts_with("engine") {
                continue;
            }
            for rows in sizes {
                again(&["throughput", job.name, threads, rows]);
            }
        }
    }
    println!("\n{:<32} {:>7} {:>9} {:>9} {:>9}", "commit() to the callback, us", "threads", "p50", "p99", "p99.9");
    for (job, threads) in [("plain", "1"), ("genus", "1"), ("genus", "2")] {
        again(&["latency", job, threads, if short { "10" } else { "20000" }]);
    }
}

fn again(args: &[&str]) {
    let exe = std::env::current_exe().expect("this program");
    let status = Command::new(exe).args(args).status();
    assert!(status.is_ok_and(|status| status.success()), "the measured process failed");
}

fn throughput(job: &str, threads: usize, rows: u64) {
    let job = JOBS.into_iter().find(|known| known.name == job).expect("a job");
    let run = move |cats: Subject<Cat>| {
        let mut line = Vec::new();
        for n in 0..rows {
            line.clear();
            let genus = GENERA[n as usize % GENERA.len()];
            write!(line, r#"{{"key": {n}, "genus": "{genus}", "epithet": "e{}"}}"#, n % 1000)?;
            cats.next_json(&line)?;
        }
        Ok(())
    };
    let took = time_on(Workers::threads(threads), ReadOptions::new(), job.lay_out, run);
    // Some jobs write no output.
    let _ = std::fs::remove_file(output());
    let peak = peak().map_or("unknown".to_owned(), |peak| format!("{:.1}", peak as f64 / 1e6));
    let (rate, each) = (rows as f64 / took.as_secs_f64() / 1e3, took.as_nanos() as f64 / rows as f64);
    println!("{:<32} {threads:>7} {rows:>11} {rate:>11.0} {each:>9.0} {peak:>8}", job.says);
}

/// Measures the time from a commit of one row to its result.
fn latency(job: &str, threads: usize, rounds: u64) {
    let (seen, arrivals) = channel();
    let (report, reported) = channel();
    let sinks = |cats: &Table<Cat>| match job {
        "plain" => cats.subscribe_commits(move |_| _ = seen.send(Instant::now())),
        _ => by_genus(cats).subscribe_commits(move |_| _ = seen.send(Instant::now())),
    };
    let run = move |cats: Subject<Cat>| -> RunResult {
        let mut nanos = Vec::new();
        for n in 0..rounds {
            cats.next(cat(n))?;
            let start = Instant::now();
            cats.commit()?;
            nanos.push((arrivals.recv()? - start).as_nanos());
        }
        Ok(report.send(nanos)?)
    };
    time_on(Workers::threads(threads), ReadOptions::new().autocommit(None), sinks, run);
    let says = if job == "plain" { "no engine" } else { "engine, count by genus" };
    let latencies = percentiles(reported.recv().expect("a report"), [50.0, 99.0, 99.9]);
    println!("{says:<32} {threads:>7}{latencies}");
}

/// Counts JSON Lines by genus into a CSV file. Prints the seconds of the run and the peak memory in MB.
fn groupby(input: &str, output: &str, threads: usize) {
    let input = input.to_owned();
    let took = time_on(
        Workers::threads(threads),
        ReadOptions::new().autocommit(Duration::from_secs(1)),
        |cats| csv::write(&by_genus_alone(cats), output),
        move |cats| {
            let mut reader = BufReader::with_capacity(64 * 1024, File::open(&input)?);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line)? > 0 {
                cats.next_json(&line)?;
                line.clear();
            }
            Ok(())
        },
    );
    println!("secs {:.4}", took.as_secs_f64());
    if let Some(peak) = peak() {
        println!("peak {:.1}", peak as f64 / 1e6);
    }
}
