//! A program that copies JSON Lines to CSV through a pipeline. `peers/compare` runs it beside the other systems.
//!
//! `jsonl_to_csv IN.jsonl OUT plain|keyed|parquet|hand|parse` prints the seconds of the run and the peak memory in MB.
//! With `parquet` (feature `parquet`) it writes Parquet files into the directory `OUT`. With `hand` a loop does the
//! same with serde_json and the `csv` crate. With `parse` it only reads and parses the input, which is the upper limit
//! for the others.

mod common;

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use common::{Cat, KeyedCat, Parsed, peak, time};
#[cfg(feature = "parquet")]
use pathway_io::parquet::Options;
use pathway_io::{ReadOptions, Schema, Table, csv};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let took = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [input, output, "plain"] => run::<Cat>(input, output),
        [input, output, "keyed"] => run::<KeyedCat>(input, output),
        #[cfg(feature = "parquet")]
        [input, output, "parquet"] => {
            run_to::<Cat>(input, |table| pathway_io::parquet::write(table, output, Options::new()))
        }
        [input, output, "hand"] => by_hand(input, output),
        [input, _, "parse"] => parse(input),
        // `cargo bench` runs the program without arguments, and then there is nothing to measure.
        _ => return println!("usage: jsonl_to_csv IN.jsonl OUT plain|keyed|parquet|hand|parse"),
    };
    println!("secs {:.4}", took.as_secs_f64());
    if let Some(peak) = peak() {
        println!("peak {:.1}", peak as f64 / 1e6);
    }
}

fn run<S: Schema>(input: &str, output: &str) -> Duration {
    run_to::<S>(input, |table| csv::write(table, output))
}

fn run_to<S: Schema>(input: &str, sink: impl FnOnce(&Table<S>)) -> Duration {
    let input = input.to_owned();
    let options = ReadOptions::new().autocommit(Duration::from_secs(1));
    time::<S>(options, sink, move |table| for_each_line(&input, |line| Ok(table.next_json(line)?)))
}

/// The loop that a user writes.
fn by_hand(input: &str, output: &str) -> Duration {
    let start = Instant::now();
    let mut out = ::csv::Writer::from_path(output).expect("a file that can be written");
    out.write_record(["key", "genus", "epithet", "time", "diff"]).expect("room for the header");
    for_each_line(input, |line| {
        let Parsed { key, genus, epithet } = serde_json::from_slice(line)?;
        Ok(out.serialize((key, genus, epithet, 1_790_000_000_000_u64, 1))?)
    })
    .expect("a file of cats");
    out.flush().expect("room for the rows");
    start.elapsed()
}

fn parse(input: &str) -> Duration {
    let start = Instant::now();
    for_each_line(input, |line| {
        black_box(serde_json::from_slice::<Parsed<'_>>(line)?);
        Ok(())
    })
    .expect("a file of cats");
    start.elapsed()
}

fn for_each_line(input: &str, mut take: impl FnMut(&[u8]) -> pathway_io::RunResult) -> pathway_io::RunResult {
    let mut reader = BufReader::with_capacity(64 * 1024, File::open(input)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        take(&line)?;
        line.clear();
    }
    Ok(())
}
