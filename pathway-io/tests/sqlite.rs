//! Tables in SQLite: their rows, the storage of values, and the tables that are not touched.
#![cfg(feature = "sqlite")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use pathway_io::{ColumnType, Connector, Pipeline, ReadOptions, Result, RunResult, Schema, Subject, Summary, Table};
use pathway_io::{csv, sqlite};
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::{Value, json};

#[allow(dead_code, reason = "these tests use a part of it")]
mod common;
#[path = "common/sqlite.rs"]
mod database;
use common::{Cat, TempDir, cat, pipeline, read, source, wait_until};
use database::{Sql, int, rows, text};

/// Writes a source to the database.
fn write<S: Schema>(
    path: &Path,
    options: sqlite::Options,
    run: impl FnMut(Subject<S>) -> RunResult + Send + 'static,
) -> Result<Summary> {
    let pipeline = pipeline();
    sqlite::write_with(&pipeline.read_with(source(run), ReadOptions::new().autocommit(None)), path, options);
    common::run(pipeline)
}

#[test]
fn a_keyed_table_holds_the_current_rows() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    write(&path, sqlite::Options::new(), |cats| {
        for (key, genus) in [(1, "felis"), (2, "lynx"), (3, "puma")] {
            cats.next(cat(key, genus))?;
        }
        cats.commit()?;
        cats.next(cat(2, "panthera"))?;
        cats.remove(3)?;
        cats.commit()?;
        cats.next(cat(3, "again"))?;
        cats.remove(1)?;
        Ok(())
    })
    .unwrap();
    assert_eq!(rows(&path, "SELECT * FROM Cat ORDER BY key"), [[int(2), text("panthera")], [int(3), text("again")]]);
}

#[test]
fn the_stored_time_is_the_time_of_the_last_commit() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    let pipeline = pipeline();
    let cats = pipeline.read(source(|cats: Subject<Cat>| {
        for key in 0..5 {
            cats.next(cat(key, "felis"))?;
            cats.commit()?;
        }
        Ok(())
    }));
    sqlite::write(&cats, &path);
    let (sender, times) = mpsc::channel();
    cats.subscribe_commits(move |commit| sender.send(commit.time()).unwrap());
    common::run(pipeline).unwrap();
    let last = times.iter().last().unwrap();
    assert_eq!(rows(&path, "SELECT * FROM pathway_io_tables"), [[text("Cat"), int(last.cast_signed())]]);
}

#[derive(Schema)]
struct Line {
    text: String,
}

#[test]
fn a_table_without_a_key_holds_its_updates() {
    let dir = TempDir::new();
    let (path, file) = (dir.path("lines.sqlite"), dir.path("lines.csv"));
    let pipeline = pipeline();
    let lines = pipeline.read(source(|lines: Subject<Line>| {
        for text in ["a", "b", "a"] {
            lines.next(Line { text: text.into() })?;
            lines.commit()?;
        }
        Ok(())
    }));
    sqlite::write(&lines, &path);
    csv::write(&lines, &file);
    common::run(pipeline).unwrap();
    let expected: Vec<Vec<Sql>> = read(&file)
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            vec![text(fields[0]), int(fields[1].parse().unwrap()), int(fields[2].parse().unwrap())]
        })
        .collect();
    assert_eq!(expected.len(), 3);
    assert_eq!(rows(&path, "SELECT text, time, diff FROM Line ORDER BY rowid"), expected);
}

#[test]
fn the_updates_of_a_keyed_table_can_be_stored_too() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    write(&path, sqlite::Options::new().table("history").updates(), |cats| {
        cats.next(cat(1, "felis"))?;
        cats.commit()?;
        cats.next(cat(1, "lynx"))?;
        Ok(())
    })
    .unwrap();
    assert_eq!(
        rows(&path, "SELECT genus, diff FROM history ORDER BY rowid"),
        [[text("felis"), int(1)], [text("felis"), int(-1)], [text("lynx"), int(1)]]
    );
    let times = rows(&path, "SELECT DISTINCT time FROM history");
    assert_eq!(times.len(), 2);
}

#[derive(ColumnType, Clone, Copy)]
enum Mood {
    Sleepy,
}

#[derive(ColumnType, Clone)]
struct Meters(f64);

