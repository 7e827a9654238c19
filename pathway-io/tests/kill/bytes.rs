//! A small pipeline on a disk that fails at each byte of each file and at each call. Other tests start from logs as a
//! power cut may leave them.
//!
//! The pipeline makes a checkpoint of each commit. So its files have the same bytes in each run, except for the moment
//! at which a new log starts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::{env, fs};

use pathway_io::faults::{Call, Fault, Mount};
use pathway_io::{BadRows, Pipeline, RunResult, Schema, Subject, connector, csv, jsonlines};
use tempfile::TempDir;

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: u32,
    genus: String,
}

fn cat(key: u32, genus: &str) -> Cat {
    Cat { key, genus: genus.into() }
}

struct Cats {
    to: u64,
}

#[connector(name = "cats", autocommit = off)]
impl Cats {
    fn run(&mut self, cats: Subject<Cat, u64>) -> RunResult {
        let (told, durable) = mpsc::channel();
        let stopped = told.clone();
        cats.on_durable(move |offset| _ = told.send(Some(*offset)));
        cats.on_interrupt(move || stopped.send(None));
        for step in cats.resume().unwrap_or(0)..self.to {
            let end = step + 1;
            match step % 4 {
                0 => cats.next_at(end, cat(1, "felis"))?,
                1 => cats.next_json_at(end, "torn")?,
                2 => {
                    let unit = cats.transaction();
                    unit.next(cat(1, "lynx"))?;
                    unit.next(cat(2, "puma"))?;
                    unit.commit_at(end)?;
                }
                _ => {
                    cats.remove(1)?;
                    cats.advance(end)?;
                }
            }
            cats.commit()?;
            wait_for(end, &durable);
        }
        Ok(())
    }
}

/// Waits until an offset is durable, or for the stop.
fn wait_for(offset: u64, durable: &Receiver<Option<u64>>) {
    while durable.recv().is_ok_and(|told| told.is_some_and(|told| told < offset)) {}
}

/// The number of steps of all runs, and of the first of two runs.
pub const ALL: u64 = 6;
pub const FIRST: u64 = 3;

pub fn run(directory: &Path, to: u64) -> pathway_io::Result<()> {
    let pipeline = Pipeline::persistent(directory.join("state"))?;
    pipeline.handle_signals(false);
    let quarantine = BadRows::Quarantine(directory.join("bad.jsonl"));
    let cats = pipeline.read_with(Cats { to }, pathway_io::ReadOptions::new().bad_rows(quarantine));
    csv::write(&cats, directory.join("cats.csv"));
    jsonlines::write(&cats, directory.join("cats.jsonl"));
    pipeline.run().map(drop)
}

const OUTPUTS: [&str; 3] = ["cats.csv", "cats.jsonl", "bad.jsonl"];

/// Returns the outputs with times and row numbers replaced, since these differ between runs.
fn outputs(directory: &Path) -> [String; 3] {
    OUTPUTS.map(|name| {
        let text = fs::read_to_string(directory.join(name)).expect(name);
        let mut plain = String::new();
        for word in text.split_inclusive([',', '}', ' ']) {
            // Only times have thirteen digits, and a row number follows the word `row`.
            let digits = word.chars().filter(char::is_ascii_digit).count();
            plain.push_str(if digits == 13 || plain.ends_with("row ") { "#," } else { word });
        }
        plain
    })
}

/// The files of a directory and of its state, with their relative paths.
pub type Files = Vec<(PathBuf, Vec<u8>)>;

fn files(directory: &Path) -> Files {
    let mut files = Vec::new();
    for place in ["", "state"] {
        for entry in fs::read_dir(directory.join(place)).expect("a directory") {
            let entry = entry.expect("a file");
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                files.push((Path::new(place).join(entry.file_name()), fs::read(entry.path()).expect("its bytes")));
            }
        }
    }
    files
}

