//! The locations of state and outputs: other processes, other working directories, and files that disappear.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pathway_io::{Durability, Pipeline, RunResult, Subject, csv};

use crate::common::{Cat, DEADLINE, TempDir, cat, read, run, source};
use crate::restart::{options, persistent, rows, run_cats};

/// The environment variable that names the role of the child.
const PART: &str = "PATHWAY_IO_PLACE";

/// Runs the role of a child process; in the parent it does nothing.
#[test]
fn child() {
    let Ok(part) = env::var(PART) else { return };
    let result = match part.as_str() {
        "hold" => hold(),
        #[cfg(feature = "parquet")]
        "parquet" | "parquet-anew" => wander_to_parquet(part == "parquet"),
        #[cfg(feature = "sqlite")]
        "sqlite" => wander_to_sqlite("zoo.sqlite"),
        #[cfg(feature = "sqlite")]
        "sqlite-uri" => wander_to_sqlite("file:z%6fo.sqlite?cache=private"),
        wanders => wander(wanders == "wander"),
    };
    if let Err(error) = result {
        eprintln!("{error}");
        std::process::exit(1);
    }
    std::process::exit(0);
}

fn start(part: &str, directory: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["place::child", "--exact", "--nocapture"])
        .env(PART, part)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Holds the state directory until standard input is closed.
fn hold() -> pathway_io::Result<()> {
    let pipeline = Pipeline::persistent("state")?;
    println!("\n@held");
    std::io::stdin().lines().for_each(drop);
    drop(pipeline);
    Ok(())
}

#[test]
fn a_second_process_is_rejected_while_the_first_one_runs() {
    let directory = TempDir::new();
    let mut holder = start("hold", &directory.path(""));
    let mut said = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.is_ok_and(|line| line == "@held")));
    let error = Pipeline::persistent(directory.path("state")).map(drop).unwrap_err().to_string();
    assert!(error.contains("is in use by another pipeline"), "{error}");
    let second = start("hold", &directory.path("")).wait_with_output().unwrap();
    let error = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success() && error.contains("state` is in use by another pipeline"), "{error}");
    // The child is killed, so only the system can release the lock.
    holder.kill().unwrap();
    holder.wait().unwrap();
    Pipeline::persistent(directory.path("state")).map(drop).unwrap();
}

/// Returns the files that are named like logs.
fn logs(state: &Path) -> Vec<OsString> {
    let names = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name != "lock" && !name.to_string_lossy().ends_with(".new")).collect()
}

/// Uses paths relative to the initial working directory. If `away`, the program changes it during the run.
fn wander(away: bool) -> pathway_io::Result<()> {
    let pipeline = Pipeline::persistent("state")?;
    pipeline.handle_signals(false);
    let state = env::current_dir()?.join("state");
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat, u64>| -> RunResult {
            if away {
                env::set_current_dir("elsewhere")?;
            }
            let before = logs(&state);
            let text = "x".repeat(100_000);
            let from = cats.resume().unwrap_or(0);
            for n in from..from + 40 {
                cats.next_at(n + 1, cat(1, &format!("{text}{n}")))?;
                cats.commit()?;
            }
            // The history is four megabytes for one row, so a new log is started as soon as the rows are durable.
            let deadline = Instant::now() + DEADLINE;
            while logs(&state).iter().any(|log| before.contains(log)) {
                assert!(Instant::now() < deadline, "no new log was started before the deadline");
                cats.sleep(Duration::from_millis(1))?;
            }
            Ok(())
        }),
        options("cats"),
    );
    csv::write(&cats, "cats.csv");
    pipeline.run().map(drop)
}

#[test]
fn relative_paths_stay_valid_when_the_program_changes_its_directory() {
    let directory = TempDir::new();
    fs::create_dir(directory.path("elsewhere")).unwrap();
    for round in 1..=2 {
        let ended = start("wander", &directory.path("")).wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(rows(&directory, "cats.csv").len(), round * 80 - 1);
    }
    assert_eq!(fs::read_dir(directory.path("elsewhere")).unwrap().count(), 0);
}

