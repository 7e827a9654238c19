//! Follows a growing file, as `tail -F` does: each line becomes a row when its end is there.
//!
//! ```text
//! cargo run --example tail -- server.log
//! cargo run --example tail -- server.log lines.csv
//! ```
//!
//! Lines go to the terminal, or into a CSV file if one is named, until Ctrl-C.
//!
//! - **Partial lines** wait for their line end, however many writes they come in. What is still partial at the end of
//!   the run is not a line and not a row.
//! - **Rotation**: when another file has the name, the old file is read to its end first. Its last line becomes a row even
//!   without a line end, because no writer will complete it. While no file has the name, the source waits for one. It does not
//!   read lines that a writer adds to the old file later.
//! - **Truncation**: a file that has become shorter is read from its start. One that was emptied and has grown past
//!   its old length between two looks cannot be told from one that grew.
//! - Bytes that are not UTF-8 are shown as U+FFFD, and a line of more than a megabyte becomes several rows, so that a
//!   file without line ends does not fill the memory.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pathway_io::{Closed, Commit, Pipeline, RunResult, Schema, Sink, Subject, connector, csv};

const USAGE: &str = "usage: tail FILE [OUTPUT.csv]";
/// Between two looks at a file that has not grown.
const POLL: Duration = Duration::from_millis(100);
const LONGEST_LINE: usize = 1024 * 1024;

/// A line of the file.
#[derive(Schema)]
struct Line {
    /// Counted from 1, over all files that have stood under the name.
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
        // A file that is missing now is a mistyped path; one that is missing later is being rotated.
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
                    // It may have grown since it was read to its end.
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

/// An open file, and how far it was read.
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

    /// The outer error is of the file, the inner of the subject.
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

    /// What has happened under the name since the file was opened.
    fn compare(&self, path: &Path) -> io::Result<Change> {
        match fs::metadata(path) {
            Ok(now) if identity(&now) != self.identity => Ok(Change::Replaced),
            Ok(now) if now.len() < self.position => Ok(Change::Truncated),
            Ok(_) => Ok(Change::None),
            // Renamed or deleted, and nothing in its place yet: whoever has it open may still write to it.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Change::None),
            Err(error) => Err(error),
        }
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.position = 0;
        self.file.rewind()
    }
}

/// Device and inode.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(file: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

/// The time of its creation, where the standard library knows nothing better.
#[cfg(not(unix))]
type Identity = Option<std::time::SystemTime>;

#[cfg(not(unix))]
fn identity(file: &Metadata) -> Identity {
    file.created().ok()
}

/// Cuts what is read into lines.
struct Splitter<'a> {
    lines: &'a Subject<Line>,
    number: u64,
    /// What was read of a line whose end is not there yet.
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

    /// Pushes what there is of a line, if there is anything.
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

/// Prints the lines. `subscribe` would do too, but its callback could not report a closed standard output.
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
        (Some(path), output, None) if !path.as_os_str().as_encoded_bytes().starts_with(b"-") => (path, output),
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
