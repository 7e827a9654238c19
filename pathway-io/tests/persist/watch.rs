//! Files that another program removes or changes, during a run and between two runs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use pathway_io::{BadRows, Pipeline, RunResult, Subject, csv, jsonlines};

use crate::common::{Number, TempDir, next, pipeline, read, run, source, within};
use crate::restart::{options, persistent, rows};

/// Pushes a number, waits until it is written, lets `harm` happen, and pushes two more, each in a commit.
fn harmed(pipeline: Pipeline, directory: &TempDir, harm: impl Fn() + Send + 'static) -> Result<(), String> {
    let (seen, written) = mpsc::channel();
    let table = pipeline.read_with(
        source(move |numbers: Subject<Number, u64>| {
            let seen = seen.clone();
            numbers.on_durable(move |offset: &u64| {
                let _ = seen.send(*offset);
            });
            let from = numbers.resume().unwrap_or(0);
            numbers.next(Number { n: from })?;
            numbers.commit_at(from + 1)?;
            next(&written);
            harm();
            for n in from + 1..from + 3 {
                numbers.next(Number { n })?;
                numbers.commit_at(n + 1)?;
            }
            Ok(())
        }),
        options("numbers"),
    );
    csv::write(&table, directory.path("numbers.csv"));
    run(pipeline).map(drop).map_err(|error| error.to_string())
}

#[test]
fn an_output_that_is_harmed_under_a_persistent_run_is_named_and_no_offset_moves_past_it() {
    type Harm = fn(&Path);
    let harms: [(Harm, &str); 5] = [
        (|path| fs::remove_file(path).unwrap(), "removed or renamed"),
        (|path| fs::rename(path, path.with_extension("old")).unwrap(), "removed or renamed"),
        (
            |path| {
                fs::rename(path, path.with_extension("old")).unwrap();
                fs::copy(path.with_extension("old"), path).unwrap();
            },
            "replaced by another file",
        ),
        (|path| fs::File::options().write(true).open(path).unwrap().set_len(0).unwrap(), "shortened from"),
        (|path| fs::write(path, read(path) + "more").unwrap(), "another program has written to it"),
    ];
    for (harm, says) in harms {
        let directory = TempDir::new();
        let path = directory.path("numbers.csv");
        let error = harmed(persistent(&directory), &directory, move || harm(&path)).unwrap_err();
        assert!(error.contains("numbers.csv") && error.contains(says), "{says}: {error}");
    }
}

#[test]
fn a_file_without_new_rows_is_watched_too() {
    for harmed in ["few.csv", "bad.jsonl"] {
        let directory = TempDir::new();
        let path = directory.path(harmed);
        let (seen, written) = mpsc::channel();
        let pipeline = persistent(&directory);
        let (few, many) = pipeline.read_with(
            source(move |(few, many): (Subject<Number, u64>, Subject<Number, u64>)| {
                let seen = seen.clone();
                few.on_durable(move |offset: &u64| seen.send(*offset).unwrap());
                few.next(Number { n: 0 })?;
                few.next_json("none")?;
                few.commit_at(1)?;
                assert_eq!(next(&written), 1);
                fs::remove_file(&path)?;
                many.next(Number { n: 1 })?;
                many.commit_at(2)?;
                // The failed checkpoint is a stop.
                many.wait_closed()?;
                assert!(written.try_recv().is_err(), "an offset moves past the loss");
                Ok(())
            }),
            options("numbers").bad_rows(BadRows::Quarantine(directory.path("bad.jsonl"))),
        );
        csv::write(&few, directory.path("few.csv"));
        csv::write(&many, directory.path("many.csv"));
        let error = run(pipeline).unwrap_err().to_string();
        assert!(error.contains(harmed) && error.contains("removed or renamed"), "{error}");
    }
}

