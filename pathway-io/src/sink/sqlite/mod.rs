//! Tables in SQLite databases.
//!
//! A table with a primary key is kept as its *current rows*. A table without one is kept as its updates, with `time`
//! and `diff` beside the columns, as in a file. Every commit is applied whole, in one transaction, so a reader of the
//! database never sees a part of a commit. Commits that arrive together share a transaction. The table
//! `pathway_io_tables` contains the time of each table's last commit.
//!
//! | column type | in SQLite |
//! |---|---|
//! | `bool`, integers up to `i64` and `u32` | `INTEGER`, `bool` as 0 and 1 |
//! | `u64`, `i128`, `u128`, durations (in nanoseconds) | an integer; beyond the range of `i64`, a string of digits. The column is declared `BLOB`, because `INTEGER` would turn such a string into a float |
//! | `f32`, `f64` | `REAL`; SQLite has no `NaN`, so it is the text `NaN`, and `-0.0` is `0.0` |
//! | `Vec<u8>`, `Bytes` | `BLOB` |
//! | `Value`, `RawJson`, lists, arrays, tuples, sets, maps, `#[schema(json)]` | `TEXT` with JSON |
//! | all others | `TEXT`, as in CSV |
//! | `Option<T>` | as `T`, or `NULL`; all others are `NOT NULL` |
//!
//! The pipeline creates the table when it starts, or empties it if an earlier run wrote it. A persistent pipeline
//! continues it, with each commit exactly once after any kill. An existing table that no pipeline has made is used if
//! it has the same columns and no rows. Otherwise the table is left unchanged, and the pipeline does not start.
//!
//! A row takes at most 10^9 bytes in SQLite, or at most [`Options::row_limit`]. If a source pushes a larger row, it is
//! a bad row, which the source's [`BadRows`](crate::BadRows) policy handles. If a computation produces a larger row,
//! the row fails the pipeline, unless [`Options::refused_rows`] says otherwise. The same holds for any row that
//! violates a constraint of a table that you made.
//!
//! ```
//! use pathway_io::{Pipeline, Schema, Subject, connector, sqlite};
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
//!         cats.commit()?;
//!         cats.next(Cat { key: 1, genus: "lynx".into() })?;
//!         Ok(())
//!     }
//! }
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("cats.sqlite");
//! let pipeline = Pipeline::new();
//! let cats = pipeline.read(Cats);
//! sqlite::write(&cats, &path);
//! pipeline.run()?;
//!
//! let database = rusqlite::Connection::open(&path)?;
//! let genus: String = database.query_row("SELECT genus FROM Cat WHERE key = 1", [], |row| row.get(0))?;
//! assert_eq!(genus, "lynx");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bind;
mod columns;
mod database;
mod layout;
mod limit;
mod options;

use std::fs::{self, File};
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::rows::check::RowCheck;
use crate::rows::commit::Commit;
use crate::rows::description::TableSchema;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::{BoxError, RunResult};
use crate::run::files::Watch;
use crate::run::lock::Lock;
use crate::run::quarantine::BadRows;
use crate::sink::Sink;
use crate::sink::database::EarlierRows;
use crate::sink::file::storage::FileError;
use crate::sink::spec::{SinkSpec, Target};
use database::{Database, check_whole, classified, classified_in_commit, is_utf16};
use layout::Layout;

pub use options::Options;

/// The time that SQLite itself waits for a locked database before the retry policy applies.
const BUSY: Duration = Duration::from_secs(1);

/// Locked while a sink opens its database, because SQLite does not wait for another connection that changes the
/// journal mode, such as the connection of a second table.
static OPENING: Lock<()> = Lock::new(());

/// Keeps a table in a SQLite database, under the name of its schema: the current rows if it has a primary key, and
/// otherwise its updates.
///
/// Several tables can be written to one database.
///
/// ```no_run
/// # use pathway_io::{connector, sqlite, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64 }
/// # struct Cats;
/// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
/// # let pipeline = Pipeline::new();
/// let cats = pipeline.read(Cats);
/// sqlite::write(&cats, "zoo.sqlite");
/// # Ok::<(), pathway_io::Error>(())
/// ```
///
/// # Panics
///
/// Panics if the pipeline of the table has been started or dropped.
pub fn write<S: Schema>(table: &Table<S>, path: impl AsRef<Path>) {
    write_with(table, path, Options::new());
}

/// Keeps a table in a SQLite database, with options.
///
/// ```no_run
/// # use pathway_io::{connector, sqlite, Pipeline, Schema, Subject};
/// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64 }
/// # struct Cats;
/// # #[connector] impl Cats { fn run(&mut self, _cats: Subject<Cat>) {} }
/// # let pipeline = Pipeline::new();
/// let cats = pipeline.read(Cats);
/// sqlite::write_with(&cats, "zoo.sqlite", sqlite::Options::new().table("cat_history").updates());
/// # Ok::<(), pathway_io::Error>(())
/// ```
///
/// # Panics
///
/// Panics if the pipeline of the table has been started or dropped.
pub fn write_with<S: Schema>(table: &Table<S>, path: impl AsRef<Path>, options: Options) {
    let path = path.as_ref();
    let Options { table: name, updates, row_limit, sink: options } = options;
    let layout = Layout::new(S::SCHEMA, name.as_deref(), updates);
    // SQLite ignores the case of ASCII letters in the name of a table.
    let target = Target { part: Some(layout.table.to_ascii_lowercase()), ..Target::file(path.to_owned()) };
    let sink = SqliteSink {
        path: path.to_owned(),
        layout,
        row_limit,
        finds_refused: options.refused_rows != BadRows::Fail,
        database: None,
        opened: None,
    };
    let name = path.display().to_string().into();
    table.add_sink(SinkSpec::new(name, Some(target), sink, options));
}

