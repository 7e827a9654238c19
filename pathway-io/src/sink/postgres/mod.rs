//! Tables in PostgreSQL databases.
//!
//! A table with a primary key is kept as its *current rows*. A table without one is kept as its updates, with `time`
//! and `diff` beside the columns. Every commit is applied whole, in one transaction; commits that come together share
//! one. The table `pathway_io_tables` contains the time of each table's last commit, which is written in the same
//! transaction.
//!
//! | column type | in PostgreSQL |
//! |---|---|
//! | `bool` | `boolean` |
//! | `i8`, `i16`, `u8` | `smallint` |
//! | `i32`, `u16` | `integer` |
//! | `i64`, `u32` | `bigint` |
//! | `u64`, `i128`, `u128`, durations (in nanoseconds) | `numeric` |
//! | `f32`, `f64` | `real`, `double precision`; all values, including `NaN` and `-0.0` |
//! | `String` and the other string types, `char`, `PathBuf`, IP addresses, enums | `text` |
//! | `Vec<u8>`, `bytes::Bytes` | `bytea` |
//! | dates, times of day | `date`, `time` |
//! | civil date-times; instants | `timestamp`; `timestamptz`, without the offset |
//! | `uuid::Uuid` | `uuid` |
//! | `rust_decimal::Decimal` | `numeric`, with the zeros at the end |
//! | `Value`, `RawJson`, lists, arrays, tuples, sets, maps, `json` columns | `jsonb` |
//! | `Option<T>` | as `T`, or `NULL` |
//!
//! PostgreSQL stores microseconds, so nanoseconds are truncated. Names are quoted, so the names of two columns can
//! differ in case only. A name of more than 63 bytes is an error, because PostgreSQL would truncate it.
//!
//! # Rows that PostgreSQL cannot hold
//!
//! If a source pushes a row with one of these values, the row is a bad row, which the source's
//! [`BadRows`](crate::BadRows) policy handles. If a computation produces such a row, the row fails the pipeline, unless
//! [`Options::refused_rows`] says otherwise. The same holds for any row that violates a constraint of a table that you
//! made.
//!
//! - a NUL character in a string or in JSON
//! - in JSON: one half of a surrogate pair, such as `"\ud800"`; a number with more than 131,072 digits before or 16,383
//!   after the point, such as `1e400000`; an array of more than 2<sup>24</sup> elements, or an object of more than
//!   2<sup>23</sup> names
//! - a date or time outside of PostgreSQL's range
//! - a nanosecond in the primary key
//! - a primary key of more than 2,688 bytes, less 8 for each further column; in a table of updates, the length of keys
//!   does not matter
//! - JSON of more than 268,435,455 bytes, or a row of more than 1 GiB; see [`Options::row_limit`]
//!
//! # The table
//!
//! The pipeline creates the table when it starts, by [`TableSchema::sql_ddl`](crate::TableSchema::sql_ddl), or empties
//! it if an earlier run wrote it. A persistent pipeline continues it, with each commit exactly once. The pipeline uses
//! an existing table that no pipeline has made only if the columns have these types and the table is empty. A column
//! must not be generated, a column of the key must not have a nondeterministic collation, and the primary key must not
//! be `DEFERRABLE`. Otherwise the pipeline leaves the table unchanged, names each difference, and does not start. The
//! role needs the right to create tables, unless both tables exist.
//!
//! Rows of new keys are written with `COPY`, all others with `INSERT .. ON CONFLICT`. A table with rules or with row
//! security policies receives all rows by `INSERT`. If another program has written a row with the key of one of the
//! pipeline's rows, the pipeline replaces that row.
//!
//! While the pipeline runs, it holds an advisory lock for the table. A second process that writes the same table does
//! not start. The server releases the lock of a killed process within about a second; before version 14, or on Windows,
//! it finishes the current statement first. Each table has its own connection, which must stay one session of the
//! server: a connection pool such as PgBouncer must be in session mode. Time-outs that the role or the database has for
//! statements, transactions and idle sessions do not apply to it.
//!
//! # Errors
//!
//! An attempt to connect takes at most twice the `connect_timeout` of the connection string (10 s by default) for each
//! host, even if a host accepts the connection and does not answer.
//!
//! The sink retries after these errors (see [`Options::retry`]):
//!
//! - a connection that cannot be made or is lost
//! - the SQLSTATE classes 08 (connection), 57P (the server shuts down or starts) and 53 (resources)
//! - 40001 (serialization), 40P01 (deadlock), 55P03 (lock), and 25006 (the server is still a standby)
//!
//! All other errors, such as a wrong password or a violated constraint, fail the pipeline immediately.
//!
//! At the start, a server that cannot be reached is also retried, and the sources wait. [`Pipeline::progress`], a
//! [`Monitor`](crate::monitor::Monitor) and a subscriber of `tracing` show each attempt.
//!
//! [`Pipeline::progress`]: crate::Pipeline::progress
//!
//! ```no_run
//! use pathway_io::{Pipeline, Schema, Subject, connector, postgres};
//!
//! #[derive(Schema)]
//! struct Cat {
//!     #[schema(primary_key)]
//!     key: i64,
//!     genus: String,
//! }
//!
//! struct Cats;
//!
//! #[connector]
//! impl Cats {
//!     fn run(&mut self, cats: Subject<Cat>) -> pathway_io::RunResult {
//!         cats.next(Cat { key: 1, genus: "felis".into() })?;
//!         Ok(())
//!     }
//! }
//!
//! let pipeline = Pipeline::new();
//! let cats = pipeline.read(Cats);
//! postgres::write_with(&cats, "host=localhost dbname=zoo", postgres::Options::new().table("cats"));
//! pipeline.run()?;
//! # Ok::<(), pathway_io::Error>(())
//! ```