#[derive(Schema)]
struct Types {
    flag: bool,
    byte: u8,
    small: i16,
    large: i64,
    unsigned: u64,
    float: f64,
    single: f32,
    text: String,
    bytes: Vec<u8>,
    value: Value,
    list: Vec<Option<i64>>,
    pair: (String, bool),
    array: [u8; 2],
    nap: Duration,
    mood: Mood,
    length: Meters,
    maybe: Option<String>,
    nothing: Option<u64>,
}

fn types() -> Types {
    Types {
        flag: true,
        byte: 255,
        small: -3,
        large: i64::MIN,
        unsigned: 7,
        float: 1.0,
        single: 0.5,
        text: "\"a\", 'b'\0\n🐈".into(),
        bytes: vec![0, 255],
        value: json!({ "a": [1, null] }),
        list: vec![Some(1), None],
        pair: ("x".into(), false),
        array: [1, 2],
        nap: Duration::from_millis(1500),
        mood: Mood::Sleepy,
        length: Meters(2.5),
        maybe: Some(String::new()),
        nothing: None,
    }
}

#[test]
fn values_have_the_matching_sqlite_types() {
    let dir = TempDir::new();
    let path = dir.path("types.sqlite");
    write(&path, sqlite::Options::new(), |subject| Ok(subject.next(types())?)).unwrap();
    let row = rows(&path, "SELECT * FROM Types").remove(0);
    let expected = [
        int(1),
        int(255),
        int(-3),
        int(i64::MIN),
        int(7),
        Sql::Real(1.0),
        Sql::Real(0.5),
        text("\"a\", 'b'\0\n🐈"),
        Sql::Blob(vec![0, 255]),
        text(r#"{"a":[1,null]}"#),
        text("[1,null]"),
        text(r#"["x",false]"#),
        text("[1,2]"),
        int(1_500_000_000),
        text("Sleepy"),
        Sql::Real(2.5),
        text(""),
        Sql::Null,
    ];
    assert_eq!(row[..expected.len()], expected);
}

#[test]
fn values_that_sqlite_types_cannot_hold_are_stored_as_text() {
    let dir = TempDir::new();
    let path = dir.path("types.sqlite");
    let unsigned = [0, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX];
    let floats = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, 1e300];
    write(&path, sqlite::Options::new(), move |subject| {
        for unsigned in unsigned {
            subject.next(Types { unsigned, nap: Duration::MAX, ..types() })?;
        }
        for float in floats {
            subject.next(Types { float, single: float as f32, ..types() })?;
        }
        Ok(())
    })
    .unwrap();
    let stored: Vec<Sql> = rows(&path, "SELECT unsigned FROM Types ORDER BY rowid LIMIT 4").concat();
    let max = i64::MAX;
    assert_eq!(stored, [int(0), int(max), text("9223372036854775808"), text("18446744073709551615")]);
    assert_eq!(rows(&path, "SELECT nap FROM Types LIMIT 1"), [[text("18446744073709551615999999999")]]);
    let stored: Vec<Sql> = rows(&path, "SELECT float FROM Types ORDER BY rowid LIMIT 5 OFFSET 4").concat();
    assert_eq!(stored[0], text("NaN"));
    assert_eq!(stored[1..], floats[1..].iter().map(|float| Sql::Real(*float)).collect::<Vec<_>>());
    assert_eq!(rows(&path, "SELECT single FROM Types ORDER BY rowid LIMIT 1 OFFSET 4"), [[text("NaN")]]);
}

#[derive(Schema)]
struct Odd {
    #[schema(primary_key, rename = "select")]
    a: String,
    #[schema(primary_key, rename = "say \"x\"; --")]
    b: u64,
    #[schema(rename = "größe [m]")]
    c: Option<i32>,
}

#[test]
fn names_and_keys_may_contain_any_character() {
    let dir = TempDir::new();
    let path = dir.path("odd.sqlite");
    let name = "drop table \"x\"; `y`";
    write(&path, sqlite::Options::new().table(name), |odd| {
        for b in [1, u64::MAX, u64::MAX - 1] {
            odd.next(Odd { a: "x".into(), b, c: Some(1) })?;
        }
        odd.commit()?;
        odd.next(Odd { a: "x".into(), b: u64::MAX, c: None })?;
        odd.remove(("x".into(), u64::MAX - 1))?;
        Ok(())
    })
    .unwrap();
    let query =
        format!("SELECT \"say \"\"x\"\"; --\", \"größe [m]\" FROM \"{}\" ORDER BY 1", name.replace('"', "\"\""));
    assert_eq!(rows(&path, &query), [[int(1), int(1)], [text("18446744073709551615"), Sql::Null]]);
}

#[derive(Schema)]
struct Pair {
    #[schema(primary_key)]
    a: i64,
    #[schema(primary_key)]
    b: String,
}

#[test]
fn a_table_may_consist_of_key_columns_only() {
    let dir = TempDir::new();
    let path = dir.path("pairs.sqlite");
    write(&path, sqlite::Options::new(), |pairs| {
        for (a, b) in [(1, "x"), (1, "y"), (1, "x")] {
            pairs.next(Pair { a, b: b.into() })?;
            pairs.commit()?;
        }
        pairs.remove((1, "y".into()))?;
        Ok(())
    })
    .unwrap();
    assert_eq!(rows(&path, "SELECT * FROM Pair"), [[int(1), text("x")]]);
}

fn error_of(path: &Path) -> String {
    let error = write(path, sqlite::Options::new(), |_: Subject<Cat>| panic!("the source must not run")).unwrap_err();
    let error = error.to_string();
    let start = format!("sink `{}` failed: ", path.display());
    error.strip_prefix(&start).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn a_table_with_other_columns_is_not_touched() {
    let dir = TempDir::new();
    for (number, (create, difference)) in [
        ("TABLE Cat (key INTEGER PRIMARY KEY)", "it lacks a column `genus`"),
        ("TABLE Cat (key INTEGER PRIMARY KEY, genus TEXT, weight REAL)", "it has an additional column `weight`"),
        ("TABLE Cat (key INTEGER PRIMARY KEY, genus BLOB)", "its column `genus` is BLOB and should be TEXT"),
        ("TABLE Cat (key INTEGER PRIMARY KEY, species TEXT)", "it has a column `species` where `genus` should be"),
        ("TABLE Cat (key INTEGER, genus TEXT)", "its column `key` has another part in the primary key"),
        ("TABLE cat (key INTEGER PRIMARY KEY, genus TEXT, x)", "it has an additional column `x`"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = dir.path(&format!("{number}.sqlite"));
        let database = Connection::open(&path).unwrap();
        database.execute_batch(&format!("CREATE {create}")).unwrap();
        let columns = rows(&path, "SELECT sql FROM sqlite_schema WHERE name LIKE 'cat'");
        assert_eq!(
            error_of(&path),
            format!(
                "there is a table `Cat` of another shape: {difference}\n\
                 help: remove it, or write to another one (`sqlite::Options::table`)"
            )
        );
        assert_eq!(rows(&path, "SELECT sql FROM sqlite_schema WHERE name LIKE 'cat'"), columns);
    }
}

#[test]
fn rows_of_another_program_are_not_touched() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    let database = Connection::open(&path).unwrap();
    database.execute_batch("CREATE TABLE Cat (key INT NOT NULL PRIMARY KEY, genus VARCHAR(20))").unwrap();
    database.execute("INSERT INTO Cat VALUES (7, 'puma')", []).unwrap();
    assert_eq!(
        error_of(&path),
        "there is a table `Cat` with rows that no pipeline has written\n\
         help: empty it, or write to another one (`sqlite::Options::table`)"
    );
    assert_eq!(rows(&path, "SELECT * FROM Cat"), [[int(7), text("puma")]]);
    // An empty table is accepted, even if it uses other names for the same types.
    database.execute("DELETE FROM Cat", []).unwrap();
    for key in [1, 2] {
        write(&path, sqlite::Options::new(), move |cats| Ok(cats.next(cat(key, "felis"))?)).unwrap();
        // Like a file, the table is started over.
        assert_eq!(rows(&path, "SELECT key FROM Cat"), [[int(key)]]);
    }
}

#[test]
fn a_view_or_a_file_that_is_not_a_database_is_not_touched() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    Connection::open(&path).unwrap().execute_batch("CREATE VIEW Cat AS SELECT 1 AS key").unwrap();
    assert_eq!(error_of(&path), "`Cat` is not a table but a view");
    let path = dir.path("cats.txt");
    std::fs::write(&path, "this is a long line of plain text and not a database file at all").unwrap();
    assert_eq!(error_of(&path), "file is not a database");
    assert!(error_of(&dir.path("no/such/directory.sqlite")).contains("unable to open database file"));
}

#[test]
fn a_trigger_may_have_the_name_of_the_table() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    let triggers = "CREATE TABLE log (x); CREATE TRIGGER cat AFTER INSERT ON log BEGIN SELECT 1; END";
    Connection::open(&path).unwrap().execute_batch(triggers).unwrap();
    // The first run creates the table, and the second one finds it.
    for key in [1, 2] {
        write(&path, sqlite::Options::new(), move |cats| Ok(cats.next(cat(key, "felis"))?)).unwrap();
        assert_eq!(rows(&path, "SELECT key FROM Cat"), [[int(key)]]);
    }
}

