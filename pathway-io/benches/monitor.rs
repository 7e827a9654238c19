//! What a snapshot costs while 10 sources and 10 sinks run. The bound is 5 us.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use pathway_io::{Pipeline, ReadOptions, RunResult, Schema, Subject, connector};

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

criterion_group!(benches, snapshot);
criterion_main!(benches);
