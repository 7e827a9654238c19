//! JSON Lines to CSV through a pipeline, as a program: what `peers/compare` runs beside the other systems.
//!
//! `jsonl_to_csv IN.jsonl OUT.csv plain|keyed` prints the seconds that the run took, and the peak memory in MB.

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use common::{Cat, KeyedCat, peak, time};
use pathway_io::{ReadOptions, Schema, csv};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let took = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [input, output, "plain"] => run::<Cat>(input, output),
        [input, output, "keyed"] => run::<KeyedCat>(input, output),
        // `cargo bench` runs it without arguments, and there is nothing to measure then.
        _ => return println!("usage: jsonl_to_csv IN.jsonl OUT.csv plain|keyed"),
    };
    println!("secs {:.4}", took.as_secs_f64());
    if let Some(peak) = peak() {
        println!("peak {:.1}", peak as f64 / 1e6);
    }
}

fn run<S: Schema>(input: &str, output: &str) -> Duration {
    let input = input.to_owned();
    time::<S>(
        ReadOptions::new().autocommit(Duration::from_secs(1)),
        |table| csv::write(table, output),
        move |table| {
            let mut reader = BufReader::with_capacity(64 * 1024, File::open(&input)?);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line)? > 0 {
                table.next_json(&line)?;
                line.clear();
            }
            Ok(())
        },
    )
}
