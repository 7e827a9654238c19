//! Compares random pushes, removals, commits and transactions of two sources with a plain model of the contract.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Barrier};

use pathway_io::{ReadOptions, RunResult};
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::common::{Cat, Number, Seen, Subject, Transaction, cat, commits, pipeline, run, source};

/// A step of a source with two tables, one of which has a key.
#[derive(Debug, Clone)]
enum Step {
    Plain(Push),
    Commit,
    /// Makes one of several transactions the whole table of cats.
    ReplaceAll(usize),
    /// A push into one of several transactions. Each transaction starts with its first push.
    InTransaction(usize, Push),
    CommitTransaction(usize),
    DropTransaction(usize),
}

#[derive(Debug, Clone)]
enum Push {
    Cat(i64, u8),
    Remove(i64),
    Number(u64),
    /// A bad row, which changes nothing.
    Bad,
    /// The start of a transaction that is the whole table of cats.
    All,
}

const TRANSACTIONS: usize = 3;

fn push() -> impl Strategy<Value = Push> {
    prop_oneof![
        5 => (0..6i64, 0..3u8).prop_map(|(key, genus)| Push::Cat(key, genus)),
        2 => (0..6i64).prop_map(Push::Remove),
        2 => (0..100u64).prop_map(Push::Number),
        1 => Just(Push::Bad),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => push().prop_map(Step::Plain),
        3 => Just(Step::Commit),
        1 => (0..TRANSACTIONS).prop_map(Step::ReplaceAll),
        6 => (0..TRANSACTIONS, push()).prop_map(|(number, push)| Step::InTransaction(number, push)),
        2 => (0..TRANSACTIONS).prop_map(Step::CommitTransaction),
        1 => (0..TRANSACTIONS).prop_map(Step::DropTransaction),
    ]
}

/// The end of a source.
#[derive(Debug, Clone, Copy)]
enum End {
    Return,
    Error,
    Panic,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![4 => Just(End::Return), 1 => Just(End::Error), 1 => Just(End::Panic)]
}

/// The updates of one commit for each table.
#[derive(Debug, Clone, Default, PartialEq)]
struct Output {
    cats: Vec<(Cat, i64)>,
    numbers: Vec<(Number, i64)>,
}

/// The contract in its simplest form.
#[derive(Default)]
struct Model {
    table: BTreeMap<i64, Cat>,
    pending: Vec<Push>,
    transactions: [Vec<Push>; TRANSACTIONS],
    output: Vec<Output>,
    /// Whether each of these is of a whole table.
    is_whole: Vec<bool>,
}

impl Model {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Plain(push) => self.pending.push(push.clone()),
            Step::Commit => self.commit(),
            Step::ReplaceAll(number) => self.transactions[*number].insert(0, Push::All),
            Step::InTransaction(number, push) => self.transactions[*number].push(push.clone()),
            Step::CommitTransaction(number) => {
                let rows = std::mem::take(&mut self.transactions[*number]);
                self.pending.extend(rows);
                self.commit();
            }
            Step::DropTransaction(number) => self.transactions[*number].clear(),
        }
    }

    fn commit(&mut self) {
        let mut output = Output::default();
        // The keys in the order of their first push, each with its new row.
        let mut changes: Vec<(i64, Option<Cat>)> = Vec::new();
        let mut is_whole = false;
        for push in std::mem::take(&mut self.pending) {
            let (key, row) = match push {
                Push::Cat(key, genus) => (key, Some(cat(key, &genus.to_string()))),
                Push::Remove(key) => (key, None),
                Push::Number(n) => {
                    output.numbers.push((Number { n }, 1));
                    continue;
                }
                Push::Bad => continue,
                Push::All => {
                    is_whole = true;
                    changes.clear();
                    continue;
                }
            };
            match changes.iter_mut().find(|(known, _)| *known == key) {
                Some(change) => change.1 = row,
                None => changes.push((key, row)),
            }
        }
        if is_whole {
            let absent = self.table.keys().filter(|key| changes.iter().all(|(known, _)| known != *key));
            let absent: Vec<_> = absent.map(|key| (*key, None)).collect();
            changes.extend(absent);
        }
        for (key, new) in changes {
            let old = self.table.remove(&key);
            if old != new {
                output.cats.extend(old.map(|row| (row, -1)));
                output.cats.extend(new.clone().map(|row| (row, 1)));
            }
            self.table.extend(new.map(|row| (key, row)));
        }
        if is_whole {
            sort_last_retractions(&mut output.cats);
        }
        if output != Output::default() {
            self.output.push(output);
            self.is_whole.push(is_whole);
        }
    }
}

/// Sorts the retractions at the end, since the order of keys that a whole table does not contain is not specified.
fn sort_last_retractions(updates: &mut [(Cat, i64)]) {
    let last = updates.iter().rposition(|(_, diff)| *diff > 0).map_or(0, |at| at + 1);
    updates[last..].sort_by_key(|(cat, _)| cat.key);
}

type Subjects = (Subject<Cat>, Subject<Number>);

