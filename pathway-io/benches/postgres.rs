//! Measures rows per second into PostgreSQL: upserts of new and of known keys, and appended updates.
//!
//! `PATHWAY_IO_POSTGRES` is the connection string of the database, and `PATHWAY_IO_ROWS` the number of rows
//! (1,000,000).

mod common;

use common::{KeyedCat, time};
use pathway_io::{ReadOptions, RunResult, Subject, postgres as sink};

/// Pushes each of `rows` keys once per round, and returns the rows per second.
fn run(config: &str, rows: i64, rounds: i64, options: sink::Options) -> f64 {
    let push = move |cats: Subject<KeyedCat>| -> RunResult {
        let epithets = ["catus", "lynx", "pardus", "silvestris", "onca"];
        for n in 0..rows * rounds {
            let key = n % rows;
            // The rows of a key differ from round to round, because an equal row would not be written.
            let (genus, epithet) = (format!("genus {}", n / rows + n % 1000), epithets[n as usize % 5].to_owned());
            cats.next(KeyedCat { key, genus, epithet })?;
        }
        Ok(())
    };
    let took = time(ReadOptions::new(), |cats| sink::write_with(cats, config, options), push);
    (rows * rounds) as f64 / took.as_secs_f64()
}

fn main() {
    let Ok(config) = std::env::var("PATHWAY_IO_POSTGRES") else {
        println!("skipped: PATHWAY_IO_POSTGRES is not set");
        return;
    };
    let rows: i64 = std::env::var("PATHWAY_IO_ROWS").map_or(1_000_000, |rows| rows.parse().expect("a number"));
    let options = || sink::Options::new().table("bench_cats");
    let clean = || {
        let mut client = postgres::Client::connect(&config, postgres::NoTls).expect("the server is there");
        client.batch_execute("DROP TABLE IF EXISTS bench_cats").expect("it is ours");
    };
    for round in 1..=3 {
        clean();
        let new = run(&config, rows, 1, options());
        clean();
        let known = run(&config, rows / 10, 10, options());
        clean();
        let appended = run(&config, rows, 1, options().updates());
        println!("{round}: upsert of new keys {new:.0} rows/s, of known keys {known:.0}, append {appended:.0}");
    }
    clean();
}
