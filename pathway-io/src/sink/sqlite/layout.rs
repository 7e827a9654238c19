//! The statements for a table in SQLite, and its preparation at the start.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::columns::{Affinity, difference};
use crate::rows::description::TableSchema;
use crate::run::error::BoxError;
use crate::sink::database::{EarlierRows, Expected, TABLES, expected, foreign_rows, names, on_conflict, quoted};

/// The statements for one table.
pub(super) struct Layout {
    pub(super) table: String,
    /// Whether the table contains the updates, and not the current rows.
    pub(super) updates: bool,
    pub(super) insert: String,
    pub(super) delete: String,
    pub(super) set_time: String,
    create: String,
    columns: Vec<Expected<Affinity>>,
}

impl Layout {
    pub(super) fn new(schema: &'static TableSchema, table: Option<&str>, updates: bool) -> Self {
        let table = table.unwrap_or(schema.name).to_owned();
        let updates = updates || !schema.has_key();
        let columns = expected(schema, updates, Affinity::of);
        let (all, keys, values) = (names(&columns, None), names(&columns, Some(true)), names(&columns, Some(false)));
        let name = quoted(&table);
        let insert = format!("INSERT INTO {name} ({}) VALUES ({})", all.join(", "), vec!["?"; all.len()].join(", "));
        Layout {
            insert: if updates { insert } else { format!("{insert} {}", on_conflict(&keys, &values)) },
            delete: format!("DELETE FROM {name} WHERE {} = ?", keys.join(" = ? AND ")),
            set_time: format!("UPDATE {TABLES} SET time = ?2 WHERE name = ?1 COLLATE NOCASE AND time = ?3"),
            create: create(&name, &columns, &keys),
            updates,
            table,
            columns,
        }
    }

    /// Checks that no name has a NUL, and that no two names differ only in the case of ASCII letters, which SQLite
    /// ignores.
    fn check_names(&self) -> Result<(), BoxError> {
        let columns = self.columns.iter().map(|column| ("column", column.name));
        for (what, name) in [("table", &*self.table)].into_iter().chain(columns) {
            if name.contains('\0') {
                let name = name.escape_debug();
                return Err(format!("the name of the {what} `{name}` cannot be a name in SQLite; rename it").into());
            }
        }
        for (number, column) in self.columns.iter().enumerate() {
            let same = |other: &&Expected<_>| other.name.eq_ignore_ascii_case(column.name);
            if let Some(other) = self.columns[..number].iter().find(same) {
                return Err(format!(
                    "the columns `{}` and `{}` differ in case only, which SQLite ignores; rename one of them \
                     (`#[schema(rename = \"..\")]`)",
                    other.name, column.name
                )
                .into());
            }
        }
        Ok(())
    }

    /// Creates the table or checks the existing one. Returns the time of its last commit, if the table is continued.
    pub(super) fn prepare(&self, connection: &mut Connection, start: EarlierRows) -> Result<Option<u64>, BoxError> {
        self.check_names()?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {TABLES} (
                name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY, time INTEGER NOT NULL
            ) WITHOUT ROWID"
        ))?;
        let kind: Option<String> = transaction
            .query_row(
                "SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE AND type <> 'trigger'",
                [&self.table],
                |row| row.get(0),
            )
            .optional()?;
        match kind.as_deref() {
            None => transaction.execute_batch(&self.create)?,
            Some("table") => self.check(&transaction)?,
            Some(kind) => return Err(format!("`{}` is not a table but a {kind}", self.table).into()),
        }
        let time = match start {
            EarlierRows::Empty => {
                transaction.execute_batch(&format!("DELETE FROM {}", quoted(&self.table)))?;
                None
            }
            EarlierRows::Continue if kind.is_none() => None,
            EarlierRows::Continue => self.time(&transaction)?.filter(|time| *time > 0),
        };
        let set = format!("INSERT OR REPLACE INTO {TABLES} (name, time) VALUES (?, ?)");
        transaction.execute(&set, (&self.table, time.unwrap_or(0)))?;
        transaction.commit()?;
        Ok(time.map(i64::cast_unsigned))
    }

    /// Returns the time of the last commit, or `None` if no pipeline made the table.
    pub(super) fn time(&self, connection: &Connection) -> rusqlite::Result<Option<i64>> {
        let query = format!("SELECT time FROM {TABLES} WHERE name = ? COLLATE NOCASE");
        connection.query_row(&query, [&self.table], |row| row.get(0)).optional()
    }

    /// Checks that the existing table may be written.
    fn check(&self, transaction: &Transaction<'_>) -> Result<(), BoxError> {
        let elsewhere = "or write to another one (`sqlite::Options::table`)";
        if let Some(difference) = difference(transaction, &self.table, &self.columns)? {
            let table = &self.table;
            return Err(format!(
                "there is a table `{table}` of another shape: {difference}\nhelp: remove it, {elsewhere}"
            )
            .into());
        }
        let query = format!("SELECT EXISTS (SELECT 1 FROM {})", quoted(&self.table));
        if self.time(transaction)?.is_none() && transaction.query_row(&query, [], |row| row.get(0))? {
            return Err(foreign_rows(&self.table, elsewhere).into());
        }
        Ok(())
    }
}

fn create(table: &str, columns: &[Expected<Affinity>], keys: &[String]) -> String {
    let mut lines: Vec<String> = columns
        .iter()
        .map(|column| {
            let not_null = if column.optional { "" } else { " NOT NULL" };
            format!("{} {}{not_null}", quoted(column.name), column.kind.name())
        })
        .collect();
    if !keys.is_empty() {
        lines.push(format!("PRIMARY KEY ({})", keys.join(", ")));
    }
    // A single integer key is SQLite's rowid, which needs no separate index.
    let by_row_number = keys.len() == 1 && columns.iter().any(|c| c.primary_key && c.kind == Affinity::Integer);
    let without_row_number = if keys.is_empty() || by_row_number { "" } else { " WITHOUT ROWID" };
    format!("CREATE TABLE {table} (\n    {}\n){without_row_number}", lines.join(",\n    "))
}
