//! Derived tables across restarts. `tests/kill` checks them after a kill.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use pathway_io::dataflow::differential_dataflow::AsCollection;
use pathway_io::dataflow::timely::dataflow::operators::vec::ToStream;
use pathway_io::dataflow::{Workers, compute};
use pathway_io::{Durability, Pipeline, ReadOptions, RunResult, Schema, Subject, Table, csv, jsonlines};

use crate::common::{TempDir, next, read, run, source, wait_until, within};
use crate::durable::Late;
use crate::restart::{options, persistent, rows};
use crate::timed::{Database, timed};

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Line {
    text: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Count {
    #[schema(primary_key)]
    word: String,
    n: i64,
}

fn cat(key: i64, genus: &str) -> Cat {
    Cat { key, genus: genus.to_owned() }
}

fn line(text: &str) -> Line {
    Line { text: text.to_owned() }
}

fn genera(cats: &Table<Cat>) -> Table<Count> {
    cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(word, n)| Count { word, n: n as i64 }))
}

fn texts(lines: &Table<Line>) -> Table<Count> {
    lines.compute(|lines| lines.map(|line| line.text).count().map(|(word, n)| Count { word, n: n as i64 }))
}

// Contract 9.11
#[test]
fn results_continue_after_a_restart() {
    let directory = TempDir::new();
    let run_on = |threads, push: fn(Subject<Cat, u64>, Subject<Line, u64>) -> RunResult| {
        let pipeline = persistent(&directory);
        let tables: (Table<Cat>, Table<Line>) =
            pipeline.read_with(source(move |(cats, lines)| push(cats, lines)), options("both"));
        let (cats, lines) = tables;
        let (genera, texts) = (genera(&cats), texts(&lines));
        csv::write(&genera, directory.path("genera.csv"));
        csv::write(&texts, directory.path("texts.csv"));
        // Computations on a derived table, and on a table that is idle after a restart.
        let all = compute((&genera, &texts), |_, (genera, texts)| {
            genera.map(|count| (count.word, count.n)).join_map(
                texts.map(|count| (count.word, count.n)),
                |word, a, b| Count { word: word.clone(), n: a * 10 + b },
            )
        });
        csv::write(&all, directory.path("all.csv"));
        csv::write(&cats, directory.path("cats.csv"));
        pipeline.run_on(Workers::threads(threads)).unwrap();
    };
    run_on(1, |cats, lines| {
        cats.next(cat(1, "felis"))?;
        cats.next(cat(2, "felis"))?;
        lines.next(line("felis"))?;
        lines.next(line("felis"))?;
        lines.next(line("lynx"))?;
        Ok(cats.commit_at(1)?)
    });
    run_on(2, |cats, _lines| {
        cats.next(cat(1, "felis"))?;
        cats.next(cat(3, "lynx"))?;
        Ok(cats.commit_at(2)?)
    });
    run_on(1, |cats, lines| {
        lines.next(line("felis"))?;
        lines.commit_at(3)?;
        cats.remove(2)?;
        Ok(cats.commit_at(4)?)
    });
    run_on(1, |_, _| Ok(()));
    let all = ["felis,22 1", "lynx,11 1", "felis,22 -1", "felis,23 1", "felis,23 -1", "felis,13 1"];
    assert_eq!(rows(&directory, "all.csv"), all);
    assert_eq!(rows(&directory, "genera.csv"), ["felis,2 1", "lynx,1 1", "felis,2 -1", "felis,1 1"]);
    assert_eq!(rows(&directory, "texts.csv"), ["felis,2 1", "lynx,1 1", "felis,2 -1", "felis,3 1"]);
    assert_eq!(rows(&directory, "cats.csv").len(), 4);
}

#[test]
fn a_full_snapshot_feeds_only_its_differences_to_computations() {
    let directory = TempDir::new();
    for cats in [["felis", "felis", "lynx"], ["felis", "puma", "lynx"]] {
        let pipeline = persistent(&directory);
        let replayed = source(move |subject: Subject<Cat>| {
            (1..).zip(cats).try_for_each(|(key, genus)| Ok(subject.next(cat(key, genus))?))
        });
        let table = pipeline.read_with(replayed, ReadOptions::new().name("cats").full_snapshot());
        csv::write(&genera(&table), directory.path("genera.csv"));
        run(pipeline).unwrap();
    }
    let expected = ["felis,2 1", "lynx,1 1", "felis,2 -1", "felis,1 1", "puma,1 1"];
    assert_eq!(rows(&directory, "genera.csv"), expected);
}

