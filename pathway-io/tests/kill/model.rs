//! Random scripts of a source with offsets, on a disk that fails and then loses its power. Before a run pushes
//! anything, the files must have exactly what a plain model has at the offset from which the run resumes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use pathway_io::faults::{Call, Fault, Mount, Unsynced};
use pathway_io::{BadRows, Pipeline, ReadOptions, RunResult, Schema, Subject, connector, csv};
use proptest::prelude::*;
use serde_json::Value;

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: u8,
    genus: u8,
}

#[derive(Schema)]
struct Line {
    n: u64,
}

#[derive(Debug, Clone, Copy)]
enum Push {
    Cat(u8, u8),
    Remove(u8),
    Line,
    Bad,
}

/// Some pushes of the source. The offset after them is the number of the next step.
#[derive(Debug, Clone)]
struct Step {
    pushes: Vec<Push>,
    is_transaction: bool,
    sets_offset: bool,
    commits: bool,
}

/// A run: the number of steps, whether it fails then, the fault of the disk, and its state after the power cut.
type Session = (u64, bool, Fault, (Unsynced, bool));

fn step() -> impl Strategy<Value = Step> {
    let push = prop_oneof![
        3 => (0..4u8, 0..3u8).prop_map(|(key, genus)| Push::Cat(key, genus)),
        1 => (0..4u8).prop_map(Push::Remove),
        2 => Just(Push::Line),
        2 => Just(Push::Bad),
    ];
    let flags = (prop::bool::weighted(0.25), any::<bool>(), prop::bool::weighted(0.25));
    (prop::collection::vec(push, 0..4), flags).prop_map(|(pushes, (is_transaction, sets_offset, commits))| Step {
        pushes,
        is_transaction,
        sets_offset,
        commits,
    })
}

fn session() -> impl Strategy<Value = Session> {
    let operation = prop::sample::select(vec!["create", "open", "write", "sync", "rename", "remove"]);
    let file = prop::sample::select(vec!["cats.csv", "lines.csv", "bad.jsonl", "state", "state/log-"]);
    let fault = (operation, file, 1..4u64, 1..6u64).prop_map(|(operation, file, number, log)| {
        let path = if file.ends_with('-') { format!("{file}{log}") } else { file.to_owned() };
        Fault::Call(Call { operation, path: path.into(), number })
    });
    let unsynced = prop::sample::select(vec![Unsynced::Kept, Unsynced::Zeros, Unsynced::Lost]);
    (1..12u64, prop::bool::weighted(0.7), prop_oneof![Just(Fault::None), fault], (unsynced, any::<bool>()))
}

/// The contents of the files: the rows of the table with a key, the lines, and the bad rows.
type Contents = (BTreeMap<u8, u8>, Vec<u64>, Vec<String>);

/// Returns what the files must have after the steps before `offset`.
fn expected(script: &[Step], offset: u64) -> Contents {
    let mut contents = Contents::default();
    for (n, step) in (0..offset).zip(script) {
        for push in &step.pushes {
            match *push {
                Push::Cat(key, genus) => _ = contents.0.insert(key, genus),
                Push::Remove(key) => _ = contents.0.remove(&key),
                Push::Line => contents.1.push(n),
                Push::Bad => contents.2.push(format!("bad {n}")),
            }
        }
    }
    contents
}

/// Reads the files, and checks that the updates of the table with a key are a history of it.
fn found(directory: &Path) -> Contents {
    let read = |name: &str| fs::read_to_string(directory.join(name)).expect(name);
    let mut cats = BTreeMap::new();
    for line in read("cats.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [key, genus] = [0, 1].map(|at| fields[at].parse().expect("a number"));
        let before = if fields[3] == "1" { cats.insert(key, genus) } else { cats.remove(&key) };
        assert_eq!(before, (fields[3] == "-1").then_some(genus), "{line}");
    }
    let lines = read("lines.csv");
    let lines = lines.lines().skip(1).map(|line| line.split(',').next().expect("a field").parse().expect("a number"));
    let raw = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["raw"].as_str().map(str::to_owned);
    let bad = read("bad.jsonl").lines().map(|line| raw(line).expect("a text")).collect();
    (cats, lines.collect(), bad)
}

