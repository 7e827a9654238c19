//! Shows the ten most frequent hashtags of the minute, from the public stream of Bluesky, as a live table.
//!
//! ```text
//! cargo run --release -p example-dataflow --bin trending -- --demo
//! cargo run --release -p example-dataflow --bin trending
//! cargo run --release -p example-dataflow --bin trending -- --events 20000 --threads 2 trends.csv
//! ```
//!
//! The source is the connector of `example-jetstream`. The program counts posts by tag and by the minute in which the
//! server received them, and keeps the ten highest ranks of each minute. A deleted post is removed from its minute. An
//! edited post moves from its old tags to the new ones, even long after the minute has passed. Each change retracts the
//! previous row. The terminal is drawn from these updates alone and shows their number. If standard output is not a
//! terminal, the updates are printed line by line.
//!
//! The program runs until Ctrl-C. With `--events N` it ends after `N` posts and likes. `--url` selects another server.
//! If the server cannot be reached, the program reports that and tries again. `--demo` needs no network: it replays
//! recorded events through a local server.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use console::{Term, truncate_str};
use example_jetstream::{Jetstream, Post, SERVER, demo, restart};
use pathway_io::dataflow::{Collection, Workers};
use pathway_io::{BadRows, Commit, Pipeline, ReadOptions, Schema, csv};

const USAGE: &str = "usage: trending [--demo | --url URL] [--events N] [--threads N] [TRENDS.csv]";
const RANKS: usize = 10;
const MINUTE: u64 = 60_000_000;
/// The number of lines below the table: the head of the progress, one source, three sinks, and the line of the cursor.
const BELOW: usize = 6;

/// The rank of a tag within a minute.
#[derive(Schema)]
#[schema(dataflow)]
struct Trend {
    /// The minute, counted from the start of 1970.
    #[schema(primary_key)]
    minute: u64,
    /// The rank, counted from 1.
    #[schema(primary_key)]
    rank: u64,
    tag: String,
    /// The number of posts with the tag.
    posts: i64,
}