/// The file of each worker is one of the outputs. It is continued after a restart, and not started over.
#[test]
fn each_worker_continues_its_own_file() {
    let directory = TempDir::new();
    for key in [1, 2] {
        let pipeline = persistent(&directory);
        let cats: Table<Cat> = pipeline.read_with(
            source(move |cats: Subject<Cat, i64>| Ok(cats.next_at(key, cat(key, &format!("genus {key}")))?)),
            options("cats"),
        );
        csv::write_with(&genera(&cats), directory.path("genera.csv"), csv::Options::new().per_worker());
        csv::write_with(&cats, directory.path("cats.csv"), csv::Options::new().per_worker());
        pipeline.run_on(Workers::threads(2)).unwrap();
    }
    for (name, rows) in [("genera", 2), ("cats", 2)] {
        let lines = |worker: usize| read(directory.path(&format!("{name}.{worker}.csv"))).lines().count() - 1;
        assert_eq!(lines(0) + lines(1), rows, "{name}");
    }
}

// On Windows, the removal of an open file fails.
#[cfg(unix)]
#[test]
fn a_computed_file_without_new_rows_is_watched_too() {
    let directory = TempDir::new();
    let path = directory.path("genera.csv");
    let (seen, written) = mpsc::channel();
    let pipeline = persistent(&directory);
    let (cats, lines) = pipeline.read_with(
        source(move |(cats, lines): (Subject<Cat, u64>, Subject<Line, u64>)| {
            let seen = seen.clone();
            cats.on_durable(move |offset: &u64| seen.send(*offset).unwrap());
            cats.next(cat(1, "felis"))?;
            cats.commit_at(1)?;
            assert_eq!(next(&written), 1);
            fs::remove_file(&path)?;
            lines.next(line("no computation reads it"))?;
            lines.commit_at(2)?;
            // The failed checkpoint is a stop.
            lines.wait_closed()?;
            assert!(written.try_recv().is_err(), "an offset moves past the loss");
            Ok(())
        }),
        options("both"),
    );
    csv::write(&genera(&cats), directory.path("genera.csv"));
    csv::write(&lines, directory.path("lines.csv"));
    let error = run(pipeline).unwrap_err().to_string();
    assert!(error.contains("genera.csv") && error.contains("removed or renamed"), "{error}");
}

/// Rows are durable only when the computation has processed them, so the next start reads these rows again.
#[test]
fn a_computation_that_panicked_continues_at_the_next_start() {
    let directory = TempDir::new();
    let run_once = |breaks: bool| {
        let pipeline = persistent(&directory);
        let push = |cats: Subject<Cat, i64>| {
            for key in cats.resume().unwrap_or(0)..4 {
                cats.next(cat(key, "felis"))?;
                cats.commit_at(key + 1)?;
            }
            Ok(())
        };
        let cats = pipeline.read_with(source(push), options("cats"));
        let odd = cats.compute(move |cats| {
            let odd = cats.map(move |cat| {
                assert!(!(breaks && cat.key == 2), "cat 2 is in the way");
                cat.key % 2
            });
            odd.count().map(|(odd, n)| Count { word: odd.to_string(), n: n as i64 })
        });
        csv::write(&odd, directory.path("odd.csv"));
        csv::write(&cats, directory.path("cats.csv"));
        run(pipeline)
    };
    for _ in 0..2 {
        let error = run_once(true).unwrap_err().to_string();
        assert_contains(&error, "cat 2 is in the way");
    }
    run_once(false).unwrap();
    assert_eq!(rows(&directory, "odd.csv"), ["0,1 1", "1,1 1", "0,1 -1", "0,2 1", "1,1 -1", "1,2 1"]);
    assert_eq!(rows(&directory, "cats.csv").len(), 4);
}