/// Writes parts into a relative directory, and changes the working directory before the first one.
#[cfg(feature = "parquet")]
fn wander_to_parquet(is_persistent: bool) -> pathway_io::Result<()> {
    let pipeline = if is_persistent { Pipeline::persistent("state")? } else { Pipeline::new() };
    pipeline.handle_signals(false);
    let cats = pipeline.read_with(
        source(|cats: Subject<Cat, u64>| -> RunResult {
            env::set_current_dir("elsewhere")?;
            let from = cats.resume().unwrap_or(0);
            for n in from..from + 4 {
                cats.next_at(n + 1, cat(n as i64, "felis"))?;
                cats.commit()?;
            }
            Ok(())
        }),
        options("cats"),
    );
    pathway_io::parquet::write(&cats, "cats", pathway_io::parquet::Options::new().rows(1));
    pipeline.run().map(drop)
}

#[cfg(feature = "parquet")]
#[test]
fn parts_stay_in_their_directory_when_the_program_changes_its_own() {
    for role in ["parquet", "parquet-anew"] {
        let directory = TempDir::new();
        fs::create_dir(directory.path("elsewhere")).unwrap();
        for round in 1..=2 {
            let ended = start(role, &directory.path("")).wait_with_output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            let parts = fs::read_dir(directory.path("cats")).unwrap().count();
            assert_eq!(parts, if role == "parquet" { 4 * round } else { 4 });
        }
        assert_eq!(fs::read_dir(directory.path("elsewhere")).unwrap().count(), 0);
    }
}

/// Writes into a relative database, and locks it after a change of the working directory, so that the sink opens it
/// again.
#[cfg(feature = "sqlite")]
fn wander_to_sqlite(path: &str) -> pathway_io::Result<()> {
    let pipeline = Pipeline::persistent("state")?;
    pipeline.handle_signals(false);
    let monitor = pipeline.monitor();
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat, u64>| -> RunResult {
            let reader = rusqlite::Connection::open("zoo.sqlite")?;
            env::set_current_dir("elsewhere")?;
            reader.execute_batch("BEGIN IMMEDIATE")?;
            let from = cats.resume().unwrap_or(0);
            cats.next_at(from + 1, cat(from as i64, "felis"))?;
            cats.commit()?;
            let deadline = Instant::now() + DEADLINE;
            while monitor.snapshot().sinks[0].retries < 2 {
                assert!(Instant::now() < deadline, "the sink has not tried again before the deadline");
                cats.sleep(Duration::from_millis(1))?;
            }
            Ok(reader.execute_batch("COMMIT")?)
        }),
        options("cats"),
    );
    pathway_io::sqlite::write(&cats, path);
    pipeline.run().map(drop)
}

#[cfg(feature = "sqlite")]
#[test]
fn a_database_is_opened_again_where_it_was_though_the_program_has_changed_its_directory() {
    for role in ["sqlite", "sqlite-uri"] {
        let directory = TempDir::new();
        fs::create_dir(directory.path("elsewhere")).unwrap();
        for round in 1..=2 {
            let ended = start(role, &directory.path("")).wait_with_output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            let database = rusqlite::Connection::open(directory.path("zoo.sqlite")).unwrap();
            let rows: i64 = database.query_row("SELECT count(*) FROM Cat", [], |row| row.get(0)).unwrap();
            assert_eq!(rows, round);
        }
        assert_eq!(fs::read_dir(directory.path("elsewhere")).unwrap().count(), 0);
    }
}