fn push_plain((cats, numbers): &Subjects, push: &Push) -> RunResult {
    match *push {
        Push::Cat(key, genus) => cats.next(cat(key, &genus.to_string()))?,
        Push::Remove(key) => cats.remove(key)?,
        Push::Number(n) => numbers.next(Number { n })?,
        Push::All => unreachable!("only a transaction is a whole table"),
        Push::Bad => drop(cats.next_json(r#"{"key": 1, "genus": 5}"#).unwrap_err()),
    }
    Ok(())
}

fn push_into(transaction: &Transaction<Cat>, (_, numbers): &Subjects, push: &Push) -> RunResult {
    match *push {
        Push::Cat(key, genus) => transaction.next_json(format!(r#"{{"key": {key}, "genus": "{genus}"}}"#))?,
        Push::Remove(key) => transaction.remove(key)?,
        Push::Number(n) => transaction.with(numbers).next(Number { n })?,
        Push::All => unreachable!("`Step::ReplaceAll` begins it"),
        Push::Bad => drop(transaction.next_json(r#"{"key": 1"#).unwrap_err()),
    }
    Ok(())
}

fn perform(subjects: &Subjects, steps: &[Step], end: End) -> RunResult {
    let mut transactions: [Option<Transaction<Cat>>; TRANSACTIONS] = Default::default();
    for step in steps {
        match step {
            Step::Plain(push) => push_plain(subjects, push)?,
            Step::Commit => subjects.0.commit()?,
            Step::ReplaceAll(number) => {
                let transaction = transactions[*number].take().unwrap_or_else(|| subjects.0.transaction());
                transactions[*number] = Some(transaction.replace_all());
            }
            Step::InTransaction(number, push) => {
                let transaction = transactions[*number].get_or_insert_with(|| subjects.0.transaction());
                push_into(transaction, subjects, push)?;
            }
            Step::CommitTransaction(number) => {
                let transaction = transactions[*number].take();
                transaction.unwrap_or_else(|| subjects.0.transaction()).commit()?;
            }
            Step::DropTransaction(number) => drop(transactions[*number].take()),
        }
    }
    match end {
        End::Return => Ok(()),
        End::Error => Err("torn".into()),
        // Panics without running the panic hook, which would print a message.
        End::Panic => resume_unwind(Box::new("torn")),
    }
}

proptest! {
    #![proptest_config(Config { cases: 200, ..Config::default() })]

    #[test]
    fn two_sources_behave_like_the_model(
        steps in prop::collection::vec(prop::collection::vec(step(), 0..60), 2),
        ends in prop::collection::vec(end(), 2),
    ) {
        let pipeline = pipeline();
        // A source that fails stops the other one, so both complete all of their steps first.
        let done = Arc::new(Barrier::new(2));
        let mut seen = Vec::new();
        for (steps, end) in steps.iter().zip(&ends) {
            let (steps, end, done) = (steps.clone(), *end, Arc::clone(&done));
            let run_source = source(move |subjects: Subjects| {
                let result = catch_unwind(AssertUnwindSafe(|| perform(&subjects, &steps, end)));
                done.wait();
                result.unwrap_or_else(|payload| resume_unwind(payload))
            });
            let (cats, numbers) = pipeline.read_with(run_source, ReadOptions::new().autocommit(None));
            seen.push((commits(&cats), commits(&numbers)));
        }
        let result = run(pipeline);
        let failing = ends.iter().filter(|end| !matches!(end, End::Return)).count();
        prop_assert_eq!(result.is_err(), failing > 0);

        let mut times = Vec::new();
        for ((cats, numbers), steps) in seen.iter().zip(&steps) {
            let mut model = Model::default();
            steps.iter().for_each(|step| model.step(step));
            // However `run` ended, the rows are committed and open transactions are dropped.
            model.commit();

            let mut output: BTreeMap<u64, Output> = BTreeMap::new();
            let mut table: BTreeMap<i64, Cat> = BTreeMap::new();
            for Seen { time, updates } in cats.try_iter() {
                for (row, diff) in &updates {
                    if *diff < 0 {
                        let old = table.remove(&row.key);
                        prop_assert_eq!(old.as_ref(), Some(row));
                    } else {
                        prop_assert_eq!(table.insert(row.key, row.clone()), None);
                    }
                }
                let cats = Output { cats: updates, ..Output::default() };
                prop_assert_eq!(output.insert(time, cats), None);
            }
            for Seen { time, updates } in numbers.try_iter() {
                output.entry(time).or_default().numbers = updates;
            }
            prop_assert_eq!(&table, &model.table);
            times.extend(output.keys().copied());
            let mut output: Vec<_> = output.into_values().collect();
            output.iter_mut().zip(&model.is_whole).filter(|(_, whole)| **whole).for_each(|(output, _)| {
                sort_last_retractions(&mut output.cats);
            });
            prop_assert_eq!(output, model.output);
        }
        times.sort_unstable();
        prop_assert!(times.is_sorted_by(|a, b| a < b), "two commits have the same time");
    }
}