mod apply;
mod copy;
mod encode;
mod error;
mod fault;
mod fields;
mod jsonb;
mod layout;
mod limit;
mod options;
mod session;
mod types;

use std::path::PathBuf;

use postgres::Config;

use crate::rows::check::RowCheck;
use crate::rows::commit::Commit;
use crate::rows::description::TableSchema;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::{BoxError, RunResult};
use crate::run::quarantine::BadRows;
use crate::sink::Sink;
use crate::sink::database::EarlierRows;
use crate::sink::spec::{SinkSpec, Target};
use layout::Layout;
use session::{Session, Sessions};

pub use options::Options;

/// Keeps a table in a PostgreSQL database, under the name of its schema.
///
/// `config` is a connection string, such as `host=db user=zoo dbname=zoo` or `postgresql://zoo@db/zoo`.
///
/// # Panics
///
/// Panics if the pipeline of the table has been started or dropped.
pub fn write<S: Schema>(table: &Table<S>, config: impl Into<String>) {
    write_with(table, config, Options::new());
}

/// Keeps a table in a PostgreSQL database, with options.
///
/// # Panics
///
/// Panics if the pipeline of the table has been started or dropped.
pub fn write_with<S: Schema>(table: &Table<S>, config: impl Into<String>, options: Options) {
    let Options { table: name, schema, updates, row_limit, connect, sink: options } = options;
    let config = config.into();
    let layout = Layout::new(S::SCHEMA, name.as_deref(), schema, updates);
    let database = shown(&config);
    let part = match &layout.schema {
        Some(schema) => format!("{schema}.{}", layout.table),
        None => layout.table.clone(),
    };
    let name = format!("{database} {part}");
    let target = Target { part: Some(part), is_server: true, ..Target::file(PathBuf::from(database)) };
    let sink = PostgresSink::<S> {
        layout,
        row_limit,
        finds_refused: options.refused_rows != BadRows::Fail,
        sessions: Sessions::new(config, connect),
        session: None,
        pending: Vec::new(),
    };
    table.add_sink(SinkSpec::new(name.into(), Some(target), sink, options));
}

