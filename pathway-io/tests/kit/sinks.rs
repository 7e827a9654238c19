//! Each test that `sink_tests!` makes fails with a sink that is broken in one way, and only that test.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard};

use pathway_io::__private0::testing::{Form, SinkCheck, SinkSuite};
use pathway_io::{Commit, RunResult, Schema, Sink, TableSchema};
use serde_json::{Value, json};

#[derive(Schema)]
struct Item {
    #[schema(primary_key)]
    key: i64,
    text: String,
    note: Option<String>,
    weight: f64,
}

/// How a sink is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Flawless,
    RefusesNul,
    LosesRows,
    ReversesCommits,
    FlushesAtClose,
    FailsWhenEmpty,
    IgnoresRemovals,
    NullAsEmpty,
    EmptyAsNull,
    NoQuotes,
    CutsAtNul,
    NarrowKey,
    NanAsZero,
    RecoversBeforeTheFirst,
    KeepsTheFirstTime,
    WritesBeforeTheTime,
    TimeWhenDropped,
    RepeatsAfterRecover,
    KeepsWhatFailed,
    ForgetsTheTime,
}

/// The contents of a sink's file: the time of the last commit, and all updates.
#[derive(Default)]
struct Stored {
    time: Option<u64>,
    updates: Vec<Value>,
}

impl Stored {
    fn load(path: &Path) -> Self {
        let Ok(text) = fs::read_to_string(path) else { return Stored::default() };
        let value: Value = serde_json::from_str(&text).unwrap();
        Stored { time: value["time"].as_u64(), updates: value["updates"].as_array().unwrap().clone() }
    }

    fn save(&self, path: &Path) -> RunResult {
        Ok(fs::write(path, json!({"time": self.time, "updates": self.updates}).to_string())?)
    }
}

/// A sink that rewrites its file at each flush.
struct Ledger {
    path: PathBuf,
    is_transactional: bool,
    flaw: Flaw,
    /// The commits since the last flush.
    pending: Vec<Vec<Value>>,
    time: Option<u64>,
    first_time: Option<u64>,
    flushed_time: Option<u64>,
    /// For a sink that writes before the time.
    flushed: usize,
    has_written: bool,
    resumed: bool,
}

impl Ledger {
    fn new(directory: &Path, is_transactional: bool, flaw: Flaw) -> Self {
        let (pending, path) = (Vec::new(), directory.join("ledger"));
        let (time, first_time, flushed_time, flushed, has_written, resumed) = (None, None, None, 0, false, false);
        Ledger { path, is_transactional, flaw, pending, time, first_time, flushed_time, flushed, has_written, resumed }
    }

    /// Stores the time that a flush should have stored.
    fn store_late_time(&mut self) {
        if self.flaw == Flaw::TimeWhenDropped
            && let Some(time) = self.flushed_time.take()
        {
            let mut stored = Stored::load(&self.path);
            stored.time = Some(time);
            stored.save(&self.path).unwrap();
        }
    }

    fn encode(&self, item: Item, time: u64, diff: i64) -> Value {
        let Item { mut key, mut text, mut note, mut weight } = item;
        match self.flaw {
            Flaw::NullAsEmpty => note = Some(note.unwrap_or_default()),
            Flaw::EmptyAsNull => note = note.filter(|note| !note.is_empty()),
            Flaw::NoQuotes => text = text.replace('"', ""),
            Flaw::CutsAtNul => text.truncate(text.find('\0').unwrap_or(text.len())),
            Flaw::NarrowKey => key = i64::from(i32::try_from(key).unwrap_or(0)),
            Flaw::NanAsZero if weight.is_nan() => weight = 0.0,
            _ => {}
        }
        let weight = match weight {
            _ if weight.is_nan() => json!("NaN"),
            f64::INFINITY => json!("Infinity"),
            f64::NEG_INFINITY => json!("-Infinity"),
            _ => json!(weight),
        };
        json!({"key": key, "text": text, "note": note, "weight": weight, "time": time, "diff": diff})
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.store_late_time();
    }
}

impl Sink<Item> for Ledger {
    fn open(&mut self, _: &'static TableSchema) -> RunResult {
        Stored::default().save(&self.path)
    }

