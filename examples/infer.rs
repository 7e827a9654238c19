//! Prints the row struct that fits a sample: JSON Lines, or CSV with a header.
//!
//! ```text
//! cargo run --example infer examples/cats.jsonl
//! cargo run --example infer -- cats.csv Cat > src/cat.rs
//! cat cats.jsonl | cargo run --example infer -- -
//! ```
//!
//! The printed struct compiles against the sample. Change it as you like: for example, the types of dates and
//! identifiers, the key, and the names. Without `NAME`, the struct has the name of the file.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use pathway_io::schema::{Inferred, infer};

const USAGE: &str = "usage: infer SAMPLE [NAME]";

fn main() -> ExitCode {
    // The name of a sample is part of the output, so it must be text.
    let arguments: Result<Vec<_>, _> = std::env::args_os().skip(1).map(OsString::into_string).collect();
    let (sample, name) = match arguments.as_deref() {
        Ok([sample, name @ ..]) if name.len() < 2 && (sample == "-" || !sample.starts_with('-')) => {
            (sample, name.first().cloned())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let inferred = inferred(sample, name).map_err(|error| format!("{sample}: {error}"));
    // `print` would panic once the program that reads the output has ended.
    let written = inferred
        .and_then(|inferred| write!(io::stdout(), "{inferred}").map_err(|error| format!("standard output: {error}")));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn inferred(sample: &str, name: Option<String>) -> io::Result<Inferred> {
    if sample == "-" {
        let inferred = infer(io::stdin().lock())?;
        return Ok(name.iter().fold(inferred, Inferred::name));
    }
    let inferred = infer(File::open(sample)?)?.sample(sample);
    let path = Path::new(sample);
    let name = name.or_else(|| Some(singular(path.file_stem()?.to_str()?).to_owned()));
    Ok(name.iter().fold(inferred, Inferred::name))
}

/// Returns the singular of a file's name: `cat` for `cats`.
fn singular(name: &str) -> &str {
    match name.strip_suffix('s') {
        Some(one) if !one.ends_with(['s', 'u', 'i']) && one.len() > 1 => one,
        _ => name,
    }
}
