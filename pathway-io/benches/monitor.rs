//! Measures a snapshot of 10 running sources and 10 sinks (the bound is 5 us), and the cost of a monitor that is polled
//! ten times a second while rows are converted from JSON to CSV.
//!
//! The second benchmark prints its own table. `PATHWAY_IO_ROWS` sets the number of rows of each run (4,000,000).

mod common;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use common::{Cat, cat_line, lines, push_lines, scratch};

use criterion::{Criterion, criterion_group, criterion_main};
use pathway_io::{Pipeline, ReadOptions, RunResult, Schema, Subject, connector, csv};

#[derive(Schema)]
struct Tick {
    n: u64,
}

struct Ticks;

#[connector]
impl Ticks {
    fn run(&mut self, ticks: Subject<Tick>) -> RunResult {
        ticks.next(Tick { n: 1 })?;
        ticks.commit()?;
        Ok(ticks.wait_closed()?)
    }
}

fn snapshot(c: &mut Criterion) {
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    for n in 0..10 {
        let table = pipeline.read_with(Ticks, ReadOptions::new().name(format!("source-{n}")));
        table.subscribe(|_| {});
    }
    let running = pipeline.start().expect("it starts");
    let monitor = running.monitor();
    let began = Instant::now();
    while monitor.snapshot().sinks.iter().any(|sink| sink.updates == 0) {
        assert!(began.elapsed() < Duration::from_secs(30), "the rows come");
    }
    c.bench_function("snapshot of 10 sources and 10 sinks", |b| b.iter(|| black_box(monitor.snapshot())));
    running.stop();
    running.join().expect("it ends");
}

/// Returns the rows per second from JSON to CSV.
fn run(input: &Arc<Vec<String>>, rows: u64, polled: bool) -> f64 {
    let path = scratch("monitor.csv");
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    csv::write(&pipeline.read(common::closure::<Cat, ()>(push_lines(Arc::clone(input), rows))), &path);
    let monitor = pipeline.monitor();
    let (end, ended) = mpsc::channel::<()>();
    let poller = std::thread::spawn(move || {
        while polled
            && ended
                .recv_timeout(Duration::from_millis(100))
                .is_err_and(|error| error == mpsc::RecvTimeoutError::Timeout)
        {
            black_box(monitor.snapshot());
        }
    });
    let start = Instant::now();
    pipeline.run().expect("it runs");
    let rate = rows as f64 / start.elapsed().as_secs_f64();
    drop(end);
    poller.join().expect("it ends");
    std::fs::remove_file(path).expect("it was written");
    rate
}

/// Runs with and without a polled monitor, in turn.
fn polled(_: &mut Criterion) {
    let rows = std::env::var("PATHWAY_IO_ROWS").map_or(4_000_000, |rows| rows.parse().expect("a number"));
    let input = Arc::new(lines(20_000, cat_line));
    run(&input, rows, true);
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..14 {
        // The order of the two alternates.
        for polled in [round % 2 == 0, round % 2 == 1] {
            rates[usize::from(polled)].push(run(&input, rows, polled));
        }
    }
    for (name, mut rates) in ["without a monitor", "polled at 10 Hz"].into_iter().zip(rates) {
        rates.sort_by(f64::total_cmp);
        let (low, middle, high) = (rates[0], rates[rates.len() / 2], rates[rates.len() - 1]);
        println!("{name:>18}: median {middle:.0} rows/s, {low:.0} to {high:.0}");
    }
}

criterion_group!(benches, snapshot, polled);
criterion_main!(benches);