/// The computation has rows at time 0, before any commit. The first start has no checkpoint yet.
#[test]
fn rows_that_a_computation_creates_itself_are_written_once() {
    let directory = TempDir::new();
    for key in 1..=3 {
        let pipeline = persistent(&directory);
        let cats: Table<Cat> = pipeline.read_with(
            source(move |cats: Subject<Cat, i64>| Ok(cats.next_at(key, cat(key, "felis"))?)),
            options("cats"),
        );
        let all = compute(&cats, |scope, cats| {
            let always = [(cat(0, "felis"), 0, 1)].into_iter().filter(|_| scope.index() == 0);
            cats.concat(always.collect::<Vec<_>>().to_stream(scope).as_collection())
        });
        csv::write(&all, directory.path("all.csv"));
        pipeline.run_on(Workers::threads(2)).unwrap();
    }
    assert_eq!(rows(&directory, "all.csv"), ["0,felis 1", "1,felis 1", "2,felis 1", "3,felis 1"]);
}

/// The source has not run when the stop comes, because the start waits for the results.
#[test]
fn a_stop_during_recomputation_waits_at_most_the_grace_period() {
    let directory = TempDir::new();
    let (entered, entering) = mpsc::channel();
    let hang = Arc::new(AtomicBool::new(false));
    let lay_out = |push: fn(Subject<Cat, u64>) -> RunResult| {
        let pipeline = persistent(&directory);
        pipeline.grace_period(Duration::from_millis(200));
        let cats = pipeline.read_with(source(push), options("cats"));
        let (hang, entered) = (Arc::clone(&hang), entered.clone());
        let same = cats.compute(move |cats| {
            let (hang, entered) = (Arc::clone(&hang), entered.clone());
            cats.map(move |cat| {
                // The first run has no receiver.
                let _ = entered.send(());
                while hang.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                cat
            })
        });
        csv::write(&same, directory.path("same.csv"));
        pipeline
    };
    run(lay_out(|cats| Ok(cats.next_at(1, cat(1, "felis"))?))).unwrap();
    next(&entering);
    hang.store(true, Ordering::Relaxed);
    let pipeline = lay_out(|_| panic!("the source must not run"));
    let stop = pipeline.stop_handle();
    let running = std::thread::spawn(move || pipeline.run());
    next(&entering);
    stop.stop();
    let error = within(move || running.join().unwrap().unwrap_err());
    hang.store(false, Ordering::Relaxed);
    // Only the computation is named, because the sink waits for it.
    assert!(error.to_string().starts_with("computation `Cat` did not finish"), "{error}");
    assert!(error.others().is_empty(), "{:?}", error.others());
    assert_eq!(rows(&directory, "same.csv"), ["1,felis 1"]);
}

/// The same holds for a table that is read from a source.
#[test]
fn a_row_is_not_durable_before_a_sink_has_seen_its_results() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let (tell, durable) = mpsc::channel();
    let (seen, seeing) = mpsc::channel();
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat, u64>| {
            let tell = tell.clone();
            cats.on_durable(move |offset: &u64| tell.send(*offset).unwrap());
            Ok(cats.next_at(1, cat(1, "felis"))?)
        }),
        options("cats"),
    );
    genera(&cats).write_to(Late { durable, seen, written: false });
    run(pipeline).unwrap();
    assert_eq!(seeing.try_iter().collect::<Vec<_>>(), [true]);
}

/// By then, the log has the results. The database cannot have them yet.
#[test]
fn a_row_is_not_durable_before_its_results_for_a_transactional_sink() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let (tell, durable) = mpsc::channel();
    let (seen, seeing) = mpsc::channel();
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat, u64>| {
            let tell = tell.clone();
            // The receiver is dropped once all results are there.
            cats.on_durable(move |offset: &u64| _ = tell.send(*offset));
            Ok(cats.next_at(1, cat(1, "felis"))?)
        }),
        options("cats"),
    );
    let durable = Arc::new(Mutex::new(durable));
    let words = cats.compute(move |cats| {
        let (durable, seen) = (Arc::clone(&durable), seen.clone());
        cats.map(move |cat| {
            // Checks that no message comes within this time.
            seen.send(durable.lock().unwrap().recv_timeout(Duration::from_millis(300)).is_err()).unwrap();
            Count { word: cat.genus, n: 1 }
        })
    });
    let database = Arc::default();
    words.write_to(timed(&database, |count: &Count| count.word.clone()));
    run(pipeline).unwrap();
    assert_eq!(seeing.try_iter().collect::<Vec<_>>(), [true]);
    assert_eq!(database.lock().unwrap().rows, [("felis".to_owned(), 1)]);
}

