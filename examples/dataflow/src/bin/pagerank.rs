//! Ranks pages by the links between them, and updates the ranks as links are added and removed.
//!
//! ```text
//! cargo run -p example-dataflow --bin pagerank
//! cargo run -p example-dataflow --bin pagerank -- --fast --threads 2 my-links.jsonl ranks.csv
//! ```
//!
//! Each line is a link, `{"from": "home", "to": "news"}`, or a removed link with `"gone": true`. Each line is its own
//! commit, one second after the previous one, or at once with `--fast`. The program prints the ranks that change.
//!
//! A page has a base rank of 0.15. It passes 0.85 of its rank to the pages that it links to, in equal shares. `iterate`
//! repeats this until no rank changes. Ranks are whole millionths, rounded down, because sums of floats would depend on
//! the order of the links. Ranks start at the base, so they only grow from one round to the next. Therefore the
//! iteration ends, and the result does not depend on the order of the links.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use pathway_io::dataflow::differential_dataflow::operators::Iterate;
use pathway_io::dataflow::{Collection, Workers};
use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};
use serde::Deserialize;

const USAGE: &str = "usage: pagerank [--fast] [--threads N] [LINKS.jsonl] [OUTPUT.csv]";

/// The base rank of a page, in millionths.
const BASE: isize = 150_000;

/// A link. Both columns are the key, so adding an existing link changes nothing.
#[derive(Schema, Clone)]
struct Link {
    #[schema(primary_key)]
    from: String,
    #[schema(primary_key)]
    to: String,
}

/// The rank of a page.
#[derive(Schema)]
#[schema(dataflow)]
struct Rank {
    #[schema(primary_key)]
    page: String,
    millionths: i64,
}

fn ranks(links: Collection<'_, Link>) -> Collection<'_, Rank> {
    let links = links.map(|link| (link.from, link.to));
    let degrees = links.clone().map(|(from, _)| from).count();
    let pages = links.clone().flat_map(|(from, to)| [from, to]).distinct();
    let base = pages.map(|page| (page, BASE));
    base.clone()
        .iterate(move |scope, ranks| {
            let (links, degrees, base) = (links.enter(scope), degrees.enter(scope), base.enter(scope));
            ranks
                .join_map(degrees, |page, rank, degree| (page.clone(), rank * 85 / (100 * degree)))
                .join_map(links, |_from, share, to| (to.clone(), *share))
                .concat(base)
                // `explode` makes the share the diff of the record. `count` adds these up, so no copies of the record
                // are made.
                .explode(|(page, share)| Some((page, share)))
                .count()
        })
        .map(|(page, rank)| Rank { page, millionths: rank as i64 })
}

struct Links {
    path: PathBuf,
    /// The pause between two lines.
    pause: Duration,
}

/// A line of the file.
#[derive(Deserialize)]
struct Line {
    from: String,
    to: String,
    #[serde(default)]
    gone: bool,
}

#[connector(autocommit = off)]
impl Links {
    fn run(&mut self, links: Subject<Link>) -> RunResult {
        let file = self.path.display();
        let input = BufReader::new(File::open(&self.path).map_err(|error| format!("{file}: {error}"))?);
        for (number, line) in input.split(b'\n').enumerate() {
            let Line { from, to, gone } =
                serde_json::from_slice(&line?).map_err(|error| format!("{file}, line {}: {error}", number + 1))?;
            if gone {
                links.remove((from, to))?;
            } else {
                links.next(Link { from, to })?;
            }
            links.commit()?;
            links.sleep(self.pause)?;
        }
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let args = Args::parse()?;
    let pipeline = Pipeline::new();
    let links = pipeline.read(Links { path: args.input, pause: args.pause });
    let ranks = links.compute(ranks);
    ranks.subscribe_commits(|commit| {
        // The output may be closed: the updates still go into the file.
        let mut text = String::new();
        for update in commit.iter() {
            let _ = writeln!(text, "{:+} {} {:.6}", update.diff, update.row.page, update.row.millionths as f64 / 1e6);
        }
        let _ = writeln!(io::stdout(), "{text}");
    });
    csv::write(&ranks, &args.output);
    let summary = pipeline.run_on(Workers::threads(args.threads))?;
    let _ = writeln!(io::stdout(), "{summary}");
    let _ = writeln!(io::stdout(), "the ranks are in {}", args.output.display());
    Ok(())
}

struct Args {
    input: PathBuf,
    output: PathBuf,
    pause: Duration,
    threads: usize,
}

impl Args {
    fn parse() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let (mut pause, mut threads) = (Duration::from_secs(1), 1);
        let mut paths = Vec::new();
        let mut args = std::env::args_os().skip(1);
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("--fast") => pause = Duration::ZERO,
                Some("--threads") => threads = args.next().and_then(|n| n.to_str()?.parse().ok()).ok_or(USAGE)?,
                Some(option) if option.starts_with('-') => return Err(USAGE.into()),
                _ => paths.push(PathBuf::from(arg)),
            }
        }
        let mut paths = paths.into_iter();
        let input = paths.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/links.jsonl").into());
        let output = paths.next().unwrap_or_else(|| "ranks.csv".into());
        if paths.next().is_some() || input == output {
            return Err(USAGE.into());
        }
        Ok(Args { input, output, pause, threads })
    }
}
