//! Starts that are rejected with one sentence, before any file changes.

use std::error::Error;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use std::{fs, thread};

use pathway_io::dataflow::{Partition, Workers};
use pathway_io::{
    BadRows, Commit, Connector, Pipeline, ReadOptions, RunResult, Schema, Sink, Subject, Table, TableSchema, connector,
    csv, jsonlines,
};

use crate::common::{Cat, Number, TempDir, cat, next, read, run, source, within};
use crate::restart::{options, persistent, run_cats};

/// Creates a state with one cat, and the outputs that belong to it.
fn one_cat() -> TempDir {
    let directory = TempDir::new();
    run_cats(&directory, pathway_io::Durability::EveryCommit, |cats| Ok(cats.next_at(1, cat(1, "felis"))?)).unwrap();
    directory
}

/// Returns the error of a start, and checks that no output has changed.
#[track_caller]
fn refused(directory: &TempDir, pipeline: Pipeline) -> String {
    let outputs = ["cats.csv", "cats.jsonl"].map(|name| fs::read(directory.path(name)).ok());
    let error = pipeline.start().unwrap_err().to_string();
    assert!(error.contains("help: "), "no help in: {error}");
    assert_eq!(outputs, ["cats.csv", "cats.jsonl"].map(|name| fs::read(directory.path(name)).ok()));
    error
}

#[track_caller]
fn assert_contains(text: &str, part: &str) {
    assert!(text.contains(part), "expected `{part}` in: {text}");
}

fn write_both<S: Schema>(directory: &TempDir, table: &Table<S>) {
    csv::write(table, directory.path("cats.csv"));
    jsonlines::write(table, directory.path("cats.jsonl"));
}

fn read_as<S: Schema>(directory: &TempDir) -> Pipeline {
    let pipeline = persistent(directory);
    let table = pipeline.read_with(source(|_: Subject<S, u64>| panic!("the source must not run")), options("cats"));
    write_both(directory, &table);
    pipeline
}

// Contract 9.6
#[test]
fn a_changed_schema_is_rejected() {
    mod other {
        use pathway_io::Schema;

        #[derive(Schema)]
        pub struct Type {
            #[schema(primary_key)]
            pub key: i64,
            pub genus: i64,
        }
        #[derive(Schema)]
        pub struct Optional {
            #[schema(primary_key)]
            pub key: i64,
            pub genus: Option<String>,
        }
        #[derive(Schema)]
        pub struct Key {
            pub key: i64,
            pub genus: String,
        }
        #[derive(Schema)]
        pub struct New {
            #[schema(primary_key)]
            pub key: i64,
            pub genus: String,
            #[schema(default = 1)]
            pub age: i64,
        }
        #[derive(Schema)]
        pub struct Gone {
            #[schema(primary_key)]
            pub key: i64,
        }
        #[derive(Schema)]
        pub struct Order {
            pub genus: String,
            #[schema(primary_key)]
            pub key: i64,
        }
        #[derive(Schema)]
        #[schema(append_only)]
        pub struct AppendOnly {
            #[schema(primary_key)]
            pub key: i64,
            pub genus: String,
        }
    }
    let directory = one_cat();
    let says = |pipeline, part: &str| assert_contains(&refused(&directory, pipeline), part);
    says(read_as::<other::Type>(&directory), "column `genus` was `String` and is now `i64`");
    says(read_as::<other::Optional>(&directory), "column `genus` was `String` and is now `Option<String>`");
    says(read_as::<other::Key>(&directory), "column `key` was part of the primary key and is no longer");
    says(read_as::<other::New>(&directory), "column `age` is new");
    says(read_as::<other::Gone>(&directory), "column `genus` is gone");
    says(read_as::<other::Order>(&directory), "its columns are in another order");
    says(read_as::<other::AppendOnly>(&directory), "`append_only` has changed");
    let error = refused(&directory, read_as::<other::Type>(&directory));
    assert_contains(&error, "the schema of table `Type` of source `cats` has changed");
    assert_contains(&error, directory.path("state").to_str().unwrap());
    // The unchanged schema is still accepted.
    run_cats(&directory, pathway_io::Durability::EveryCommit, |cats| {
        assert_eq!(cats.resume(), Some(1));
        Ok(())
    })
    .unwrap();
}