/// Each distinct row is kept once, however many rows were pushed.
#[test]
fn rows_without_a_key_are_kept_once_each() {
    const COMMITS: i64 = 100;
    let directory = TempDir::new();
    let run_from = |from: i64| {
        let pipeline = persistent(&directory);
        let push = move |lines: Subject<Line, i64>| {
            let from = lines.resume().unwrap_or(from);
            for commit in from..from + COMMITS {
                for row in 0..1000 {
                    lines.next(line(&["one", "two", "three", "four"][row % 4].repeat(100)))?;
                }
                lines.commit_at(commit + 1)?;
            }
            Ok(())
        };
        let lines = pipeline.read_with(source(push), options("lines"));
        csv::write(&texts(&lines), directory.path("texts.csv"));
        run(pipeline).unwrap();
    };
    run_from(0);
    run_from(COMMITS);
    // A log that has grown too long is replaced by a new log during the run.
    let pipeline = persistent(&directory);
    let lines: Table<Line> =
        pipeline.read_with(source(|lines: Subject<Line, i64>| Ok(lines.wait_closed()?)), options("lines"));
    csv::write(&texts(&lines), directory.path("texts.csv"));
    let running = pipeline.start().unwrap();
    let size = || {
        let logs = fs::read_dir(directory.path("state")).unwrap();
        // A log may be removed while the sizes are summed up.
        logs.map(|file| file.unwrap().metadata().map_or(0, |file| file.len())).sum::<u64>()
    };
    // An earlier run may have replaced its log already, and then written more.
    wait_until("more than 1,200,000 bytes, for four rows", || size() <= 1_200_000);
    running.stop();
    running.join().unwrap();
    let last = rows(&directory, "texts.csv").into_iter().rev().find(|row| row.starts_with("four")).unwrap();
    assert_eq!(last, format!("{},{} 1", "four".repeat(100), 2 * COMMITS * 250));
}

/// Two transactional sinks, one on a table and one on a table derived from it. They keep the rows of both.
struct Databases([Arc<Mutex<Database>>; 2]);

impl Databases {
    fn new() -> Self {
        Databases([Arc::default(), Arc::default()])
    }

    /// Pushes one cat for each step up to `to`, and writes the same tables to files. The databases are full after
    /// `room` commits.
    fn run(&self, directory: &TempDir, room: usize, to: u64, durability: Durability) -> pathway_io::Result<()> {
        let pipeline = persistent(directory);
        pipeline.durability(durability);
        let push = move |cats: Subject<Cat, u64>| {
            for n in cats.resume().unwrap_or(0)..to {
                cats.next(cat((n % 5) as i64, &format!("genus {}", n % 3)))?;
                cats.commit_at(n + 1)?;
            }
            Ok(())
        };
        let cats = pipeline.read_with(source(push), options("cats").backlog(8));
        let genera = genera(&cats);
        csv::write(&genera, directory.path("genera.csv"));
        let many = genera.compute(|genera| genera.filter(|count| count.n > 1));
        csv::write(&many, directory.path("many.csv"));
        for (table, database) in [&genera, &many].into_iter().zip(&self.0) {
            let mut sink = timed(database, |count: &Count| format!("{},{}", count.word, count.n));
            sink.room = room;
            table.write_to(sink);
        }
        pipeline.run_on(Workers::threads(2)).map(drop)
    }

    /// Checks that the databases hold the same updates as the files.
    fn check(&self, directory: &TempDir) {
        for (database, file) in self.0.iter().zip(["genera.csv", "many.csv"]) {
            let held = database.lock().unwrap().rows.clone();
            let held: Vec<_> = held.into_iter().map(|(row, diff)| format!("{row} {diff}")).collect();
            assert_eq!(held, rows(directory, file), "{file}");
        }
    }
}

