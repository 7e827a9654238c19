//! An open database: [`Database`], and the errors of SQLite.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use rusqlite::{CachedStatement, Connection, ErrorCode};

use super::bind::{Bind, Parameters};
use super::layout::Layout;
use crate::rows::commit::Commit;
use crate::rows::fields::Columns;
use crate::rows::schema::Schema;
use crate::run::error::{BoxError, Error, RunResult, fatal};
use crate::sink::database::TABLES;
use crate::sink::file::storage::FileError;

pub(super) struct Database {
    pub(super) connection: Connection,
    /// A buffer for the text of values that SQLite has no type for.
    pub(super) scratch: Vec<u8>,
    /// The time of the last commit that this sink has written or found.
    pub(super) time: u64,
}

impl Database {
    /// Ends the transaction, if one is open.
    pub(super) fn end(&self) -> rusqlite::Result<()> {
        if self.connection.is_autocommit() { Ok(()) } else { self.connection.execute_batch("COMMIT") }
    }

    /// Writes the rows of a commit. The transaction ends with the next flush, so that commits that arrive together
    /// share it. If `finds_refused`, the error names all updates that SQLite refuses, and otherwise the first one.
    pub(super) fn apply<S: Schema>(&mut self, layout: &Layout, commit: &Commit<S>, finds_refused: bool) -> RunResult {
        if self.connection.is_autocommit() {
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| classified(error.into()))?;
        }
        let mut refused = finds_refused.then(Vec::new);
        if layout.updates {
            self.append(layout, commit, &mut refused)?;
        } else {
            self.change(layout, commit, &mut refused)?;
        }
        Error::refused_each(refused.unwrap_or_default()).map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    /// Replaces the stored time of the last commit.
    ///
    /// # Errors
    ///
    /// Returns an error if a different time is stored. The file is not locked between two transactions, so that other
    /// programs can read it and write to other tables.
    pub(super) fn set_time(&mut self, layout: &Layout, time: u64) -> RunResult {
        let times = [time, self.time].map(u64::cast_signed);
        let changed = self.connection.prepare_cached(&layout.set_time)?.execute((&layout.table, times[0], times[1]))?;
        self.time = time;
        if changed == 1 {
            return Ok(());
        }
        Err(match layout.time(&self.connection)? {
            Some(_) => "another pipeline has written the table since the last commit of this one\nhelp: give each \
                        pipeline its own table"
                .into(),
            None => format!(
                "the row of `{}` in `{TABLES}` was removed\nhelp: to start over, empty the table, and remove the state \
                 directory of a persistent pipeline",
                layout.table
            )
            .into(),
        })
    }

    /// Appends the updates to the table.
    fn append<S: Schema>(&mut self, layout: &Layout, commit: &Commit<S>, refused: &mut RefusedUpdates) -> RunResult {
        let mut insert = prepared(&self.connection, &layout.insert)?;
        for (update, (batch, row)) in commit.rows().enumerate() {
            let mut bind = Bind::new::<S>(row, Parameters::All, &mut insert, &mut self.scratch);
            batch.columns.visit(0, &mut bind);
            let written = bind.finish().and_then(|end| {
                insert.raw_bind_parameter(end, commit.time().cast_signed())?;
                insert.raw_bind_parameter(end + 1, batch.diff(row))?;
                insert.raw_execute()
            });
            collect(refused, written, update, &self.connection)?;
        }
        Ok(())
    }

