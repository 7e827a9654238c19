//! The thread that takes a snapshot of a run five times a second and draws it.
//!
//! It reads counters that the runtime keeps anyway, so the display does not slow the run down.

use std::io::Write as _;
use std::time::{Duration, Instant};

use console::Term;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::line::{Gauge, Rate, SINK, note, table};
use super::lines;
use super::screen;
use crate::pipeline::monitor::snapshot::{counted, grouped};
use crate::pipeline::monitor::{Monitor, SinkStatus, Snapshot, SourceStatus};
use crate::run::control::Notice;
use crate::run::error::Result;
use crate::run::summary::{Stop, Summary};
use crate::run::threads;

const PERIOD: Duration = Duration::from_millis(200);
/// The time that the end of a run waits for a drawing.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// The lines of one run. Dropping this value removes them from the terminal.
pub(crate) struct Display {
    id: u64,
    started: Instant,
    /// The drawing thread ends when the sender is dropped. When it has ended, the receiver is disconnected.
    thread: Option<(Sender<()>, Receiver<()>)>,
}

impl Display {
    /// Starts the display; returns `None` if standard error is not a terminal that can show it.
    pub(crate) fn start(monitor: &Monitor) -> Option<Self> {
        if !is_shown() {
            return None;
        }
        let terminal = Term::stderr();
        let id = screen::add();
        let monitor = monitor.clone();
        let (stop, stopped) = bounded(0);
        let (alive, ended) = bounded(0);
        let spawned = threads::spawn("progress", move || {
            let _alive: Sender<()> = alive;
            let mut rates = Vec::new();
            while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                let (rows, columns) = terminal.size();
                screen::draw(
                    id,
                    look(&monitor.snapshot(), &mut rates, columns.into()),
                    usize::from(rows).saturating_sub(2),
                );
            }
        });
        // Without the thread, the run continues without a display.
        let thread = spawned.ok().map(|_| (stop, ended));
        Some(Display { id, started: Instant::now(), thread })
    }

    /// Replaces the lines with the summary.
    pub(crate) fn finish(mut self, result: &Result<Summary>) {
        self.end(&summary_text(result, self.started.elapsed()));
    }

    fn end(&mut self, last: &str) {
        if let Some((stop, ended)) = self.thread.take() {
            drop(stop);
            // A terminal that is stopped (Ctrl-S) blocks the thread, and must not delay the end of the run.
            if ended.recv_timeout(END_TIMEOUT) == Err(RecvTimeoutError::Disconnected) {
                screen::remove(self.id, last);
            }
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.end("");
    }
}

/// Returns whether standard error is a terminal that can show the lines.
pub(crate) fn is_shown() -> bool {
    Term::stderr().is_term() && std::env::var_os("TERM").is_none_or(|kind| kind != "dumb")
}

/// Writes a line of text above the lines of the pipelines. On a terminal, a failed attempt is not written, because the
/// lines of the pipelines already show it.
pub(crate) fn write_notice(notice: Notice, text: &str) {
    match notice {
        Notice::Attempt if is_shown() => {}
        Notice::Attempt | Notice::Missing | Notice::Stopping => lines::say(text, write_line),
    }
}

fn write_line(text: &str) {
    if is_shown() {
        screen::print(text);
    } else {
        // A closed standard error does not end the run.
        let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
    }
}

fn look(seen: &Snapshot, rates: &mut Vec<Rate>, columns: usize) -> Vec<String> {
    let of_sources = seen.sources.iter().map(|source| {
        let (waiting, in_flight) = (source.backlog.rows, source.in_flight.rows);
        let gauge = Gauge { rows: source.rows + waiting, commits: source.commits, backlog: waiting + in_flight };
        (source.name.clone(), gauge)
    });
    let of_sinks = seen.sinks.iter().map(|sink| {
        let gauge = Gauge { rows: sink.updates, commits: sink.commits, backlog: sink.undelivered };
        (format!("{SINK}{}", sink.name), gauge)
    });
    let parts: Vec<(String, Gauge)> = of_sources.chain(of_sinks).collect();
    let notes: Vec<String> =
        seen.sources.iter().filter_map(restarted).chain(seen.sinks.iter().filter_map(retried)).collect();
    rates.resize_with(parts.len(), Rate::default);
    let now = Instant::now();
    let rated = |((name, gauge), rate): ((String, Gauge), &mut Rate)| (name, gauge, rate.per_second(now, gauge.rows));
    let parts: Vec<_> = parts.into_iter().zip(rates).map(rated).collect();
    let mut lines = table(&parts, columns);
    lines.extend(notes.iter().map(|text| note(text, columns)));
    lines
}

/// Returns a line about a source whose `run` has failed and is called again.
fn restarted(source: &SourceStatus) -> Option<String> {
    let error = source.last_error.as_ref()?;
    Some(format!("{}: {} so far, the last error: {error}", source.name, counted(source.attempts.into(), "attempt")))
}

/// Returns a line about a sink that has failed and was retried.
fn retried(sink: &SinkStatus) -> Option<String> {
    let error = sink.last_error.as_ref()?;
    Some(format!("{SINK}{}: {} so far, the last error: {error}", sink.name, counted(sink.retries, "failure")))
}

fn summary_text(result: &Result<Summary>, duration: Duration) -> String {
    let summary = match result {
        Ok(summary) => Some(summary),
        Err(error) => error.summary(),
    };
    let Some(summary) = summary else {
        return String::new();
    };
    let seconds = duration.as_secs_f64();
    let rows = summary.rows();
    let mut text = format!(
        "{} from {} in {seconds:.1} s, {}/s",
        counted(rows, "row"),
        counted(summary.sources.len() as u64, "source"),
        grouped((rows as f64 / seconds.max(0.001)).round() as u64),
    );
    let bad: u64 = summary.sources.iter().map(|source| source.bad_rows).sum();
    if bad > 0 {
        text += &format!(", {}", counted(bad, "bad row"));
    }
    if result.is_err() {
        // The program reports the error itself. Without rows there is nothing to add.
        if rows == 0 {
            return String::new();
        }
        text += ", failed";
    }
    // The terminal has echoed `^C` where the cursor was.
    let start = if matches!(summary.stop, Some(Stop::Signal(_))) { "\r\x1b[K" } else { "" };
    format!("{start}{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::summary::SourceSummary;

    #[test]
    fn shows_the_totals_at_the_end() {
        let source = SourceSummary { rows: 1_500, bad_rows: 1, ..SourceSummary::default() };
        let summary = Summary { sources: vec![source], ..Summary::default() };
        let text = summary_text(&Ok(summary), Duration::from_secs(2));
        assert_eq!(text, "1,500 rows from 1 source in 2.0 s, 750/s, 1 bad row\n");
    }
}
