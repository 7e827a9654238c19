//! The form of a table in PostgreSQL, and the check of an existing table: [`Layout`].

use postgres::{Client, IsolationLevel, Transaction};

use crate::rows::description::TableSchema;
use crate::run::error::{BoxError, fatal};
use crate::schema::Dialect;
use crate::sink::database::{EarlierRows, Expected, TABLES, expected, foreign_rows, names, on_conflict, quoted};
use crate::sink::postgres::error::classified;
use crate::sink::postgres::types::PostgresType;

/// PostgreSQL truncates longer names, so two of them could become equal.
const LONGEST_NAME: usize = 63;

/// The alternative that an error names if the table cannot be used.
const ELSEWHERE: &str = "or write to another one (`postgres::Options::table`)";

/// The `oid` of the schema in the second parameter, or of the current one.
const NAMESPACE: &str = "(SELECT oid FROM pg_namespace WHERE nspname = coalesce($2::text, current_schema()))";

/// The statements for one table.
pub(super) struct Layout {
    /// The schema, if one is set. Statements contain it, because triggers of the table depend on the `search_path`.
    pub(super) schema: Option<String>,
    pub(super) table: String,
    /// The names in statements of the table, and of the table with the times.
    name: String,
    tables: String,
    /// Whether the table contains the updates, and not the current rows.
    pub(super) updates: bool,
    /// The statement for the current rows, with an array for each column.
    pub(super) upsert: String,
    pub(super) delete: String,
    /// The `COPY` statement, for the updates and for the rows of new keys.
    pub(super) copy: String,
    pub(super) set_time: String,
    pub(super) columns: Vec<Expected<PostgresType>>,
    create: String,
}

/// A column as the server describes it.
struct Actual {
    name: String,
    oid: u32,
    modifier: i32,
    shown: String,
    not_null: bool,
    primary_key: bool,
    /// Whether the primary key of the table can be checked at the end of a transaction.
    is_deferrable: bool,
    /// Whether the server computes the values, and takes no others.
    is_computed: bool,
    /// Whether strings of different bytes can be equal.
    merges_texts: bool,
}

impl Layout {
    pub(super) fn new(
        schema: &'static TableSchema,
        table: Option<&str>,
        namespace: Option<String>,
        updates: bool,
    ) -> Self {
        let table = table.unwrap_or(schema.name).to_owned();
        let within = namespace.as_deref().map(|schema| quoted(schema) + ".").unwrap_or_default();
        let updates = updates || !schema.has_key();
        let columns = expected(schema, updates, PostgresType::of);
        let (name, tables) = (format!("{within}{}", quoted(&table)), format!("{within}{TABLES}"));
        let arrays = |only_key: bool| {
            let chosen = columns.iter().filter(|column| !only_key || column.primary_key);
            let arrays = chosen.zip(1..).map(|(column, number)| format!("${number}::{}[]", column.kind.name()));
            arrays.collect::<Vec<String>>().join(", ")
        };
        let all = names(&columns, None).join(", ");
        let (keys, values) = (names(&columns, Some(true)), names(&columns, Some(false)));
        let same: Vec<String> = keys.iter().map(|key| format!("kept.{key} = gone.{key}")).collect();
        let create = if updates {
            schema.sql_ddl_of_updates(Dialect::Postgres, &table)
        } else {
            schema.sql_ddl(Dialect::Postgres, &table)
        };
        // These statements name the table without its schema. A new table has no triggers that depend on the path.
        let create = match &namespace {
            Some(schema) => {
                format!("SET LOCAL search_path = {}; {create} SET LOCAL search_path = DEFAULT", quoted(schema))
            }
            None => create,
        };
        Layout {
            upsert: format!(
                "INSERT INTO {name} ({all}) SELECT * FROM unnest({}) {}",
                arrays(false),
                on_conflict(&keys, &values)
            ),
            delete: format!(
                "DELETE FROM {name} AS kept USING unnest({}) AS gone ({}) WHERE {}",
                arrays(true),
                keys.join(", "),
                same.join(" AND ")
            ),
            copy: format!("COPY {name} ({all}) FROM STDIN (FORMAT BINARY)"),
            set_time: format!("UPDATE {tables} SET time = $2 WHERE name = $1"),
            schema: namespace,
            table,
            name,
            tables,
            updates,
            columns,
            create,
        }
    }

