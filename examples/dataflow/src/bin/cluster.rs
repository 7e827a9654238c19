//! Counts the words of a text, in one process or in several processes on one or more machines.
//!
//! ```text
//! examples/dataflow/cluster.sh                                 # two processes on this machine, compared with one
//! cargo run -p example-dataflow --bin cluster -- -w 2 -- README.md counts.csv
//! ```
//!
//! The options before the second `--` belong to Timely: `-w` threads in each of `-n` processes, and `-p` for the number
//! of this process. `-h` names a file with the address of each process. Start all processes with the same arguments,
//! except for `-p`. Process 0 reads the text and writes the file. The hash of a word selects the worker that counts it,
//! so all workers share the work and the state.

use std::error::Error;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;

use pathway_io::dataflow::Workers;
use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};

const USAGE: &str = "usage: cluster [-w THREADS] [-n PROCESSES -p NUMBER [-h HOSTS]] -- INPUT.txt OUTPUT.csv";

/// A line of the text.
#[derive(Schema, Clone)]
struct Line {
    text: String,
}

/// The number of times that a word occurs.
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

/// Each line is one commit, so that every run produces the same updates.
#[connector(autocommit = off)]
impl Lines {
    fn run(&mut self, lines: Subject<Line>) -> RunResult {
        let file = self.path.display();
        let input = BufReader::new(File::open(&self.path).map_err(|error| format!("{file}: {error}"))?);
        for text in input.split(b'\n') {
            // A text can have bytes that are not UTF-8.
            lines.next(Line { text: String::from_utf8_lossy(&text?).into_owned() })?;
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

fn usage() -> pathway_io::Error {
    Box::<dyn Error + Send + Sync>::from(USAGE).into()
}

fn main() -> pathway_io::Result<()> {
    let args: Vec<OsString> = std::env::args_os().collect();
    let (for_workers, paths) = args.split_at(args.iter().position(|arg| arg == "--").unwrap_or(args.len()));
    let [_, input, output] = paths else {
        return Err(usage());
    };
    // The pipeline truncates its output before it reads the input.
    if input == output {
        return Err(usage());
    }
    // A path can have any bytes. The options of the workers are text.
    let for_workers: Option<Vec<String>> = for_workers.iter().map(|arg| arg.to_str().map(str::to_owned)).collect();
    let workers = Workers::from_args(for_workers.ok_or_else(usage)?)?;

    let pipeline = Pipeline::new();
    let lines = pipeline.read(Lines { path: input.into() });
    let counts = lines.compute(|lines| {
        lines.flat_map(|line| words(&line.text)).count().map(|(word, n)| WordCount { word, n: n as i64 })
    });
    csv::write(&counts, output);
    let summary = pipeline.run_on(workers)?;
    // Standard output may be closed. The rows are written nevertheless.
    let _ = writeln!(std::io::stdout(), "{summary}");
    Ok(())
}