#[test]
fn one_database_can_hold_several_tables() {
    let dir = TempDir::new();
    let path = dir.path("zoo.sqlite");
    let pipeline = pipeline();
    let cats = pipeline.read(source(|cats: Subject<Cat>| {
        for key in 0..500 {
            cats.next(cat(key, "felis"))?;
            cats.commit()?;
        }
        Ok(())
    }));
    let lines = pipeline.read(source(|lines: Subject<Line>| {
        for _ in 0..500 {
            lines.next(Line { text: "x".into() })?;
            lines.commit()?;
        }
        Ok(())
    }));
    sqlite::write(&cats, &path);
    sqlite::write_with(&cats, &path, sqlite::Options::new().table("history").updates());
    sqlite::write(&lines, &path);
    common::run(pipeline).unwrap();
    for table in ["Cat", "history", "Line"] {
        assert_eq!(rows(&path, &format!("SELECT count(*) FROM {table}")), [[int(500)]]);
    }
}

#[test]
fn two_sinks_on_one_table_are_an_error() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    let error = |second: &dyn Fn(&Table<Cat>)| {
        let pipeline = pipeline();
        let cats = pipeline.read(source(|_: Subject<Cat>| panic!("the source must not run")));
        sqlite::write(&cats, &path);
        second(&cats);
        common::run(pipeline).unwrap_err().to_string()
    };
    let twice = error(&|cats| sqlite::write_with(cats, &path, sqlite::Options::new().table("CAT")));
    assert_eq!(
        twice,
        format!(
            "sink `{0}` failed: two sinks write to its table `cat`\nhelp: give each sink its own table",
            path.display()
        )
    );
    let file = error(&|cats| csv::write(cats, &path));
    assert_eq!(
        file,
        format!(
            "sink `{0}` failed: two sinks write to one file, as `{0}` and `{0}`\nhelp: give each sink its own path",
            path.display()
        )
    );
    assert!(!path.exists());
}

