//! The tables of the program in PostgreSQL, if there is a server. Each program has its own schema.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use pathway_io::{Schema, Table, postgres as sink};
use postgres::{Client, NoTls, SimpleQueryMessage};

use crate::child::Program;
use crate::outputs::Commits;
use crate::program::{Account, Booking, Tick};
use crate::server::{self, Server};

/// The file with the address of the server and the name of the schema.
const PLACE: &str = "postgres";

fn config() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    Some(SERVER.get_or_init(server::start).as_ref()?.config("postgres"))
}

/// Creates a schema for a program, if there is a server.
pub fn prepare(directory: &Path) {
    let Some(config) = config() else { return };
    // The name of a temporary directory is different in each run.
    let schema = directory.file_name().expect("it has a name").to_string_lossy().into_owned();
    let mut client = Client::connect(&config, NoTls).expect("the server answers");
    client.batch_execute(&format!("CREATE SCHEMA \"{schema}\"")).expect("it is new");
    fs::write(directory.join(PLACE), format!("{config}\n{schema}")).expect("there is room");
}

/// Returns the server and the schema of a program.
fn place(directory: &Path) -> Option<(String, String)> {
    let text = fs::read_to_string(directory.join(PLACE)).ok()?;
    let (config, schema) = text.split_once('\n').expect("two lines");
    Some((config.to_owned(), schema.to_owned()))
}

fn write<S: Schema>(table: &Table<S>, directory: &Path, name: &str) {
    if let Some((config, schema)) = place(directory) {
        sink::write_with(table, config, sink::Options::new().schema(schema).table(name));
    }
}

pub fn add(accounts: &Table<Account>, bookings: &Table<Booking>, ticks: &Table<Tick>, directory: &Path) {
    write(accounts, directory, "accounts");
    write(bookings, directory, "bookings");
    write(ticks, directory, "ticks");
}

/// Adds a computed table with a key, and one without.
#[cfg(feature = "dataflow")]
pub fn add_computed<K: Schema, U: Schema>(keyed: &Table<K>, updates: &Table<U>, directory: &Path) {
    write(keyed, directory, "owners");
    write(updates, directory, "met");
}

/// Returns the rows of a query, with `|` between the columns, or `None` without a server.
fn rows(program: &Program, query: &str) -> Option<Vec<String>> {
    let (config, schema) = place(&program.path(""))?;
    let mut client = Client::connect(&config, NoTls).expect("the server answers");
    client.batch_execute(&format!("SET search_path TO \"{schema}\"")).expect("it is there");
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => {
            let fields = (0..row.len()).map(|column| row.get(column).unwrap_or_default());
            Some(fields.collect::<Vec<_>>().join("|"))
        }
        _ => None,
    };
    Some(client.simple_query(query).expect(query).into_iter().filter_map(row).collect())
}

/// Asserts that the query returns these rows, in any order.
#[track_caller]
fn is(program: &Program, query: &str, mut expected: Vec<String>) {
    if let Some(mut found) = rows(program, query) {
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{query}");
    }
}

/// Asserts that a table has these updates, in this many commits.
#[track_caller]
fn has_commits(program: &Program, table: &str, columns: &str, commits: &Commits) {
    let updates = commits.iter().flatten().map(|(row, diff)| format!("{row}|{diff}"));
    is(program, &format!("SELECT {columns}, diff FROM {table}"), updates.collect());
    is(program, &format!("SELECT count(DISTINCT time) FROM {table}"), vec![commits.len().to_string()]);
}

/// Compares the tables with the files of the program.
#[track_caller]
pub fn check(
    program: &Program,
    accounts: &BTreeMap<String, String>,
    ticks: &BTreeMap<String, String>,
    bookings: &Commits,
) {
    // A float in the file always has a decimal point.
    let account = "SELECT id, owner, CASE WHEN balance = trunc(balance) THEN balance || '.0' ELSE balance::text END";
    is(program, &format!("{account} FROM accounts"), accounts.values().cloned().collect());
    is(program, "SELECT * FROM ticks", ticks.values().cloned().collect());
    has_commits(program, "bookings", "json_build_object('step', step, 'text', text)::jsonb::text", &spaced(bookings));
}

/// Returns the commits with spaces in JSON, as PostgreSQL writes it.
fn spaced(commits: &Commits) -> Commits {
    let spaced = |row: &str| row.replace("\",", "\", ").replace("\":", "\": ").replace(",\"", ", \"");
    let commit = |commit: &Vec<(String, i64)>| commit.iter().map(|(row, diff)| (spaced(row), *diff)).collect();
    commits.iter().map(commit).collect()
}

/// Compares the computed tables with the files of the program.
#[cfg(feature = "dataflow")]
#[track_caller]
pub fn check_computed(program: &Program, owners: &[String], met: &Commits) {
    is(program, "SELECT word, n FROM owners", owners.to_vec());
    has_commits(program, "met", "place, owner, text", met);
}
