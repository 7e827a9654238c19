//! Compares the cost of a push by a task with that of a push by a thread, and measures the time of a stop.

mod common;

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use common::{Cat, cat, time};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{StreamExt, stream};
use pathway_io::__private0::tasks::Drive;
use pathway_io::{AsyncSubject, Pipeline, ReadOptions, RunResult, Schema, Subject, connector};

/// Runs `push` in an `async fn run`.
fn drive<S: Schema>(
    push: impl AsyncFn(AsyncSubject<S>) -> RunResult + Send + 'static,
) -> impl FnMut(Subject<S>) -> RunResult + Send {
    move |rows| Drive::new(&rows, Duration::ZERO).run(push(rows.to_async()))
}

fn push(c: &mut Criterion) {
    let mut group = c.benchmark_group("async push");
    group.throughput(Throughput::Elements(1));
    let options = ReadOptions::new;
    group.bench_function("Subject::next", |b| {
        b.iter_custom(|iters| {
            time::<Cat>(options(), |_| {}, move |cats| (0..iters).try_for_each(|n| Ok(cats.next(cat(n))?)))
        });
    });
    group.bench_function("AsyncSubject::next", |b| {
        b.iter_custom(|iters| {
            let push = async move |cats: AsyncSubject<Cat>| {
                for n in 0..iters {
                    cats.next(cat(n)).await?;
                }
                Ok(())
            };
            time::<Cat>(options(), |_| {}, drive(push))
        });
    });
    group.bench_function("a permit", |b| {
        b.iter_custom(|iters| {
            let push = async move |cats: AsyncSubject<Cat>| {
                for n in 0..iters {
                    cats.reserve().await?.next(cat(n))?;
                }
                Ok(())
            };
            time::<Cat>(options(), |_| {}, drive(push))
        });
    });
    group.bench_function("stream.forward", |b| {
        b.iter_custom(|iters| {
            let push = async move |cats: AsyncSubject<Cat>| {
                Ok(stream::iter(0..iters).map(cat).map(Ok).forward(cats.sink()).await?)
            };
            time::<Cat>(options(), |_| {}, drive(push))
        });
    });
    group.bench_function("Subject::next of a number", |b| {
        b.iter_custom(|iters| {
            time::<common::Numbers>(options(), |_| {}, move |rows| (0..iters).try_for_each(|n| Ok(rows.next(row(n))?)))
        });
    });
    group.bench_function("AsyncSubject::next of a number", |b| {
        b.iter_custom(|iters| {
            let push = async move |rows: AsyncSubject<common::Numbers>| {
                for n in 0..iters {
                    rows.next(row(n)).await?;
                }
                Ok(())
            };
            time::<common::Numbers>(options(), |_| {}, drive(push))
        });
    });
    group.finish();
}

/// A source whose `run` never returns.
struct Hanging(Sender<()>);

#[connector]
impl Hanging {
    async fn run(&mut self, cats: AsyncSubject<Cat>) -> RunResult {
        cats.next(cat(0)).await?;
        self.0.send(())?;
        std::future::pending().await
    }
}

/// Measures the time from a stop to the end of the pipeline.
fn stop(c: &mut Criterion) {
    c.bench_function("stop of a run that never returns", |b| {
        b.iter_custom(|iters| {
            let stops = (0..iters).map(|_| {
                let (ready, is_ready) = channel();
                let pipeline = Pipeline::new();
                pipeline.handle_signals(false);
                pipeline.read(Hanging(ready));
                let running = pipeline.start().expect("the pipeline starts");
                is_ready.recv().expect("the source runs");
                let start = Instant::now();
                running.stop();
                running.join().expect("the run ends in order");
                start.elapsed()
            });
            stops.sum()
        });
    });
}

fn row(n: u64) -> common::Numbers {
    common::Numbers { a: n as i64, b: 1, c: 2.0, d: 3.0 }
}

criterion_group!(benches, push, stop);
criterion_main!(benches);