    /// Checks the length of the names, because PostgreSQL would truncate longer ones.
    pub(super) fn check_names(&self) -> Result<(), BoxError> {
        let columns = self.columns.iter().map(|column| ("column", column.name));
        for (what, name) in [("table", &*self.table)].into_iter().chain(columns) {
            if name.len() > LONGEST_NAME {
                let len = name.len();
                return Err(fatal(format!(
                    "the name of the {what} `{name}` has {len} bytes, and PostgreSQL keeps {LONGEST_NAME}; rename it"
                )));
            }
            if name.is_empty() || name.contains('\0') {
                return Err(fatal(format!(
                    "the name of the {what} `{}` cannot be a name in PostgreSQL; rename it",
                    name.escape_debug()
                )));
            }
        }
        Ok(())
    }

    /// Creates the table or checks the existing one. Returns the time of its last commit, if the table is continued.
    pub(super) fn prepare(&self, client: &mut Client, start: EarlierRows) -> Result<Option<u64>, BoxError> {
        // In another isolation level, the transaction would not see what was created while it waited for the lock.
        let transaction = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
        let mut transaction = transaction.start().map_err(classified)?;
        // Without this lock, one of two sinks that create the same table at the same time would fail.
        let alone = format!("SELECT pg_advisory_xact_lock(hashtextextended('{TABLES}', 0))");
        transaction.batch_execute(&alone).map_err(classified)?;
        let tables = &self.tables;
        if self.relation_kind(&mut transaction, TABLES)?.is_none() {
            let create = format!("CREATE TABLE {tables} (name text NOT NULL PRIMARY KEY, time bigint NOT NULL)");
            transaction.batch_execute(&create).map_err(classified)?;
        }
        let kind = self.relation_kind(&mut transaction, &self.table)?;
        match kind.as_deref() {
            None => transaction.batch_execute(&self.create).map_err(classified)?,
            // A table, or a partitioned table.
            Some("rp" | "pp") => self.check(&mut transaction)?,
            Some("ru" | "pu") if start == EarlierRows::Empty => self.check(&mut transaction)?,
            Some("ru" | "pu") => {
                let table = &self.table;
                return Err(fatal(format!(
                    "the table `{table}` is UNLOGGED, and PostgreSQL empties it after a crash; `ALTER TABLE .. SET LOGGED`"
                )));
            }
            Some(_) => {
                let table = &self.table;
                return Err(fatal(format!("`{table}` is not a permanent table; drop it, {ELSEWHERE}")));
            }
        }
        let time = match start {
            EarlierRows::Empty => {
                transaction.batch_execute(&format!("DELETE FROM {}", self.name)).map_err(classified)?;
                None
            }
            EarlierRows::Continue if kind.is_none() => None,
            EarlierRows::Continue => self.time(&mut transaction)?.filter(|time| *time > 0),
        };
        let set = format!(
            "INSERT INTO {tables} (name, time) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET time = excluded.time"
        );
        transaction.execute(&set, &[&self.table, &time.unwrap_or(0)]).map_err(classified)?;
        transaction.commit().map_err(classified)?;
        Ok(time.map(i64::cast_unsigned))
    }

    /// Returns whether `COPY` has the effect of `INSERT`. It ignores rules, and does not support row security
    /// policies.
    pub(super) fn takes_copy(&self, client: &mut Client) -> Result<bool, BoxError> {
        let query = format!(
            "SELECT NOT relhasrules AND NOT row_security_active(oid) FROM pg_class \
             WHERE relname = $1 AND relnamespace = {NAMESPACE}"
        );
        Ok(client.query_one(&query, &[&self.table, &self.schema]).map_err(classified)?.get(0))
    }

