//! Connections: [`Sessions`] opens them, and a [`Session`] is a connection with the lock of its table.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;
use postgres::tls::{MakeTlsConnect, TlsConnect};
use postgres::{Client, Config, NoTls, Socket, Statement, Transaction};

use super::apply::{self, Statements};
use super::error::{classified, invalid};
use super::layout::Layout;
use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::error::{BoxError, Error, RunResult, fatal, is_refused};
use crate::run::threads;
use crate::sink::database::{EarlierRows, TABLES};

/// The connect timeout, unless the connection string sets one.
const CONNECT: Duration = Duration::from_secs(10);
/// The time until a dead connection is noticed, unless the connection string sets one.
const DEAD: Duration = Duration::from_secs(30);
/// The client's default interval of keepalives.
const DEFAULT_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);
/// The time to wait until an earlier process releases the table: a server may need a second to notice that its client
/// is gone, and older servers finish the statement first.
const LOCK_TIMEOUT: &str = "5s";

type ConnectFn = dyn Fn(&Config) -> Result<Client, postgres::Error> + Send + Sync;

/// Opens connections, with or without TLS.
#[derive(Clone)]
pub(super) struct Connect(Arc<ConnectFn>);

impl Default for Connect {
    fn default() -> Self {
        Connect(Arc::new(|config| config.connect(NoTls)))
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connect")
    }
}

impl Connect {
    pub(super) fn tls<T>(tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::TlsConnect: Send,
        T::Stream: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Connect(Arc::new(move |config| config.connect(tls.clone())))
    }

    /// Opens a connection.
    ///
    /// The client would wait forever for a server that accepts the connection but does not answer, such as a proxy
    /// whose database is down. The thread of such an attempt ends when the server closes the connection.
    fn open(&self, config: Config) -> Result<Client, BoxError> {
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX).max(1);
        let limit = config.get_connect_timeout().copied().unwrap_or(CONNECT).saturating_mul(hosts.saturating_mul(2));
        let connect = Arc::clone(&self.0);
        let (sender, connected) = crossbeam_channel::bounded(1);
        // After the limit, nothing receives the connection, which is then closed.
        let attempt = threads::spawn("connect", move || drop(sender.send(connect(&config))))?;
        match connected.recv_timeout(limit) {
            Ok(client) => client.map_err(classified),
            Err(RecvTimeoutError::Timeout) => Err(format!(
                "the server accepted the connection, and did not answer within {limit:?}\nhelp: check the host and the port, or set \
                 a longer `connect_timeout` in the connection string"
            )
            .into()),
            Err(RecvTimeoutError::Disconnected) => match attempt.join() {
                Err(panic) => resume_unwind(panic),
                Ok(()) => Err("the attempt to connect ended without a result".into()),
            },
        }
    }
}

/// Opens the connections of one sink, one after the other.
pub(super) struct Sessions {
    config: String,
    connect: Connect,
    /// The start of the name by which the server can identify the connections of this sink.
    name: String,
    /// The process number, on the server, of the last connection.
    last: Option<i32>,
}

pub(super) struct Session {
    client: Client,
    statements: RowStatements,
    set_time: Statement,
}

/// The statements for the table's form.
enum RowStatements {
    Current(Statements),
    Updates(Statement),
}

impl Sessions {
    pub(super) fn new(config: String, connect: Connect) -> Self {
        let name = format!("pathway-io {:016x}", RandomState::new().hash_one(0));
        Sessions { config, connect, name, last: None }
    }

    /// Connects, takes the lock of the table, and prepares the table. Returns the time of the last commit in it.
    pub(super) fn open(&mut self, layout: &Layout, start: EarlierRows) -> Result<(Session, Option<u64>), BoxError> {
        layout.check_names()?;
        let mut client = self.connect.open(self.config()?)?;
        // Time-outs of the role or the database are meant for interactive use and must not apply here. Older servers do
        // not know all of these settings. `synchronous_commit` must be on, because each commit must be durable.
        client
            .batch_execute(
                "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout', \
                 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout'); \
                 SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4",
            )
            .map_err(classified)?;
        // If this process is killed, the server ends its statement, even one that waits for a lock, so that the next
        // process gets the lock of the table. Servers before version 14, and those on Windows, refuse this.
        let _ = client.batch_execute("SET client_connection_check_interval = '1s'");
        if start == EarlierRows::Continue {
            client
                .batch_execute(
                    "SELECT set_config('synchronous_commit', 'on', false) \
                     WHERE current_setting('synchronous_commit') = 'off'",
                )
                .map_err(classified)?;
        }
        check_schema(&mut client, layout)?;
        self.lock(&mut client, layout)?;
        let time = layout.prepare(&mut client, start)?;
        let mut prepare = |statement: &str| client.prepare(statement).map_err(classified);
        let copy = prepare(&layout.copy)?;
        let statements = if layout.updates {
            RowStatements::Updates(copy)
        } else {
            let (upsert, delete) = (prepare(&layout.upsert)?, prepare(&layout.delete)?);
            let takes_copy = layout.takes_copy(&mut client)?;
            RowStatements::Current(Statements { upsert, delete, copy, takes_copy })
        };
        let set_time = client.prepare(&layout.set_time).map_err(classified)?;
        Ok((Session { client, statements, set_time }, time))
    }