struct Source {
    script: Arc<Vec<Step>>,
    /// The number of steps, and whether it fails then.
    steps: u64,
    fails: bool,
    seen: mpsc::Sender<(u64, Contents)>,
    durable: Arc<AtomicU64>,
    directory: PathBuf,
}

#[connector(name = "zoo")]
impl Source {
    fn run(&mut self, cats: Subject<Cat, u64>, lines: Subject<Line, u64>) -> RunResult {
        let durable = Arc::clone(&self.durable);
        cats.on_durable(move |offset| _ = durable.fetch_max(*offset, Ordering::SeqCst));
        let from = cats.resume().unwrap_or(0);
        self.seen.send((from, found(&self.directory)))?;
        let to = (from + self.steps).min(self.script.len() as u64);
        for (n, step) in (0..to).zip(&*self.script).skip(usize::try_from(from)?) {
            let Step { pushes, is_transaction, sets_offset, commits } = step;
            let (unit, bad) = (cats.transaction(), format!("bad {n}"));
            for (number, push) in (1..).zip(pushes) {
                let is_at_offset = *sets_offset && number == pushes.len();
                match *push {
                    Push::Cat(key, genus) if *is_transaction => unit.next(Cat { key, genus })?,
                    Push::Remove(key) if *is_transaction => unit.remove(key)?,
                    Push::Line if *is_transaction => unit.with(&lines).next(Line { n })?,
                    Push::Cat(key, genus) if is_at_offset => cats.next_at(n + 1, Cat { key, genus })?,
                    Push::Bad if is_at_offset && !is_transaction => lines.next_json_at(n + 1, &bad)?,
                    Push::Cat(key, genus) => cats.next(Cat { key, genus })?,
                    Push::Remove(key) => cats.remove(key)?,
                    Push::Line => lines.next(Line { n })?,
                    Push::Bad => unit.next_json(&bad)?,
                }
            }
            match (is_transaction, sets_offset) {
                (true, true) => unit.commit_at(n + 1)?,
                (true, false) => unit.commit()?,
                (false, true) => lines.advance(n + 1)?,
                (false, false) => {}
            }
            if *commits {
                cats.commit()?;
            }
        }
        if self.fails { Err("torn".into()) } else { Ok(cats.advance(to)?) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_start_finds_the_files_of_its_offset(
        script in prop::collection::vec(step(), 10..50),
        sessions in prop::collection::vec(session(), 3..8),
        autocommit in prop::option::weighted(0.2, Just(Duration::ZERO)),
    ) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path();
        let (script, durable) = (Arc::new(script), Arc::<AtomicU64>::default());
        let rest = (script.len() as u64, false, Fault::None, (Unsynced::Lost, false));
        for (steps, fails, mut fault, (unsynced, latest_names)) in sessions.into_iter().chain([rest]) {
            if let Fault::Call(call) = &mut fault {
                call.path = path.join(&call.path);
            }
            let (must_succeed, disk) = (fault == Fault::None && !fails, Mount::new(path, fault));
            let ((seen, seeing), told) = (mpsc::channel(), durable.load(Ordering::SeqCst));
            let (script, durable, directory) = (Arc::clone(&script), Arc::clone(&durable), path.to_owned());
            let source = Source { script: Arc::clone(&script), steps, fails, seen, durable, directory };
            let result = Pipeline::persistent(path.join("state")).and_then(|pipeline| {
                let options = ReadOptions::new().autocommit(autocommit);
                let bad_rows = BadRows::Quarantine(path.join("bad.jsonl"));
                let (cats, lines) = pipeline.read_with(source, options.bad_rows(bad_rows));
                csv::write(&cats, path.join("cats.csv"));
                csv::write(&lines, path.join("lines.csv"));
                pipeline.handle_signals(false);
                pipeline.run()
            });
            if let Ok((offset, contents)) = seeing.try_recv() {
                prop_assert!(offset >= told, "offset {} was durable, and the run resumes from {}", told, offset);
                prop_assert_eq!(contents, expected(&script, offset), "at offset {}", offset);
            }
            prop_assert!(!must_succeed || result.is_ok(), "{:?}", result);
            disk.cut_power(unsynced, latest_names).expect("the real disk works");
        }
        prop_assert_eq!(found(path), expected(&script, script.len() as u64));
    }
}