    fn write(&mut self, commit: &Commit<Item>) -> RunResult {
        let updates = commit.iter().filter(|update| self.flaw != Flaw::IgnoresRemovals || update.diff > 0);
        let mut updates: Vec<_> = updates.collect();
        if self.flaw == Flaw::RefusesNul && updates.iter().any(|update| update.row.text.contains('\0')) {
            return Err("a text has a NUL".into());
        }
        if self.flaw == Flaw::LosesRows {
            updates.truncate(1);
        }
        let updates: Vec<Value> =
            updates.into_iter().map(|update| self.encode(update.row, update.time, update.diff)).collect();
        self.time = Some(commit.time());
        self.has_written = true;
        if self.flaw == Flaw::WritesBeforeTheTime {
            let mut stored = Stored::load(&self.path);
            stored.updates.extend(updates);
            return stored.save(&self.path);
        }
        self.pending.push(updates);
        Ok(())
    }

    fn flush(&mut self) -> RunResult {
        if self.flaw == Flaw::FlushesAtClose {
            return Ok(());
        }
        let mut stored = Stored::load(&self.path);
        if self.flaw == Flaw::ReversesCommits {
            self.pending.reverse();
        }
        let pending: Vec<Value> = self.pending.drain(..).flatten().collect();
        if self.flaw == Flaw::RepeatsAfterRecover && std::mem::take(&mut self.resumed) {
            stored.updates.extend(pending.clone());
        }
        stored.updates.extend(pending);
        self.flushed = stored.updates.len();
        if self.flaw != Flaw::TimeWhenDropped {
            stored.time = self.time;
        }
        self.flushed_time = self.time;
        if self.flaw == Flaw::KeepsTheFirstTime {
            self.first_time = self.first_time.or(self.time);
            stored.time = self.first_time;
        }
        stored.save(&self.path)
    }

    fn is_transactional(&self) -> bool {
        self.is_transactional
    }

    fn recover(&mut self, _: &'static TableSchema) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> {
        self.store_late_time();
        let mut stored = Stored::load(&self.path);
        if self.flaw != Flaw::KeepsWhatFailed {
            self.pending.clear();
        }
        if self.flaw == Flaw::WritesBeforeTheTime && self.has_written {
            stored.updates.truncate(self.flushed);
            stored.save(&self.path)?;
        }
        self.resumed = !self.has_written && stored.time.is_some();
        if self.flaw != Flaw::ForgetsTheTime {
            self.time = stored.time;
        }
        Ok(match (self.flaw, stored.time) {
            (Flaw::RecoversBeforeTheFirst, None) => Some(5),
            (_, time) => time,
        })
    }

    fn close(&mut self) -> RunResult {
        if self.flaw == Flaw::FlushesAtClose {
            self.flaw = Flaw::Flawless;
            return self.flush();
        }
        if self.flaw == Flaw::FailsWhenEmpty && Stored::load(&self.path).updates.is_empty() {
            return Err("nothing to close".into());
        }
        Ok(())
    }
}

/// The time and the updates of each directory.
type Memory = HashMap<PathBuf, (Option<u64>, Vec<Value>)>;

/// Returns the contents that the directories would have, in the memory of this process.
fn memory() -> MutexGuard<'static, Memory> {
    static MEMORY: LazyLock<Mutex<Memory>> = LazyLock::new(Mutex::default);
    MEMORY.lock().unwrap()
}

/// A transactional sink without a file.
struct InMemory(PathBuf, Vec<Value>);

impl Sink<Item> for InMemory {
    fn write(&mut self, commit: &Commit<Item>) -> RunResult {
        let ledger = Ledger::new(&self.0, true, Flaw::Flawless);
        self.1.extend(commit.iter().map(|update| ledger.encode(update.row, update.time, update.diff)));
        Ok(())
    }

    fn flush(&mut self) -> RunResult {
        let mut memory = memory();
        let (time, updates) = memory.entry(self.0.clone()).or_default();
        updates.append(&mut self.1);
        *time = updates.last().map_or(*time, |update| update["time"].as_u64());
        Ok(())
    }

    fn is_transactional(&self) -> bool {
        true
    }

    fn recover(&mut self, _: &'static TableSchema) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> {
        self.1.clear();
        Ok(memory().get(&self.0).and_then(|(time, _)| *time))
    }
}

fn updates(directory: &Path) -> Vec<Value> {
    Stored::load(&directory.join("ledger")).updates
}

/// Returns the current rows of the table.
fn rows(directory: &Path) -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    for update in updates(directory) {
        if update["diff"] == json!(1) {
            rows.push(update);
        } else {
            rows.retain(|row| row["key"] != update["key"]);
        }
    }
    rows
}

