//! Follows a growing file, as `tail -F` does. Each line becomes a row as soon as it is complete.
//!
//! ```text
//! cargo run --example tail -- server.log
//! cargo run --example tail -- server.log lines.csv
//! ```
//!
//! The program prints the lines, or writes them to a CSV file if you name one, until Ctrl-C.
//!
//! - **Partial lines**: a line without a line end is kept until its end is written. If that does not happen before the
//!   end of the run, the line does not become a row.
//! - **Rotation**: if the path leads to another file, the source first reads the old file to its end. The last line of
//!   the old file becomes a row even without a line end, because no writer will complete it. While the path leads to no
//!   file, the source waits. It does not read lines that a writer adds to the old file later.
//! - **Truncation**: if the file has become shorter, the source reads it from its start. It does not notice a file that
//!   was emptied and has grown beyond its old length within one poll interval.
//! - **Unusual content**: bytes that are not UTF-8 become U+FFFD. A line of more than a mebibyte becomes several rows,
//!   so a file without line ends does not fill the memory.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pathway_io::{Closed, Commit, Pipeline, RunResult, Schema, Sink, Subject, connector, csv};

const USAGE: &str = "usage: tail FILE [OUTPUT.csv]";
/// The pause before the file is checked again.
const POLL: Duration = Duration::from_millis(100);
const LONGEST_LINE: usize = 1024 * 1024;

/// A line of the file.
#[derive(Schema)]
struct Line {
    /// The number of the line, from 1. It continues across rotations.
    number: u64,
    text: String,
}

struct Tail {
    path: PathBuf,
}

#[connector(autocommit = "100ms")]
impl Tail {
    fn run(&mut self, lines: Subject<Line>) -> RunResult {
        let named = |error: io::Error| format!("{}: {error}", self.path.display());
        // A file that is missing at the start is an error. A file that is missing later is being rotated.
        let mut file = Followed::open(&self.path).map_err(named)?;
        let mut splitter = Splitter { lines: &lines, number: 0, partial: Vec::new() };
        loop {
            file.read_to_end(&mut splitter).map_err(named)??;
            match file.compare(&self.path).map_err(named)? {
                Change::None => lines.sleep(POLL)?,
                Change::Truncated => {
                    splitter.end_line()?;
                    file.rewind().map_err(named)?;
                }
                Change::Replaced => {
                    // The old file may have grown since the last read.
                    file.read_to_end(&mut splitter).map_err(named)??;
                    splitter.end_line()?;
                    match Followed::open(&self.path) {
                        Ok(next) => file = next,
                        Err(error) if error.kind() == ErrorKind::NotFound => lines.sleep(POLL)?,
                        Err(error) => return Err(named(error).into()),
                    }
                }
            }
        }
    }
}

/// An open file, and the position up to which it was read.
struct Followed {
    file: File,
    identity: Identity,
    position: u64,
}

enum Change {
    None,
    Truncated,
    Replaced,
}

impl Followed {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let identity = identity(&file.metadata()?);
        Ok(Followed { file, identity, position: 0 })
    }

    /// Reads the rest of the file. The outer error is of the file, the inner one of the subject.
    fn read_to_end(&mut self, splitter: &mut Splitter<'_>) -> io::Result<Result<(), Closed>> {
        let mut chunk = [0; 64 * 1024];
        loop {
            match self.file.read(&mut chunk) {
                Ok(0) => return Ok(Ok(())),
                Ok(read) => {
                    self.position += read as u64;
                    if let Err(closed) = splitter.feed(&chunk[..read]) {
                        return Ok(Err(closed));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns what has changed at the path since the file was opened.
    fn compare(&self, path: &Path) -> io::Result<Change> {
        match fs::metadata(path) {
            Ok(now) if identity(&now) != self.identity => Ok(Change::Replaced),
            Ok(now) if now.len() < self.position => Ok(Change::Truncated),
            Ok(_) => Ok(Change::None),
            // The file was renamed or removed, and no new file exists yet. A program that has it open may still write
            // to it.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Change::None),
            Err(error) => Err(error),
        }
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.position = 0;
        self.file.rewind()
    }
}

/// The device and the inode of a file.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(file: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

/// The creation time of a file: on other systems, the standard library has no better identity.
#[cfg(not(unix))]
type Identity = Option<std::time::SystemTime>;

#[cfg(not(unix))]
fn identity(file: &Metadata) -> Identity {
    file.created().ok()
}

/// Splits the content of the file into lines, and pushes them.
struct Splitter<'a> {
    lines: &'a Subject<Line>,
    number: u64,
    /// The beginning of a line that is not complete.
    partial: Vec<u8>,
}

impl Splitter<'_> {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Closed> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial.len() >= LONGEST_LINE {
                self.end_line()?;
            }
        }
        Ok(())
    }

    /// Pushes the line that was read so far, unless it is empty.
    fn end_line(&mut self) -> Result<(), Closed> {
        if self.partial.is_empty() {
            return Ok(());
        }
        let line = self.partial.strip_suffix(b"\n").unwrap_or(&self.partial);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.number += 1;
        self.lines.next(Line { number: self.number, text: String::from_utf8_lossy(line).into_owned() })?;
        self.partial.clear();
        Ok(())
    }
}

/// Prints the lines. It is a sink and not a callback of `subscribe`, because only a sink can report that standard
/// output is closed.
struct Terminal;

impl Sink<Line> for Terminal {
    fn write(&mut self, commit: &Commit<Line>) -> RunResult {
        let mut stdout = io::stdout().lock();
        for update in commit.iter() {
            writeln!(stdout, "{:>6}  {}", update.row.number, update.row.text)?;
        }
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (path, output) = match (args.next(), args.next(), args.next()) {
        // The pipeline truncates its output before it reads the input.
        (Some(path), output, None)
            if !path.as_os_str().as_encoded_bytes().starts_with(b"-") && output.as_ref() != Some(&path) =>
        {
            (path, output)
        }
        _ => return Err(Box::<dyn std::error::Error + Send + Sync>::from(USAGE).into()),
    };
    let pipeline = Pipeline::new();
    let lines = pipeline.read(Tail { path });
    match &output {
        Some(output) => {
            csv::write(&lines, output);
            pipeline.progress(true);
        }
        None => lines.write_to(Terminal),
    }
    let summary = pipeline.run()?;
    eprintln!("{summary}");
    if let Some(output) = output {
        eprintln!("the lines are in {}", output.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    pathway_io::connector_tests! { lines: Tail { path: concat!(env!("CARGO_MANIFEST_DIR"), "/cats.jsonl").into() }, endless, after 3 rows }
}
