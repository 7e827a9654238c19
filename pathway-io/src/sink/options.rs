//! [`SinkOptions`]: how a sink is attached to a table.

use std::ops::Range;
use std::time::Duration;

use crate::run::quarantine::BadRows;
use crate::run::restart::Restart;

/// The options of [`Table::write_to_with`](crate::Table::write_to_with).
///
/// ```
/// use std::time::Duration;
/// use pathway_io::{Restart, SinkOptions};
///
/// let waits = Duration::from_millis(100)..Duration::from_secs(10);
/// let options = SinkOptions::new().retry(Restart::backoff(waits).attempts(20));
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct SinkOptions {
    pub(super) retry: Option<Restart>,
    pub(super) refused_rows: BadRows,
    pub(super) inline: bool,
}

/// The sink is never retried.
const NO_RETRY: Range<Duration> = Duration::ZERO..Duration::ZERO;

impl SinkOptions {
    /// Returns how the sink is retried, or `None` if the commits since its last flush need not be kept. They must also
    /// be kept to leave out refused rows.
    pub(super) fn restart(&self) -> Option<Restart> {
        let leaves_out = || (self.refused_rows != BadRows::Fail).then(|| Restart::backoff(NO_RETRY).attempts(1));
        self.retry.clone().or_else(leaves_out)
    }

    /// Returns the options of [`Table::write_to`](crate::Table::write_to): an error fails the pipeline.
    pub fn new() -> Self {
        Self::default()
    }

    /// Retries the sink after an error, except an error of [`close`](crate::Sink::close).
    ///
    /// The library keeps the commits since the last successful [`flush`](crate::Sink::flush). After an error it waits,
    /// calls [`recover`](crate::Sink::recover), writes the commits with a later time again, and flushes. If `recover`
    /// returns `None`, it writes all of them again. An error of `open`, or of `recover` at the start of a persistent
    /// pipeline, is followed by another call of the same method.
    ///
    /// - The commits that are kept count as backlog, so the sources wait while the sink does not recover. To limit
    ///   them, `flush` is also called after 25,000 updates or 100 ms.
    /// - A flush that succeeds resets the count of attempts and the waits.
    /// - An error that is marked [fatal](crate::Error::fatal), and a panic, fail the pipeline immediately.
    /// - A stop ends the wait. One more attempt follows, so that the rows arrive if possible.
    ///
    /// The default `recover` calls `open`. A sink whose `open` deletes existing rows must implement `recover`.
    pub fn retry(mut self, restart: Restart) -> Self {
        self.retry = Some(restart);
        self
    }

    /// Sets the policy for rows that the sink refuses permanently, such as rows that violate a constraint of a table.
    /// By default, such a row fails the pipeline.
    ///
    /// In a persistent pipeline, the row is durable before the sink sees it, so it fails every later start too. With
    /// this option, the pipeline continues without the row, even at a start after such a failure. The option applies to
    /// errors that are marked by [`Error::refused`](crate::Error::refused).
    ///
    /// - The library keeps the commits since the last flush, as for [`retry`](Self::retry), and calls
    ///   [`recover`](crate::Sink::recover) before it writes them again, one at a time and without the refused updates.
    ///   If an error does not name its update, the whole commit is left out.
    /// - `BadRows::Skip` counts the updates that are left out, in
    ///   [`Summary::refused_updates`](crate::Summary::refused_updates). A warning through `tracing` contains the
    ///   reason. If an error names several updates of a commit, the warning contains the reason for the first one.
    /// - `BadRows::Quarantine` also appends each to the file, as an object with `sink`, `time`, `diff`, `reason` and
    ///   `raw`. After a kill or another error of the sink, an update can be in the file twice, and count twice. A
    ///   record that was cut short by a full disk stays in the file, on its own line.
    /// - If the sink also refuses a commit without updates, or its `recover` fails with such an error, the pipeline
    ///   fails.
    ///
    /// If the sink can recognize such a row at its push, implement [`Sink::row_check`](crate::Sink::row_check) instead.
    pub fn refused_rows(mut self, policy: BadRows) -> Self {
        self.refused_rows = policy;
        self
    }

    /// Calls the sink on the thread that makes the commit, without waking the sink's own thread.
    ///
    /// A commit then reaches the sink in about a microsecond. The thread that calls [`write`](crate::Sink::write) and
    /// [`flush`](crate::Sink::flush) depends on the commit:
    ///
    /// - [`Subject::commit`](crate::Subject::commit) and [`Transaction::commit`](crate::Transaction::commit) call them
    ///   before they return. The conditions are that nothing else is being committed at that moment, and that the
    ///   commit has at most 32 rows or no table of the connector has a key.
    /// - All other commits, including those of autocommit and of async sources, call them on the sequencer's thread.
    /// - Sinks of a computed table are called on a thread of the engine.
    ///
    /// Commits come whole, one at a time and in order, as for every sink. `open`, `close` and the drop stay on the
    /// sink's thread.
    ///
    /// Only a sink that never waits should be called inline:
    ///
    /// - While the sink is being called, nothing else of the pipeline is committed, and no timer fires. A slow sink
    ///   therefore slows down all sources. A source that is in `commit` waits for the sink, even after a stop; after
    ///   the grace period, both are abandoned and named in the error.
    /// - An error or a panic of the sink fails the pipeline. The `commit` that called the sink returns `Ok`, because
    ///   the rows were committed.
    /// - The sink can push into any source and commit. These rows become a later commit. A push that waits for backlog
    ///   space would wait for the sink itself, until a stop. Use [`try_next`](crate::Subject::try_next).
    ///
    /// A sink with [`retry`](Self::retry) or [`refused_rows`](Self::refused_rows), and a
    /// [transactional](crate::Sink::is_transactional) sink in a persistent pipeline, are still called on their own
    /// thread.
    ///
    /// ```
    /// # use pathway_io::{connector, Pipeline, Schema, Subject};
    /// use pathway_io::{Commit, RunResult, Sink, SinkOptions};
    ///
    /// # #[derive(Schema)] struct Quote { price: f64 }
    /// # struct Quotes;
    /// # #[connector] impl Quotes { fn run(&mut self, _quotes: Subject<Quote>) {} }
    /// struct Last(f64);
    ///
    /// impl Sink<Quote> for Last {
    ///     fn write(&mut self, commit: &Commit<Quote>) -> RunResult {
    ///         self.0 = commit.iter().last().map_or(self.0, |quote| quote.row.price);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let pipeline = Pipeline::new();
    /// pipeline.read(Quotes).write_to_with(Last(0.0), SinkOptions::new().inline(true));
    /// # pipeline.run()?;
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    pub fn inline(mut self, inline: bool) -> Self {
        self.inline = inline;
        self
    }
}
