//! Counts the words of a text in one process or in several, which may be on several machines.
//!
//! ```text
//! examples/dataflow/cluster.sh                                 # two processes on this machine, compared with one
//! cargo run -p example-dataflow --bin cluster -- -w 2 -- README.md counts.csv
//! ```
//!
//! In front of the second `--` are the options of Timely: `-w` threads in each of `-n` processes, of which this is number
//! `-p`; `-h` names a file with the address of each. All are started with the same arguments, but for `-p`. Process 0
//! reads the text and writes the file; each word is counted by the worker that its hash says, so that all have a part
//! of the work and of the state.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use pathway_io::dataflow::Workers;
use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};

const USAGE: &str = "usage: cluster [-w THREADS] [-n PROCESSES -p NUMBER [-h HOSTS]] -- INPUT.txt OUTPUT.csv";

/// A line of the text.
#[derive(Schema, Clone)]
struct Line {
    text: String,
}

/// How often a word was seen.
#[derive(Schema)]
#[schema(dataflow)]
struct WordCount {
    #[schema(primary_key)]
    word: String,
    n: i64,
}

struct Lines {
    path: PathBuf,
}

/// Each line is a commit, so that the counts are those of one run as of another.
#[connector(autocommit = off)]
impl Lines {
    fn run(&mut self, lines: Subject<Line>) -> RunResult {
        let file = self.path.display();
        let input = BufReader::new(File::open(&self.path).map_err(|error| format!("{file}: {error}"))?);
        for text in input.lines() {
            lines.next(Line { text: text? })?;
            lines.commit()?;
        }
        Ok(())
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn main() -> pathway_io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let (for_workers, paths) = args.split_at(args.iter().position(|arg| arg == "--").unwrap_or(args.len()));
    let [_, input, output] = paths else {
        return Err(Box::<dyn std::error::Error + Send + Sync>::from(USAGE).into());
    };
    let workers = Workers::from_args(for_workers.iter().cloned())?;

    let pipeline = Pipeline::new();
    let lines = pipeline.read(Lines { path: input.into() });
    let counts = lines.compute(|lines| {
        lines.flat_map(|line| words(&line.text)).count().map(|(word, n)| WordCount { word, n: n as i64 })
    });
    csv::write(&counts, output);
    let summary = pipeline.run_on(workers)?;
    println!("{summary}");
    Ok(())
}