    fn config(&self) -> Result<Config, BoxError> {
        let mut config: Config = self.config.parse().map_err(invalid)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(DEAD);
        }
        if config.get_keepalives_idle() == DEFAULT_KEEPALIVE {
            config.keepalives_idle(DEAD / 3);
        }
        let name = match config.get_application_name() {
            Some(own) => format!("{} {own}", self.name),
            None => self.name.clone(),
        };
        config.application_name(&name);
        Ok(config)
    }

    /// Takes the lock against other writers of the table. The server releases it with the connection, after it has
    /// finished the connection's last statement. The time that is read after taking the lock is therefore final.
    fn lock(&mut self, client: &mut Client, layout: &Layout) -> Result<(), BoxError> {
        let Layout { table, schema, .. } = layout;
        let was_open = self.last.is_some();
        if let Some(last) = self.last {
            // The server may not have noticed that the previous connection is gone.
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE pid = $1 AND starts_with(application_name, $2)";
            client.execute(end, &[&last, &self.name]).map_err(classified)?;
        }
        let key = "hashtextextended('pathway-io ' || coalesce($2::text, current_schema()) || '.' || $1::text, 0)";
        let set = |timeout: &str| format!("SET lock_timeout = '{timeout}'");
        client.batch_execute(&set(LOCK_TIMEOUT)).map_err(classified)?;
        if let Err(error) = client.execute(&format!("SELECT pg_advisory_lock({key})"), &[table, schema]) {
            let is_taken = error.code().is_some_and(|code| code.code() == "55P03");
            // This sink held the lock before, so it waits for the server to release it.
            if !is_taken || was_open {
                return Err(classified(error));
            }
            return Err(fatal(format!(
                "another process writes the table `{table}`: {}; end it, or write to another table \
                 (`postgres::Options::table`)",
                holder(client, key, layout).unwrap_or_else(|| "an unknown one".to_owned())
            )));
        }
        client.batch_execute(&set("0")).map_err(classified)?;
        self.last = Some(client.query_one("SELECT pg_backend_pid()", &[]).map_err(classified)?.get(0));
        Ok(())
    }
}

/// Checks that there is a schema for the table, and that the name of the table leads into it.
fn check_schema(client: &mut Client, Layout { table, schema, .. }: &Layout) -> Result<(), BoxError> {
    // A name without a schema leads to PostgreSQL's own table first.
    let query = "SELECT CASE WHEN $1::text IS NULL THEN current_schema() IS NOT NULL \
                 ELSE EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1) END, \
                 $1::text IS NULL AND EXISTS (SELECT 1 FROM pg_class \
                 WHERE relname = $2 AND relnamespace = 'pg_catalog'::regnamespace)";
    let row = client.query_one(query, &[schema, table]).map_err(classified)?;
    let (is_there, is_hidden): (bool, bool) = (row.get(0), row.get(1));
    match schema {
        _ if is_hidden => Err(fatal(format!(
            "PostgreSQL has its own table `{table}`\nhelp: write to another one (`postgres::Options::table`)"
        ))),
        _ if is_there => Ok(()),
        Some(schema) => Err(fatal(format!("the schema `{schema}` does not exist\nhelp: `CREATE SCHEMA \"{schema}\"`"))),
        None => Err(fatal("the role's `search_path` names no schema\nhelp: set `postgres::Options::schema`")),
    }
}

/// Returns a description of the connection that has the lock.
fn holder(client: &mut Client, key: &str, layout: &Layout) -> Option<String> {
    let query = format!(
        "SELECT format('server process %s, application `%s`, client %s', a.pid, a.application_name, \
             coalesce(host(a.client_addr), 'local')) \
         FROM pg_locks l JOIN pg_stat_activity a USING (pid), (SELECT {key} AS key) k \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND (l.classid::bigint << 32 | l.objid::bigint) = k.key"
    );
    client.query_opt(&query, &[&layout.table, &layout.schema]).ok()??.get(0)
}