#[derive(Schema)]
struct Account {
    #[schema(primary_key)]
    name: u8,
    balance: i64,
}

#[test]
fn a_reader_sees_whole_commits_and_does_not_block_the_writer() {
    let dir = TempDir::new();
    let path = dir.path("bank.sqlite");
    let done = Arc::new(AtomicBool::new(false));
    let (path_of_reader, done_reading) = (path.clone(), Arc::clone(&done));
    let (sender, opened) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        opened.recv().unwrap();
        let held = Connection::open(&path_of_reader).unwrap();
        // A transaction that stays open from the first to the last commit.
        held.execute_batch("BEGIN").unwrap();
        let _: i64 = held.query_row("SELECT count(*) FROM Account", [], |row| row.get(0)).unwrap();
        let database = Connection::open(&path_of_reader).unwrap();
        let mut reads = 0;
        while !done_reading.load(Ordering::Acquire) {
            let sum: i64 =
                database.query_row("SELECT coalesce(sum(balance), 0) FROM Account", [], |row| row.get(0)).unwrap();
            assert_eq!(sum, 0, "a part of a commit was seen");
            reads += 1;
        }
        reads
    });
    write(&path, sqlite::Options::new(), move |accounts| {
        // All sinks are open at this point.
        sender.send(())?;
        for balance in 0..2_000 {
            let transfer = accounts.transaction();
            transfer.next(Account { name: 1, balance })?;
            transfer.next(Account { name: 2, balance: -balance })?;
            transfer.commit()?;
        }
        Ok(())
    })
    .unwrap();
    done.store(true, Ordering::Release);
    assert!(reader.join().unwrap() > 0);
    assert_eq!(rows(&path, "SELECT balance FROM Account ORDER BY name"), [[int(1999)], [int(-1999)]]);
}