pathway_io::sink_tests! {
    plain of Item: |directory| Ledger::new(directory, false, Flaw::Flawless),
    updates: updates,
}
pathway_io::sink_tests! {
    transactional of Item: |directory| Ledger::new(directory, true, Flaw::Flawless),
    rows: rows,
}
// Its rows are in the memory of the process, so the kit drops the sink instead of killing the process.
pathway_io::sink_tests! {
    in_memory of Item: |directory| InMemory(directory.to_owned(), Vec::new()),
    updates: |directory| memory().get(directory).cloned().unwrap_or_default().1,
}
// An error is not a silent change.
pathway_io::sink_tests! {
    strict of Item: |directory| Ledger::new(directory, true, Flaw::RefusesNul),
    updates: updates,
}

/// Checks that one check fails, and its text.
#[track_caller]
fn only_failure(test: &'static str, flaw: Flaw, expected: SinkCheck, text: &str) {
    // A transactional sink whose commits are lost at a flush breaks the promises of its recovery, too.
    let is_transactional = flaw != Flaw::FlushesAtClose;
    let make = |directory: &Path| Ledger::new(directory, is_transactional, flaw);
    let suite = SinkSuite::<Item, _, _>::new(make, Form::Updates, updates).in_test(test);
    // The process that will be killed runs only this check.
    let is_killed = std::env::var_os("PATHWAY_IO_SINK_TEST").is_some();
    let checks = if is_killed { &[SinkCheck::recovers_whole_commits] } else { SinkCheck::ALL };
    let failed: Vec<(SinkCheck, String)> =
        checks.iter().filter_map(|check| Some((*check, suite.check(*check).err()?))).collect();
    match &failed[..] {
        [(check, found)] if *check == expected => assert!(found.contains(text), "{found}"),
        failed => panic!("expected {expected:?} alone to fail, and these did: {failed:#?}"),
    }
}

macro_rules! broken {
    ($($name:ident: $flaw:ident => $check:ident, $text:literal;)+) => {
        $(
            #[test]
            fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                only_failure(test, Flaw::$flaw, SinkCheck::$check, $text);
            }
        )+

        #[test]
        fn each_check_has_a_broken_sink() {
            let broken = [$(SinkCheck::$check),+];
            for check in SinkCheck::ALL {
                assert!(broken.contains(check), "{check:?}");
            }
        }
    };
}

broken! {
    a_row_is_lost: LosesRows => writes_every_row, "a commit of 3 rows is not written whole: expected 3 rows, found 1";
    commits_are_reversed: ReversesCommits => keeps_the_order_of_commits, "are not in the order of their times";
    a_flush_shows_nothing: FlushesAtClose => shows_commits_after_a_flush, "after commit 1 and a flush, a reader does not see it";
    an_empty_table_fails: FailsWhenEmpty => closes_an_empty_table, "a table without rows cannot be written: `close` fails";
    a_removal_is_ignored: IgnoresRemovals => takes_removals, "a removal has no effect";
    a_null_becomes_a_text: NullAsEmpty => keeps_nulls, "a null in the column `note` is changed in the output";
    an_empty_text_becomes_a_null: EmptyAsNull => keeps_empty_values, "an empty value in the column `note`";
    a_quote_is_lost: NoQuotes => keeps_quotes, "a separator or a quote in the column `text`";
    a_text_ends_at_a_nul: CutsAtNul => keeps_nul, "a NUL in the column `text`";
    a_key_is_narrowed: NarrowKey => keeps_extremes, "an extreme value in the column `key`";
    a_nan_becomes_zero: NanAsZero => keeps_nan_and_infinity, "a NaN or an infinity in the column `weight`";
    a_time_comes_from_nowhere: RecoversBeforeTheFirst => recovers_nothing_at_first, "`recover` returns the time 5";
    a_time_stays_behind: KeepsTheFirstTime => recovers_its_last_commit, "has the time 20, and `recover` returns Some(10)";
    rows_come_before_their_time: WritesBeforeTheTime => recovers_whole_commits, "after a kill between `write` and `flush`, `recover` returns the time 10, but the rows differ from the commits up to it";
    the_time_comes_when_it_is_dropped: TimeWhenDropped => recovers_whole_commits, "after a kill before the next flush `recover` returns 0";
    missing_commits_come_twice: RepeatsAfterRecover => takes_the_commits_that_it_misses, "does not have each once: number 3: expected";
    a_failed_write_stays: KeepsWhatFailed => undoes_what_was_not_flushed, "what was not flushed must be undone";
    a_time_is_forgotten: ForgetsTheTime => keeps_its_time_without_a_commit, "`recover` returns None, and the last commit has the time 10";
}
