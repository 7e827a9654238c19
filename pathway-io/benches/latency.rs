//! The time from a commit to the callback, and from a push to the callback under autocommit: percentiles in
//! microseconds.
//!
//! The benchmark has its own harness, because the distribution matters here and not the mean.

mod common;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use common::{Cat, cat, percentiles, time};
use pathway_io::{Commit, ReadOptions, RunResult, Sink, SinkOptions, Subject, Table};

fn main() {
    // `cargo test --benches` requests a short run.
    let short = std::env::args().any(|arg| arg == "--test");
    let rounds = if short { 10 } else { 20_000 };
    println!("{:<42} {:>9} {:>9} {:>9}", "us", "p50", "p99", "p99.9");
    report("limit: a channel to a waiting thread", wake_ups(rounds));
    let manual = || ReadOptions::new().autocommit(None);
    measure("commit() to subscribe", manual(), rounds, |cats| cats.commit());
    measure_with(
        "commit() to an inline sink",
        manual(),
        rounds,
        |cats| cats.commit(),
        |cats, seen| {
            cats.write_to_with(Arrival(seen), SinkOptions::new().inline(true));
        },
    );
    for ms in [1, 10, 100] {
        let rounds = if short { 2 } else { (2_000 / ms).max(20) };
        let interval = Duration::from_millis(ms);
        let options = ReadOptions::new().autocommit(interval);
        measure(&format!("next to subscribe, autocommit {ms} ms"), options.clone(), rounds, |_| Ok(()));
        // The rows are sparse, because otherwise an eager autocommit makes no difference.
        let pause = move |cats: &Subject<Cat>| cats.sleep(interval * 2);
        measure(&format!("the same, eager, a row every {} ms", 2 * ms), options.eager(true), rounds.min(200), pause);
    }
}

/// Measures the time from the send of a message to its arrival at a thread that waits for it.
fn wake_ups(rounds: u64) -> Vec<u128> {
    let (messages, received) = crossbeam_channel::unbounded();
    let (seen, arrivals) = channel();
    let waiting = std::thread::spawn(move || received.iter().try_for_each(|()| seen.send(Instant::now())));
    let nanos = (0..rounds).map(|_| {
        let start = Instant::now();
        messages.send(()).expect("the thread waits");
        (arrivals.recv().expect("the thread waits") - start).as_nanos()
    });
    let nanos = nanos.collect();
    drop(messages);
    waiting.join().expect("the thread does not panic").expect("the times are received");
    nanos
}

/// Sends the time of each commit.
struct Arrival(Sender<Instant>);

impl Sink<Cat> for Arrival {
    fn write(&mut self, _: &Commit<Cat>) -> RunResult {
        Ok(self.0.send(Instant::now())?)
    }
}

fn measure(
    name: &str,
    options: ReadOptions,
    rounds: u64,
    commit: impl Fn(&Subject<Cat>) -> Result<(), pathway_io::Closed> + Send + 'static,
) {
    measure_with(name, options, rounds, commit, |cats, seen| {
        cats.subscribe(move |_| _ = seen.send(Instant::now()));
    });
}

fn measure_with(
    name: &str,
    options: ReadOptions,
    rounds: u64,
    commit: impl Fn(&Subject<Cat>) -> Result<(), pathway_io::Closed> + Send + 'static,
    sink: impl FnOnce(&Table<Cat>, Sender<Instant>),
) {
    let (seen, arrivals) = channel();
    let (times, reported) = channel();
    time::<Cat>(
        options,
        |cats| sink(cats, seen),
        move |cats| {
            times.send(round_trips(&cats, &arrivals, rounds, &commit)?)?;
            Ok(())
        },
    );
    report(name, reported.recv().expect("the times"));
}

fn report(name: &str, nanos: Vec<u128>) {
    println!("{name:<42}{}", percentiles(nanos, [50.0, 99.0, 99.9]));
}

fn round_trips(
    cats: &Subject<Cat>,
    arrivals: &Receiver<Instant>,
    rounds: u64,
    commit: impl Fn(&Subject<Cat>) -> Result<(), pathway_io::Closed>,
) -> Result<Vec<u128>, Box<dyn std::error::Error + Send + Sync>> {
    let mut nanos = Vec::new();
    for n in 0..rounds {
        let start = Instant::now();
        cats.next(cat(n))?;
        commit(cats)?;
        nanos.push((arrivals.recv()? - start).as_nanos());
    }
    Ok(nanos)
}
