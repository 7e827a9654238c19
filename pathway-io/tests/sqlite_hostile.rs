//! SQLite databases that another program changes or has made.
#![cfg(all(unix, feature = "sqlite"))]

#[allow(dead_code, reason = "these tests use a part of it")]
mod common;
#[path = "common/sqlite.rs"]
mod database;

use std::fs;
use std::path::Path;

use pathway_io::{Pipeline, ReadOptions, RunResult, Schema, Subject, sqlite};
use rusqlite::Connection;

use crate::common::{Cat, DEADLINE, TempDir, cat, pipeline, run, source, wait_until};
use crate::database::{Sql, int, rows, text};

/// Writes a source to the database, and returns the error.
fn written<S: Schema>(
    pipeline: Pipeline,
    path: &Path,
    options: sqlite::Options,
    run_source: impl FnMut(Subject<S, u64>) -> RunResult + Send + 'static,
) -> Result<(), String> {
    pipeline.handle_signals(false);
    let table = pipeline.read_with(source(run_source), ReadOptions::new().name("rows").autocommit(None));
    sqlite::write_with(&table, path, options);
    run(pipeline).map(drop).map_err(|error| error.to_string())
}

/// Returns the error of a pipeline that must not start.
fn refused<S: Schema>(path: &Path, options: sqlite::Options) -> String {
    written(pipeline(), path, options, |_: Subject<S, u64>| panic!("the source must not run")).unwrap_err()
}

fn execute(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// Waits until a table has a row.
fn wait_for_row(path: &Path, table: &str) {
    wait_until("it is not written", || !rows(path, &format!("SELECT 1 FROM {table}")).is_empty());
}

/// Pushes a row and waits until it is written. Then lets `harm` happen, and pushes another row if there is `more`.
fn harmed(
    pipeline: Pipeline,
    path: &Path,
    more: bool,
    harm: impl Fn(&Path) -> Option<Connection> + Send + 'static,
) -> Result<(), String> {
    let database = path.to_owned();
    written(pipeline, path, sqlite::Options::new(), move |cats: Subject<Cat, u64>| {
        cats.next(cat(1, "felis"))?;
        cats.commit_at(1)?;
        wait_for_row(&database, "Cat");
        let _lock = harm(&database);
        if more {
            cats.next(cat(2, "lynx"))?;
            cats.commit_at(2)?;
            // The failure of the sink is a stop, which ends this wait.
            cats.sleep(DEADLINE)?;
        }
        Ok(())
    })
}

type Harm = fn(&Path) -> Option<Connection>;

fn remove(path: &Path) -> Option<Connection> {
    fs::remove_file(path).unwrap();
    None
}

fn rename(path: &Path) -> Option<Connection> {
    fs::rename(path, path.with_extension("old")).unwrap();
    None
}

fn replace(path: &Path) -> Option<Connection> {
    rename(path);
    fs::copy(path.with_extension("old"), path).unwrap();
    None
}

/// Locks the database before it is removed, so that the sink fails and is retried.
fn lock_and_remove(path: &Path) -> Option<Connection> {
    let lock = Connection::open(path).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    remove(path);
    Some(lock)
}

#[test]
fn a_database_that_is_taken_away_under_a_run_is_named() {
    let harms: [(Harm, &str); 4] = [
        (remove, "removed or renamed"),
        (rename, "removed or renamed"),
        (replace, "replaced by another file"),
        (lock_and_remove, "removed or renamed"),
    ];
    for (number, (harm, says)) in harms.into_iter().enumerate() {
        for more in [true, false] {
            let dir = TempDir::new();
            let path = dir.path("cats.sqlite");
            let error = harmed(pipeline(), &path, more, harm).expect_err("rows are lost");
            let named = format!("cannot continue `{}`: it was {says}", path.display());
            assert!(error.contains(&named), "{number} {more}: {error}");
            assert!(says.starts_with("replaced") || !path.exists(), "{number} {more}: a new database was made");
        }
    }
}

#[cfg(feature = "persist")]
#[test]
fn a_database_that_is_taken_away_under_a_persistent_run_is_named() {
    for harm in [remove as Harm, rename, replace, lock_and_remove] {
        let dir = TempDir::new();
        let path = dir.path("cats.sqlite");
        let persistent = || Pipeline::persistent(dir.path("state")).unwrap();
        let error = harmed(persistent(), &path, true, harm).expect_err("rows are lost");
        assert!(error.contains(&format!("cannot continue `{}`: it was ", path.display())), "{error}");
        // A database that is put back is continued.
        if path.with_extension("old").exists() {
            fs::rename(path.with_extension("old"), &path).unwrap();
            written(persistent(), &path, sqlite::Options::new(), |_: Subject<Cat, u64>| Ok(())).unwrap();
            assert_eq!(rows(&path, "SELECT key FROM Cat LIMIT 1"), [[int(1)]]);
        } else {
            assert!(!path.exists());
        }
    }
}

#[test]
fn names_of_tables_that_differ_in_case_only_are_one_table() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    let database = path.clone();
    let error = written(pipeline(), &path, sqlite::Options::new(), move |cats: Subject<Cat, u64>| {
        cats.next(cat(1, "felis"))?;
        cats.commit()?;
        wait_for_row(&database, "Cat");
        let other = sqlite::Options::new().table("cAT");
        written(pipeline(), &database, other, |cats: Subject<Cat, u64>| Ok(cats.next(cat(2, "lynx"))?))?;
        cats.next(cat(3, "puma"))?;
        cats.commit()?;
        Ok(cats.sleep(DEADLINE)?)
    });
    let error = error.expect_err("one of them loses rows");
    assert!(error.contains("another pipeline has written the table"), "{error}");
    assert_eq!(rows(&path, "SELECT key FROM Cat"), [[int(2)]]);
    assert_eq!(rows(&path, "SELECT name FROM pathway_io_tables"), [[text("cAT")]]);
}

