//! The hashtags of the minute, from the firehose of Bluesky: the ten that most posts have, as a live table.
//!
//! ```text
//! cargo run --release -p example-dataflow --bin trending
//! cargo run --release -p example-dataflow --bin trending -- --events 20000 --threads 2 trends.csv
//! ```
//!
//! The source is the connector of `example-jetstream`. Posts are counted by tag and by the minute in which the server saw
//! them; of each minute the first ten ranks are kept. A post that is deleted is taken out of its minute again, one
//! that is edited moves from its old tags to the new ones, also long after the minute has passed. Whatever changes
//! retracts the row before: the terminal is drawn from these updates alone, and shows how many there were. Where
//! standard output is no terminal, they are printed one by one.
//!
//! It runs until Ctrl-C, or until `--events N` posts and likes were seen. `--url` chooses another server.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use example_jetstream::{Jetstream, Post, SERVER};
use pathway_io::dataflow::{Collection, Workers};
use pathway_io::{BadRows, Commit, Pipeline, ReadOptions, Schema, csv};

const USAGE: &str = "usage: trending [--url URL] [--events N] [--threads N] [TRENDS.csv]";
const RANKS: usize = 10;
const MINUTE: u64 = 60_000_000;

/// A place among the tags of a minute.
#[derive(Schema)]
#[schema(dataflow)]
struct Trend {
    /// In minutes since 1970.
    #[schema(primary_key)]
    minute: u64,
    /// From 1.
    #[schema(primary_key)]
    rank: u64,
    tag: String,
    /// How many posts have it.
    posts: i64,
}

fn trends(posts: Collection<'_, Post>) -> Collection<'_, Trend> {
    posts
        .flat_map(|post| tags(&post.text).into_iter().map(move |tag| (post.time_us / MINUTE, tag)))
        .count()
        // What `reduce` is given is sorted: the most posts first, and of as many the tag that comes first.
        .map(|((minute, tag), posts)| (minute, (Reverse(posts), tag)))
        .reduce(|_minute, tags, top| {
            let ranked = tags.iter().take(RANKS).zip(1..);
            top.extend(ranked.map(|(((Reverse(posts), tag), _), rank)| ((rank, tag.clone(), *posts), 1)));
        })
        .map(|(minute, (rank, tag, posts))| Trend { minute, rank, tag, posts: posts as i64 })
}

/// The hashtags of a text, each once, in small letters: words that begin with `#` and are no number.
fn tags(text: &str) -> Vec<String> {
    let words = text.split_whitespace().filter_map(|word| word.strip_prefix(['#', '＃']));
    let names = words.map(|word| word.trim_end_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase());
    let mut tags: Vec<String> = names.filter(|name| name.chars().any(|letter| !letter.is_numeric())).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// A minute as a clock shows it, in UTC.
fn clock(minute: u64) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

/// The table as the updates make it.
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

    /// Draws the last minute over what was drawn before.
    fn draw(&self) -> io::Result<()> {
        let minute = self.rows.last_key_value().map_or(0, |((minute, _), _)| *minute);
        // To the upper left corner; each line is cleared behind its end, and all below the last.
        let mut text = String::from("\x1b[H");
        let _ = write!(text, "{:>5}  {:<40}{:>6}\x1b[K\r\n", clock(minute), "hashtag", "posts");
        for trend in self.rows.range((minute, 0)..).map(|(_, trend)| trend) {
            let tag: String = trend.tag.chars().take(38).collect();
            let bar = "█".repeat(trend.posts.clamp(0, 30) as usize);
            let _ = write!(text, "{:>5}  #{tag:<39}{:>6}  {bar}\x1b[K\r\n", trend.rank, trend.posts);
        }
        let _ = write!(text, "{} updates, {} of them retractions\x1b[K\r\n\x1b[J", self.updates, self.retractions);
        // In one write, so that nothing that others write comes in between.
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

fn print(commit: &Commit<Trend>) {
    for update in commit.iter() {
        let Trend { minute, rank, tag, posts } = &update.row;
        println!("{:+} {} {rank} #{tag} {posts}", update.diff, clock(*minute));
    }
}

fn main() -> pathway_io::Result<()> {
    let args = Args::parse()?;
    let pipeline = Pipeline::new();
    let source = Jetstream::new(args.url, args.events);
    let (posts, _likes) = pipeline.read_with(source, ReadOptions::new().bad_rows(BadRows::Skip));
    let trends = posts.compute(trends);
    if io::stdout().is_terminal() {
        print!("\x1b[2J");
        let mut board = Board::default();
        trends.subscribe_commits(move |commit| {
            board.apply(commit);
            // A terminal that is gone is no reason to stop.
            let _ = board.draw();
        });
    } else {
        trends.subscribe_commits(print);
    }
    if let Some(output) = &args.output {
        csv::write(&trends, output);
    }
    let summary = pipeline.run_on(Workers::threads(args.threads))?;
    println!("{summary}");
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
    fn tags_are_words_behind_a_hash() {
        assert_eq!(
            tags("#Cats, and #cats again: #Café! #日本 ＃Ｗide a#b # #1 #2nd #a-b #"),
            ["2nd", "a-b", "café", "cats", "日本", "ｗide"]
        );
    }
}
