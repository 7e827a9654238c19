//! `refused_rows`: rows that only the sink can refuse are left out, and the pipeline continues.

use std::fs;
use std::sync::{Arc, Mutex};

use pathway_io::{BadRows, Commit, Error, ReadOptions, RunResult, Sink, SinkOptions, Subject, Summary, TableSchema};
use serde_json::Value;

use crate::common::{Cat, TempDir, cat, pipeline, read, run, source, wait_until};

/// The contents of a database: the flushed commits, and the others.
#[derive(Default)]
struct Kept {
    flushed: Vec<(u64, Vec<(i64, i64)>)>,
    open: Vec<(u64, Vec<(i64, i64)>)>,
}

/// A database that refuses odd keys, in `write` or in `flush`. If `names` is set, the error names the update.
#[derive(Clone, Default)]
struct Even {
    kept: Arc<Mutex<Kept>>,
    names: bool,
    at_flush: bool,
    is_transactional: bool,
}

impl Even {
    fn refuse(&self, rows: &[(i64, i64)]) -> RunResult {
        match rows.iter().position(|(key, _)| key % 2 == 1) {
            Some(number) => Err(Error::refused(self.names.then_some(number), format!("{} is odd", rows[number].0)))?,
            None => Ok(()),
        }
    }

    fn rows(&self) -> Vec<Vec<i64>> {
        let kept = self.kept.lock().unwrap();
        kept.flushed.iter().map(|(_, rows)| rows.iter().map(|(key, _)| *key).collect()).collect()
    }
}

impl Sink<Cat> for Even {
    fn write(&mut self, commit: &Commit<Cat>) -> RunResult {
        let rows: Vec<_> = commit.iter().map(|update| (update.row.key, update.diff)).collect();
        if !self.at_flush {
            self.refuse(&rows)?;
        }
        self.kept.lock().unwrap().open.push((commit.time(), rows));
        Ok(())
    }

    fn flush(&mut self) -> RunResult {
        let open = self.kept.lock().unwrap().open.clone();
        open.iter().try_for_each(|(_, rows)| self.refuse(rows))?;
        let mut kept = self.kept.lock().unwrap();
        kept.open.clear();
        kept.flushed.extend(open);
        Ok(())
    }

    fn is_transactional(&self) -> bool {
        self.is_transactional
    }

    fn recover(&mut self, _: &'static TableSchema) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> {
        let mut kept = self.kept.lock().unwrap();
        kept.open.clear();
        Ok(kept.flushed.last().map(|(time, _)| *time).filter(|_| self.is_transactional))
    }
}

/// Makes three commits: one with an odd key among others, one with odd keys only, and one without odd keys.
fn three_commits(cats: Subject<Cat>) -> RunResult {
    for commit in [&[2, 3, 4][..], &[5, 7], &[8]] {
        for key in commit {
            cats.next(cat(*key, "felis"))?;
        }
        cats.commit()?;
    }
    Ok(())
}

fn written(sink: &Even, policy: BadRows) -> pathway_io::Result<Summary> {
    let pipeline = pipeline();
    let cats = pipeline.read_with(source(three_commits), ReadOptions::new().name("cats").autocommit(None));
    cats.write_to_with(sink.clone(), SinkOptions::new().refused_rows(policy));
    run(pipeline)
}

fn all_kinds() -> impl Iterator<Item = Even> {
    (0..8).map(|bits| Even {
        names: bits & 1 > 0,
        at_flush: bits & 2 > 0,
        is_transactional: bits & 4 > 0,
        ..Even::default()
    })
}

// Contract 7.7
#[test]
fn the_refused_update_or_its_commit_is_left_out_and_counted() {
    for sink in all_kinds() {
        let directory = TempDir::new();
        let path = directory.path("refused.jsonl");
        let summary = written(&sink, BadRows::Quarantine(path.clone())).unwrap();
        let mut rows = sink.rows();
        // A transactional sink stores the time of a commit even if all its updates are left out.
        rows.retain(|rows| !rows.is_empty());
        let expected = if sink.names { vec![vec![2, 4], vec![8]] } else { vec![vec![8]] };
        assert_eq!(rows, expected);
        assert_eq!(sink.rows().len(), if sink.is_transactional { 3 } else { expected.len() });
        let keys: Vec<i64> = read(&path)
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                assert_eq!((&line["sink"], &line["diff"]), (&"cats".into(), &1.into()));
                assert!(line["time"].is_u64() && line["reason"].as_str().unwrap().ends_with(" is odd"), "{line}");
                serde_json::from_str::<Value>(line["raw"].as_str().unwrap()).unwrap()["key"].as_i64().unwrap()
            })
            .collect();
        let refused = if sink.names { vec![3, 5, 7] } else { vec![2, 3, 4, 5, 7] };
        assert_eq!(keys, refused);
        assert_eq!(summary.refused_updates, refused.len() as u64);
        assert!(summary.to_string().contains("updates left out, because a sink permanently refuses them"), "{summary}");
        // The file grows from run to run.
        written(&Even { kept: Arc::default(), ..sink }, BadRows::Quarantine(path.clone())).unwrap();
        assert_eq!(read(&path).lines().count(), refused.len() * 2);
    }
}

