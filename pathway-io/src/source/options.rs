//! The options of a source: [`ReadOptions`].

use std::time::Duration;

use crate::run::quarantine::BadRows;
use crate::run::restart::Restart;

/// The default autocommit interval, the same as in Pathway.
const DEFAULT_AUTOCOMMIT: Duration = Duration::from_millis(1500);
/// The default backlog, in rows.
const DEFAULT_BACKLOG: usize = 65_536;

/// Options for reading a source.
///
/// `#[connector(..)]` sets the defaults of `name`, `autocommit`, `eager` and `backlog`.
/// [`Pipeline::read_with`](crate::Pipeline::read_with) overrides them.
///
/// ```
/// use std::time::Duration;
/// use pathway_io::{BadRows, ReadOptions};
///
/// let options = ReadOptions::new()
///     .name("cats")
///     .autocommit(Duration::from_millis(100))
///     .backlog(1_000)
///     .bad_rows(BadRows::Skip);
/// # drop(options);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct ReadOptions {
    pub(crate) name: Option<String>,
    autocommit: Option<Option<Duration>>,
    eager: Option<bool>,
    backlog: Option<usize>,
    bad_rows: Option<BadRows>,
    pub(crate) full_snapshot: bool,
    pub(crate) bad_rows_limit: Option<u64>,
    pub(crate) restart: Option<Restart>,
    idle: Option<Duration>,
}

impl ReadOptions {
    /// Returns options that change nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the source's name in errors, in the summary and in the log. The default is the name of the type.
    ///
    /// A second source with the same name is called `name-2`, a third `name-3`. Partition 1 of a source `logs` is
    /// called `logs[1]`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the longest time that a pushed row waits for its commit. The default is 1,500 ms.
    ///
    /// `None` turns autocommit off. With a duration of zero, a row waits only until the previous commit is on its way
    /// to the sinks.
    pub fn autocommit(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.autocommit = Some(interval.into());
        self
    }

    /// Counts the autocommit interval from the last commit, and not from the first row after it.
    ///
    /// If a row arrives when the last commit is older than the interval, it is committed immediately. The following
    /// rows wait until the interval is over. Sinks therefore see the rows of a sparse source within some tens of
    /// microseconds, while a fast source makes no more commits than before. The option is off by default, because rows
    /// that are pushed together may then become visible in two commits.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pathway_io::ReadOptions;
    ///
    /// let options = ReadOptions::new().autocommit(Duration::from_millis(100)).eager(true);
    /// # drop(options);
    /// ```
    pub fn eager(mut self, eager: bool) -> Self {
        self.eager = Some(eager);
        self
    }

    /// Sets the backlog, in rows. The default is 65,536, and the minimum is 1.
    ///
    /// The backlog bounds the rows since the last commit, and also the committed rows that the slowest sink has not
    /// taken. A push waits while the backlog is full. It is also full at 16 MiB of column data, whatever the number of
    /// rows.
    pub fn backlog(mut self, rows: usize) -> Self {
        self.backlog = Some(rows);
        self
    }

    /// Sets what happens to a row that does not fit the schema. The default is [`BadRows::Fail`].
    pub fn bad_rows(mut self, bad_rows: BadRows) -> Self {
        self.bad_rows = Some(bad_rows);
        self
    }

    /// Declares that the source sends its whole table each time it runs, by primary key.
    ///
    /// Use this for a source without offsets in a persistent pipeline. Everything that the source pushes up to the end
    /// of `run` is one commit. The library compares it with the previous table and retracts absent keys, so that only
    /// differences are written. The table is in memory until then. If `run` fails or is stopped, its rows are dropped.
    /// In another pipeline the option has no effect.
    ///
    /// ```
    /// use pathway_io::ReadOptions;
    ///
    /// let options = ReadOptions::new().name("countries").full_snapshot();
    /// # drop(options);
    /// ```
    pub fn full_snapshot(mut self) -> Self {
        self.full_snapshot = true;
        self
    }

