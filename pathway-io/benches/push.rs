//! The cost of a push from one thread and from eight, beside the parser and the channel alone.

mod common;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use common::{Cat, KeyedCat, cat, cat_line, lines, push_lines, time};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pathway_io::{ReadOptions, Schema, Subject};

fn limits(c: &mut Criterion) {
    let mut group = c.benchmark_group("limit");
    group.throughput(Throughput::Elements(1));
    common::parse_limit(&mut group);
    group.bench_function("a message through an empty channel", |b| {
        b.iter_custom(|iters| {
            let (sender, receiver) = crossbeam_channel::bounded::<u64>(1024);
            let reader = std::thread::spawn(move || receiver.iter().sum::<u64>());
            let start = Instant::now();
            for n in 0..iters {
                sender.send(n).expect("a reader");
            }
            drop(sender);
            black_box(reader.join().expect("a sum"));
            start.elapsed()
        });
    });
    group.finish();
}

fn eight_threads<S: Schema>(
    rows: u64,
    push: impl Fn(&Subject<S>, u64) -> pathway_io::RunResult + Send + Sync + 'static,
) -> impl FnMut(Subject<S>) -> pathway_io::RunResult + Send + 'static {
    move |subject| {
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (subject, push) = (subject.clone(), &push);
                scope.spawn(move || (thread..rows).step_by(8).try_for_each(|n| push(&subject, n)));
            }
        });
        Ok(())
    }
}

fn push_literal(cats: &Subject<Cat>, n: u64) -> Result<(), pathway_io::Closed> {
    pathway_io::next!(cats, Cat { key: n as i64, genus: "felis", epithet: "catus" })
}

fn push(c: &mut Criterion) {
    let mut group = c.benchmark_group("push");
    group.throughput(Throughput::Elements(1));
    let input = Arc::new(lines(10_000, cat_line));
    let options = ReadOptions::new;
    group.bench_function("next", |b| {
        b.iter_custom(|iters| {
            time::<Cat>(options(), |_| {}, move |cats| (0..iters).try_for_each(|n| Ok(cats.next(cat(n))?)))
        });
    });
    group.bench_function("next_json", |b| {
        b.iter_custom(|iters| time::<Cat>(options(), |_| {}, push_lines(Arc::clone(&input), iters)));
    });
    // Buffers of a thousand lines, with one row per line.
    let buffers: Arc<Vec<String>> = Arc::new(input.chunks(1_000).map(|lines| lines.join("\n")).collect());
    group.bench_function("next_json_lines", |b| {
        b.iter_custom(|iters| {
            let buffers = Arc::clone(&buffers);
            let rows = iters.div_ceil(1_000) * 1_000;
            let push = move |cats: Subject<Cat>| -> pathway_io::RunResult {
                for buffer in buffers.iter().cycle().take(rows as usize / 1_000) {
                    cats.next_json_lines(buffer)?;
                }
                Ok(())
            };
            time::<Cat>(options(), |_| {}, push).mul_f64(iters as f64 / rows as f64)
        });
    });
    group.bench_function("next_json by key", |b| {
        b.iter_custom(|iters| time::<KeyedCat>(options(), |_| {}, push_lines(Arc::clone(&input), iters)));
    });
    group.bench_function("next!", |b| {
        b.iter_custom(|iters| {
            time::<Cat>(options(), |_| {}, move |cats| (0..iters).try_for_each(|n| Ok(push_literal(&cats, n)?)))
        });
    });
    group.bench_function("next!, eight threads", |b| {
        b.iter_custom(|iters| {
            time::<Cat>(options(), |_| {}, eight_threads(iters, |cats, n| Ok(push_literal(cats, n)?)))
        });
    });
    group.bench_function("next, eight threads", |b| {
        b.iter_custom(|iters| time::<Cat>(options(), |_| {}, eight_threads(iters, |cats, n| Ok(cats.next(cat(n))?))));
    });
    group.bench_function("next_json, eight threads", |b| {
        b.iter_custom(|iters| {
            let input = Arc::clone(&input);
            let push = move |cats: &Subject<Cat>, n: u64| Ok(cats.next_json(&input[n as usize % input.len()])?);
            time::<Cat>(options(), |_| {}, eight_threads(iters, push))
        });
    });
    group.finish();
}

criterion_group!(benches, limits, push);
criterion_main!(benches);