#[test]
fn a_transactional_sink_has_each_result_once_across_restarts() {
    // With an interval, the small backlog fills up with rows that wait for a checkpoint. So a checkpoint must be made
    // early.
    for durability in [Durability::EveryCommit, Durability::NoSync, Durability::Interval(Duration::from_secs(600))] {
        within(move || {
            let (directory, databases) = (TempDir::new(), Databases::new());
            for to in [20, 20, 21, 60] {
                databases.run(&directory, usize::MAX, to, durability).unwrap();
                databases.check(&directory);
            }
        });
    }
}

#[test]
fn a_transactional_sink_that_failed_receives_the_missing_results() {
    for room in 0..6 {
        let (directory, databases) = (TempDir::new(), Databases::new());
        databases.run(&directory, room, 40, Durability::EveryCommit).unwrap_err();
        databases.run(&directory, usize::MAX, 50, Durability::EveryCommit).unwrap();
        databases.check(&directory);
        databases.run(&directory, usize::MAX, 60, Durability::EveryCommit).unwrap();
        databases.check(&directory);
    }
}

/// Returns the error of a start. The sources must not run.
fn refused(directory: &TempDir, lay_out: impl FnOnce(&Table<Line>)) -> String {
    let pipeline: Pipeline = persistent(directory);
    let lines = pipeline.read_with(source(|_: Subject<Line, u64>| panic!("the source must not run")), options("lines"));
    jsonlines::write(&lines, directory.path("lines.jsonl"));
    lay_out(&lines);
    let before = read(directory.path("lines.jsonl"));
    let error = pipeline.start().unwrap_err().to_string();
    assert_eq!(read(directory.path("lines.jsonl")), before);
    error
}

#[track_caller]
fn assert_contains(text: &str, part: &str) {
    assert!(text.contains(part), "expected `{part}` in: {text}");
}

#[test]
fn a_start_with_a_changed_computation_is_rejected() {
    let plain = TempDir::new();
    let pipeline = persistent(&plain);
    let lines =
        pipeline.read_with(source(|lines: Subject<Line, u64>| Ok(lines.next_at(1, line("felis"))?)), options("lines"));
    jsonlines::write(&lines, plain.path("lines.jsonl"));
    run(pipeline).unwrap();
    let error = refused(&plain, |lines| texts(lines).subscribe(|_| {}));
    assert_contains(
        &error,
        "the schema of table `Line` of source `lines` has changed: a computation reads it now, and its earlier rows were not kept",
    );

    let computed = TempDir::new();
    let pipeline = persistent(&computed);
    let lines =
        pipeline.read_with(source(|lines: Subject<Line, u64>| Ok(lines.next_at(1, line("felis"))?)), options("lines"));
    jsonlines::write(&lines, computed.path("lines.jsonl"));
    csv::write(&texts(&lines), computed.path("texts.csv"));
    run(pipeline).unwrap();
    let error = refused(&computed, |_| {});
    assert_contains(&error, "no computation reads it any more, so its new rows would not be kept");
    let error = refused(&computed, |lines| {
        let texts = texts(lines);
        csv::write(&texts, computed.path("texts.csv"));
        csv::write(&texts.compute(|texts| texts), computed.path("again.csv"));
    });
    assert_contains(&error, "the output `");
    assert_contains(&error, "again.csv` is new");
    let error = refused(&computed, |lines| texts(lines).subscribe(|_| {}));
    assert_contains(&error, "texts.csv` is no longer in the pipeline");
    let error = refused(&computed, |lines| {
        let lines = lines.compute(|lines| lines);
        csv::write(&lines, computed.path("texts.csv"));
    });
    assert_contains(
        &error,
        "contains the rows of the computed table `Count`, and would now receive the rows of the computed",
    );
    let error = refused(&computed, |lines| {
        let texts = texts(lines);
        csv::write(&texts, computed.path("texts.csv"));
        texts.write_to(timed(&Arc::default(), |count: &Count| count.word.clone()));
    });
    assert_contains(&error, "the sink `Count/0/computed/0` is new: it would not receive the earlier commits");
}