#[test]
fn missing_or_new_sources_and_other_offset_types_are_rejected() {
    let directory = one_cat();
    let pipeline = persistent(&directory);
    write_both(&directory, &pipeline.read_with(source(|_: Subject<Cat, u64>| Ok(())), options("dogs")));
    assert_contains(&refused(&directory, pipeline), "it has a source `cats` that the pipeline does not read");

    let pipeline = persistent(&directory);
    write_both(&directory, &pipeline.read_with(source(|_: Subject<Cat, u64>| Ok(())), options("cats")));
    pipeline.read_with(source(|_: Subject<Cat, u64>| Ok(())), options("dogs"));
    assert_contains(&refused(&directory, pipeline), "it has no source `dogs`, which the pipeline reads");

    let pipeline = persistent(&directory);
    let two = source(|_: (Subject<Cat, u64>, Subject<Number, u64>)| Ok(()));
    let (cats, _numbers) = pipeline.read_with(two, options("cats"));
    write_both(&directory, &cats);
    assert_contains(&refused(&directory, pipeline), "the number of tables of source `cats` was 1 and is 2 now");

    let pipeline = persistent(&directory);
    write_both(&directory, &pipeline.read_with(source(|_: Subject<Cat, String>| Ok(())), options("cats")));
    let error = refused(&directory, pipeline);
    assert_contains(&error, "the offset of source `cats` cannot be read as `alloc::string::String`");

    // A wider number type can read a narrower one.
    let pipeline = persistent(&directory);
    let wider = source(|cats: Subject<Cat, i128>| {
        assert_eq!(cats.resume(), Some(1));
        Ok(())
    });
    write_both(&directory, &pipeline.read_with(wider, options("cats")));
    run(pipeline).unwrap();
}

/// A database that does not answer.
struct Silent {
    asked: mpsc::Sender<()>,
    answer: Mutex<Receiver<()>>,
}

impl Sink<Cat> for Silent {
    fn is_transactional(&self) -> bool {
        true
    }

    fn recover(&mut self, _: &'static TableSchema) -> Result<Option<u64>, Box<dyn Error + Send + Sync>> {
        self.asked.send(())?;
        // The channel is closed at the end of the test.
        let _ = self.answer.lock().unwrap().recv();
        Ok(None)
    }

    fn write(&mut self, _: &Commit<Cat>) -> RunResult {
        Ok(())
    }
}

// Contract 9.6
#[test]
fn a_stop_during_the_checks_changes_no_file() {
    let directory = TempDir::new();
    let path = directory.path("cats.csv");
    fs::write(&path, "of another program").unwrap();
    let pipeline = persistent(&directory);
    pipeline.grace_period(Duration::ZERO);
    let cats = pipeline.read_with(source(|_: Subject<Cat, u64>| panic!("the source must not run")), options("cats"));
    csv::write(&cats, &path);
    let (asked, questions) = mpsc::channel();
    let (answers, answer) = mpsc::channel();
    cats.write_to(Silent { asked, answer: Mutex::new(answer) });
    let stop = pipeline.stop_handle();
    let running = thread::spawn(move || pipeline.run());
    next(&questions);
    stop.stop();
    let error = within(|| running.join().unwrap()).unwrap_err().to_string();
    assert_contains(&error, "sink `cats` did not finish");
    assert_eq!(read(&path), "of another program");
    drop(answers);
}

// Contract 9.6
#[test]
fn changed_outputs_are_rejected() {
    let directory = one_cat();
    let good = read(directory.path("cats.csv"));
    let again = || read_as::<Cat>(&directory);
    fs::write(directory.path("cats.csv"), &good[..good.len() - 1]).unwrap();
    let error = refused(&directory, again());
    let numbers = format!("cats.csv` is shorter than it was: it had {} bytes and has {}", good.len(), good.len() - 1);
    assert_contains(&error, &numbers);
    let help = "\nhelp: restore the state directory and the outputs from a backup";
    assert_contains(&error, help);
    fs::remove_file(directory.path("cats.csv")).unwrap();
    let error = refused(&directory, again());
    assert_contains(&error, &format!("is gone: it had {} bytes{help}", good.len()));
    fs::write(directory.path("cats.csv"), &good).unwrap();

    let pipeline = again();
    pipeline.stop_handle().stop();
    run(pipeline).unwrap();

    let pipeline = persistent(&directory);
    let cats = pipeline.read_with(source(|_: Subject<Cat, u64>| Ok(())), options("cats"));
    csv::write(&cats, directory.path("cats.csv"));
    assert_contains(&refused(&directory, pipeline), "cats.jsonl` is no longer in the pipeline");
}

