//! The text of the lines: a head, and a line for each source and sink, no wider than the terminal.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use console::{measure_text_width, truncate_str};

use crate::pipeline::monitor::snapshot::grouped;

/// The period over which a rate is measured. It is longer than the default autocommit, so that the rate does not
/// change with each commit.
const WINDOW: Duration = Duration::from_secs(3);
const ROWS: usize = 14;
const RATE: usize = 10;
const COMMITS: usize = 9;
const BACKLOG: usize = 9;
const NUMBERS: usize = ROWS + RATE + COMMITS + BACKLOG;
const SHORTEST_NAME: usize = 8;
const LONGEST_NAME: usize = 40;

/// The counters of a source or a sink.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gauge {
    pub(super) rows: u64,
    pub(super) commits: u64,
    pub(super) backlog: u64,
}

/// The speed of a counter.
#[derive(Default)]
pub(super) struct Rate {
    samples: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// Returns the rate per second over the window that ends now.
    pub(super) fn per_second(&mut self, now: Instant, count: u64) -> u64 {
        self.samples.push_back((now, count));
        while self.samples.len() > 2 && now.duration_since(self.samples[1].0) >= WINDOW {
            self.samples.pop_front();
        }
        let (then, before) = self.samples[0];
        let seconds = now.duration_since(then).as_secs_f64();
        if seconds > 0.0 { (count.saturating_sub(before) as f64 / seconds).round() as u64 } else { 0 }
    }
}

/// Returns the head and the lines of the table, for a terminal with `columns` columns.
pub(super) fn table(parts: &[(String, Gauge, u64)], columns: usize) -> Vec<String> {
    // The last column stays free: some terminals wrap when it is written.
    let width = columns.saturating_sub(1);
    let longest = parts.iter().map(|(name, ..)| measure_text_width(name)).max().unwrap_or(0);
    let names = longest.min(width.saturating_sub(NUMBERS)).clamp(SHORTEST_NAME, LONGEST_NAME);
    let cut = |line: String| truncate_str(&line, width, "").into_owned();
    let head =
        format!("{:names$}{:>ROWS$}{:>RATE$}{:>COMMITS$}{:>BACKLOG$}", "", "rows", "rows/s", "commits", "backlog");
    let lines = parts.iter().map(|(name, gauge, rate)| {
        let name = fit(name, names);
        let [rows, rate, commits, backlog] = [gauge.rows, *rate, gauge.commits, gauge.backlog].map(grouped);
        format!("{name}{rows:>ROWS$}{rate:>RATE$}{commits:>COMMITS$}{backlog:>BACKLOG$}")
    });
    std::iter::once(head).chain(lines).map(cut).collect()
}

/// Returns a line for any text, such as an error, that is shown below the others.
pub(super) fn note(text: &str, columns: usize) -> String {
    truncate_str(&text.replace(char::is_control, " "), columns.saturating_sub(1), "").into_owned()
}

/// The mark before the name of a sink.
pub(super) const SINK: &str = "→ ";

/// Returns a name in exactly `width` columns. A long name loses its beginning, so that a path keeps the file's name.
fn fit(name: &str, width: usize) -> String {
    let (mark, name) = name.split_at(if name.starts_with(SINK) { SINK.len() } else { 0 });
    let width = width - measure_text_width(mark);
    // A path may contain control characters, which would move the cursor.
    let mut name: String = name.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if measure_text_width(&name) > width {
        while measure_text_width(&name) >= width {
            name.remove(0);
        }
        name.insert(0, '…');
    }
    let padding = " ".repeat(width - measure_text_width(&name));
    format!("{mark}{name}{padding}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, rows: u64) -> (String, Gauge, u64) {
        (name.to_owned(), Gauge { rows, commits: 31, backlog: 4 }, 410)
    }

    #[test]
    fn fits_into_sixty_columns() {
        let parts = [part("Sensors", 12_345), part("→ /a/long/way/to/the/file/readings.csv", 1_234_567_890)];
        let expected = [
            "                           rows    rows/s  commits  backlog",
            "Sensors                  12,345       410       31        4",
            "→ …e/readings.csv 1,234,567,890       410       31        4",
        ];
        assert_eq!(table(&parts, 60), expected);
    }

    #[test]
    fn is_never_wider_than_the_terminal() {
        let parts =
            [part("a name", 1), part("日本語の名前は幅が広いです日本語の名前は幅が広いです", 2), part("\x1b[2J\n", 3)];
        for columns in 0..120 {
            for line in table(&parts, columns) {
                assert!(measure_text_width(&line) < columns.max(1), "{columns}: {line:?}");
                assert!(!line.contains(char::is_control));
            }
        }
    }

    #[test]
    fn a_note_is_one_line() {
        assert_eq!(note("Cats: attempt 2 after: gone\n\x1b[2J", 80), "Cats: attempt 2 after: gone  [2J");
        assert_eq!(note("Cats: attempt 2", 8), "Cats: a");
    }

    #[test]
    fn a_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(start, 0), 0);
        assert_eq!(rate.per_second(start + Duration::from_secs(1), 100), 100);
        for second in 2..10 {
            rate.per_second(start + Duration::from_secs(second), 100);
        }
        assert_eq!(rate.per_second(start + Duration::from_secs(10), 100), 0);
    }
}
