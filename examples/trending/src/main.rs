//! The ten hashtags that are used most in each minute, from the firehose of Bluesky, as a live table on the terminal.
//!
//! ```text
//! cargo run --release -p example-trending
//! cargo run --release -p example-trending -- --url ws://localhost:6008/subscribe --events 100000
//! ```
//!
//! A post that is deleted takes its hashtags with it, and one that is edited changes them: the table is always that of
//! the posts that are there.

use std::collections::BTreeMap;
use std::io::Write;

use example_jetstream::{BoxError, Jetstream, Post, SERVER};
use pathway_io::dataflow::Collection;
use pathway_io::{BadRows, Commit, Pipeline, ReadOptions, Schema};

/// How many of a minute are shown.
const TOP: usize = 10;

/// A hashtag among the ten of its minute.
#[derive(Schema)]
#[schema(dataflow)]
struct Trend {
    /// As the posts have it: `2026-11-24T19:46`.
    #[schema(primary_key)]
    minute: String,
    #[schema(primary_key)]
    tag: String,
    posts: i64,
}

/// The hashtags of a text, in lower case, each once.
fn hashtags(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace());
    let tags = words.filter_map(|word| word.strip_prefix('#'));
    let tags = tags.map(|tag| tag.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    let mut tags: Vec<String> = tags.filter(|tag| !tag.is_empty()).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// The hashtags of the posts of each minute that are in the most of them.
fn trends(posts: Collection<'_, Post>) -> Collection<'_, Trend> {
    posts
        .flat_map(|post| {
            let minute: String = post.created_at.chars().take("2026-11-24T19:46".len()).collect();
            hashtags(&post.text).into_iter().map(move |tag| (minute.clone(), tag))
        })
        .count()
        // The values of a group are in order, so the most come first when they count as the least.
        .map(|((minute, tag), posts)| (minute, (-(posts as i64), tag)))
        .reduce(|_minute, tags, output| output.extend(tags.iter().take(TOP).map(|(tag, _)| ((*tag).clone(), 1))))
        .map(|(minute, (posts, tag))| Trend { minute, tag, posts: -posts })
}

/// The table on the terminal: the trends of the minute that most posts were in lately.
#[derive(Default)]
struct Screen {
    minutes: BTreeMap<String, BTreeMap<String, i64>>,
}

impl Screen {
    fn update(&mut self, commit: &Commit<Trend>) {
        for update in commit.iter() {
            let Trend { minute, tag, posts } = update.row;
            let tags = self.minutes.entry(minute).or_default();
            if update.diff > 0 {
                tags.insert(tag, posts);
            } else if tags.get(&tag) == Some(&posts) {
                tags.remove(&tag);
            }
        }
        self.minutes.retain(|_, tags| !tags.is_empty());
    }

    /// The busiest of the last three minutes: clocks go wrong, and a new minute has few posts yet.
    fn draw(&self) -> String {
        let last = self.minutes.iter().rev().take(3);
        let Some((minute, tags)) = last.max_by_key(|(_, tags)| tags.values().sum::<i64>()) else {
            return String::new();
        };
        let mut tags: Vec<_> = tags.iter().collect();
        tags.sort_by_key(|(tag, posts)| (-**posts, (*tag).clone()));
        let rows = tags.iter().map(|(tag, posts)| format!("{posts:5}  #{tag}\n"));
        format!("{minute}\n{}", rows.collect::<String>())
    }
}

fn main() -> Result<(), BoxError> {
    let (mut url, mut events) = (SERVER.to_owned(), u64::MAX);
    let usage = "usage: example-trending [--url URL] [--events N]";
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().ok_or(usage)?;
        match arg.as_str() {
            "--url" => url = value,
            "--events" => events = value.parse().map_err(|_| usage)?,
            _ => return Err(usage.into()),
        }
    }
    let pipeline = Pipeline::new();
    pipeline.progress(true);
    let options = ReadOptions::new().bad_rows(BadRows::Skip);
    let (posts, _likes) = pipeline.read_with(Jetstream::new(url, events), options);
    let mut screen = Screen::default();
    posts.compute(trends).subscribe_commits(move |commit| {
        screen.update(commit);
        // Clears the terminal, and starts at its top. A terminal that is gone is no reason to fail.
        let _ = write!(std::io::stdout().lock(), "\x1b[2J\x1b[H{}", screen.draw());
    });
    println!("{}", pipeline.run()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(rkey: &str, minute: u32, text: &str) -> Post {
        Post {
            did: "did:plc:a".into(),
            rkey: rkey.into(),
            text: text.into(),
            langs: Vec::new(),
            reply_to: None,
            created_at: format!("2026-11-24T19:{minute:02}:02.102Z"),
        }
    }

    #[test]
    fn hashtags_are_found_in_a_text() {
        assert_eq!(hashtags("#Cats, and #dogs! #cats # ##x a#b"), ["#x", "cats", "dogs"]);
    }

    #[test]
    fn a_minute_has_ten_trends() {
        let mut posts: Vec<Post> = (0..20).map(|n| post(&format!("a{n}"), 1, &format!("#t{n:02}"))).collect();
        posts.extend((0..3).map(|n| post(&format!("b{n}"), 1, "#Cats #t19")));
        posts.push(post("c", 2, "#cats"));
        let trends = pathway_io::testing::compute(posts, trends).unwrap();
        let first: Vec<(&str, i64)> = trends
            .iter()
            .filter(|trend| trend.minute.ends_with("01"))
            .map(|trend| (&*trend.tag, trend.posts))
            .collect();
        assert_eq!(first.len(), 10);
        assert!(
            first.contains(&("cats", 3)) && first.contains(&("t19", 4)) && first.contains(&("t00", 1)),
            "{first:?}"
        );
        assert_eq!(trends.len(), 11);
    }
}
