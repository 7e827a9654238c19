//! Measures rows per second from structs into each sink: 1,000,000 rows of three columns with new keys, the sinks in
//! turn.
//!
//! `PATHWAY_IO_POSTGRES` is the connection string of a database; without it, PostgreSQL is skipped. `PATHWAY_IO_ROWS`
//! is the number of rows.

mod common;

use common::{KeyedCat, time};
use pathway_io::{ReadOptions, RunResult, Subject, Table, csv, jsonlines, parquet, postgres, sqlite};

fn run(rows: i64, attach: impl FnOnce(&Table<KeyedCat>)) -> f64 {
    let push = move |cats: Subject<KeyedCat>| -> RunResult {
        let epithets = ["catus", "lynx", "pardus", "silvestris", "onca"];
        for key in 0..rows {
            let (genus, epithet) = (format!("genus {}", key % 1000), epithets[key as usize % 5].to_owned());
            cats.next(KeyedCat { key, genus, epithet })?;
        }
        Ok(())
    };
    rows as f64 / time(ReadOptions::new(), attach, push).as_secs_f64()
}

fn main() {
    let rows = std::env::var("PATHWAY_IO_ROWS").map_or(1_000_000, |rows| rows.parse().expect("a number"));
    let database = std::env::var("PATHWAY_IO_POSTGRES").ok();
    for round in 1..=3 {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let print = |name: &str, rate: f64| println!("{round}: {name}: {rate:.0} rows/s");
        print("csv", run(rows, |cats| csv::write(cats, path("cats.csv"))));
        print("jsonlines", run(rows, |cats| jsonlines::write(cats, path("cats.jsonl"))));
        print("parquet", run(rows, |cats| parquet::write(cats, path("parts"), parquet::Options::new())));
        print("sqlite, rows", run(rows, |cats| sqlite::write(cats, path("rows.sqlite"))));
        let options = sqlite::Options::new().updates();
        print("sqlite, updates", run(rows, |cats| sqlite::write_with(cats, path("updates.sqlite"), options)));
        if let Some(database) = &database {
            let options = postgres::Options::new().table("bench_rows");
            print("postgres, rows", run(rows, |cats| postgres::write_with(cats, database, options)));
            let options = postgres::Options::new().table("bench_updates").updates();
            print("postgres, updates", run(rows, |cats| postgres::write_with(cats, database, options)));
        }
    }
}
