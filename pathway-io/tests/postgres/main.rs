//! Tables in PostgreSQL, on a real server: values, tables, transient and permanent errors, and exactly-once delivery.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod common;
mod failures;
mod new_keys;
#[path = "../common/server.rs"]
mod server;
mod tables;
mod values;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use pathway_io::{ReadOptions, Result, RunResult, Schema, Subject, Summary, postgres as sink};
use postgres::{Client, NoTls};

use self::server::Server;

/// Returns the server that tests share unless they stop it.
fn shared() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(server::start).as_ref()
}

/// Creates a database, and returns its connection string, or `None` without a server.
fn database() -> Option<String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    Some(shared()?.database(&format!("db{}", NEXT.fetch_add(1, Ordering::SeqCst))))
}

fn client(config: &str) -> Client {
    Client::connect(config, NoTls).unwrap()
}

/// Runs a source into the database.
#[track_caller]
fn write<S: Schema>(
    config: &str,
    options: sink::Options,
    run: impl FnMut(Subject<S>) -> RunResult + Send + 'static,
) -> Result<Summary> {
    let pipeline = common::pipeline();
    sink::write_with(&pipeline.read_with(common::source(run), ReadOptions::new().autocommit(None)), config, options);
    common::run(pipeline)
}

/// Returns the rows of a query as texts.
fn rows(config: &str, query: &str) -> Vec<Vec<String>> {
    let messages = client(config).simple_query(query).unwrap();
    let row = |row: postgres::SimpleQueryRow| {
        (0..row.len()).map(|column| row.get(column).unwrap_or("NULL").to_owned()).collect()
    };
    let rows = messages.into_iter().filter_map(|message| match message {
        postgres::SimpleQueryMessage::Row(found) => Some(row(found)),
        _ => None,
    });
    rows.collect()
}
