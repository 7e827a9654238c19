//! The tutorial: a file of JSON lines becomes a stream of updates in a CSV file, while it is read.
//!
//! ```text
//! cargo run --example cats
//! cargo run --release --example cats -- --fast my.jsonl out.csv
//! ```
//!
//! The rows come one a second, and `output.csv` grows while they do. With `--fast` they come as fast as they are read.
//! A line that does not fit the schema ends the run; the rows before it are in the output.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Duration;

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};

const USAGE: &str = "usage: cats [--fast] [INPUT] [OUTPUT]";

/// A species of cat.
#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    epithet: String,
}

struct FileStream {
    path: PathBuf,
    /// Between one row and the next.
    pause: Option<Duration>,
}

#[connector]
impl FileStream {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        let file = self.path.display();
        let mut input = BufReader::new(File::open(&self.path).map_err(|error| format!("{file}: {error}"))?);
        // One buffer for all lines: `lines()` would allocate each anew.
        let mut line = Vec::new();
        while input.read_until(b'\n', &mut line).map_err(|error| format!("{file}: {error}"))? > 0 {
            cats.next_json(&line).map_err(|error| format!("{file}, {error}"))?;
            line.clear();
            if let Some(pause) = self.pause {
                cats.sleep(pause)?;
            }
        }
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let args = Args::parse()?;
    let pipeline = Pipeline::new();
    pipeline.progress(true);
    let cats = pipeline.read(FileStream { path: args.input, pause: args.pause });
    csv::write(&cats, &args.output);
    let summary = pipeline.run()?;
    println!("{summary}");
    println!("the updates are in {}", args.output.display());
    Ok(())
}

struct Args {
    input: PathBuf,
    output: PathBuf,
    pause: Option<Duration>,
}

impl Args {
    fn parse() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut pause = Some(Duration::from_secs(1));
        let mut paths = Vec::new();
        for arg in std::env::args_os().skip(1) {
            match arg.to_str() {
                Some("--fast") => pause = None,
                Some("--help") => {
                    println!("{USAGE}");
                    std::process::exit(0);
                }
                Some(option) if option.starts_with('-') => {
                    return Err(format!("unknown option `{option}`; {USAGE}").into());
                }
                _ => paths.push(PathBuf::from(arg)),
            }
        }
        let mut paths = paths.into_iter();
        let input = paths.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/cats.jsonl").into());
        let output = paths.next().unwrap_or_else(|| "output.csv".into());
        if let Some(more) = paths.next() {
            return Err(format!("`{}` is one path too many; {USAGE}", more.display()).into());
        }
        // The output is truncated before the input is read.
        if let (Ok(from), Ok(to)) = (input.canonicalize(), output.canonicalize())
            && from == to
        {
            return Err(format!("`{}` is both the input and the output", input.display()).into());
        }
        Ok(Args { input, output, pause })
    }
}
