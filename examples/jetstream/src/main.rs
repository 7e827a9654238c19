//! Posts and likes from the firehose of Bluesky, in two CSV files.
//!
//! ```text
//! cargo run --release -p example-jetstream
//! cargo run --release -p example-jetstream -- --live
//! cargo run --release -p example-jetstream -- --live --events 10000 posts.csv likes.csv
//! ```
//!
//! By default, and with `--demo`, the program replays recorded events through a local server. With `--live` it reads a
//! public [Jetstream](https://bsky.network/docs/jetstream/) server, which requires no account; `--url` selects another
//! server. If the server cannot be reached, the program reports that and tries again.
//!
//! The program runs until Ctrl-C. With `--events N` it ends after `N` posts and likes were created, changed or deleted.
//! The summary counts messages that cannot be decoded. With `--quarantine FILE` they are also written to a file.
//!
//! The connector is in the library of this package, which another example uses, too.

use std::io::Write;
use std::path::PathBuf;

use example_jetstream::{Jetstream, SERVER, demo, restart};
use pathway_io::{BadRows, Pipeline, ReadOptions, csv};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str =
    "usage: example-jetstream [--demo | --live | --url URL] [--events N] [--quarantine FILE] [POSTS.csv] [LIKES.csv]";

fn main() -> pathway_io::Result<()> {
    let args = Args::parse()?;
    let pipeline = Pipeline::new();
    pipeline.progress(true);
    let source = Jetstream::new(args.url, args.events);
    let (posts, likes) = pipeline.read_with(source, ReadOptions::new().bad_rows(args.bad_rows).restart(restart()));
    csv::write(&posts, &args.posts);
    csv::write(&likes, &args.likes);
    let summary = pipeline.run()?;
    // Standard output may be closed. The rows are in the files nevertheless.
    let _ = writeln!(std::io::stdout(), "{summary}");
    let _ =
        writeln!(std::io::stdout(), "the posts are in {}, the likes in {}", args.posts.display(), args.likes.display());
    Ok(())
}

struct Args {
    url: String,
    events: u64,
    bad_rows: BadRows,
    posts: PathBuf,
    likes: PathBuf,
}

impl Args {
    fn parse() -> Result<Self, BoxError> {
        let mut url = None;
        let mut events = u64::MAX;
        let mut bad_rows = BadRows::Skip;
        let mut paths = Vec::new();
        let mut args = std::env::args_os().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(USAGE);
            match arg.to_str() {
                Some("--demo") => url = None,
                Some("--live") => url = Some(SERVER.to_owned()),
                Some("--url") => url = Some(value()?.into_string().map_err(|_| USAGE)?),
                Some("--events") => events = value()?.to_str().and_then(|n| n.parse().ok()).ok_or(USAGE)?,
                Some("--quarantine") => bad_rows = BadRows::Quarantine(value()?.into()),
                Some(option) if option.starts_with('-') => return Err(USAGE.into()),
                _ => paths.push(PathBuf::from(arg)),
            }
        }
        let url = url.map_or_else(demo::serve, Ok)?;
        let mut paths = paths.into_iter();
        let posts = paths.next().unwrap_or_else(|| "posts.csv".into());
        let likes = paths.next().unwrap_or_else(|| "likes.csv".into());
        match paths.next() {
            None => Ok(Args { url, events, bad_rows, posts, likes }),
            Some(_) => Err(USAGE.into()),
        }
    }
}