#[derive(Schema)]
struct Seat {
    #[schema(primary_key)]
    who: String,
    slot: i64,
}

/// A step of a transaction: a name with its new slot, or without one to remove it.
type Step = (&'static str, Option<i64>);

/// A transaction, and the rows after it.
type Case = (&'static [Step], &'static [(&'static str, i64)]);

#[test]
fn a_commit_whose_end_keeps_a_constraint_is_accepted() {
    let cases: [Case; 7] = [
        // The row that had the slot is removed later.
        (&[("c", Some(1)), ("a", None)], &[("b", 2), ("c", 1)]),
        (&[("a", None), ("c", Some(1))], &[("b", 2), ("c", 1)]),
        // It is removed, and pushed again.
        (&[("a", None), ("c", Some(1)), ("a", Some(3))], &[("a", 3), ("b", 2), ("c", 1)]),
        (&[("b", Some(3)), ("a", None), ("c", Some(1)), ("a", Some(2))], &[("a", 2), ("b", 3), ("c", 1)]),
        // It is pushed, removed, and pushed again.
        (&[("a", Some(4)), ("c", Some(2)), ("a", None), ("b", None), ("a", Some(1))], &[("a", 1), ("c", 2)]),
        // It is pushed and removed.
        (&[("c", Some(1)), ("c", None), ("c", Some(3))], &[("a", 1), ("b", 2), ("c", 3)]),
        (&[("c", Some(5)), ("d", Some(6)), ("c", None), ("d", None)], &[("a", 1), ("b", 2)]),
    ];
    for (number, (steps, expected)) in cases.into_iter().enumerate() {
        let dir = TempDir::new();
        let path = dir.path("seats.sqlite");
        execute(&path, "CREATE TABLE Seat (who TEXT PRIMARY KEY, slot INTEGER UNIQUE)");
        written(pipeline(), &path, sqlite::Options::new(), move |seats: Subject<Seat, u64>| {
            let seat = |who: &str, slot| Seat { who: who.into(), slot };
            // No flush comes between two commits that follow at once, so they share a transaction of SQLite.
            for slot in [7, 1] {
                let transaction = seats.transaction();
                transaction.next(seat("a", slot))?;
                transaction.next(seat("b", slot + 1))?;
                transaction.commit()?;
            }
            let transaction = seats.transaction();
            for (who, slot) in steps {
                match slot {
                    Some(slot) => transaction.next(seat(who, *slot))?,
                    None => transaction.remove((*who).into())?,
                }
            }
            Ok(transaction.commit()?)
        })
        .unwrap_or_else(|error| panic!("case {number}: {error}"));
        let expected: Vec<Vec<Sql>> = expected.iter().map(|(who, slot)| vec![text(who), int(*slot)]).collect();
        assert_eq!(rows(&path, "SELECT * FROM Seat ORDER BY who"), expected, "case {number}");
    }
}

#[derive(Schema)]
struct Pair {
    #[schema(primary_key)]
    a: String,
    #[schema(primary_key)]
    b: String,
    n: u64,
    data: Vec<u8>,
    x: f64,
}

#[test]
fn a_table_made_by_hand_that_cannot_hold_the_rows_is_refused() {
    let rest = "n BLOB, data BLOB, x REAL";
    let cases = [
        (format!("a TEXT COLLATE NOCASE, b TEXT, {rest}, PRIMARY KEY (a, b)"), "a` has the collation NOCASE"),
        (format!("a TEXT, b TEXT COLLATE rtrim, {rest}, PRIMARY KEY (a, b)"), "b` has the collation rtrim"),
        (format!("a TEXT, b TEXT, {rest}, PRIMARY KEY (a, b COLLATE NOCASE)"), "b` has the collation NOCASE"),
        (
            format!("a TEXT COLLATE NOCASE, b TEXT, {rest}, PRIMARY KEY (a COLLATE BINARY, b)"),
            "a` has the collation NOCASE",
        ),
        ("a TEXT, b TEXT, n BLOB AS (x'00'), data BLOB, x REAL, PRIMARY KEY (a, b)".into(), "n` is generated"),
        ("a TEXT, b TEXT, n BLOB, data BLOB, x REAL AS (1.5) STORED, PRIMARY KEY (a, b)".into(), "x` is generated"),
    ];
    let strict = [
        ("a TEXT, b TEXT, n BLOB, data BLOB, x REAL, PRIMARY KEY (a, b)", "n` is BLOB and should be ANY"),
        ("a TEXT, b TEXT, n INT, data BLOB, x REAL, PRIMARY KEY (a, b)", "n` is INTEGER and should be ANY"),
        ("a TEXT, b INT, n ANY, data BLOB, x REAL, PRIMARY KEY (a, b)", "b` is INTEGER and should be TEXT"),
        ("a TEXT, b TEXT, n ANY, data TEXT, x REAL, PRIMARY KEY (a, b)", "data` is TEXT and should be BLOB"),
    ];
    let dir = TempDir::new();
    for (number, (columns, says, end)) in cases
        .iter()
        .flat_map(|(columns, says)| [(&**columns, *says, ""), (columns, says, "WITHOUT ROWID")])
        .chain(strict.iter().map(|(columns, says)| (*columns, *says, "STRICT")))
        .enumerate()
    {
        let path = dir.path(&format!("{number}.sqlite"));
        execute(&path, &format!("CREATE TABLE Pair ({columns}) {end}"));
        let error = refused::<Pair>(&path, sqlite::Options::new());
        assert!(error.contains(&format!("of another shape: its column `{says}")), "{columns} {end}: {error}");
    }
}

#[test]
fn a_table_made_by_hand_that_holds_every_row_is_accepted() {
    let columns = [
        "a TEXT, b TEXT COLLATE BINARY, n BLOB, data BLOB, x REAL COLLATE NOCASE, PRIMARY KEY (a, b)) WITHOUT ROWID",
        "a TEXT, b TEXT, n ANY, data BLOB, x REAL, PRIMARY KEY (a, b)) STRICT",
        "a ANY, b TEXT, n ANY, data ANY, x ANY, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID",
    ];
    let dir = TempDir::new();
    for (number, columns) in columns.into_iter().enumerate() {
        let path = dir.path(&format!("{number}.sqlite"));
        execute(&path, &format!("CREATE TABLE Pair ({columns}"));
        written(pipeline(), &path, sqlite::Options::new(), |pairs: Subject<Pair, u64>| {
            for (b, n) in [("x", 1), ("X", u64::MAX)] {
                pairs.next(Pair { a: "1".into(), b: b.into(), n, data: vec![0, 255], x: 1.0 })?;
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{columns}: {error}"));
        let row = |b, n| vec![text("1"), text(b), n, Sql::Blob(vec![0, 255]), Sql::Real(1.0)];
        let expected = [row("x", int(1)), row("X", text("18446744073709551615"))];
        assert_eq!(rows(&path, "SELECT * FROM Pair ORDER BY b DESC"), expected, "{columns}");
    }
    // Updates have no key, so its collation does not matter.
    let path = dir.path("updates.sqlite");
    execute(&path, "CREATE TABLE Cat (key INT, genus TEXT COLLATE NOCASE, time INT, diff INT) STRICT");
    let options = sqlite::Options::new().updates();
    written(pipeline(), &path, options, |cats: Subject<Cat, u64>| Ok(cats.next(cat(1, "felis"))?)).unwrap();
    assert_eq!(rows(&path, "SELECT genus FROM Cat"), [[text("felis")]]);
}

#[test]
fn a_database_without_a_file_is_refused() {
    for path in ["", ":memory:", "file::memory:", "file:cats?mode=memory"] {
        let error = refused::<Cat>(Path::new(path), sqlite::Options::new());
        assert!(error.starts_with(&format!("sink `{path}` failed: ")), "{error}");
        assert!(error.contains("a temporary database") && error.contains("help: choose a path"), "{error}");
    }
    assert!(!Path::new(":memory:").exists());
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    // Without a program that writes to the pipe, opening it for reading would wait for ever.
    let error = refused::<Cat>(&path, sqlite::Options::new());
    assert!(error.starts_with(&format!("sink `{}` failed: ", path.display())), "{error}");
}

#[test]
fn a_database_that_cannot_be_opened_is_an_error_with_the_reason() {
    let dir = TempDir::new();
    fs::write(dir.path("file"), "").unwrap();
    for (path, reason) in [
        (dir.path(""), "Is a directory"),
        (dir.path("missing/cats.sqlite"), "No such file or directory"),
        (dir.path("file/cats.sqlite"), "Not a directory"),
    ] {
        for pipeline in [pipeline(), Pipeline::persistent(dir.path("state")).unwrap()] {
            let run_source = |_: Subject<Cat, u64>| panic!("the source must not run");
            let error = written(pipeline, &path, sqlite::Options::new(), run_source).unwrap_err();
            let shown = path.display();
            assert!(error.starts_with(&format!("sink `{shown}` failed: ")) && error.contains(reason), "{error}");
        }
    }
}

#[derive(Schema)]
struct Nul {
    #[schema(primary_key)]
    id: u64,
    #[schema(rename = "a\0b")]
    a: String,
}

#[test]
fn a_name_with_nul_is_refused() {
    let dir = TempDir::new();
    let path = dir.path("nul.sqlite");
    let error = refused::<Nul>(&path, sqlite::Options::new());
    assert!(error.contains("the name of the column `a\\0b` cannot be a name in SQLite; rename it"), "{error}");
    let error = refused::<Cat>(&path, sqlite::Options::new().table("c\0t"));
    assert!(error.contains("the name of the table `c\\0t` cannot be a name in SQLite; rename it"), "{error}");
}

#[test]
fn a_removed_row_of_the_list_of_tables_is_named() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    let error = harmed(pipeline(), &path, true, |path| {
        execute(path, "DELETE FROM pathway_io_tables");
        None
    });
    let error = error.expect_err("another pipeline could have written the table");
    assert!(error.contains("the row of `Cat` in `pathway_io_tables` was removed"), "{error}");
    assert!(!error.contains("another pipeline"), "{error}");
}