/// The port of a server unless a connection string has another one.
const PORT: u16 = 5432;

/// Returns the server and the database of a connection string, without user and password. Different servers have
/// different names.
fn shown(config: &str) -> String {
    let Ok(config) = config.parse::<Config>() else { return "postgresql:".to_owned() };
    let host = config.get_hosts().first().map(|host| match host {
        postgres::config::Host::Tcp(host) => host.clone(),
        #[cfg(unix)]
        postgres::config::Host::Unix(path) => path.display().to_string(),
    });
    let address = config.get_hostaddrs().first().map(ToString::to_string);
    let (host, address) = match (host, address) {
        (Some(host), Some(address)) => (host, format!("?hostaddr={address}")),
        (host, address) => (host.or(address).unwrap_or_default(), String::new()),
    };
    let port = config.get_ports().first().filter(|port| **port != PORT);
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgresql://{host}{port}/{database}{address}")
}

struct PostgresSink<S: Schema> {
    layout: Layout,
    /// The maximum number of bytes in a row.
    row_limit: usize,
    /// Whether the sink searches for the update that the server refuses.
    finds_refused: bool,
    sessions: Sessions,
    session: Option<Session>,
    /// The commits since the last flush, which go into one transaction.
    pending: Vec<Commit<S>>,
}

impl<S: Schema> PostgresSink<S> {
    fn connect(&mut self, start: EarlierRows) -> Result<Option<u64>, BoxError> {
        self.pending.clear();
        // The connection of a failed attempt is closed first, which releases its lock.
        self.session = None;
        let (session, time) = self.sessions.open(&self.layout, start)?;
        self.session = Some(session);
        Ok(time)
    }
}

impl<S: Schema> Sink<S> for PostgresSink<S> {
    fn open(&mut self, _schema: &'static TableSchema) -> RunResult {
        self.connect(EarlierRows::Empty)?;
        Ok(())
    }

    fn is_transactional(&self) -> bool {
        true
    }

    fn recover(&mut self, _schema: &'static TableSchema) -> Result<Option<u64>, BoxError> {
        self.connect(EarlierRows::Continue)
    }

    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        self.pending.push(commit.clone());
        Ok(())
    }

    fn flush(&mut self) -> RunResult {
        if !self.pending.is_empty() {
            let session = self.session.as_mut().ok_or("not connected to the server")?;
            if let Err(error) = session.apply(&self.layout, &self.pending) {
                return Err(match &*self.pending {
                    [commit] if self.finds_refused => session.locate(error, &self.layout, commit),
                    _ => error,
                });
            }
            self.pending.clear();
        }
        Ok(())
    }

    fn row_check(&self) -> Option<RowCheck<S>> {
        Some(limit::row_check(&self.layout, self.row_limit))
    }

    fn close(&mut self) -> RunResult {
        // Everything is committed, so the connection can be closed.
        self.session = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_servers_have_two_names_without_user_and_password() {
        for (config, name) in [
            ("host=db dbname=zoo user=me password=secret", "postgresql://db/zoo"),
            ("host=db port=5432 dbname=zoo", "postgresql://db/zoo"),
            ("host=db port=5433 dbname=zoo", "postgresql://db:5433/zoo"),
            ("postgresql://me:secret@db:5433/zoo", "postgresql://db:5433/zoo"),
            ("hostaddr=10.0.0.1 dbname=zoo", "postgresql://10.0.0.1/zoo"),
            ("hostaddr=10.0.0.2 port=5433 dbname=zoo", "postgresql://10.0.0.2:5433/zoo"),
            ("host=db hostaddr=10.0.0.2 dbname=zoo", "postgresql://db/zoo?hostaddr=10.0.0.2"),
            ("host=db user=me", "postgresql://db/me"),
        ] {
            assert_eq!(shown(config), name);
        }
    }
}