#[test]
fn a_lock_a_log_or_a_directory_that_is_harmed_under_a_run_ends_it() {
    let harms: [fn(&Path); 3] = [
        |state| fs::remove_file(state.join("lock")).unwrap(),
        |state| fs::remove_file(state.join("log-1")).unwrap(),
        |state| {
            let copy = state.with_extension("copy");
            fs::create_dir(&copy).unwrap();
            for entry in fs::read_dir(state).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
            }
            fs::remove_dir_all(state).unwrap();
            fs::rename(copy, state).unwrap();
        },
    ];
    for harm in harms {
        let directory = TempDir::new();
        let state = directory.path("state");
        let error = harmed(persistent(&directory), &directory, move || harm(&state)).unwrap_err();
        assert!(error.contains("state"), "{error}");
    }
}

#[test]
fn a_state_whose_lock_was_removed_is_still_in_use() {
    let directory = TempDir::new();
    let state = directory.path("state");
    let (said, saying) = mpsc::channel();
    let _ = harmed(persistent(&directory), &directory, move || {
        fs::remove_file(state.join("lock")).unwrap();
        said.send(Pipeline::persistent(&state).map(drop).map_err(|error| error.to_string())).unwrap();
    });
    let error = next(&saying).unwrap_err();
    assert!(error.contains("is in use by another pipeline"), "{error}");
}

#[test]
fn a_lock_or_a_log_that_is_a_pipe_is_not_waited_for() {
    for name in ["lock", "log-1"] {
        let directory = TempDir::new();
        fs::create_dir(directory.path("state")).unwrap();
        named_pipe(&directory.path("state").join(name));
        let state = directory.path("state");
        let error = within(move || Pipeline::persistent(state).map(drop)).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("pipe, and not a file of a state"), "{error}");
    }
}

#[test]
fn a_named_pipe_is_no_quarantine_file() {
    for persists in [false, true] {
        let directory = TempDir::new();
        let path = directory.path("bad.jsonl");
        named_pipe(&path);
        let pipeline = if persists { persistent(&directory) } else { pipeline() };
        let push = source(|_: Subject<Number, u64>| panic!("the source must not run"));
        let options = options("numbers").bad_rows(BadRows::Quarantine(path.clone()));
        csv::write(&pipeline.read_with(push, options), directory.path("numbers.csv"));
        let error = run(pipeline).unwrap_err().to_string();
        let expected = format!("sink `{}` failed: cannot open the quarantine file: it is a named pipe", path.display());
        assert!(error.starts_with(&expected), "{error}");
        assert!(!directory.path("numbers.csv").exists());
    }
}

#[test]
fn a_quarantine_file_that_does_not_open_is_named() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let push = source(|_: Subject<Number, u64>| panic!("the source must not run"));
    let options = options("numbers").bad_rows(BadRows::Quarantine(directory.path("none/bad.jsonl")));
    csv::write(&pipeline.read_with(push, options), directory.path("numbers.csv"));
    let error = run(pipeline).unwrap_err();
    assert!(error.to_string().contains(": the quarantine file of `numbers`: cannot create `"), "{error}");
    assert!(error.others().is_empty(), "the source was entered: {error:?}");
}

#[test]
fn a_lock_or_a_log_that_is_a_link_is_not_followed() {
    for name in ["lock", "log-1"] {
        let directory = TempDir::new();
        fs::create_dir(directory.path("state")).unwrap();
        fs::write(directory.path("victim"), "precious").unwrap();
        symlink("../victim", directory.path("state").join(name)).unwrap();
        let error = Pipeline::persistent(directory.path("state")).map(drop).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("link"), "{error}");
        assert_eq!(read(directory.path("victim")), "precious");
    }
    // A hard link looks like any other file, so the lock is opened without a change of its contents.
    let directory = TempDir::new();
    fs::create_dir(directory.path("state")).unwrap();
    fs::write(directory.path("victim"), "precious").unwrap();
    fs::hard_link(directory.path("victim"), directory.path("state").join("lock")).unwrap();
    once(&directory, &directory.path("numbers.csv")).unwrap();
    assert_eq!(read(directory.path("victim")), "precious");
}