    /// Brings the rows of the changed keys to their current state.
    ///
    /// The removals come first, because an added row may have a unique value of a removed one. In a commit, a key has
    /// at most one removal and then one addition, so this order does not change the result.
    fn change<S: Schema>(&mut self, layout: &Layout, commit: &Commit<S>, refused: &mut RefusedUpdates) -> RunResult {
        let mut upsert = prepared(&self.connection, &layout.insert)?;
        let mut delete = prepared(&self.connection, &layout.delete)?;
        for adds in [false, true] {
            for (update, (batch, row)) in commit.rows().enumerate() {
                if (batch.diff(row) > 0) != adds || (!adds && batch.is_replaced(row)) {
                    continue;
                }
                let (statement, parameters) =
                    if adds { (&mut upsert, Parameters::All) } else { (&mut delete, Parameters::Key) };
                let mut bind = Bind::new::<S>(row, parameters, statement, &mut self.scratch);
                batch.columns.visit(0, &mut bind);
                let written = bind.finish().and_then(|_| statement.raw_execute());
                if collect(refused, written, update, &self.connection)? && adds {
                    // Without the update, the earlier row of the key is removed.
                    let mut bind = Bind::new::<S>(row, Parameters::Key, &mut delete, &mut self.scratch);
                    batch.columns.visit(0, &mut bind);
                    let removed = bind.finish().and_then(|_| delete.raw_execute());
                    removed.map_err(|error| classified_in_commit(error, Some(update)))?;
                }
            }
        }
        Ok(())
    }
}

fn prepared<'c>(connection: &'c Connection, statement: &str) -> Result<CachedStatement<'c>, BoxError> {
    connection.prepare_cached(statement).map_err(|error| classified(error.into()))
}

/// The updates of a commit that SQLite refuses, so that all of them are known after one attempt. `None` if the first
/// one ends the commit.
type RefusedUpdates = Option<Vec<(usize, BoxError)>>;

/// Collects the error of an update, if SQLite has undone that update alone. Returns whether there is one.
fn collect(
    refused: &mut RefusedUpdates,
    written: rusqlite::Result<usize>,
    update: usize,
    connection: &Connection,
) -> Result<bool, BoxError> {
    match (written, refused) {
        (Ok(_), _) => Ok(false),
        // A trigger with `RAISE(ROLLBACK, ..)` ends the whole transaction.
        (Err(error), Some(refused)) if is_refusal(&error) && !connection.is_autocommit() => {
            refused.push((update, error.into()));
            Ok(true)
        }
        (Err(error), _) => Err(classified_in_commit(error, Some(update))),
    }
}

/// Returns the start of the header of a database and the length of its file, or `None` if the file is missing or has no
/// header.
fn header(path: &Path) -> io::Result<Option<([u8; 60], u64)>> {
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    let (mut header, len) = ([0; 60], found.len());
    // A pipe is not opened, because that would wait for another program.
    if !found.is_file() || len < header.len() as u64 {
        return Ok(None);
    }
    File::open(path)?.read_exact(&mut header)?;
    Ok(Some((header, len)))
}

/// Returns whether a database stores its strings in UTF-16.
pub(super) fn is_utf16(path: &Path) -> bool {
    header(path).is_ok_and(|header| header.is_some_and(|(header, _)| header[59] > 1))
}

/// Refuses a file that has lost a part of its last page, where SQLite would read zeros. SQLite itself notices missing
/// pages.
pub(super) fn check_whole(path: &Path) -> Result<(), BoxError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // After a crash, the last page may be incomplete, but the write-ahead log contains it.
    if fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        return Ok(());
    }
    let found = header(path).map_err(|error| FileError::new("open", path, error))?;
    let Some((header, len)) = found else { return Ok(()) };
    // The largest page size does not fit in two bytes, and is written as 1.
    let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        size => size,
    };
    if page > 0 && !len.is_multiple_of(page) {
        return Err(format!(
            "the database is damaged: its file has {len} bytes, and its pages have {page} each\nhelp: restore it and the \
             state directory from one backup"
        )
        .into());
    }
    Ok(())
}

/// Marks an error as fatal, unless another attempt may succeed because the database is only in use.
pub(super) fn classified(error: BoxError) -> BoxError {
    let code = error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => error,
        _ => fatal(error),
    }
}

/// Like [`classified`], for an error of a commit. `update` is the number of the update that failed, if it is known.
pub(super) fn classified_in_commit(error: rusqlite::Error, update: Option<usize>) -> BoxError {
    if is_refusal(&error) { Error::refused(update, error).into() } else { classified(error.into()) }
}

/// Returns whether SQLite refuses a row permanently.
fn is_refusal(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch))
}
