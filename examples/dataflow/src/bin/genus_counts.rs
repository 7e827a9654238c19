//! Counts cats by genus as they arrive, and shows the retractions that each change makes.
//!
//! ```text
//! cargo run -p example-dataflow --bin genus_counts
//! cargo run -p example-dataflow --bin genus_counts -- --fast my.jsonl counts.csv
//! ```
//!
//! The source reads one cat per second and commits each. Each cat changes the count of its genus: the old row is
//! retracted (-1), and the new row is added (+1). The third cat comes a second time, because the manul was moved to
//! another genus. Its key is the same, so the cat is replaced and two counts change.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};

const USAGE: &str = "usage: genus_counts [--fast] [INPUT.jsonl] [OUTPUT.csv]";

/// A species of cat. The computation only reads it, so `Clone` is enough.
#[derive(Schema, Clone)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    epithet: String,
}

/// The column of a cat that the computation looks at.
#[derive(Schema, Clone)]
struct Genus {
    genus: String,
}

/// The number of species of a genus. The computation produces these rows, so they need `#[schema(dataflow)]`.
#[derive(Schema)]
#[schema(dataflow)]
struct GenusCount {
    #[schema(primary_key)]
    genus: String,
    n: i64,
}

struct Cats {
    path: PathBuf,
    /// The pause between two cats.
    pause: Duration,
}

#[connector(autocommit = off)]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        let file = self.path.display();
        let input = BufReader::new(File::open(&self.path).map_err(|error| format!("{file}: {error}"))?);
        for line in input.split(b'\n') {
            cats.next_json(line?).map_err(|error| format!("{file}, {error}"))?;
            cats.commit()?;
            cats.sleep(self.pause)?;
        }
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let (source, output) = parse_args()?;
    let pipeline = Pipeline::new();
    let cats = pipeline.read(source);
    let counts = cats
        .columns::<Genus>()
        .compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
    counts.subscribe_commits(|commit| {
        // The output may be closed: the updates still go into the file.
        let mut text = String::new();
        for update in commit.iter() {
            let _ = writeln!(text, "{:+} {} {}", update.diff, update.row.genus, update.row.n);
        }
        let _ = writeln!(io::stdout(), "{text}");
    });
    csv::write(&counts, &output);
    let summary = pipeline.run()?;
    let _ = writeln!(io::stdout(), "{summary}");
    let _ = writeln!(io::stdout(), "the counts are in {}", output.display());
    Ok(())
}

fn parse_args() -> Result<(Cats, PathBuf), Box<dyn std::error::Error + Send + Sync>> {
    let mut pause = Duration::from_secs(1);
    let mut paths = Vec::new();
    for arg in std::env::args_os().skip(1) {
        match arg.to_str() {
            Some("--fast") => pause = Duration::ZERO,
            Some(option) if option.starts_with('-') => return Err(USAGE.into()),
            _ => paths.push(PathBuf::from(arg)),
        }
    }
    let mut paths = paths.into_iter();
    let path = paths.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/cats.jsonl").into());
    let output = paths.next().unwrap_or_else(|| "counts.csv".into());
    if paths.next().is_some() || path == output {
        return Err(USAGE.into());
    }
    Ok((Cats { path, pause }, output))
}
