//! How a source is read: [`ReadOptions`].

use std::path::PathBuf;
use std::time::Duration;

use crate::run::restart::Restart;

/// The autocommit interval of a source that names none, as in Pathway.
const DEFAULT_AUTOCOMMIT: Duration = Duration::from_millis(1500);
/// The backlog of a source that names none, in rows.
const DEFAULT_BACKLOG: usize = 65_536;

/// How a source is read. `#[connector(..)]` sets its defaults, [`Pipeline::read_with`](crate::Pipeline::read_with)
/// overrides them.
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
    name: Option<String>,
    autocommit: Option<Option<Duration>>,
    eager: Option<bool>,
    backlog: Option<usize>,
    bad_rows: Option<BadRows>,
    full_snapshot: Option<bool>,
    bad_rows_limit: Option<u64>,
    restart: Option<Restart>,
}

/// What happens to a row that does not fit the schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadRows {
    /// The push returns the error, and the source decides. This is the default.
    #[default]
    Fail,
    /// The row is counted and left out; the push returns `Ok`.
    Skip,
    /// The row is counted and written to this file, as one JSON object a line with `source`, `offset`, `reason` and
    /// `raw` (`raw_base64` where it is not UTF-8); the push returns `Ok`. The file is created or truncated when the
    /// pipeline starts; a persistent pipeline goes on with it, and writes each row with the commit around it. Of a source in
    /// parts each of several processes writes its own, `bad.0.jsonl` for `bad.jsonl`.
    Quarantine(PathBuf),
}

impl ReadOptions {
    /// Options that leave everything as the connector has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The source's name in errors, in the summary and in the log; otherwise the type's name. A second source of one
    /// name gets `-2` behind it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How long a pushed row waits at most for its commit; 1,500 ms unless set. `None` turns autocommit off, zero
    /// commits whenever the sequencer is free.
    pub fn autocommit(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.autocommit = Some(interval.into());
        self
    }

    /// Counts the autocommit interval from the last commit, and not from the first row after it: a row that comes when
    /// the last commit is older than the interval is committed at once, alone, and what follows it waits until the
    /// interval is over. Rows of a sparse source are then seen within some tens of microseconds, and a fast one makes no
    /// more commits than before. Off unless set, since rows that are pushed together are then not seen together.
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

    /// The backlog, in rows; 65,536 unless set, and at least 1. It bounds the rows since the last commit, and those
    /// that the slowest sink has not taken yet; a push waits where it is full.
    pub fn backlog(mut self, rows: usize) -> Self {
        self.backlog = Some(rows);
        self
    }

    /// What happens to a row that does not fit the schema.
    pub fn bad_rows(mut self, bad_rows: BadRows) -> Self {
        self.bad_rows = Some(bad_rows);
        self
    }

    /// Declares that the source sends its whole table each time it runs, by primary key: for a source without offsets in a
    /// [persistent](crate::Pipeline::persistent) pipeline. What it pushes up to the end of `run` is one commit; it is
    /// compared with what was there before, keys that are absent are retracted, and only differences are written. The
    /// table is held in memory until then, and what was pushed before `run` failed or was stopped is dropped. In another
    /// pipeline it changes nothing.
    pub fn full_snapshot(mut self) -> Self {
        self.full_snapshot = Some(true);
        self
    }

    pub(crate) fn is_full_snapshot(&self) -> bool {
        self.full_snapshot.unwrap_or(false)
    }

    /// How many bad rows are left out or put into quarantine; the next one fails the run, with an error that says so. It
    /// is counted, and kept in the quarantine, too. No limit unless set; without effect where bad rows
    /// [fail](BadRows::Fail) anyway.
    pub fn bad_rows_limit(mut self, rows: u64) -> Self {
        self.bad_rows_limit = Some(rows);
        self
    }

    /// Has the source run again where its `run` has failed; see [`Restart`]. It does not unless set.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = Some(restart);
        self
    }

    /// These options, and where they say nothing, those of `defaults`.
    pub(crate) fn or(self, defaults: ReadOptions) -> Self {
        ReadOptions {
            name: self.name.or(defaults.name),
            autocommit: self.autocommit.or(defaults.autocommit),
            eager: self.eager.or(defaults.eager),
            backlog: self.backlog.or(defaults.backlog),
            bad_rows: self.bad_rows.or(defaults.bad_rows),
            full_snapshot: self.full_snapshot.or(defaults.full_snapshot),
            bad_rows_limit: self.bad_rows_limit.or(defaults.bad_rows_limit),
            restart: self.restart.or(defaults.restart),
        }
    }

    pub(crate) fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) fn autocommit_interval(&self) -> Option<Duration> {
        self.autocommit.unwrap_or(Some(DEFAULT_AUTOCOMMIT))
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

    pub(crate) fn bad_row_limit(&self) -> Option<u64> {
        self.bad_rows_limit
    }

    pub(crate) fn restart_policy(&self) -> Option<Restart> {
        self.restart.clone()
    }
}