#[test]
fn a_source_without_name_offsets_or_key_is_rejected() {
    fn pipeline_with(source: impl Connector, options: ReadOptions) -> String {
        let directory = TempDir::new();
        let pipeline = persistent(&directory);
        drop(pipeline.read_with(source, options));
        refused(&directory, pipeline)
    }
    let unnamed = pipeline_with(source(|_: Subject<Cat, u64>| Ok(())), ReadOptions::new());
    assert_contains(&unnamed, "source `Source` has no explicit name");
    let without = pipeline_with(source(|_: Subject<Cat>| Ok(())), options("cats"));
    assert_contains(&without, "source `cats` has no offsets");
    assert_contains(&without, "`ReadOptions::full_snapshot`");
    let without_key = pipeline_with(source(|_: Subject<Number>| Ok(())), options("numbers").full_snapshot());
    assert_contains(&without_key, "its table `Number` has no primary key");
    let both = pipeline_with(source(|_: Subject<Cat, u64>| Ok(())), options("cats").full_snapshot());
    assert_contains(&both, "has offsets and declares `full_snapshot`");

    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    pipeline.read_with(source(|_: Subject<Cat, u64>| Ok(())), options("cats"));
    pipeline.read_with(source(|_: Subject<Cat, u64>| Ok(())), options("cats"));
    assert_contains(&refused(&directory, pipeline), "two sources are named `cats`");
}

#[test]
fn a_directory_that_is_in_use_or_holds_other_files_is_rejected() {
    let directory = TempDir::new();
    let first = persistent(&directory);
    let error = Pipeline::persistent(directory.path("state")).map(drop).unwrap_err().to_string();
    assert_contains(&error, "is in use by another pipeline");
    drop(first);
    drop(persistent(&directory));
    fs::write(directory.path("state").join("notes.txt"), "mine").unwrap();
    let error = Pipeline::persistent(directory.path("state")).map(drop).unwrap_err().to_string();
    assert_contains(
        &error,
        "is not a state directory: it contains `notes.txt`\nhelp: choose an empty or a new directory",
    );
    assert_eq!(read(directory.path("state").join("notes.txt")), "mine");
    let file = directory.path("file");
    fs::write(&file, "mine").unwrap();
    for state in [file.clone(), file.join("state"), file.join("state/inner")] {
        let error = Pipeline::persistent(&state).map(drop).unwrap_err().to_string();
        let (state, file) = (state.display(), file.display());
        assert_contains(&error, &format!("cannot create the state directory `{state}`: `{file}` is not a directory"));
    }
    assert_eq!(read(&file), "mine");
}

#[test]
fn an_output_in_the_state_directory_is_rejected() {
    let directory = TempDir::new();
    let inside = directory.path("state").join("cats.csv");
    for quarantine in [false, true] {
        let pipeline = persistent(&directory);
        let bad = if quarantine { inside.clone() } else { directory.path("bad.jsonl") };
        let options = options("cats").bad_rows(BadRows::Quarantine(bad));
        let cats = pipeline.read_with(source(|_: Subject<Cat, u64>| panic!("the source must not run")), options);
        csv::write(&cats, if quarantine { directory.path("cats.csv") } else { inside.clone() });
        assert_contains(&refused(&directory, pipeline), "cats.csv` failed: it is in the state directory");
        assert!(!inside.exists());
    }
}

#[test]
fn a_state_of_a_newer_version_is_rejected() {
    let directory = one_cat();
    let log = directory.path("state").join("log-1");
    let bytes = fs::read(&log).unwrap();
    // The header with another version and a valid checksum.
    let len = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&bytes[13..13 + len]).unwrap();
    header["format"] = 2.into();
    let payload = [b"H".as_slice(), header.to_string().as_bytes()].concat();
    let mut newer = b"pwf1".to_vec();
    newer.extend_from_slice(&((payload.len() - 1) as u32).to_le_bytes());
    newer.extend_from_slice(&crc32fast::hash(&payload).to_le_bytes());
    newer.extend_from_slice(&payload);
    newer.extend_from_slice(&bytes[13 + len..]);
    fs::write(&log, newer).unwrap();
    let error = refused(&directory, read_as::<Cat>(&directory));
    assert_contains(&error, "its format is version 2, and this program reads version 1");
}

