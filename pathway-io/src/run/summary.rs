//! The result of a run: [`Summary`].

use std::fmt;
use std::time::Duration;

/// The result of a run, source by source.
///
/// Its `Display` is a line for each source, and one for the stop if there was one.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Summary {
    /// The sources, in the order in which they were read.
    pub sources: Vec<SourceSummary>,
    /// The reason for a stop, or `None` if the sources ended by themselves.
    pub stop: Option<Stop>,
    /// The updates that sinks refused permanently, and that were left out; see
    /// [`SinkOptions::refused_rows`](crate::SinkOptions::refused_rows), which says when an update counts twice.
    pub refused_updates: u64,
}

/// The result of one source.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SourceSummary {
    /// The name of the source.
    pub name: String,
    /// The pushed rows and removals that were committed.
    pub rows: u64,
    /// The number of commits of these rows.
    pub commits: u64,
    /// The rows that did not fit the schema.
    pub bad_rows: u64,
    /// The time from the start of `run` to the end of `on_stop`.
    pub duration: Duration,
    /// The number of calls of `run`: more than one if it failed and [`Restart`](crate::Restart) applied.
    pub attempts: u32,
    /// The last error of `run` with its causes, or its last panic, that did not fail the pipeline. Either `run` was
    /// called again after it, or `run` returned it after a stop, which counts as a clean end.
    pub error: Option<String>,
}

/// The reason why a run ended before its sources did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// [`StopHandle::stop`](crate::StopHandle::stop), or a dropped or stopped [`Running`](crate::Running).
    Handle,
    /// A signal, by its number: 1 is SIGHUP, 2 SIGINT, 15 SIGTERM.
    Signal(i32),
    /// A source, a sink, a computation or the pipeline itself failed.
    Failure,
}

impl Summary {
    /// Returns the rows of all sources together.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.sources.iter().map(|source| source.rows).sum()
    }

    /// Returns the source with this name, if there is one.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&SourceSummary> {
        self.sources.iter().find(|source| source.name == name)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = self.sources.iter().map(ToString::to_string).collect();
        match self.refused_updates {
            0 => {}
            1 => lines.push("1 update left out, because a sink permanently refuses it".into()),
            updates => lines.push(format!("{updates} updates left out, because a sink permanently refuses them")),
        }
        lines.extend(self.stop.map(|stop| match stop {
            Stop::Handle => "stopped".into(),
            Stop::Signal(1) => "stopped by SIGHUP".into(),
            Stop::Signal(2) => "stopped by SIGINT".into(),
            Stop::Signal(15) => "stopped by SIGTERM".into(),
            Stop::Signal(signal) => format!("stopped by signal {signal}"),
            Stop::Failure => "stopped by a failure".into(),
        }));
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for SourceSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: u64| if n == 1 { "" } else { "s" };
        write!(
            f,
            "{}: {} row{} in {} commit{}, {:.3} s",
            self.name,
            self.rows,
            plural(self.rows),
            self.commits,
            plural(self.commits),
            self.duration.as_secs_f64()
        )?;
        if self.bad_rows > 0 {
            write!(f, ", {} bad row{}", self.bad_rows, plural(self.bad_rows))?;
        }
        if self.attempts > 1 {
            write!(f, ", {} attempts", self.attempts)?;
            if let Some(error) = &self.error {
                // An error may have several lines, and a summary has one line for each source.
                write!(f, ", last error: {}", error.replace(char::is_control, " "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_empty_lines() {
        let mut summary = Summary { stop: Some(Stop::Handle), ..Summary::default() };
        assert_eq!(summary.to_string(), "stopped");
        (summary.refused_updates, summary.stop) = (1, None);
        assert_eq!(summary.to_string(), "1 update left out, because a sink permanently refuses it");
        let source = |name: &str| SourceSummary { name: name.into(), rows: 1, commits: 1, ..SourceSummary::default() };
        summary.sources = vec![source("cats"), source("dogs")];
        (summary.refused_updates, summary.stop) = (2, Some(Stop::Signal(3)));
        assert_eq!(
            summary.to_string(),
            "cats: 1 row in 1 commit, 0.000 s\ndogs: 1 row in 1 commit, 0.000 s\n\
             2 updates left out, because a sink permanently refuses them\nstopped by signal 3"
        );
        assert_eq!(Summary::default().to_string(), "");
    }
}
