//! The complete path of a row, from JSON or a struct to a file, a callback or no sink, with and without a key.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use common::{
    Cat, Eight, KeyedCat, Numbers, Wide, cat, cat_line, eight_line, lines, long_line, number_line, push_lines, scratch,
    time, wide_line,
};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use pathway_io::{ReadOptions, Schema, csv, jsonlines};

/// Measures one schema from JSON Lines to CSV.
fn to_csv<S: Schema>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, line: impl Fn(u64) -> String) {
    let input = Arc::new(lines(20_000, line));
    let path = scratch("end_to_end.csv");
    group.bench_function(name, |b| {
        b.iter_custom(|iters| {
            time::<S>(ReadOptions::new(), |table| csv::write(table, &path), push_lines(Arc::clone(&input), iters))
        });
    });
    // A run without output has created no file.
    let _ = std::fs::remove_file(path);
}

fn limits(c: &mut Criterion) {
    let mut group = c.benchmark_group("limit");
    group.throughput(Throughput::Elements(1));
    common::parse_limit(&mut group);
    group.bench_function("the csv crate writes a row", |b| {
        let rows: Vec<_> = (0..1000).map(cat).collect();
        let mut writer = ::csv::WriterBuilder::new().from_writer(std::io::sink());
        let mut rows = rows.iter().cycle();
        b.iter(|| {
            let cat = rows.next().expect("endless");
            let key = cat.key.to_string();
            writer.write_record([&key, &cat.genus, &cat.epithet, "1790000000000", "1"]).expect("a sink");
        });
    });
    group.bench_function("memcpy of a row", |b| {
        let line = cat_line(123_456);
        let mut copy = vec![0u8; line.len()];
        b.iter(|| black_box(&mut copy).copy_from_slice(black_box(line.as_bytes())));
    });
    group.finish();
}

fn way(c: &mut Criterion) {
    let mut group = c.benchmark_group("end to end");
    group.throughput(Throughput::Elements(1));
    to_csv::<Cat>(&mut group, "json to csv, 3 columns", cat_line);
    to_csv::<Cat>(&mut group, "json to csv, 1 kB strings", long_line);
    to_csv::<Numbers>(&mut group, "json to csv, numbers only", number_line);
    to_csv::<Eight>(&mut group, "json to csv, 8 columns", eight_line);
    to_csv::<Wide>(&mut group, "json to csv, 32 columns", wide_line);
    let input = Arc::new(lines(20_000, cat_line));
    let path = scratch("way.jsonl");
    group.bench_function("json to json lines", |b| {
        b.iter_custom(|iters| {
            let sinks = |table: &_| jsonlines::write(table, &path);
            time::<Cat>(ReadOptions::new(), sinks, push_lines(Arc::clone(&input), iters))
        });
    });
    let _ = std::fs::remove_file(path);
    group.bench_function("rows to subscribe", |b| {
        b.iter_custom(|iters| {
            let sinks = |table: &pathway_io::Table<Cat>| table.subscribe(|update| _ = black_box(update.row.key));
            time(ReadOptions::new(), sinks, move |cats| (0..iters).try_for_each(|n| Ok(cats.next(cat(n))?)))
        });
    });
    group.finish();

    let mut group = c.benchmark_group("upsert");
    group.throughput(Throughput::Elements(1));
    to_csv_by_key(&mut group, "json to csv, all keys new", |n| n);
    to_csv_by_key(&mut group, "json to csv, half repeated", |n| n / 2);
    to_csv_by_key(&mut group, "json to csv, one hot key", |_| 0);
    group.finish();
}

/// Keys are generated during the push, so that the ratio of new keys does not depend on the number of rows.
fn to_csv_by_key(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, key: fn(u64) -> u64) {
    use std::io::Write as _;
    let path = scratch("upsert.csv");
    group.bench_function(name, |b| {
        b.iter_custom(|iters| {
            time::<KeyedCat>(
                ReadOptions::new(),
                |table| csv::write(table, &path),
                move |cats| {
                    let mut line = Vec::new();
                    for n in 0..iters {
                        line.clear();
                        write!(line, r#"{{"key": {}, "genus": "felis", "epithet": "e{}"}}"#, key(n), n % 1000)?;
                        cats.next_json(&line)?;
                    }
                    Ok(())
                },
            )
        });
    });
    let _ = std::fs::remove_file(path);
}

fn batches(c: &mut Criterion) {
    let mut group = c.benchmark_group("commit every");
    group.throughput(Throughput::Elements(1));
    for every in [1, 10, 1_000, 100_000] {
        group.bench_function(format!("{every} rows"), |b| {
            b.iter_custom(|iters| {
                let options = ReadOptions::new().autocommit(None);
                let sinks =
                    |table: &pathway_io::Table<Cat>| table.subscribe_commits(|commit| _ = black_box(commit.len()));
                let run = move |cats: pathway_io::Subject<Cat>| {
                    for n in 0..iters {
                        cats.next(cat(n))?;
                        if n % every == 0 {
                            cats.commit()?;
                        }
                    }
                    Ok(())
                };
                time(options, sinks, run)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, limits, way, batches);
criterion_main!(benches);