impl Session {
    /// Applies commits and their time in one transaction.
    pub(super) fn apply<S: Schema>(&mut self, layout: &Layout, commits: &[Commit<S>]) -> RunResult {
        let Some(last) = commits.last() else { return Ok(()) };
        let mut transaction = self.client.transaction().map_err(classified)?;
        write(&mut transaction, &mut self.statements, layout, commits)?;
        let time = last.time().cast_signed();
        // `COMMIT` of a failed transaction succeeds for the client. This statement fails instead.
        let changed = transaction.execute(&self.set_time, &[&layout.table, &time]).map_err(classified)?;
        if changed != 1 {
            let table = &layout.table;
            return Err(fatal(format!("the row of `{table}` in `{TABLES}` was removed")));
        }
        transaction.commit().map_err(classified)?;
        Ok(())
    }

    /// If the server refuses updates permanently, returns an error that names each of them.
    pub(super) fn locate<S: Schema>(&mut self, error: BoxError, layout: &Layout, commit: &Commit<S>) -> BoxError {
        if !is_refused(&*error) {
            return error;
        }
        match self.refused(layout, commit) {
            Ok(updates) => {
                // A trigger may accept the parts of a commit and refuse the whole.
                let last = commit.len().checked_sub(1);
                Error::refused_each(updates).unwrap_or_else(|| Error::refused(last, error)).into()
            }
            Err(error) => error,
        }
    }

    /// Returns the updates that the server refuses, with its errors. It tries smaller and smaller parts of the commit,
    /// each after the parts that were accepted, and undoes everything.
    ///
    /// A part contains all updates of a key or none, and the keys are added in the order in which they are written.
    /// Otherwise a part could be refused although the whole would be accepted: a row may have the unique value of a row
    /// that the commit removes.
    fn refused<S: Schema>(&mut self, layout: &Layout, commit: &Commit<S>) -> Result<Vec<(usize, BoxError)>, BoxError> {
        let order = match &self.statements {
            RowStatements::Current(_) => apply::order(commit),
            RowStatements::Updates(_) => (0..commit.len()).collect(),
        };
        let mut transaction = self.client.transaction().map_err(classified)?;
        // Returns the error if the server refuses the updates.
        let mut attempt = |rows: Commit<S>| -> Result<Option<BoxError>, BoxError> {
            let mut savepoint = transaction.transaction().map_err(classified)?;
            let written = write(&mut savepoint, &mut self.statements, layout, &[rows]);
            let checked =
                written.and_then(|()| savepoint.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").map_err(classified));
            match checked {
                Ok(()) => savepoint.commit().map(|()| None).map_err(classified),
                Err(error) if !is_refused(&*error) => Err(error),
                Err(error) => savepoint.rollback().map(|()| Some(error)).map_err(classified),
            }
        };
        // Each part consists of rows and their numbers in the commit.
        let all = 0..order.iter().max().map_or(0, |last| last + 1);
        let mut parts = vec![(all, commit.clone(), (0..commit.len()).collect::<Vec<usize>>())];
        let mut refused = Vec::new();
        while let Some((part, rows, numbers)) = parts.pop() {
            let Some(error) = attempt(rows.clone())? else { continue };
            if part.len() > 1 {
                let middle = usize::midpoint(part.start, part.end);
                for half in [middle..part.end, part.start..middle] {
                    let is_in = |number: usize| half.contains(&order[number]);
                    let rows = rows.filtered(|row| is_in(numbers[row]));
                    let numbers = numbers.iter().copied().filter(|number| is_in(*number)).collect();
                    parts.push((half, rows, numbers));
                }
            } else if let Some(last) = numbers.len().checked_sub(1) {
                // The last update of the key contains the row that was written. Without this update, the key's earlier
                // row is removed.
                refused.push((numbers[last], error));
                if last > 0 {
                    attempt(rows.filtered(|row| row != last))?;
                }
            }
        }
        transaction.rollback().map_err(classified)?;
        Ok(refused)
    }
}

/// Writes the rows of commits.
fn write<S: Schema>(
    transaction: &mut Transaction<'_>,
    statements: &mut RowStatements,
    layout: &Layout,
    commits: &[Commit<S>],
) -> RunResult {
    match statements {
        RowStatements::Current(statements) => apply::change(transaction, layout, statements, commits),
        RowStatements::Updates(copy) => apply::append(transaction, layout, copy, commits),
    }
}
