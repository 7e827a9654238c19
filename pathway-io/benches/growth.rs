//! The growth of time and memory for 100 k, 1 M and 10 M rows from JSON to CSV, and the bytes per key of the upsert
//! state. Each figure comes from its own process, because peak memory is measured per process. The job `changed` pushes
//! rows of 10,000 known keys, each different from the last row of its key.

mod common;

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use common::{Cat, KeyedCat, cat, peak, scratch, time};
use pathway_io::{ReadOptions, Schema, csv};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, schema, rows, ..] = args.as_slice()
        && let Ok(rows) = rows.parse()
    {
        return child(schema, rows);
    }
    let sizes: &[u64] =
        if args.iter().any(|arg| arg == "--test") { &[1_000] } else { &[100_000, 1_000_000, 10_000_000] };
    println!("{:<10} {:>12} {:>12} {:>14}", "", "rows", "ns a row", "peak MB");
    for schema in ["plain", "keyed", "changed"] {
        for &rows in sizes {
            if schema != "plain" && rows > 1_000_000 {
                continue;
            }
            let exe = std::env::current_exe().expect("this program");
            let status = Command::new(exe).args([schema, &rows.to_string()]).status();
            assert!(status.is_ok_and(|status| status.success()), "the measured process failed");
        }
    }
}

fn child(schema: &str, rows: u64) {
    let before = peak();
    let took = match schema {
        "plain" => run::<Cat>(rows, u64::MAX),
        "keyed" => run::<KeyedCat>(rows, u64::MAX),
        _ => run::<KeyedCat>(rows, 10_000),
    };
    let peak = peak();
    let megabytes = peak.map_or("unknown".to_owned(), |peak| format!("{:.1}", peak as f64 / 1e6));
    print!("{schema:<10} {rows:>12} {:>12.0} {megabytes:>14}", took.as_nanos() as f64 / rows as f64);
    if let (Some(before), Some(peak), "keyed") = (before, peak, schema) {
        print!("   {:.0} bytes a key", (peak - before) as f64 / rows as f64);
    }
    println!();
}

fn run<S: Schema>(rows: u64, keys: u64) -> Duration {
    let path = scratch("growth.csv");
    let took = time::<S>(
        ReadOptions::new(),
        |table| csv::write(table, &path),
        move |table| {
            let mut line = Vec::new();
            for n in 0..rows {
                let (cat, key) = (cat(n), n % keys);
                line.clear();
                write!(line, r#"{{"key": {key}, "genus": "{}", "epithet": "{}"}}"#, cat.genus, cat.epithet)?;
                table.next_json(&line)?;
            }
            Ok(())
        },
    );
    let _ = std::fs::remove_file(path);
    took
}