/// Generates the steps of a history: a key, its new value or a removal, and whether a commit follows.
fn steps() -> impl Strategy<Value = Vec<(i64, Option<u8>, bool)>> {
    proptest::collection::vec((0_i64..6, proptest::option::weighted(0.7, 0_u8..4), any::<bool>()), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_history_ends_in_the_same_table_as_a_map(steps in steps()) {
        let dir = TempDir::new();
        let path = dir.path("cats.sqlite");
        let mut map = BTreeMap::new();
        for (key, genus, _) in &steps {
            match genus {
                Some(genus) => map.insert(*key, *genus),
                None => map.remove(key),
            };
        }
        write(&path, sqlite::Options::new(), move |cats| {
            for (key, genus, commit) in &steps {
                match genus {
                    Some(genus) => cats.next(cat(*key, &genus.to_string()))?,
                    None => cats.remove(*key)?,
                }
                if *commit {
                    cats.commit()?;
                }
            }
            Ok(())
        })
        .unwrap();
        let expected: Vec<Vec<Sql>> = map.iter().map(|(key, genus)| vec![int(*key), text(&genus.to_string())]).collect();
        prop_assert_eq!(rows(&path, "SELECT * FROM Cat ORDER BY key"), expected);
    }
}

/// Another program's lock on a database.
fn locked(path: &Path) -> Connection {
    let other = Connection::open(path).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS other (x); BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn a_database_that_is_locked_for_longer_than_sqlite_waits_is_waited_for() {
    let dir = TempDir::new();
    let path = dir.path("cats.sqlite");
    let other = locked(&path);
    // Longer than SQLite's own wait, so that the first attempt fails.
    let unlock = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1_500));
        other.execute_batch("COMMIT").unwrap();
    });
    write(&path, sqlite::Options::new(), |cats: Subject<Cat>| Ok(cats.next(cat(1, "felis"))?)).unwrap();
    unlock.join().unwrap();
    assert_eq!(rows(&path, "SELECT * FROM Cat"), [[int(1), text("felis")]]);
}

#[test]
fn a_lock_while_rows_flow_is_waited_for_unless_there_is_one_attempt() {
    for attempts in [1, 60] {
        let dir = TempDir::new();
        let path = dir.path("cats.sqlite");
        let retry =
            pathway_io::Restart::backoff(Duration::from_millis(1)..Duration::from_millis(50)).attempts(attempts);
        let database = path.clone();
        let result = write(&path, sqlite::Options::new().retry(retry), move |cats: Subject<Cat>| {
            cats.next(cat(1, "felis"))?;
            cats.commit()?;
            let other = locked(&database);
            let unlock = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(1_500));
                other.execute_batch("COMMIT").unwrap();
            });
            cats.next(cat(2, "lynx"))?;
            cats.commit()?;
            unlock.join().unwrap();
            Ok(())
        });
        if attempts == 1 {
            assert!(result.unwrap_err().to_string().contains("database is locked"));
        } else {
            result.unwrap();
            assert_eq!(rows(&path, "SELECT key FROM Cat ORDER BY key"), [[int(1)], [int(2)]]);
        }
    }
}

