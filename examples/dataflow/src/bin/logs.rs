//! Counts the lines of log files by level. The files of a directory are distributed among the workers.
//!
//! ```text
//! cargo run -p example-dataflow --bin logs -- -w 4 -- /var/log/my-service levels.csv
//! ```
//!
//! The options before the second `--` belong to Timely, as in `cluster.rs`. Each worker of each process reads its own
//! files and extracts the levels. Only counts are sent to process 0. With several processes, all of them must see the
//! same files, but the path may differ.

use std::error::Error;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;

use pathway_io::dataflow::{Partition, Workers};
use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};

const USAGE: &str = "usage: logs [-w THREADS] [-n PROCESSES -p NUMBER [-h HOSTS]] -- DIRECTORY OUTPUT.csv";

const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// A line that has a level.
#[derive(Schema, Clone)]
struct Line {
    level: String,
    text: String,
}

/// The number of lines with a level, and their total length.
#[derive(Schema)]
#[schema(dataflow)]
struct LevelCount {
    #[schema(primary_key)]
    level: String,
    lines: i64,
    bytes: i64,
}

/// The source. Each partition is a clone of it.
#[derive(Clone)]
struct Logs {
    directory: PathBuf,
}

impl Logs {
    /// Returns all files, sorted by name so that every partition sees the same order.
    fn files(&self) -> Result<Vec<PathBuf>, Box<dyn Error + Send + Sync>> {
        let directory = self.directory.display();
        let entries = self.directory.read_dir().map_err(|error| format!("{directory}: {error}"))?;
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
        files.sort_unstable_by(|a, b| a.file_name().cmp(&b.file_name()));
        Ok(files)
    }
}

#[connector]
impl Logs {
    fn run(&mut self, lines: Subject<Line>, part: Partition) -> RunResult {
        for path in self.files()?.iter().skip(part.index).step_by(part.count) {
            let file = path.display();
            let input = BufReader::new(File::open(path).map_err(|error| format!("{file}: {error}"))?);
            for line in input.split(b'\n') {
                // A log can have bytes that are not UTF-8.
                let line = line.map_err(|error| format!("{file}: {error}"))?;
                let text = String::from_utf8_lossy(&line).into_owned();
                // A line without a level belongs to the line before it, for example in a backtrace.
                if let Some(level) = level(&text) {
                    lines.next(Line { level: level.into(), text })?;
                }
            }
        }
        Ok(())
    }
}

/// Returns the first level that a line contains.
fn level(text: &str) -> Option<&'static str> {
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.find_map(|word| LEVELS.into_iter().find(|level| *level == word))
}

fn usage() -> pathway_io::Error {
    Box::<dyn Error + Send + Sync>::from(USAGE).into()
}

fn main() -> pathway_io::Result<()> {
    let args: Vec<OsString> = std::env::args_os().collect();
    let (for_workers, paths) = args.split_at(args.iter().position(|arg| arg == "--").unwrap_or(args.len()));
    let [_, directory, output] = paths else {
        return Err(usage());
    };
    // A path can have any bytes. The options of the workers are text.
    let for_workers: Option<Vec<String>> = for_workers.iter().map(|arg| arg.to_str().map(str::to_owned)).collect();
    let workers = Workers::from_args(for_workers.ok_or_else(usage)?)?;

    let pipeline = Pipeline::new();
    let lines = pipeline.read(Logs { directory: directory.into() });
    let counts = lines.compute(|lines| {
        // `explode` adds up two values per level: the number of lines, and their bytes.
        let levels = lines.explode(|line| Some((line.level, (1, line.text.len() as isize))));
        levels.count().map(|(level, (lines, bytes))| LevelCount { level, lines: lines as i64, bytes: bytes as i64 })
    });
    csv::write(&counts, output);
    let summary = pipeline.run_on(workers)?;
    // Standard output may be closed. The rows are written nevertheless.
    let _ = writeln!(std::io::stdout(), "{summary}");
    Ok(())
}