/// Attaches the outputs of two computed tables of one row type, exchanged or not.
type Attach = fn(&TempDir, [&Table<Count>; 2]);

fn exchangeable() -> Vec<Attach> {
    vec![
        |directory, [one, other]| {
            csv::write(one, directory.path("a.csv"));
            csv::write(other, directory.path("b.csv"));
        },
        #[cfg(feature = "parquet")]
        |directory, [one, other]| {
            pathway_io::parquet::write(one, directory.path("a"), pathway_io::parquet::Options::new());
            pathway_io::parquet::write(other, directory.path("b"), pathway_io::parquet::Options::new());
        },
        #[cfg(feature = "sqlite")]
        |directory, [one, other]| {
            for (table, name) in [(one, "a"), (other, "b")] {
                let options = pathway_io::sqlite::Options::new().table(name);
                pathway_io::sqlite::write_with(table, directory.path("zoo.sqlite"), options);
            }
        },
        #[cfg(feature = "sqlite")]
        |directory, [one, other]| {
            pathway_io::sqlite::write(one, directory.path("a.sqlite"));
            pathway_io::sqlite::write(other, directory.path("b.sqlite"));
        },
    ]
}

// Contract 9.6
#[test]
fn outputs_of_two_computed_tables_of_one_row_type_cannot_be_exchanged() {
    for attach in exchangeable() {
        let directory = TempDir::new();
        let attempt = |is_exchanged: bool| {
            let pipeline = persistent(&directory);
            let rows = source(|cats: Subject<Cat, u64>| {
                let from = cats.resume().unwrap_or(0);
                Ok(cats.next_at(from + 1, cat(from as i64, "felis"))?)
            });
            let cats = pipeline.read_with(rows, options("cats"));
            let keys = cats.compute(|cats| cats.map(|cat| Count { word: cat.key.to_string(), n: 1 }));
            let genera = genera(&cats);
            attach(&directory, if is_exchanged { [&genera, &keys] } else { [&keys, &genera] });
            run(pipeline).map(drop).map_err(|error| error.to_string())
        };
        attempt(false).unwrap();
        let error = attempt(true).unwrap_err();
        assert!(
            error.contains("contains the rows of the computed table `Count`, and would now receive the rows of "),
            "{error}"
        );
        assert!(error.contains("computed table 2 of `Count`"), "{error}");
        attempt(false).unwrap();
    }
}

#[test]
fn computed_tables_can_change_their_order_and_those_without_an_output_are_free() {
    let directory = TempDir::new();
    let databases: [Arc<Mutex<Database>>; 2] = Default::default();
    for (round, is_reversed) in [(0, false), (1, true), (2, false)] {
        let pipeline = persistent(&directory);
        let push = source(move |cats: Subject<Cat, i64>| Ok(cats.next_at(round, cat(round, "felis"))?));
        let cats: Table<Cat> = pipeline.read_with(push, options("cats"));
        let count = |cats: &Table<Cat>| {
            genera(cats).write_to(timed(&databases[0], |count: &Count| format!("{},{}", count.word, count.n)));
        };
        let copy = |cats: &Table<Cat>| {
            let lines = cats.compute(|cats| cats.map(|cat| line(&cat.genus)));
            lines.write_to(timed(&databases[1], |line: &Line| line.text.clone()));
        };
        if is_reversed {
            // Another computed table of the same row type, without an output.
            genera(&cats).subscribe(|_| {});
            copy(&cats);
            count(&cats);
        } else {
            count(&cats);
            copy(&cats);
        }
        run(pipeline).unwrap();
    }
    let [counts, copies] = databases.map(|database| database.lock().unwrap().rows.clone());
    let text = |text: &str, diff| (text.to_owned(), diff);
    assert_eq!(
        counts,
        [("felis,1", 1), ("felis,1", -1), ("felis,2", 1), ("felis,2", -1), ("felis,3", 1)]
            .map(|(row, diff)| text(row, diff))
    );
    assert_eq!(copies, [text("felis", 1), text("felis", 1), text("felis", 1)]);
}
