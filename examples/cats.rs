//! The tutorial's program: reads a file of JSON lines and writes each change of the table to a CSV file.
//!
//! ```text
//! cargo run --example cats
//! cargo run --release --example cats -- --fast my.jsonl out.csv
//! ```
//!
//! The program reads one row a second. Each row is in `output.csv` a tenth of a second later (`autocommit`), so you can
//! watch the file grow. With `--fast` the program does not pause between rows. A line that does not fit the schema ends
//! the run; the rows before it are in the output.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};

const USAGE: &str = "usage: cats [--fast] [INPUT OUTPUT]";

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
    /// The time between one row and the next.
    pause: Duration,
}

#[connector(autocommit = "100ms")]
impl FileStream {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        let path = self.path.display();
        let file = File::open(&self.path).map_err(|error| format!("{path}: {error}"))?;
        // `split`, because `lines` ends the loop at the first byte that is not UTF-8.
        for line in BufReader::new(file).split(b'\n') {
            cats.next_json(line?).map_err(|error| format!("{path}, {error}"))?;
            cats.sleep(self.pause)?;
        }
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let mut args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let fast = args.first().is_some_and(|arg| arg == Path::new("--fast"));
    let pause = Duration::from_secs(if fast { 0 } else { 1 });
    let (input, output) = match args.split_off(usize::from(fast)).as_slice() {
        [] => (concat!(env!("CARGO_MANIFEST_DIR"), "/cats.jsonl").into(), "output.csv".into()),
        [input, output] => (input.clone(), output.clone()),
        [arg, ..] => Err(std::io::Error::other(format!("unexpected argument `{}`; {USAGE}", arg.display())))?,
    };
    // The pipeline truncates its output before it reads the input.
    if input.canonicalize().is_ok_and(|input| output.canonicalize().is_ok_and(|output| input == output)) {
        Err(std::io::Error::other(format!("`{}` is both the input and the output", input.display())))?;
    }

    let pipeline = Pipeline::new();
    pipeline.progress(true);
    let cats = pipeline.read(FileStream { path: input, pause });
    csv::write(&cats, &output);
    let summary = pipeline.run()?;
    // Standard output may be closed. The rows are written nevertheless.
    let _ = writeln!(std::io::stdout(), "{summary}");
    let _ = writeln!(std::io::stdout(), "the updates are in {}", output.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    pathway_io::connector_tests! { file_stream: FileStream { path: concat!(env!("CARGO_MANIFEST_DIR"), "/cats.jsonl").into(), pause: Duration::ZERO }, ends }
}
