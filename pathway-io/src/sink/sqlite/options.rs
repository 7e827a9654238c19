//! [`Options`] for a table in a SQLite database.

use std::time::Duration;

use super::limit;
use crate::run::quarantine::BadRows;
use crate::run::restart::Restart;
use crate::sink::options::SinkOptions;

/// Options for a table in a database.
///
/// ```no_run
/// # use std::time::Duration;
/// # use pathway_io::{BadRows, Restart, connector, sqlite, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64 }
/// # struct Cats;
/// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
/// # let pipeline = Pipeline::new();
/// # let cats = pipeline.read(Cats);
/// let waits = Duration::from_millis(10)..Duration::from_secs(1);
/// let options = sqlite::Options::new()
///     .row_limit(1 << 20) // a larger row is a bad row
///     .retry(Restart::backoff(waits).attempts(100)) // while another program has locked the database
///     .refused_rows(BadRows::Skip); // rows that violate a constraint
/// sqlite::write_with(&cats, "zoo.sqlite", options);
/// sqlite::write_with(&cats, "zoo.sqlite", sqlite::Options::new().table("cat_history").updates());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Options {
    pub(super) table: Option<String>,
    pub(super) updates: bool,
    pub(super) row_limit: usize,
    pub(super) sink: SinkOptions,
}

impl Default for Options {
    fn default() -> Self {
        let retry = Restart::backoff(Duration::from_millis(10)..Duration::from_secs(1)).attempts(60);
        Options { table: None, updates: false, row_limit: limit::ROW_LIMIT, sink: SinkOptions::new().retry(retry) }
    }
}

impl Options {
    /// Returns the default options: the table has the name of its schema, and contains the current rows if there is a
    /// primary key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the table in the database.
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.table = Some(name.into());
        self
    }

    /// Keeps every update, with `time` and `diff` beside the columns, even if there is a primary key.
    pub fn updates(mut self) -> Self {
        self.updates = true;
        self
    }

    /// Sets the maximum number of bytes that a row may take in SQLite. The default is 10^9, the limit of SQLite itself.
    ///
    /// A row takes the bytes of its strings, blobs and JSON, and up to 18 bytes more for each column. A larger row that
    /// a source pushes is a bad row. A higher limit has an effect only if your program links a SQLite that was compiled
    /// for it.
    pub fn row_limit(mut self, bytes: usize) -> Self {
        self.row_limit = bytes;
        self
    }

    /// Sets how often a commit is retried while another program has locked the database.
    ///
    /// By default there are 60 attempts in a row, with waits from 10 ms to 1 s: one to two minutes in all. Each attempt
    /// waits for up to 1 s in SQLite itself. Meanwhile, the sources wait: until the first attempt succeeds, and
    /// later when the backlog is full. [`Pipeline::progress`](crate::Pipeline::progress) shows the attempts. Any other
    /// error fails the pipeline immediately. `attempts(1)` turns retries off. See
    /// [`SinkOptions::retry`](crate::SinkOptions::retry).
    pub fn retry(mut self, restart: Restart) -> Self {
        self.sink = self.sink.retry(restart);
        self
    }

    /// Sets the policy for rows that SQLite refuses permanently. By default, they fail the pipeline.
    ///
    /// Such rows violate a constraint of a table that you made, or come from a computation and are too large.
    ///
    /// See [`SinkOptions::refused_rows`](crate::SinkOptions::refused_rows).
    pub fn refused_rows(mut self, policy: BadRows) -> Self {
        self.sink = self.sink.refused_rows(policy);
        self
    }
}
