//! The cats of the tutorial, counted by genus while they arrive.
//!
//! ```text
//! cargo run -p example-dataflow --bin genus_counts
//! cargo run -p example-dataflow --bin genus_counts -- CATS.jsonl COUNTS.csv
//! ```

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Duration;

use pathway_io::{Pipeline, Schema, Subject, Update, connector, csv};

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    epithet: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct GenusCount {
    #[schema(primary_key)]
    genus: String,
    n: i64,
}

struct FileStream {
    path: PathBuf,
}

#[connector(name = "cats", autocommit = "10ms")]
impl FileStream {
    fn run(&mut self, cats: Subject<Cat>) -> pathway_io::Result<()> {
        for line in BufReader::new(File::open(&self.path)?).lines() {
            cats.next_json(line?)?;
            cats.sleep(Duration::from_millis(300))?;
        }
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let cats = args.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../cats.jsonl").into());
    let output = args.next().unwrap_or_else(|| "counts.csv".into());

    let pipeline = Pipeline::new();
    let cats = pipeline.read(FileStream { path: cats });
    let counts =
        cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
    counts.subscribe(|update: &Update<GenusCount>| {
        println!("{:+} {} {}", update.diff, update.row.genus, update.row.n);
    });
    csv::write(&counts, &output);
    pipeline.run()?;
    println!("the counts are in {}", output.display());
    Ok(())
}
