//! Measures rows per second into PostgreSQL: upserts of new and of known keys, and appended updates.
//!
//! `PATHWAY_IO_POSTGRES` is the connection string of the database, and `PATHWAY_IO_ROWS` the number of rows (1,000,000).

use std::time::Instant;

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, postgres as sink};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    epithet: String,
}

struct Cats {
    rows: i64,
    /// The number of rounds. Each round pushes every key once.
    rounds: i64,
}

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        let epithets = ["catus", "lynx", "pardus", "silvestris", "onca"];
        for n in 0..self.rows * self.rounds {
            let key = n % self.rows;
            // The rows of a key differ from round to round, because an equal row would not be written.
            let (genus, epithet) = (format!("genus {}", n / self.rows + n % 1000), epithets[n as usize % 5].to_owned());
            cats.next(Cat { key, genus, epithet })?;
        }
        Ok(())
    }
}

fn run(config: &str, rows: i64, rounds: i64, options: sink::Options) -> f64 {
    let pipeline = Pipeline::new();
    sink::write_with(&pipeline.read(Cats { rows, rounds }), config, options);
    let start = Instant::now();
    pipeline.run().expect("the server is there");
    (rows * rounds) as f64 / start.elapsed().as_secs_f64()
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