    /// Sets how many bad rows are skipped or quarantined. The next one fails the run.
    ///
    /// That row is also counted and quarantined. In a persistent pipeline it is in the file only if it was pushed with
    /// its offset, because the rows after the last offset are read again. The limit holds for all partitions of a
    /// process together. The default is no limit. The option has no effect with [`BadRows::Fail`].
    ///
    /// ```
    /// use pathway_io::{BadRows, ReadOptions};
    ///
    /// let options = ReadOptions::new().bad_rows(BadRows::Quarantine("bad.jsonl".into())).bad_rows_limit(100);
    /// # drop(options);
    /// ```
    pub fn bad_rows_limit(mut self, rows: u64) -> Self {
        self.bad_rows_limit = Some(rows);
        self
    }

    /// Runs the source again after its `run` has failed; see [`Restart`]. The default is one attempt.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pathway_io::{ReadOptions, Restart};
    ///
    /// let restart = Restart::backoff(Duration::from_secs(1)..Duration::from_secs(60)).attempts(10);
    /// let options = ReadOptions::new().restart(restart);
    /// # drop(options);
    /// ```
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = Some(restart);
        self
    }

    /// Treats the source as failed if `run` pushes nothing for this long.
    ///
    /// Use this for connections that die without an error. The library closes the subjects of the attempt and calls its
    /// [`on_interrupt`](crate::Subject::on_interrupt) hooks; the future of an `async fn run` is dropped. Then, with a
    /// [`restart`](Self::restart), `run` is called again, and otherwise the pipeline fails.
    ///
    /// - Rows, removals and bad rows count as pushed. Commits and offsets alone do not.
    /// - The time in which a push waits for backlog space does not count.
    /// - The duration must be longer than any pause of a healthy source, and than its longest
    ///   [`sleep`](crate::Subject::sleep). The limit is exact to a quarter of the duration, or to a second if that is
    ///   less.
    /// - A `run` that then does not return within the [grace period](crate::Pipeline::grace_period) fails the pipeline.
    ///
    /// There is no limit by default. Zero means no limit, too.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pathway_io::{ReadOptions, Restart};
    ///
    /// let restart = Restart::backoff(Duration::from_secs(1)..Duration::from_secs(60));
    /// let options = ReadOptions::new().idle(Duration::from_secs(90)).restart(restart);
    /// # drop(options);
    /// ```
    pub fn idle(mut self, duration: Duration) -> Self {
        self.idle = Some(duration);
        self
    }

    /// Returns these options, with unset ones taken from `defaults`.
    pub(crate) fn or(self, defaults: ReadOptions) -> Self {
        ReadOptions {
            name: self.name.or(defaults.name),
            autocommit: self.autocommit.or(defaults.autocommit),
            eager: self.eager.or(defaults.eager),
            backlog: self.backlog.or(defaults.backlog),
            bad_rows: self.bad_rows.or(defaults.bad_rows),
            full_snapshot: self.full_snapshot || defaults.full_snapshot,
            bad_rows_limit: self.bad_rows_limit.or(defaults.bad_rows_limit),
            restart: self.restart.or(defaults.restart),
            idle: self.idle.or(defaults.idle),
        }
    }

    pub(crate) fn autocommit_interval(&self) -> Option<Duration> {
        self.autocommit.unwrap_or(Some(DEFAULT_AUTOCOMMIT))
    }

    pub(crate) fn idle_limit(&self) -> Option<Duration> {
        self.idle.filter(|limit| !limit.is_zero())
    }

    pub(crate) fn is_eager(&self) -> bool {
        self.eager.unwrap_or_default()
    }

    pub(crate) fn backlog_rows(&self) -> usize {
        self.backlog.unwrap_or(DEFAULT_BACKLOG).max(1)
    }

    pub(crate) fn bad_row_policy(&self) -> BadRows {
        self.bad_rows.clone().unwrap_or_default()
    }
}