// FAULTS 13
#[test]
fn a_file_of_refused_rows_that_is_removed_under_a_run_fails_it() {
    for goes_on in [false, true] {
        let directory = TempDir::new();
        let path = directory.path("refused.jsonl");
        let removed = path.clone();
        let pipeline = pipeline();
        let cats = pipeline.read_with(
            source(move |cats: Subject<Cat>| {
                cats.next(cat(1, "felis"))?;
                cats.commit()?;
                wait_until("it is not written", || !read(&removed).is_empty());
                fs::remove_file(&removed)?;
                if goes_on {
                    cats.next(cat(2, "felis"))?;
                    cats.commit()?;
                    // The failure of the sink is a stop.
                    cats.wait_closed()?;
                }
                Ok(())
            }),
            ReadOptions::new().name("cats"),
        );
        cats.write_to_with(Even::default(), SinkOptions::new().refused_rows(BadRows::Quarantine(path)));
        let error = run(pipeline).unwrap_err().to_string();
        assert!(error.contains("refused.jsonl") && error.contains("removed or renamed"), "{goes_on}: {error}");
    }
}

#[test]
fn a_record_that_was_cut_does_not_spoil_the_next_one() {
    let directory = TempDir::new();
    let path = directory.path("refused.jsonl");
    let cut = r#"{"sink":"cats","ti"#;
    fs::write(&path, cut).unwrap();
    for records in [2, 4] {
        let sink = Even { names: true, ..Even::default() };
        assert_eq!(written(&sink, BadRows::Quarantine(path.clone())).unwrap().refused_updates, 3);
        let text = read(&path);
        let (first, rest) = text.split_once('\n').unwrap();
        assert_eq!((first, rest.lines().count()), (cut, records * 3 / 2));
        assert!(rest.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_no_file_of_refused_rows() {
    let directory = TempDir::new();
    let path = directory.path("refused.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = written(&Even::default(), BadRows::Quarantine(path)).unwrap_err().to_string();
    assert!(error.contains("refused.jsonl`: it is a named pipe"), "{error}");
}

#[test]
fn without_the_option_the_pipeline_stops_as_before() {
    for sink in all_kinds() {
        let error = written(&sink, BadRows::Fail).unwrap_err();
        let help = "make the sink accept the rows, or leave them out with its option `refused_rows`";
        // The reason is not repeated as a cause.
        assert_eq!(format!("{error:?}"), format!("sink `cats` failed: 3 is odd\nhelp: {help}"));
        assert_eq!(error.summary().unwrap().refused_updates, 0);
    }
}

#[test]
fn another_fatal_error_stops_it_with_the_option_too() {
    struct Gone;
    impl Sink<Cat> for Gone {
        fn write(&mut self, _: &Commit<Cat>) -> RunResult {
            Err(Error::fatal("the table is gone"))?
        }
    }
    let pipeline = pipeline();
    let options = SinkOptions::new().refused_rows(BadRows::Skip);
    pipeline.read_with(source(three_commits), ReadOptions::new().name("cats")).write_to_with(Gone, options);
    assert_eq!(run(pipeline).unwrap_err().to_string(), "sink `cats` failed: the table is gone");
}

/// A sink that refuses each commit, with updates or without, or that refuses to recover after its first refusal.
struct Never {
    recovers: bool,
    is_transactional: bool,
}

impl Sink<Cat> for Never {
    fn write(&mut self, _: &Commit<Cat>) -> RunResult {
        Err(Error::refused(None, "the table is read-only"))?
    }

    fn is_transactional(&self) -> bool {
        self.is_transactional
    }

    fn recover(&mut self, _: &'static TableSchema) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> {
        if self.recovers { Ok(None) } else { Err(Error::refused(None, "the table is gone"))? }
    }
}

// Contract 5.3, 7.7
#[test]
fn a_refusal_that_no_row_causes_stops_it_with_the_option_too() {
    for (recovers, is_transactional) in [(true, true), (false, true), (false, false)] {
        let directory = TempDir::new();
        let path = directory.path("refused.jsonl");
        let pipeline = pipeline();
        let options = ReadOptions::new().name("cats").autocommit(None);
        let refused_rows = SinkOptions::new().refused_rows(BadRows::Quarantine(path.clone()));
        pipeline
            .read_with(source(|cats: Subject<Cat>| Ok(cats.next(cat(1, "felis"))?)), options)
            .write_to_with(Never { recovers, is_transactional }, refused_rows);
        let error = run(pipeline).unwrap_err();
        let reason = if recovers { "the table is read-only" } else { "the table is gone" };
        assert_eq!(error.to_string(), format!("sink `cats` failed: {reason}"));
        let refused = u64::from(recovers);
        assert_eq!((error.summary().unwrap().refused_updates, read(&path).lines().count() as u64), (refused, refused));
    }
}

#[test]
fn a_quarantine_that_is_an_output_too_is_refused() {
    let directory = TempDir::new();
    let path = directory.path("cats.csv");
    let pipeline = pipeline();
    let cats = pipeline.read(source(three_commits));
    pathway_io::csv::write(&cats, &path);
    cats.write_to_with(Even::default(), SinkOptions::new().refused_rows(BadRows::Quarantine(path)));
    let error = run(pipeline).unwrap_err().to_string();
    assert!(error.contains("two sinks write to one file"), "{error}");
}

#[cfg(all(feature = "sqlite", feature = "persist"))]
mod databases {
    use std::path::Path;

    use pathway_io::{Pipeline, Result, sqlite};
    use rusqlite::Connection;

    use super::*;

    fn keys(path: &Path) -> Vec<i64> {
        let database = Connection::open(path).unwrap();
        let mut query = database.prepare("SELECT key FROM Cat ORDER BY key").unwrap();
        let keys = query.query_map([], |row| row.get(0)).unwrap();
        keys.collect::<rusqlite::Result<_>>().unwrap()
    }

    fn persistent(directory: &TempDir, policy: BadRows) -> Result<Summary> {
        let pipeline = Pipeline::persistent(directory.path("state")).unwrap();
        pipeline.handle_signals(false);
        let cats = pipeline.read_with(
            source(|cats: Subject<Cat, i64>| {
                for key in cats.resume().unwrap_or(0) + 1..=6 {
                    cats.next(cat(key, if key == 3 { "panthera" } else { "lynx" }))?;
                    cats.commit_at(key)?;
                }
                Ok(())
            }),
            ReadOptions::new().name("cats").autocommit(None),
        );
        sqlite::write_with(&cats, directory.path("cats.sqlite"), sqlite::Options::new().refused_rows(policy));
        run(pipeline)
    }

    #[test]
    fn a_row_that_a_constraint_refuses_at_every_start_is_left_out_by_the_option() {
        let directory = TempDir::new();
        let path = directory.path("cats.sqlite");
        let create =
            "CREATE TABLE Cat (key INTEGER NOT NULL PRIMARY KEY, genus TEXT NOT NULL CHECK (length(genus) < 8))";
        Connection::open(&path).unwrap().execute_batch(create).unwrap();
        for _ in 0..3 {
            let error = persistent(&directory, BadRows::Fail).unwrap_err().to_string();
            assert!(error.contains("CHECK constraint failed"), "{error}");
        }
        let quarantine = directory.path("refused.jsonl");
        let summary = persistent(&directory, BadRows::Quarantine(quarantine.clone())).unwrap();
        assert_eq!((summary.refused_updates, keys(&path)), (1, vec![1, 2, 4, 5, 6]));
        assert!(read(&quarantine).contains(r#"{\"key\":3,\"genus\":\"panthera\"}"#));
        // The next start succeeds without the option.
        let summary = persistent(&directory, BadRows::Fail).unwrap();
        assert_eq!((summary.refused_updates, keys(&path)), (0, vec![1, 2, 4, 5, 6]));
        assert_eq!(read(&quarantine).lines().count(), 1);
    }

    #[test]
    fn the_last_commit_of_a_state_may_be_refused_whole() {
        // If the sink did not store this time, the next start would consider it an older copy.
        let directory = TempDir::new();
        let path = directory.path("cats.sqlite");
        let create = "CREATE TABLE Cat (key INTEGER NOT NULL PRIMARY KEY CHECK (key < 6), genus TEXT NOT NULL)";
        Connection::open(&path).unwrap().execute_batch(create).unwrap();
        assert_eq!(persistent(&directory, BadRows::Skip).unwrap().refused_updates, 1);
        for policy in [BadRows::Fail, BadRows::Skip] {
            assert_eq!(persistent(&directory, policy).unwrap().refused_updates, 0);
        }
        assert_eq!(keys(&path), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_deferred_constraint_leaves_out_its_commit() {
        let directory = TempDir::new();
        let path = directory.path("cats.sqlite");
        let create = "CREATE TABLE genera (genus TEXT PRIMARY KEY); INSERT INTO genera VALUES ('lynx');
            CREATE TABLE Cat (key INTEGER NOT NULL PRIMARY KEY,
                genus TEXT NOT NULL REFERENCES genera DEFERRABLE INITIALLY DEFERRED)";
        Connection::open(&path).unwrap().execute_batch(create).unwrap();
        assert_eq!(persistent(&directory, BadRows::Skip).unwrap().refused_updates, 1);
        assert_eq!(keys(&path), [1, 2, 4, 5, 6]);
    }

    #[cfg(feature = "dataflow")]
    #[test]
    fn a_row_of_a_computation_that_is_too_large_fails_it_or_is_left_out() {
        #[derive(pathway_io::Schema)]
        #[schema(dataflow)]
        struct Input {
            #[schema(primary_key)]
            key: i64,
            times: i64,
        }
        #[derive(pathway_io::Schema)]
        #[schema(dataflow)]
        struct Repeated {
            #[schema(primary_key)]
            key: i64,
            text: String,
        }
        let directory = TempDir::new();
        let path = directory.path("repeated.sqlite");
        let start = |policy: BadRows, times: &'static [i64]| {
            let pipeline = Pipeline::persistent(directory.path("state")).unwrap();
            pipeline.handle_signals(false);
            let run_source = move |inputs: Subject<Input, i64>| {
                for key in inputs.resume().unwrap_or(0)..times.len() as i64 {
                    inputs.next_at(key + 1, Input { key, times: times[key as usize] })?;
                }
                Ok(())
            };
            let options = ReadOptions::new().name("inputs").autocommit(None);
            let inputs = pipeline.read_with(source(run_source), options);
            let repeated = inputs.compute(|inputs| {
                inputs.map(|input| Repeated { key: input.key, text: "x".repeat(input.times as usize) })
            });
            let options = sqlite::Options::new().row_limit(100_000).refused_rows(policy);
            sqlite::write_with(&repeated, &path, options);
            run(pipeline)
        };
        let times = &[10, 100_001, 20];
        for _ in 0..2 {
            let error = start(BadRows::Fail, times).unwrap_err().to_string();
            assert!(error.contains("too big"), "{error}");
        }
        let lengths = || -> Vec<(i64, i64)> {
            let database = Connection::open(&path).unwrap();
            let mut query = database.prepare("SELECT key, length(text) FROM Repeated ORDER BY key").unwrap();
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.collect::<rusqlite::Result<_>>().unwrap()
        };
        assert_eq!(start(BadRows::Skip, times).unwrap().refused_updates, 1);
        assert_eq!(lengths(), [(0, 10), (2, 20)]);
        assert_eq!(start(BadRows::Skip, &[10, 100_001, 20, 30]).unwrap().refused_updates, 0);
        assert_eq!(lengths(), [(0, 10), (2, 20), (3, 30)]);
    }
}

#[test]
fn the_policy_holds_for_an_inline_sink_too() {
    let sink = Even { names: true, ..Even::default() };
    let pipeline = pipeline();
    let cats = pipeline.read_with(source(three_commits), ReadOptions::new().name("cats").autocommit(None));
    cats.write_to_with(sink.clone(), SinkOptions::new().inline(true).refused_rows(BadRows::Skip));
    assert_eq!(run(pipeline).unwrap().refused_updates, 3);
    assert_eq!(sink.rows().concat(), [2, 4, 8]);
}