/// A directory in which the test cases run one after the other.
pub struct Place {
    directory: TempDir,
    /// The outputs of an undisturbed run.
    expected: [String; 3],
    /// The initial files of a case: none, or those of a first run.
    pub beginnings: [(&'static str, Files); 2],
}

impl Place {
    pub fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path();
        let _disk = Mount::new(path, Fault::None);
        run(path, FIRST).expect("a run without faults succeeds");
        let middle = files(path);
        run(path, ALL).expect("a run without faults succeeds");
        let expected = outputs(path);
        assert_eq!(expected.clone().map(|text| text.lines().count()), [1 + 6, 6, 2]);
        let beginnings = [("from nothing", Files::new()), ("from the middle", middle)];
        Place { directory, expected, beginnings }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn begin(&self, files: &Files) {
        for (path, _) in self::files(self.path()) {
            fs::remove_file(self.path().join(path)).expect("the file exists");
        }
        for (path, bytes) in files {
            fs::write(self.path().join(path), bytes).expect("the write succeeds");
        }
    }

    /// Runs again without a fault. The outputs must then equal those of an undisturbed run.
    pub fn continues(&self, after: &str) {
        let _disk = Mount::new(self.path(), Fault::None);
        run(self.path(), ALL).unwrap_or_else(|error| panic!("{after}: {error}"));
        assert_eq!(outputs(self.path()), self.expected, "{after}");
    }

    /// Runs from the given files, first with a fault and then without. Returns the error of the first run if the fault
    /// occurred.
    fn survives(&self, (name, files): &(&str, Files), fault: &Fault) -> Option<String> {
        let case = format!("{name}, with {fault:?}");
        self.begin(files);
        let disk = Mount::new(self.path(), fault.clone());
        let result = run(self.path(), ALL);
        let said = match (result, disk.struck()) {
            (Ok(()), None) => None,
            (Err(error), Some(call)) => {
                let said = error.to_string();
                let (_, what) = said.split_once(&format!("cannot {} ", call.operation)).expect(&said);
                let named = Path::new(what.split('`').nth(1).expect(&said));
                assert!(named.starts_with(&call.path) || named.with_extension("") == call.path, "{case}: {said}");
                // The error must use the current name of the file.
                assert!(named.exists() || call.operation == "create", "{case}: {said}");
                Some(said)
            }
            (result, struck) => panic!("{case}: {struck:?} failed, but the run returned {result:?}"),
        };
        drop(disk);
        self.continues(&case);
        said
    }
}

/// Returns the distance between the tested bytes and calls.
pub fn step() -> u64 {
    env::var("PATHWAY_IO_DISK_STEP").map_or(13, |step| step.parse().expect("a number"))
}

#[test]
fn a_full_disk_at_each_byte_is_reported_and_the_next_start_continues() {
    let place = Place::new();
    for beginning in &place.beginnings {
        let mut logs = 0;
        // The limit for the size of a log is tiny, so nearly every step starts a new log.
        let logs_of_steps = (1..=ALL + 2).map(|generation| format!("state/log-{generation}"));
        for name in OUTPUTS.map(str::to_owned).into_iter().chain(logs_of_steps) {
            let path = place.path().join(&name);
            let begun = beginning.1.iter().find(|(path, _)| path == Path::new(&name));
            let begun = begun.map_or(0, |(_, bytes)| bytes.len() as u64);
            let (mut at, mut last) = (begun, None);
            // The moment at which a new log starts depends on the threads, so the size of a log varies between runs.
            while at < last.unwrap_or(begun) + 5 * step() {
                let fault = Fault::Full { path: path.clone(), at };
                if let Some(said) = place.survives(beginning, &fault) {
                    assert!(
                        said.contains(&format!("` at byte {at}: ")),
                        "{fault:?}: expected the position in `{said}`"
                    );
                    last = Some(at);
                }
                at += step();
            }
            if name.starts_with("state") {
                logs += u32::from(last.is_some());
            } else {
                let len = fs::metadata(&path).expect("the file exists").len();
                assert!(
                    last.is_some_and(|last| last + step() >= len),
                    "{name} has {len} bytes, and was full at {last:?}"
                );
            }
            println!("{}: {name} was full at each {}. byte from {begun} to {last:?}", beginning.0, step());
        }
        assert!(logs > 1, "{logs} logs");
    }
}

/// Returns the kind of a call: its operation, and its path without the generation of the log.
fn kind(place: &Place, call: &Call) -> (&'static str, String) {
    let path = call.path.strip_prefix(place.path()).expect("the path is in the directory").display().to_string();
    (call.operation, path.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned())
}

#[test]
fn each_failing_call_is_named_in_the_error_and_the_next_start_continues() {
    let place = Place::new();
    for beginning in &place.beginnings {
        place.begin(&beginning.1);
        let disk = Mount::new(place.path(), Fault::None);
        run(place.path(), ALL).expect("a run without faults succeeds");
        let calls = disk.calls();
        drop(disk);
        let (mut struck, mut missed) = (BTreeSet::new(), BTreeSet::new());
        for call in &calls {
            let strikes = place.survives(beginning, &Fault::Call(call.clone())).is_some();
            // The moment at which a new log starts depends on the threads, and so do the calls for it.
            assert!(strikes || call.path.starts_with(place.path().join("state")), "{call:?} was not made again");
            if strikes { &mut struck } else { &mut missed }.insert(kind(&place, call));
        }
        assert!(missed.is_subset(&struck), "{missed:?} have never failed");
        println!("{}: each of {} calls has failed: {struck:?}", beginning.0, calls.len());
    }
}

#[test]
fn short_writes_and_interruptions_change_nothing() {
    let place = Place::new();
    for beginning in &place.beginnings {
        assert_eq!(place.survives(beginning, &Fault::Short), None);
    }
}

/// Returns the position at which the first checkpoint of a log ends.
fn first_checkpoint(log: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let len = u32::from_le_bytes(log[at + 4..at + 8].try_into().expect("four bytes")) as usize;
        let kind = log[at + 12];
        at += 13 + len;
        if kind == b'C' {
            return at;
        }
    }
}

#[test]
fn a_checkpoint_truncated_at_any_byte_is_ignored_and_the_previous_one_is_used() {
    let place = Place::new();
    place.begin(&Files::new());
    run(place.path(), FIRST).expect("a run without faults succeeds");
    let whole = files(place.path());
    let name = Path::new("state/log-1");
    let log = &whole.iter().find(|(path, _)| path == name).expect("the log exists").1;
    let begun = first_checkpoint(log);
    assert!(log.len() > begun + 200, "more frames follow the first checkpoint");
    for len in (0..log.len()).step_by(usize::try_from(step()).expect("the step fits")) {
        // The log ends at `len`, or the system has already extended it with zeros.
        for zeros in [0, log.len() - len] {
            place.begin(&whole);
            let torn = [&log[..len], &vec![0; zeros]].concat();
            fs::write(place.path().join(name), torn).expect("the write succeeds");
            if len >= begun {
                // One more step is appended to the same log, and the next start must read it.
                run(place.path(), FIRST + 1).expect("the previous checkpoint is used");
                place.continues(&format!("torn at {len}, {zeros} zeros"));
                continue;
            }
            let outputs = OUTPUTS.map(|name| fs::read(place.path().join(name)).expect(name));
            let said = run(place.path(), ALL).expect_err("a log without a checkpoint is rejected").to_string();
            assert!(said.contains("log-1` is damaged at byte"), "torn at {len}: {said}");
            assert_eq!(outputs, OUTPUTS.map(|name| fs::read(place.path().join(name)).expect(name)));
        }
    }
}