#[test]
fn a_partially_copied_or_damaged_state_is_rejected() {
    let directory = one_cat();
    let log = directory.path("state").join("log-1");
    let mut bytes = fs::read(&log).unwrap();
    // A partial copy that is too short to hold a checkpoint.
    fs::write(&log, &bytes[..200]).unwrap();
    assert_contains(&refused(&directory, read_as::<Cat>(&directory)), "log-1` is damaged at byte");
    fs::write(&log, b"").unwrap();
    assert_contains(&refused(&directory, read_as::<Cat>(&directory)), "log-1` is damaged at byte 0");
    // Flips one bit before the last two frames. Damage in these frames could be an unfinished write.
    let frames: Vec<usize> = (0..bytes.len() - 4).filter(|&at| bytes[at..].starts_with(b"pwf1")).collect();
    // Header, the first checkpoint, the row and its checkpoint, and the one that says that the run has ended.
    let [.., last, end] = frames[..] else { unreachable!() };
    assert_eq!(frames.len(), 5);
    let damage = |bytes: &[u8], places: std::ops::Range<usize>| {
        for place in places.step_by(7) {
            let mut wrong = bytes.to_vec();
            wrong[place] ^= 0x10;
            fs::write(&log, wrong).unwrap();
            let error = refused(&directory, read_as::<Cat>(&directory));
            assert_contains(&error, "log-1` is damaged at byte");
            assert_contains(&error, "help: restore the state directory and the outputs from a backup");
        }
    };
    // The checkpoint before the last one, too. The last one proves that it was durable.
    damage(&bytes, 0..end);
    bytes.truncate(end);
    damage(&bytes, 0..frames[2]);
    // A crash can leave an incomplete checkpoint. The one before it counts.
    let mut rows_lost = bytes.clone();
    rows_lost[frames[2] + 20] ^= 0x10;
    let mut torn = vec![rows_lost];
    torn.extend([last, last + 1, last + 20, bytes.len() - 1].map(|len| bytes[..len].to_vec()));
    for torn in torn {
        // Each start after a crash begins a new generation.
        for generation in 1..3 {
            let _ = fs::remove_file(directory.path("state").join(format!("log-{generation}")));
        }
        fs::write(&log, torn).unwrap();
        run_cats(&directory, pathway_io::Durability::EveryCommit, |cats| {
            assert_eq!(cats.resume(), None);
            Ok(cats.next_at(1, cat(1, "felis"))?)
        })
        .unwrap();
        assert_eq!(crate::restart::rows(&directory, "cats.csv"), ["1,felis 1"]);
        assert!(!log.exists() && directory.path("state").join("log-2").exists());
    }
}

#[test]
fn partitions_on_several_threads_are_rejected() {
    #[derive(Clone)]
    struct Numbers;

    #[connector(name = "numbers")]
    impl Numbers {
        fn run(&mut self, numbers: Subject<Number, u64>, part: Partition) -> RunResult {
            Ok(numbers.next_at(1, Number { n: part.index as u64 })?)
        }
    }

    let directory = TempDir::new();
    let start = |threads| {
        let pipeline = persistent(&directory);
        csv::write(&pipeline.read(Numbers), directory.path("numbers.csv"));
        pipeline.run_on(Workers::threads(threads))
    };
    let error = start(2).unwrap_err().to_string();
    assert_eq!(
        error,
        "the pipeline failed: cannot be persistent yet while a source is read in several partitions\n\
         help: run it on one worker"
    );
    assert!(!directory.path("numbers.csv").exists());
    // With one thread there is only one partition.
    start(1).unwrap();
    assert_eq!(crate::restart::rows(&directory, "numbers.csv"), ["0 1"]);
}

#[cfg(feature = "dataflow")]
#[test]
fn several_processes_are_rejected() {
    for process in ["0", "1"] {
        let directory = TempDir::new();
        let pipeline = persistent(&directory);
        let numbers =
            pipeline.read_with(source(|_: Subject<Number, u64>| panic!("the source must not run")), options("numbers"));
        csv::write(&numbers, directory.path("numbers.csv"));
        let workers = ["program", "-n", "2", "-p", process].map(str::to_owned);
        let error = pipeline.run_on(Workers::from_args(workers).unwrap()).unwrap_err().to_string();
        assert_eq!(
            error,
            "the pipeline failed: cannot be persistent in several processes yet\nhelp: run it in one process"
        );
        assert!(!directory.path("numbers.csv").exists());
    }
}
