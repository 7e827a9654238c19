//! A restart with outputs that have other rows, another format, or other bad rows than before.

use std::fs;

use pathway_io::{BadRows, ReadOptions, RunResult, Schema, Subject, Table, csv, jsonlines};

use crate::common::{Cat, TempDir, cat, read, run, source};
use crate::restart::{options, persistent};

fn one_row(cats: &Subject<Cat, u64>) -> RunResult {
    let from = cats.resume().unwrap_or(0);
    Ok(cats.next_at(from + 1, cat(from as i64, "felis"))?)
}

/// Runs a pipeline of two sources.
fn run_two(directory: &TempDir, attach: impl FnOnce([Table<Cat>; 2])) -> Result<(), String> {
    let pipeline = persistent(directory);
    let tables = ["first", "second"]
        .map(|name| pipeline.read_with(source(|cats: Subject<Cat, u64>| one_row(&cats)), options(name)));
    attach(tables);
    run(pipeline).map(drop).map_err(|error| error.to_string())
}

// Contract 9.6
#[test]
fn an_output_of_another_table_or_format_is_rejected() {
    let directory = TempDir::new();
    let [a, b] = ["a.csv", "b.csv"].map(|name| directory.path(name));
    let as_before = |[first, second]: [Table<Cat>; 2]| {
        csv::write(&first, &a);
        csv::write(&second, &b);
    };
    run_two(&directory, as_before).unwrap();
    let written = [read(&a), read(&b)];
    let error = run_two(&directory, |[first, second]| {
        csv::write(&first, &b);
        csv::write(&second, &a);
    });
    let error = error.unwrap_err();
    assert!(
        error.contains(
            "contains the rows of table 1 of source `first`, and would now receive the rows of table 1 of source"
        ),
        "{error}"
    );
    let error = run_two(&directory, |[first, second]| {
        csv::write_with(&first, &a, csv::Options::pathway());
        csv::write(&second, &b);
    });
    let error = error.unwrap_err();
    assert!(error.contains("was written as csv, and would be continued as csv as Pathway writes it"), "{error}");
    let error = run_two(&directory, |[first, second]| {
        jsonlines::write(&first, &a);
        csv::write(&second, &b);
    });
    let error = error.unwrap_err();
    assert!(error.contains("was written as csv, and would be continued as jsonlines"), "{error}");
    let other = a.with_file_name(".").join("a.csv");
    let error = run_two(&directory, |[first, second]| {
        csv::write(&first, &other);
        csv::write(&second, &b);
    });
    let error = error.unwrap_err();
    assert!(error.contains(&format!("was given as `{}`\nhelp: give the path as before", a.display())), "{error}");
    // The directory of an output was moved.
    fs::create_dir(directory.path("moved")).unwrap();
    fs::rename(&a, directory.path("moved/a.csv")).unwrap();
    let error = run_two(&directory, |[first, second]| {
        csv::write(&first, directory.path("moved/a.csv"));
        csv::write(&second, &b);
    });
    let error = error.unwrap_err();
    assert!(error.contains(&format!("was given as `{}`\nhelp: give the path as before", a.display())), "{error}");
    #[cfg(unix)]
    std::os::unix::fs::symlink(directory.path("moved/a.csv"), &a).unwrap();
    #[cfg(not(unix))]
    fs::rename(directory.path("moved/a.csv"), &a).unwrap();
    assert_eq!([read(&a), read(&b)], written);
    run_two(&directory, as_before).unwrap();
    assert_eq!(read(&a).lines().count(), 3);
}

// Contract 9.6
#[cfg(feature = "sqlite")]
#[test]
fn a_database_of_another_table_is_rejected_and_a_database_that_was_moved_is_not() {
    use pathway_io::sqlite;

    let directory = TempDir::new();
    let attempt = |database: &str, tables: [&str; 2]| {
        run_two(&directory, |written| {
            for (table, name) in written.into_iter().zip(tables) {
                sqlite::write_with(&table, directory.path(database), sqlite::Options::new().table(name));
            }
        })
    };
    attempt("zoo.sqlite", ["a", "b"]).unwrap();
    // SQLite ignores the case.
    attempt("zoo.sqlite", ["A", "b"]).unwrap();
    let error = attempt("zoo.sqlite", ["b", "a"]).unwrap_err();
    let expected =
        "contains the rows of table 1 of source `first`, and would now receive the rows of table 1 of source `second`";
    assert!(error.contains("zoo.sqlite a`") && error.contains(expected), "{error}");
    fs::rename(directory.path("zoo.sqlite"), directory.path("moved.sqlite")).unwrap();
    attempt("moved.sqlite", ["a", "b"]).unwrap();
    let error = attempt("moved.sqlite", ["a", "c"]).unwrap_err();
    assert!(error.contains("moved.sqlite` failed: it has no commit, but had commits up to "), "{error}");
    assert!(error.contains(": it was emptied, or replaced by another one\nhelp: restore"), "{error}");
}