    /// Returns the time of the last commit, or `None` if no pipeline made the table.
    fn time(&self, transaction: &mut Transaction<'_>) -> Result<Option<i64>, BoxError> {
        let query = format!("SELECT time FROM {} WHERE name = $1", self.tables);
        let row = transaction.query_opt(&query, &[&self.table]).map_err(classified)?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Checks that the existing table may be written.
    fn check(&self, transaction: &mut Transaction<'_>) -> Result<(), BoxError> {
        let table = &self.table;
        let differences = self.differences(&self.found(transaction)?);
        if !differences.is_empty() {
            let differences = differences.join("; ");
            return Err(fatal(format!(
                "there is a table `{table}` of another shape: {differences}\nhelp: alter or drop it, {ELSEWHERE}"
            )));
        }
        if self.time(transaction)?.is_none() {
            let query = format!("SELECT EXISTS (SELECT 1 FROM {})", self.name);
            let has_rows: bool = transaction.query_one(&query, &[]).map_err(classified)?.get(0);
            if has_rows {
                return Err(fatal(foreign_rows(table, ELSEWHERE)));
            }
        }
        Ok(())
    }

    /// Returns all differences between the existing table and the expected one. The order of the columns does not
    /// matter.
    fn differences(&self, found: &[Actual]) -> Vec<String> {
        let mut differences = Vec::new();
        for column in &self.columns {
            let name = column.name;
            let Some(found) = found.iter().find(|found| found.name == name) else {
                differences.push(format!("it lacks the column `{name}` ({})", column.kind.name()));
                continue;
            };
            if !column.kind.fits(found.oid, found.modifier) {
                let (found, kind) = (&found.shown, column.kind.name());
                differences.push(format!("its column `{name}` is {found} and should be {kind}"));
            }
            match (found.primary_key, column.primary_key) {
                (false, true) => differences.push(format!("its column `{name}` is not in the primary key")),
                (true, false) => differences.push(format!("its column `{name}` is in the primary key")),
                _ => {}
            }
            if found.is_computed {
                differences.push(format!("its column `{name}` is generated, and takes no other values"));
            }
            if found.merges_texts && column.primary_key {
                differences.push(format!(
                    "its column `{name}` has a nondeterministic collation, by which two keys could become one"
                ));
            }
            if found.not_null && column.optional {
                differences.push(format!("its column `{name}` takes no NULL"));
            }
        }
        if found.iter().any(|found| found.is_deferrable) {
            differences.push("its primary key is DEFERRABLE, so no upsert can use it".to_owned());
        }
        let more = found.iter().filter(|found| self.columns.iter().all(|column| column.name != found.name));
        differences.extend(more.map(|found| format!("it has an additional column `{}`", found.name)));
        differences
    }

    /// Looks up the kind and the persistence of a relation in the schema, as two letters of the catalogue.
    fn relation_kind(&self, transaction: &mut Transaction<'_>, name: &str) -> Result<Option<String>, BoxError> {
        let query = format!(
            "SELECT relkind::text || relpersistence::text FROM pg_class WHERE relname = $1 AND relnamespace = {NAMESPACE}"
        );
        let row = transaction.query_opt(&query, &[&name, &self.schema]).map_err(classified)?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Returns the columns of the existing table.
    fn found(&self, transaction: &mut Transaction<'_>) -> Result<Vec<Actual>, BoxError> {
        let query = format!(
            "SELECT a.attname::text, a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
             EXISTS (SELECT 1 FROM pg_index i \
                 WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)), \
             EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND NOT i.indimmediate), \
             a.attgenerated <> '' OR a.attidentity = 'a', NOT coalesce(l.collisdeterministic, true) \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
             LEFT JOIN pg_collation l ON l.oid = a.attcollation \
             WHERE c.relname = $1 AND c.relnamespace = {NAMESPACE} \
             AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        );
        let rows = transaction.query(&query, &[&self.table, &self.schema]).map_err(classified)?;
        let found = rows.iter().map(|row| Actual {
            name: row.get(0),
            oid: row.get(1),
            modifier: row.get(2),
            shown: row.get(3),
            not_null: row.get(4),
            primary_key: row.get(5),
            is_deferrable: row.get(6),
            is_computed: row.get(7),
            merges_texts: row.get(8),
        });
        Ok(found.collect())
    }
}
