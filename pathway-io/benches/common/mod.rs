//! Shared code of the benchmarks: schemas, input, and a source that calls a closure.
#![allow(dead_code, reason = "each benchmark uses only a part of it")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use pathway_io::dataflow::Workers;
use pathway_io::{Connector, Offset, Pipeline, ReadOptions, RunResult, Schema, Subject, Table};
use serde::Deserialize;

/// The tutorial's row.
#[derive(Schema, Clone)]
pub struct Cat {
    pub key: i64,
    pub genus: String,
    pub epithet: String,
}

/// The tutorial's row with a primary key.
#[derive(Schema, Clone)]
pub struct KeyedCat {
    #[schema(primary_key)]
    pub key: i64,
    pub genus: String,
    pub epithet: String,
}

/// A row with integers and floats only.
#[derive(Schema, Clone)]
pub struct Numbers {
    pub a: i64,
    pub b: u32,
    pub c: f64,
    pub d: f64,
}

/// A row with eight columns.
#[derive(Schema, Clone)]
pub struct Eight {
    pub a: i64,
    pub b: String,
    pub c: i64,
    pub d: String,
    pub e: f64,
    pub f: bool,
    pub g: Option<i64>,
    pub h: String,
}

macro_rules! wide {
    ($($name:ident)*) => {
        /// A row with 32 columns of integers.
        #[derive(Schema, Clone)]
        pub struct Wide { $(pub $name: i64),* }

        /// The names of the columns of [`Wide`].
        pub const WIDE: &[&str] = &[$(stringify!($name)),*];
    };
}
wide!(a0 a1 a2 a3 a4 a5 a6 a7 b0 b1 b2 b3 b4 b5 b6 b7 c0 c1 c2 c3 c4 c5 c6 c7 d0 d1 d2 d3 d4 d5 d6 d7);

/// The genera of the cats.
pub const GENERA: [&str; 7] = ["felis", "lynx", "otocolobus", "panthera", "puma", "caracal", "leopardus"];

/// Returns the cat with number `n`.
pub fn cat(n: u64) -> Cat {
    Cat { key: n as i64, genus: GENERA[n as usize % 7].into(), epithet: format!("e{}", n % 1000) }
}

/// Returns `rows` JSON lines, each generated from its number.
pub fn lines(rows: u64, line: impl Fn(u64) -> String) -> Vec<String> {
    (0..rows).map(line).collect()
}

/// Returns a cat as a JSON line.
pub fn cat_line(key: u64) -> String {
    let Cat { genus, epithet, .. } = cat(key);
    format!(r#"{{"key": {key}, "genus": "{genus}", "epithet": "{epithet}"}}"#)
}

/// Returns a cat with an epithet of one kilobyte as a JSON line.
pub fn long_line(key: u64) -> String {
    format!(r#"{{"key": {key}, "genus": "felis", "epithet": "{}"}}"#, "x".repeat(1000))
}

/// Returns [`Numbers`] as a JSON line.
pub fn number_line(n: u64) -> String {
    format!(r#"{{"a": {n}, "b": {}, "c": {}.5, "d": {}}}"#, n % 1000, n, n as f64 / 7.0)
}

/// Returns [`Eight`] as a JSON line.
pub fn eight_line(n: u64) -> String {
    let Cat { genus, epithet, .. } = cat(n);
    format!(
        r#"{{"a": {n}, "b": "{genus}", "c": {n}, "d": "{epithet}", "e": {n}.25, "f": true, "g": null, "h": "{genus}"}}"#
    )
}

/// Returns [`Wide`] as a JSON line.
pub fn wide_line(n: u64) -> String {
    let mut line = String::from("{");
    for (i, name) in WIDE.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(line, "{comma}\"{name}\": {}", n + i as u64).expect("writing to a `String` succeeds");
    }
    line + "}"
}

/// A source that calls a closure.
struct Closure<S, O, F>(F, PhantomData<fn(S, O)>);

impl<S: Schema, O: Offset, F: FnMut(Subject<S, O>) -> RunResult + Send + 'static> Connector for Closure<S, O, F> {
    type Subjects = Subject<S, O>;
    type Tables = Table<S>;

    fn run(&mut self, subject: Subject<S, O>) -> RunResult {
        (self.0)(subject)
    }
}

/// Returns a source that calls a closure.
pub fn closure<S: Schema, O: Offset>(
    run: impl FnMut(Subject<S, O>) -> RunResult + Send + 'static,
) -> impl Connector<Subjects = Subject<S, O>, Tables = Table<S>> {
    Closure(run, PhantomData)
}

/// Runs a pipeline with one source, and returns the time from its start to its end.
pub fn time<S: Schema>(
    options: ReadOptions,
    sinks: impl FnOnce(&Table<S>),
    run: impl FnMut(Subject<S>) -> RunResult + Send + 'static,
) -> Duration {
    time_on(Workers::threads(1), options, sinks, run)
}

/// Runs a pipeline with one source on several workers, and returns the time from its start to its end.
pub fn time_on<S: Schema>(
    workers: Workers,
    options: ReadOptions,
    sinks: impl FnOnce(&Table<S>),
    run: impl FnMut(Subject<S>) -> RunResult + Send + 'static,
) -> Duration {
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    sinks(&pipeline.read_with(closure(run), options));
    let start = Instant::now();
    pipeline.run_on(workers).expect("the benchmark's pipeline runs");
    start.elapsed()
}

/// Pushes `rows` JSON lines by repeating the given ones.
pub fn push_lines<S: Schema>(
    lines: std::sync::Arc<Vec<String>>,
    rows: u64,
) -> impl FnMut(Subject<S>) -> RunResult + Send + 'static {
    move |subject| {
        for line in lines.iter().cycle().take(rows as usize) {
            subject.next_json(line)?;
        }
        Ok(())
    }
}

/// Returns a path for an output file in the system's temporary directory.
pub fn scratch(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("pathway-io-bench-{}-{name}", std::process::id()))
}

/// Returns the peak resident memory of this process in bytes, if it is known. It is known on Linux.
pub fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Returns the percentiles of a latency in microseconds, each as a column of a table.
pub fn percentiles<const N: usize>(mut nanos: Vec<u128>, percent: [f64; N]) -> String {
    nanos.sort_unstable();
    let column = |percent| {
        let nanos = nanos[((nanos.len() - 1) as f64 * percent / 100.0) as usize];
        format!(" {:>9.1}", nanos as f64 / 1e3)
    };
    percent.map(column).concat()
}

/// The tutorial's row, borrowed from its line: the least work that a parser can do.
#[derive(Deserialize)]
pub struct Parsed<'a> {
    pub key: i64,
    pub genus: &'a str,
    pub epithet: &'a str,
}

/// Measures the parser alone, which every reader of JSON Lines needs.
pub fn parse_limit(group: &mut BenchmarkGroup<'_, WallTime>) {
    let input = lines(10_000, cat_line);
    group.bench_function("serde_json parses a row", |b| {
        let mut lines = input.iter().cycle();
        b.iter(|| {
            let row: Parsed<'_> = serde_json::from_str(lines.next().expect("endless")).expect("a row");
            black_box((row.key, row.genus, row.epithet))
        });
    });
}
