//! The expected content of a program's files.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::child::Program;

/// A time, a row and its diff.
type Update = (u64, String, i64);
/// The rows and diffs of each commit.
pub type Commits = Vec<Vec<(String, i64)>>;

/// Reads the updates of a CSV file.
pub fn csv(program: &Program, name: &str) -> Vec<Update> {
    let mut reader = ::csv::Reader::from_path(program.path(name)).expect(name);
    reader
        .records()
        .map(|record| {
            let record = record.expect("a whole record");
            let fields: Vec<&str> = record.iter().collect();
            let (row, [time, diff]) = fields.split_last_chunk::<2>().expect("time and diff");
            (time.parse().expect("a time"), row.join("|"), diff.parse().expect("a diff"))
        })
        .collect()
}

/// Reads the updates of a JSON Lines file.
pub fn json(program: &Program, name: &str) -> Vec<Update> {
    let text = fs::read_to_string(program.path(name)).expect(name);
    assert!(text.is_empty() || text.ends_with('\n'), "{name} ends with a whole line");
    text.lines()
        .map(|line| {
            let mut row: Value = serde_json::from_str(line).expect("a whole line");
            let object = row.as_object_mut().expect("an object");
            let time = object.remove("time").and_then(|time| time.as_u64()).expect("a time");
            let diff = object.remove("diff").and_then(|diff| diff.as_i64()).expect("a diff");
            (time, row.to_string(), diff)
        })
        .collect()
}

/// Groups updates into commits without their times, after a check that the times increase.
pub fn commits(updates: Vec<Update>, name: &str) -> Commits {
    let mut commits = Commits::new();
    let mut last = 0;
    for (time, row, diff) in updates {
        assert!(time >= last, "the times of {name} increase");
        if time > last {
            commits.push(Vec::new());
        }
        last = time;
        commits.last_mut().expect("times are greater than 0").push((row, diff));
    }
    commits
}

/// Applies a history of updates to an empty table. Each prefix must be a valid table.
pub fn table(updates: &[Update], key: impl Fn(&str) -> String, name: &str) -> BTreeMap<String, String> {
    let mut table = BTreeMap::new();
    for (time, row, diff) in updates {
        match diff {
            1 => {
                let before = table.insert(key(row), row.clone());
                assert_eq!(before, None, "{name}: {row} is added at {time}, but its key already has a row");
            }
            -1 => {
                let before = table.remove(&key(row));
                assert_eq!(
                    before.as_ref(),
                    Some(row),
                    "{name}: {row} is retracted at {time}, but it is not the current row"
                );
            }
            other => panic!("{name} has a diff of {other}"),
        }
    }
    table
}

pub fn first_field(row: &str) -> String {
    row.split('|').next().unwrap_or_default().to_owned()
}

/// Reads the rows of a table in a database.
pub fn database(program: &Program, file: &str, query: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(program.path(file)).expect(file);
    let mut statement = connection.prepare(query).expect(query);
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let field = |column| {
            row.get_ref(column).map(|value| match value {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                rusqlite::types::ValueRef::Real(number) => format!("{number:?}"),
                rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            })
        };
        (0..columns).map(field).collect::<Result<Vec<_>, _>>().map(|fields| fields.join("|"))
    });
    rows.expect(query).collect::<Result<_, _>>().expect(query)
}

/// The outputs that must equal those of an undisturbed run.
#[derive(PartialEq)]
pub struct Outcome {
    /// This source makes every commit itself, so its outputs must be equal commit by commit.
    accounts: Commits,
    accounts_json: Commits,
    bookings: Commits,
    bad: Vec<String>,
    /// An autocommit makes the commits of the other source, so only its final table must be equal.
    ticks: BTreeMap<String, String>,
    bookings_in_database: Vec<String>,
    #[cfg(feature = "dataflow")]
    computed: crate::computed::Computed,
}

/// Returns a description of the first difference between two lists.
pub fn first<T: std::fmt::Debug + PartialEq>(name: &str, found: &[T], expected: &[T]) -> Option<String> {
    let place = (0..found.len().max(expected.len())).find(|&i| found.get(i) != expected.get(i))?;
    Some(format!("{name} {place}: found {:?}, expected {:?}", found.get(place), expected.get(place)))
}

impl Outcome {
    /// Returns a description of the first difference.
    pub fn difference(&self, expected: &Outcome) -> Option<String> {
        let ticks = (self.ticks != expected.ticks).then(|| "the table of ticks".to_owned());
        let difference = first("commit of accounts.csv", &self.accounts, &expected.accounts)
            .or_else(|| first("commit of accounts.jsonl", &self.accounts_json, &expected.accounts_json))
            .or_else(|| first("commit of bookings.jsonl", &self.bookings, &expected.bookings))
            .or_else(|| first("bad row", &self.bad, &expected.bad))
            .or_else(|| first("booking in the database", &self.bookings_in_database, &expected.bookings_in_database))
            .or(ticks);
        #[cfg(feature = "dataflow")]
        let difference = difference.or_else(|| self.computed.difference(&expected.computed));
        difference
    }
}

/// Reads the files of a program that has ended, and makes all checks that need no other run.
#[track_caller]
pub fn outcome(program: &Program) -> Outcome {
    let accounts = csv(program, "accounts.csv");
    let ticks = csv(program, "ticks.csv");
    let ticks_table = table(&ticks, first_field, "ticks.csv");
    let accounts_table = table(&accounts, first_field, "accounts.csv");
    let in_database = database(program, "bank.sqlite", "SELECT * FROM Account ORDER BY CAST(id AS TEXT)");
    assert_eq!(in_database, accounts_table.values().cloned().collect::<Vec<_>>(), "the accounts in the database");
    let in_database = database(program, "ticks.sqlite", "SELECT * FROM Tick ORDER BY CAST(key AS TEXT)");
    assert_eq!(in_database, ticks_table.values().cloned().collect::<Vec<_>>(), "the ticks in the database");
    commits(ticks, "ticks.csv");
    let bookings = commits(json(program, "bookings.jsonl"), "bookings.jsonl");
    #[cfg(feature = "postgres")]
    crate::postgres::check(program, &accounts_table, &ticks_table, &bookings);
    #[cfg(feature = "parquet")]
    crate::parts::check(program, &bookings);
    let bad = fs::read_to_string(program.path("bad.jsonl")).expect("bad.jsonl");
    Outcome {
        accounts: commits(accounts, "accounts.csv"),
        accounts_json: commits(json(program, "accounts.jsonl"), "accounts.jsonl"),
        bookings,
        // The row number counts the rows of one process, so it differs between runs.
        bad: bad.lines().map(without_row_number).collect(),
        ticks: ticks_table,
        bookings_in_database: database(program, "bank.sqlite", "SELECT step, text, diff FROM Booking ORDER BY rowid"),
        #[cfg(feature = "dataflow")]
        computed: crate::computed::outcome(program),
    }
}

fn without_row_number(line: &str) -> String {
    let mut line: Value = serde_json::from_str(line).expect("a whole line");
    let reason = line["reason"].as_str().expect("a reason");
    let place = reason.find(", ").expect("the row number comes first");
    let reason = reason[place..].to_owned();
    line["reason"] = reason.into();
    line.to_string()
}