// FAULTS 33
#[test]
fn a_table_that_another_pipeline_has_written_ends_the_first_one() {
    for options in [sqlite::Options::new(), sqlite::Options::new().updates()] {
        let dir = TempDir::new();
        let path = dir.path("cats.sqlite");
        let (database, of_second) = (path.clone(), options.clone());
        let error = write(&path, options, move |cats: Subject<Cat>| {
            cats.next(cat(1, "felis"))?;
            cats.commit()?;
            wait_until("it is not written", || !rows(&database, "SELECT key FROM Cat").is_empty());
            write(&database, of_second.clone(), |cats: Subject<Cat>| Ok(cats.next(cat(2, "lynx"))?))?;
            cats.next(cat(3, "puma"))?;
            cats.commit()?;
            // The failure of the sink is a stop, which ends this wait.
            Ok(cats.sleep(Duration::from_secs(30))?)
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("cats.sqlite") && error.contains("another pipeline has written the table"), "{error}");
        assert_eq!(rows(&path, "SELECT key FROM Cat"), [[int(2)]]);
    }
}

#[derive(Schema)]
struct Case {
    id: i64,
    #[schema(rename = "ID")]
    other: i64,
}

#[derive(Schema)]
struct Timed {
    #[schema(rename = "Time")]
    at: i64,
}

#[test]
fn columns_that_differ_in_case_only_are_named() {
    let dir = TempDir::new();
    let path = dir.path("case.sqlite");
    let error = write(&path, sqlite::Options::new(), |_: Subject<Case>| Ok(())).unwrap_err().to_string();
    assert!(error.contains("the columns `id` and `ID` differ in case only"), "{error}");
    let error = write(&path, sqlite::Options::new(), |_: Subject<Timed>| Ok(())).unwrap_err().to_string();
    assert!(error.contains("the columns `Time` and `time` differ in case only"), "{error}");
}

#[cfg(feature = "export")]
#[test]
fn the_ddl_names_columns_that_differ_in_case_only() {
    use pathway_io::schema::Dialect;

    let refused = |ddl: &str| Connection::open_in_memory().unwrap().execute_batch(ddl).is_err();
    let case = Case::schema().sql_ddl(Dialect::Sqlite, "cats");
    assert!(case.contains("-- SQLite refuses `ID` beside `id`: the names differ in case only\n    \"ID\""), "{case}");
    assert!(refused(&case));
    let timed = Timed::schema().sql_ddl_of_updates(Dialect::Sqlite, "cats");
    assert!(timed.contains("-- SQLite refuses `time` beside `Time`"), "{timed}");
    assert!(refused(&timed));
    let current = Timed::schema().sql_ddl(Dialect::Sqlite, "cats");
    assert!(!current.contains("--") && !refused(&current), "{current}");
    assert!(!Case::schema().sql_ddl(Dialect::Postgres, "cats").contains("--"));
}

/// Runs a persistent pipeline with one row more each time.
fn persistent(dir: &TempDir, rows: i64) -> Result<Summary> {
    let pipeline = Pipeline::persistent(dir.path("state")).unwrap();
    pipeline.handle_signals(false);
    let cats = pipeline.read_with(Offsets(rows), ReadOptions::new().name("cats"));
    sqlite::write(&cats, dir.path("cats.sqlite"));
    common::run(pipeline)
}

struct Offsets(i64);

impl Connector for Offsets {
    type Subjects = Subject<Cat, i64>;
    type Tables = Table<Cat>;

    fn run(&mut self, cats: Subject<Cat, i64>) -> RunResult {
        for key in cats.resume().unwrap_or(0)..self.0 {
            cats.next_at(key + 1, cat(key, &"felis".repeat(100)))?;
        }
        Ok(())
    }
}

#[test]
fn a_database_that_lost_its_end_is_refused() {
    for lost in [7, 100, 1_000, 4_096, 10_000] {
        let dir = TempDir::new();
        persistent(&dir, 500).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(dir.path("cats.sqlite")).unwrap();
        let len = file.metadata().unwrap().len();
        file.set_len(len - lost).unwrap();
        let error = persistent(&dir, 501).expect_err("it is damaged").to_string();
        assert!(error.contains("cats.sqlite") && (error.contains("damaged") || error.contains("malformed")), "{error}");
    }
}

#[derive(Schema)]
struct Big {
    #[schema(primary_key)]
    key: u64,
}

// FAULTS 12
#[test]
fn a_u64_key_is_declared_so_that_no_digits_are_lost() {
    let dir = TempDir::new();
    let path = dir.path("big.db");
    let keys = [0, 1 << 63, u64::MAX - 1, u64::MAX];
    write(&path, sqlite::Options::new().table("big"), move |big: Subject<Big>| {
        for key in keys {
            big.next(Big { key })?;
        }
        Ok(())
    })
    .unwrap();
    // With the affinity of `INTEGER`, the last two would be one float, and one key.
    let declared = rows(&path, "SELECT type FROM pragma_table_info('big') WHERE name = 'key'");
    assert_eq!(declared, [[text("BLOB")]]);
    let stored = rows(&path, "SELECT CAST(key AS TEXT) FROM big");
    assert_eq!(stored.len(), keys.len());
    for key in keys {
        assert!(stored.contains(&vec![text(&key.to_string())]), "{stored:?}");
    }
    assert_eq!(rows(&path, "SELECT count(*) FROM big WHERE key = 0 OR key = '18446744073709551615'"), [[int(2)]]);
}