struct SqliteSink {
    path: PathBuf,
    layout: Layout,
    /// The maximum number of bytes in a row.
    row_limit: usize,
    /// Whether the sink finds all updates that SQLite refuses.
    finds_refused: bool,
    database: Option<Database>,
    /// The file that was opened first, with its absolute path or URI, in case the program changes its working
    /// directory.
    opened: Option<(PathBuf, Watch)>,
}

/// Returns the part of a URI after the path, or `None` if the path is not a URI.
fn uri_options(path: &Path) -> Option<&str> {
    let uri = path.to_str()?.strip_prefix("file:")?;
    Some(uri.find(['?', '#']).map_or("", |end| &uri[end..]))
}

/// Returns the URI of an absolute path.
fn absolute_uri(path: &str, options: &str) -> String {
    let slash = if path.starts_with('/') { "" } else { "/" };
    let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{slash}{path}{options}")
}

impl SqliteSink {
    /// Checks that the path still leads to the file that was opened first.
    fn check_file(&self) -> RunResult {
        let checked = self.opened.as_ref().map_or(Ok(()), |(_, watch)| watch.check(0, false));
        Ok(checked.map_err(|error| FileError::new("continue", &self.path, error))?)
    }

    /// Adds the system's reason to SQLite's error for a file that it cannot open or write.
    fn explained(&self, error: BoxError) -> BoxError {
        let code = error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
        let path = self.opened.as_ref().map_or(&self.path, |(path, _)| path);
        if !matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)) || uri_options(path).is_some() {
            return error;
        }
        // SQLite has tried the same.
        let mut options = File::options();
        match options.read(true).write(true).create(self.opened.is_none()).truncate(false).open(path) {
            Ok(_) => error,
            Err(reason) => format!("{error}: {reason}").into(),
        }
    }

    /// Opens the database, and returns the time of the last commit.
    fn open_database(&mut self, start: EarlierRows) -> Result<Option<u64>, BoxError> {
        self.connect(start).map_err(|error| classified(self.explained(error)))
    }

    fn connect(&mut self, start: EarlierRows) -> Result<Option<u64>, BoxError> {
        // The connection of a failed attempt is closed first, which undoes what it had not committed.
        self.database = None;
        self.check_file()?;
        let _opening = OPENING.lock();
        let mut flags = OpenFlags::default();
        // If the database was removed, a new one would lack its rows.
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, self.opened.is_none());
        let path = self.opened.as_ref().map_or(&self.path, |(path, _)| path);
        let mut connection = Connection::open_with_flags(path, flags)?;
        if self.opened.is_none() {
            // SQLite keeps a database without a name, or with `:memory:` as its name, for one connection.
            if connection.path() == Some("") {
                return Err("this is a temporary database, which would be lost at the end\nhelp: choose a path".into());
            }
            // SQLite also takes a URI, and knows the file that it leads to.
            let opened = connection.path().filter(|_| !self.path.exists());
            let path = opened.map_or(&*self.path, Path::new);
            let watch = Watch::new(path, &fs::metadata(path)?);
            let path = match (opened, uri_options(&self.path)) {
                (Some(path), Some(options)) => absolute_uri(path, options).into(),
                _ => absolute(&self.path)?,
            };
            self.opened = Some((path, watch));
        }
        connection.busy_timeout(BUSY)?;
        // In this mode, readers do not block the writer. On a file system that does not support it, the mode stays the
        // same.
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", if start == EarlierRows::Empty { "NORMAL" } else { "FULL" })?;
        let time = self.layout.prepare(&mut connection, start)?;
        // SQLite keeps its own limit if that is lower.
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, i32::try_from(self.row_limit).unwrap_or(i32::MAX))?;
        self.database = Some(Database { connection, scratch: Vec::new(), time: time.unwrap_or(0) });
        Ok(time)
    }
}

impl<S: Schema> Sink<S> for SqliteSink {
    fn open(&mut self, _schema: &'static TableSchema) -> RunResult {
        self.open_database(EarlierRows::Empty)?;
        Ok(())
    }

    fn is_transactional(&self) -> bool {
        true
    }

    fn recover(&mut self, _schema: &'static TableSchema) -> Result<Option<u64>, BoxError> {
        if self.opened.is_none() {
            check_whole(&self.path).map_err(classified)?;
        }
        self.open_database(EarlierRows::Continue)
    }

    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        let database = self.database.as_mut().ok_or("the database is not open")?;
        database.apply(&self.layout, commit, self.finds_refused)?;
        database.set_time(&self.layout, commit.time()).map_err(classified)
    }

    fn flush(&mut self) -> RunResult {
        let Some(database) = &mut self.database else { return Ok(()) };
        let ended = database.end();
        // SQLite does not notice that its file was removed. A check before the end could come too early.
        self.check_file().map_err(classified)?;
        // The error of a deferred constraint does not name the update.
        ended.map_err(|error| classified_in_commit(error, None))
    }

    fn row_check(&self) -> Option<RowCheck<S>> {
        let added = if self.layout.updates { 2 } else { 0 };
        Some(limit::row_check(self.row_limit, added, is_utf16(&self.path)))
    }

    fn close(&mut self) -> RunResult {
        if let Some(database) = self.database.take() {
            self.check_file()?;
            database.connection.close().map_err(|(_, error)| error)?;
        }
        Ok(())
    }
}
