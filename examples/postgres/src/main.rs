//! Reads a file of JSON lines into a PostgreSQL table, and keeps the table current.
//!
//! ```text
//! createdb zoo
//! cargo run -p example-postgres -- 'host=/var/run/postgresql dbname=zoo'
//! ```
//!
//! The program reads one line per second. Watch the table in another terminal:
//!
//! ```text
//! psql zoo
//! zoo=# SELECT * FROM cats ORDER BY key \watch 1
//! ```
//!
//! Each row is written exactly once. If you kill the program with `kill -9` and start it again, it continues after the
//! last row that was written. For that it needs an offset, which is the number of bytes read, and the state directory
//! `cats.state`. If you restart the server, the program waits until the server is available again.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, postgres};

const USAGE: &str = "usage: example-postgres [--fast] CONNECTION [INPUT]";

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

#[connector(name = "cats", autocommit = "100ms")]
impl FileStream {
    fn run(&mut self, cats: Subject<Cat, u64>) -> RunResult {
        let file = self.path.display();
        let mut input = BufReader::new(File::open(&self.path).map_err(|error| format!("{file}: {error}"))?);
        let mut offset = cats.resume().unwrap_or(0);
        input.seek(SeekFrom::Start(offset))?;
        let mut line = Vec::new();
        loop {
            let len = input.read_until(b'\n', &mut line)?;
            if len == 0 {
                return Ok(());
            }
            offset += len as u64;
            cats.next_json_at(offset, &line).map_err(|error| format!("{file}, {error}"))?;
            line.clear();
            cats.sleep(self.pause)?;
        }
    }
}

fn main() -> pathway_io::Result<()> {
    let mut args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let pause = match args.iter().position(|arg| arg == "--fast") {
        Some(place) => {
            args.remove(place);
            Duration::ZERO
        }
        None => Duration::from_secs(1),
    };
    let mut args = args.into_iter();
    let (Some(Ok(connection)), path, None) = (args.next().map(OsString::into_string), args.next(), args.next()) else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    let path = path.map_or_else(|| PathBuf::from("examples/cats.jsonl"), PathBuf::from);
    let pipeline = Pipeline::persistent("cats.state")?;
    pipeline.progress(true);
    let cats = pipeline.read(FileStream { path, pause });
    postgres::write_with(&cats, connection, postgres::Options::new().table("cats"));
    let summary = pipeline.run()?;
    // Standard output may be closed. The rows are written nevertheless.
    let _ = writeln!(std::io::stdout(), "{summary}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    pathway_io::connector_tests! { file_stream: FileStream { path: concat!(env!("CARGO_MANIFEST_DIR"), "/../cats.jsonl").into(), pause: Duration::ZERO }, ends }
}