#[test]
fn a_start_in_another_directory_starts_over_and_leaves_the_first_one_unchanged() {
    let directory = TempDir::new();
    fs::create_dir(directory.path("elsewhere")).unwrap();
    for place in ["", "elsewhere"] {
        let ended = start("stay", &directory.path(place)).wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    assert_eq!(rows(&directory, "cats.csv").len(), 79);
    assert_eq!(read(directory.path("elsewhere/cats.csv")).lines().count(), 1 + 79);
}

fn one_cat(directory: &TempDir, n: u64) -> pathway_io::Result<pathway_io::Summary> {
    run_cats(directory, Durability::EveryCommit, move |cats| Ok(cats.next_at(n, cat(1, &n.to_string()))?))
}

#[test]
fn an_output_that_is_removed_during_a_run_fails_the_run_and_the_next_start() {
    let directory = TempDir::new();
    let path = directory.path("cats.csv");
    let error = run_cats(&directory, Durability::EveryCommit, move |cats| {
        fs::remove_file(&path)?;
        Ok(cats.next_at(1, cat(1, "felis"))?)
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("cats.csv`: it was removed or renamed"), "{error}");
    let error = one_cat(&directory, 2).unwrap_err().to_string();
    assert!(error.contains("cats.csv` is gone: it had"), "{error}");
}

/// A sink that keeps its own file in the state directory.
struct Intruder(std::path::PathBuf);

impl pathway_io::Sink<Cat> for Intruder {
    fn open(&mut self, _: &'static pathway_io::TableSchema) -> RunResult {
        Ok(fs::write(&self.0, "its rows")?)
    }

    fn write(&mut self, _: &pathway_io::Commit<Cat>) -> RunResult {
        Ok(())
    }
}

#[test]
fn a_file_that_appears_in_the_state_directory_is_named_and_kept() {
    for name in ["extra.db", "log-1.new.new", "log-+1.new", "log-01", "new"] {
        let directory = TempDir::new();
        let path = directory.path("state").join(name);
        let attempt = || {
            let pipeline = persistent(&directory);
            let rows = source(|cats: Subject<Cat, u64>| Ok(cats.next_at(1, cat(1, "felis"))?));
            pipeline.read_with(rows, options("cats")).write_to(Intruder(path.clone()));
            run(pipeline)
        };
        let error = attempt().unwrap_err().to_string();
        let expected = format!("it contains `{name}`");
        assert!(error.contains("is not a state directory") && error.contains(&expected), "{error}");
        assert!(error.contains("help: "), "{error}");
        assert_eq!(read(&path), "its rows");
        // The next start finds it.
        let error = Pipeline::persistent(directory.path("state")).map(drop).unwrap_err().to_string();
        assert!(error.contains(&expected), "{error}");
    }
    // What a kill leaves is removed.
    let directory = TempDir::new();
    fs::create_dir(directory.path("state")).unwrap();
    fs::write(directory.path("state/log-1.new"), "half").unwrap();
    one_cat(&directory, 1).unwrap();
    assert!(!directory.path("state/log-1.new").exists());
}

#[test]
fn a_state_that_is_removed_during_a_run_fails_the_run_before_anything_is_durable() {
    for durability in [Durability::EveryCommit, Durability::NoSync] {
        let directory = TempDir::new();
        let state = directory.path("state");
        let error = run_cats(&directory, durability, move |cats| {
            cats.on_durable(|offset: &u64| panic!("{offset} is not durable"));
            fs::remove_dir_all(&state)?;
            Ok(cats.next_at(1, cat(1, "felis"))?)
        });
        let error = error.unwrap_err();
        assert!(error.to_string().contains("state` is no longer locked: its file `lock`: it was removed"), "{error}");
        assert!(error.others().is_empty(), "{:?}", error.others());
        // No state is left to continue from.
        one_cat(&directory, 2).unwrap();
        assert_eq!(rows(&directory, "cats.csv"), ["1,2 1"]);
    }
}

#[test]
fn the_error_names_a_directory_that_cannot_be_written() {
    if !Path::new("/proc/version").exists() {
        return;
    }
    let error = Pipeline::persistent("/proc/pathway-io").map(drop).unwrap_err().to_string();
    assert!(error.contains("cannot create the state directory `/proc/pathway-io`"), "{error}");
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let cats = pipeline.read_with(source(|_: Subject<Cat, u64>| panic!("the source must not run")), options("cats"));
    csv::write(&cats, "/proc/pathway-io.csv");
    let error = run(pipeline).unwrap_err().to_string();
    assert!(error.contains("cannot create `/proc/pathway-io.csv`"), "{error}");
}