fn once(directory: &TempDir, output: &Path) -> Result<(), String> {
    let pipeline = persistent(directory);
    let table = pipeline.read_with(
        source(|numbers: Subject<Number, u64>| -> RunResult {
            let from = numbers.resume().unwrap_or(0);
            numbers.next_at(from + 1, Number { n: from })?;
            Ok(())
        }),
        options("numbers"),
    );
    csv::write(&table, output);
    run(pipeline).map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_line_that_was_inserted_between_two_runs_is_refused() {
    let directory = TempDir::new();
    let output = directory.path("numbers.csv");
    once(&directory, &output).unwrap();
    let text = read(&output);
    fs::write(&output, format!("inserted\n{text}")).unwrap();
    let error = once(&directory, &output).unwrap_err();
    assert!(error.contains("was changed since the last run") && error.contains("numbers.csv"), "{error}");
    assert_eq!(read(&output), format!("inserted\n{text}"));
    // What another program has appended is cut off, as before.
    fs::write(&output, format!("{text}more")).unwrap();
    once(&directory, &output).unwrap();
    assert_eq!(rows(&directory, "numbers.csv"), ["0 1", "1 1"]);
}

#[test]
fn paths_that_are_not_utf8_are_told_apart() {
    let directory = TempDir::new();
    let path = |bytes: &[u8]| directory.path("").join(OsStr::from_bytes(bytes));
    let (one, other) = (path(b"caf\xe9.csv"), path(b"caf\xe8.csv"));
    for round in 1..3_usize {
        let pipeline = persistent(&directory);
        let (few, many) = pipeline.read_with(
            source(|(few, many): (Subject<Number, u64>, Subject<Number, u64>)| {
                let from = few.resume().unwrap_or(0);
                few.next(Number { n: from })?;
                for n in 0..100 {
                    many.next(Number { n })?;
                }
                Ok(few.commit_at(from + 1)?)
            }),
            options("numbers"),
        );
        csv::write(&few, &one);
        csv::write(&many, &other);
        run(pipeline).unwrap();
        let lines = [&one, &other].map(|path| read(path).lines().count());
        assert_eq!(lines, [1 + round, 1 + 100 * round]);
        assert!(!read(&one).contains('\0'));
    }
}

#[test]
fn an_output_has_one_writer_and_a_device_any_number() {
    let directory = TempDir::new();
    let output = directory.path("numbers.csv");
    let (shared, inner) = (output.clone(), output.clone());
    let (said, saying) = mpsc::channel();
    let outer = pipeline();
    let table = outer.read(source(move |numbers: Subject<Number>| {
        numbers.next(Number { n: 7 })?;
        numbers.commit()?;
        let second = pipeline();
        csv::write(&second.read(crate::common::numbers(0..3)), &inner);
        said.send(second.run().map(drop).map_err(|error| error.to_string())).unwrap();
        Ok(())
    }));
    csv::write(&table, &output);
    run(outer).unwrap();
    let error = next(&saying).unwrap_err();
    assert!(error.contains("another pipeline is writing it"), "{error}");
    assert!(read(&shared).contains('7'));

    let (bad, inner) = (directory.path("bad.jsonl"), directory.path("bad.jsonl"));
    let (said, saying) = mpsc::channel();
    let outer = pipeline();
    let first = source(move |numbers: Subject<Number>| {
        numbers.next_json("none")?;
        let second = pipeline();
        let bad_rows = options("second").bad_rows(BadRows::Quarantine(inner.clone()));
        second.read_with(crate::common::numbers(0..3), bad_rows);
        said.send(second.run().map(drop).map_err(|error| error.to_string())).unwrap();
        Ok(())
    });
    outer.read_with(first, options("first").bad_rows(BadRows::Quarantine(bad.clone())));
    run(outer).unwrap();
    let error = next(&saying).unwrap_err();
    assert!(error.contains("bad.jsonl") && error.contains("another pipeline is writing it"), "{error}");
    assert_eq!(read(&bad).lines().count(), 1);

    // Two names of one file.
    fs::hard_link(&output, directory.path("link.csv")).unwrap();
    let linked = pipeline();
    let table = linked.read(crate::common::numbers(0..3));
    csv::write(&table, &output);
    csv::write(&table, directory.path("link.csv"));
    assert!(linked.run().unwrap_err().to_string().contains("two sinks write to one file"));

    for _ in 0..2 {
        let devices = persistent(&directory);
        let run_once = source(|numbers: Subject<Number, u64>| Ok(numbers.next_at(1, Number { n: 1 })?));
        let table = devices.read_with(run_once, options("numbers"));
        csv::write(&table, "/dev/null");
        jsonlines::write(&table, "/dev/null");
        run(devices).unwrap();
    }
}

#[test]
fn files_of_the_file_system_are_ignored() {
    let directory = TempDir::new();
    let state = directory.path("state");
    fs::create_dir(&state).unwrap();
    fs::create_dir(state.join("lost+found")).unwrap();
    for name in [".DS_Store", ".nfs0001"] {
        fs::write(state.join(name), "").unwrap();
    }
    for _ in 0..2 {
        once(&directory, &directory.path("numbers.csv")).unwrap();
    }
    assert!(["lost+found", ".DS_Store", ".nfs0001"].iter().all(|name| state.join(name).exists()));
}

fn mode(path: PathBuf) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn state_and_quarantine_are_for_their_owner_alone() {
    let directory = TempDir::new();
    let bad = directory.path("bad.jsonl");
    let quarantined = |pipeline: Pipeline, path: &Path| {
        let push = source(|numbers: Subject<Number, u64>| Ok(numbers.next_json_at(1, "none")?));
        pipeline.read_with(push, options("numbers").bad_rows(BadRows::Quarantine(path.to_owned())));
        run(pipeline).unwrap();
    };
    quarantined(persistent(&directory), &bad);
    quarantined(pipeline(), &directory.path("bad-2.jsonl"));
    let state = directory.path("state");
    assert_eq!(mode(state.clone()), 0o700);
    for path in [state.join("lock"), state.join("log-1"), bad, directory.path("bad-2.jsonl")] {
        assert_eq!(mode(path.clone()), 0o600, "{}", path.display());
    }
}

fn named_pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Writes one number to a pipe.
fn one_number_to(path: &Path, directory: &TempDir) {
    let pipeline = persistent(directory);
    let rows = source(|numbers: Subject<Number, u64>| {
        let from = numbers.resume().unwrap_or(0);
        Ok(numbers.next_at(from + 1, Number { n: from + 70 })?)
    });
    csv::write(&pipeline.read_with(rows, options("numbers")), path);
    run(pipeline).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn the_end_of_a_pipe_is_an_output() {
    use std::io::Read;
    use std::os::fd::AsRawFd;

    let directory = TempDir::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    // A shell passes `>(gzip > cats.csv.gz)` in this form.
    let path = PathBuf::from(format!("/dev/fd/{}", writer.as_raw_fd()));
    for _ in 0..2 {
        one_number_to(&path, &directory);
    }
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let numbers: Vec<&str> = text.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(numbers, ["n", "70", "71"]);
}

/// A shell opens `/dev/stdout` in this way after `> numbers.csv`.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_was_opened_by_another_program_is_an_output() {
    use std::os::fd::AsRawFd;

    let directory = TempDir::new();
    let file = fs::File::create(directory.path("numbers.csv")).unwrap();
    let path = PathBuf::from(format!("/dev/fd/{}", file.as_raw_fd()));
    for _ in 0..2 {
        one_number_to(&path, &directory);
    }
    assert_eq!(rows(&directory, "numbers.csv"), ["70 1", "71 1"]);
}

#[test]
fn a_named_pipe_is_an_output_and_is_never_read() {
    let directory = TempDir::new();
    let path = directory.path("pipe");
    named_pipe(&path);
    for number in ["70,", "71,"] {
        // The thread waits until the pipeline opens the pipe for writing.
        let (sender, received) = mpsc::channel();
        let from = path.clone();
        std::thread::spawn(move || sender.send(read(from)).unwrap());
        one_number_to(&path, &directory);
        assert!(next(&received).contains(number));
    }
}