fn trends(posts: Collection<'_, Post>) -> Collection<'_, Trend> {
    posts
        .flat_map(|post| tags(&post.text).into_iter().map(move |tag| (post.time_us / MINUTE, tag)))
        .count()
        // `reduce` receives sorted input: the most posts first, and tags with the same number of posts in alphabetical
        // order.
        .map(|((minute, tag), posts)| (minute, (Reverse(posts), tag)))
        .reduce(|_minute, tags, top| {
            let ranked = tags.iter().take(RANKS).zip(1..);
            top.extend(ranked.map(|(((Reverse(posts), tag), _), rank)| ((rank, tag.clone(), *posts), 1)));
        })
        .map(|(minute, (rank, tag, posts))| Trend { minute, rank, tag, posts: posts as i64 })
}

/// Returns the hashtags of a text in lower case, without duplicates. A hashtag is a word that begins with `#` and is
/// not a number.
fn tags(text: &str) -> Vec<String> {
    let words = text.split_whitespace().filter_map(|word| word.strip_prefix(['#', '＃']));
    let names = words.map(|word| word.trim_end_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase());
    let mut tags: Vec<String> = names.filter(|name| name.chars().any(|letter| !letter.is_numeric())).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Formats a minute as a time of day in UTC.
fn clock(minute: u64) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

/// The table, built from its updates.
#[derive(Default)]
struct Board {
    rows: BTreeMap<(u64, u64), Trend>,
    updates: u64,
    retractions: u64,
}

impl Board {
    fn apply(&mut self, commit: &Commit<Trend>) {
        for update in commit.iter() {
            self.updates += 1;
            let key = (update.row.minute, update.row.rank);
            if update.is_addition() {
                self.rows.insert(key, update.row);
            } else {
                self.retractions += 1;
                self.rows.remove(&key);
            }
        }
    }

    /// Draws the last minute over the previous drawing.
    fn draw(&self) -> io::Result<()> {
        let (height, width) = Term::stdout().size();
        let width = usize::from(width).saturating_sub(1);
        let minute = self.rows.last_key_value().map_or(0, |((minute, _), _)| *minute);
        // Moves the cursor to the upper left corner. Each line is cleared after its end, and so is everything below the
        // last line.
        let mut text = String::from("\x1b[H");
        let mut lines = vec![format!("{:>5}  {:<40}{:>6}", clock(minute), "hashtag", "posts")];
        for trend in self.rows.range((minute, 0)..).map(|(_, trend)| trend) {
            let tag: String = trend.tag.chars().take(38).collect();
            let bar = "█".repeat(trend.posts.clamp(0, 30) as usize);
            lines.push(format!("{:>5}  #{tag:<39}{:>6}  {bar}", trend.rank, trend.posts));
        }
        // A table that is larger than the window is clipped, because it would scroll.
        lines.truncate(usize::from(height).saturating_sub(BELOW + 1));
        lines.push(format!("{} updates, {} of them retractions", self.updates, self.retractions));
        for line in &lines {
            let _ = write!(text, "{}\x1b[K\r\n", truncate_str(line, width, ""));
        }
        text.push_str("\x1b[J");
        // One write, so that other output does not come in between.
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

fn print(commit: &Commit<Trend>) -> io::Result<()> {
    let mut text = String::new();
    for update in commit.iter() {
        let Trend { minute, rank, tag, posts } = &update.row;
        let _ = writeln!(text, "{:+} {} {rank} #{tag} {posts}", update.diff, clock(*minute));
    }
    io::stdout().write_all(text.as_bytes())
}

fn main() -> pathway_io::Result<()> {
    let args = Args::parse()?;
    let pipeline = Pipeline::new();
    pipeline.progress(true);
    let source = Jetstream::new(args.url, args.events);
    let (posts, _likes) = pipeline.read_with(source, ReadOptions::new().bad_rows(BadRows::Skip).restart(restart()));
    let trends = posts.compute(trends);
    if io::stdout().is_terminal() {
        print!("\x1b[2J");
        let mut board = Board::default();
        trends.subscribe_commits(move |commit| {
            board.apply(commit);
            // A closed terminal is not a reason to stop.
            let _ = board.draw();
        });
    } else {
        let stop = pipeline.stop_handle();
        trends.subscribe_commits(move |commit| {
            if print(commit).is_err() {
                // The program that reads the output has ended.
                stop.stop();
            }
        });
    }
    if let Some(output) = &args.output {
        csv::write(&trends, output);
    }
    let summary = pipeline.run_on(Workers::threads(args.threads))?;
    // The output may be closed.
    let _ = writeln!(io::stdout(), "{summary}");
    Ok(())
}

struct Args {
    url: String,
    events: u64,
    threads: usize,
    output: Option<PathBuf>,
}

impl Args {
    fn parse() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut parsed = Args { url: SERVER.to_owned(), events: u64::MAX, threads: 1, output: None };
        let mut args = std::env::args_os().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().and_then(|value| value.into_string().ok()).ok_or(USAGE);
            match arg.to_str() {
                Some("--demo") => parsed.url = demo::serve()?,
                Some("--url") => parsed.url = value()?,
                Some("--events") => parsed.events = value()?.parse().map_err(|_| USAGE)?,
                Some("--threads") => parsed.threads = value()?.parse().map_err(|_| USAGE)?,
                Some(option) if option.starts_with('-') => return Err(USAGE.into()),
                _ if parsed.output.is_some() => return Err(USAGE.into()),
                _ => parsed.output = Some(PathBuf::from(arg)),
            }
        }
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::tags;

    #[test]
    fn tags_are_words_after_a_hash() {
        assert_eq!(
            tags("#Cats, and #cats again: #Café! #日本 ＃Ｗide a#b # #1 #2nd #a-b #"),
            ["2nd", "a-b", "café", "cats", "日本", "ｗide"]
        );
    }
}