// Contract 9.6
#[cfg(feature = "sqlite")]
#[test]
fn a_database_that_is_new_or_gone_is_named() {
    use pathway_io::sqlite;

    let directory = TempDir::new();
    let attempt = |databases: &[&str]| {
        run_two(&directory, |[first, _]| {
            databases.iter().for_each(|database| sqlite::write(&first, directory.path(database)));
        })
    };
    attempt(&["a.sqlite", "b.sqlite"]).unwrap();
    let error = attempt(&["b.sqlite"]).unwrap_err();
    assert!(error.contains("a.sqlite cat` is no longer in the pipeline\nhelp: add it again"), "{error}");
    let error = attempt(&["a.sqlite", "b.sqlite", "c.sqlite"]).unwrap_err();
    assert!(
        error.contains("c.sqlite cat` is new: it would not receive the earlier commits\nhelp: write it"),
        "{error}"
    );
    attempt(&["a.sqlite", "b.sqlite"]).unwrap();
}

#[test]
fn a_quarantine_can_be_added_and_removed() {
    let directory = TempDir::new();
    let bad = directory.path("bad.jsonl");
    let run_with = |bad_rows: BadRows| {
        let pipeline = persistent(&directory);
        let push = |cats: Subject<Cat, u64>| {
            one_row(&cats)?;
            Ok(cats.next_json_at(cats.resume().unwrap_or(0) + 2, "{}")?)
        };
        let cats = pipeline.read_with(source(push), options("cats").bad_rows(bad_rows));
        csv::write(&cats, directory.path("cats.csv"));
        run(pipeline).map(drop).map_err(|error| error.to_string())
    };
    // To avoid the first error, keep the bad rows.
    let error = run_with(BadRows::Fail).unwrap_err();
    assert!(error.contains("row 2, column `key`: "), "{error}");
    run_with(BadRows::Quarantine(bad.clone())).unwrap();
    run_with(BadRows::Quarantine(bad.clone())).unwrap();
    assert_eq!(read(&bad).lines().count(), 2);
    run_with(BadRows::Skip).unwrap();
    // The file of an earlier run is not truncated.
    let error = run_with(BadRows::Quarantine(bad.clone())).unwrap_err();
    assert!(error.contains("has rows that this state does not know"), "{error}");
    assert_eq!(read(&bad).lines().count(), 2);
    fs::rename(&bad, directory.path("old.jsonl")).unwrap();
    run_with(BadRows::Quarantine(bad.clone())).unwrap();
    assert_eq!(read(&bad).lines().count(), 1);
}

/// The rows of an earlier run have a value that the type reads no more.
#[test]
fn a_type_with_fewer_values_is_named() {
    mod before {
        #[derive(pathway_io::ColumnType)]
        pub enum Coat {
            Grey,
            Green,
        }
        #[derive(pathway_io::Schema)]
        pub struct Cat {
            #[schema(primary_key)]
            pub key: i64,
            pub coat: Coat,
        }
    }
    mod now {
        #[derive(pathway_io::ColumnType)]
        pub enum Coat {
            Grey,
        }
        #[derive(pathway_io::Schema)]
        pub struct Cat {
            #[schema(primary_key)]
            pub key: i64,
            pub coat: Coat,
        }
    }
    fn run_as<S: Schema + Send>(directory: &TempDir, rows: Vec<S>) -> Result<(), String> {
        let pipeline = persistent(directory);
        let mut rows = Some(rows);
        let push = move |cats: Subject<S, u64>| {
            rows.take().into_iter().flatten().try_for_each(|row| Ok(cats.next_at(1, row)?))
        };
        let cats = pipeline.read_with(source(push), ReadOptions::new().name("cats"));
        csv::write(&cats, directory.path("cats.csv"));
        run(pipeline).map(drop).map_err(|error| error.to_string())
    }
    let directory = TempDir::new();
    let rows = [before::Coat::Grey, before::Coat::Green].into_iter().zip(1..);
    run_as(&directory, rows.map(|(coat, key)| before::Cat { key, coat }).collect()).unwrap();
    let error = run_as(&directory, vec![now::Cat { key: 3, coat: now::Coat::Grey }]).unwrap_err();
    assert!(error.contains("that its table cannot hold: ") && error.contains("column `coat`"), "{error}");
    assert!(error.contains("help: the type of the column reads fewer values than before"), "{error}");
}
