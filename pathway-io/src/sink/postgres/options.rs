//! [`Options`] for a table in a PostgreSQL database.

use std::time::Duration;

use postgres::Socket;
use postgres::tls::{MakeTlsConnect, TlsConnect};

use super::limit;
use super::session::Connect;
use crate::run::quarantine::BadRows;
use crate::run::restart::Restart;
use crate::sink::options::SinkOptions;

/// Options for a table in a database.
///
/// ```no_run
/// # use std::time::Duration;
/// # use pathway_io::{BadRows, Restart, connector, postgres, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64 }
/// # struct Cats;
/// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
/// # let pipeline = Pipeline::new();
/// # let cats = pipeline.read(Cats);
/// let waits = Duration::from_millis(100)..Duration::from_secs(10);
/// let options = postgres::Options::new()
///     .row_limit(1 << 20) // a larger row is a bad row
///     .retry(Restart::backoff(waits).attempts(100)) // while the server is away
///     .refused_rows(BadRows::Skip); // rows that violate a constraint
/// postgres::write_with(&cats, "host=localhost dbname=zoo", options);
/// let history = postgres::Options::new().schema("zoo").table("cat_history").updates();
/// postgres::write_with(&cats, "host=localhost dbname=zoo", history);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    pub(super) table: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) updates: bool,
    pub(super) row_limit: usize,
    pub(super) connect: Connect,
    pub(super) sink: SinkOptions,
}

impl Default for Options {
    fn default() -> Self {
        let retry = Restart::backoff(Duration::from_millis(100)..Duration::from_secs(10)).attempts(40);
        Options {
            table: None,
            schema: None,
            updates: false,
            row_limit: limit::ROW_LIMIT,
            connect: Connect::default(),
            sink: SinkOptions::new().retry(retry),
        }
    }
}

impl Options {
    /// Returns the options of [`write()`](super::write()): the name of the schema, current rows if there is a primary
    /// key, no TLS.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the table.
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.table = Some(name.into());
        self
    }

    /// Sets the schema of the database that contains the table and `pathway_io_tables`. The schema must exist.
    ///
    /// By default, it is the first schema of the role's `search_path`. The connection keeps this path, so the triggers
    /// of the table find the same names as in other connections.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = Some(name.into());
        self
    }

    /// Appends every update, with `time` and `diff`, even if there is a primary key.
    pub fn updates(mut self) -> Self {
        self.updates = true;
        self
    }

    /// Sets the maximum number of bytes that a row may take in PostgreSQL. The default is 1 GiB less 64 KiB, which the
    /// server can hold.
    ///
    /// A larger row that a source pushes is a bad row. Set it lower if the server has little memory for large rows.
    pub fn row_limit(mut self, bytes: usize) -> Self {
        self.row_limit = bytes;
        self
    }

    /// Encrypts the connection, with a TLS connector from a crate such as `postgres-native-tls` or
    /// `tokio-postgres-rustls`.
    ///
    /// ```ignore
    /// let connector = native_tls::TlsConnector::new()?;
    /// let options = postgres::Options::new().tls(postgres_native_tls::MakeTlsConnector::new(connector));
    /// ```
    pub fn tls<T>(mut self, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::TlsConnect: Send,
        T::Stream: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        self.connect = Connect::tls(tls);
        self
    }

    /// Sets how often the database is retried after a transient error.
    ///
    /// By default there are 40 attempts in a row, with waits from 100 ms to 10 s: about five minutes in all. Meanwhile,
    /// the sources wait: until the first attempt succeeds, and later when the backlog is full.
    /// [`Pipeline::progress`](crate::Pipeline::progress) shows the attempts. `attempts(1)` turns retries off. See
    /// [`SinkOptions::retry`](crate::SinkOptions::retry).
    pub fn retry(mut self, restart: Restart) -> Self {
        self.sink = self.sink.retry(restart);
        self
    }

    /// Sets the policy for rows that PostgreSQL refuses permanently. By default, they fail the pipeline.
    ///
    /// Such rows violate a constraint or a trigger of a table that you made, or come from a computation and contain
    /// values that PostgreSQL cannot hold.
    ///
    /// The policy applies to:
    ///
    /// - the SQLSTATE classes 22 (data), 23 (integrity constraint), 54 (limits) and P0 (PL/pgSQL)
    /// - any SQLSTATE that a trigger raises by `RAISE`
    /// - rows that violate a row-level security policy
    /// - XX000, if the server cannot allocate the memory for a value
    ///
    /// The server does not say which row of a commit it refuses, so the sink finds the row by trying parts of the
    /// commit. See [`SinkOptions::refused_rows`](crate::SinkOptions::refused_rows).
    pub fn refused_rows(mut self, policy: BadRows) -> Self {
        self.sink = self.sink.refused_rows(policy);
        self
    }
}
