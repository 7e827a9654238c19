//! The checks behind `sink_tests!`: one function for each promise.
//!
//! The kit calls the methods of the sink itself, as the thread of a sink does, so that it can stop between two of them.
//! The author's closure reads the sink's output back as JSON, and the kit compares it as rows of the schema.

use std::marker::PhantomData;
use std::path::Path;

use serde_json::Value;

use super::check::{SinkCheck, Verdict};
use super::directory::Directory;
use super::killed;
use super::values::{self, ValueKind};
use super::written::{Form, Order, Written, equal, expected};
use crate::pipeline::testing::rows::text;
use crate::rows::batch::{Batch, Pool};
use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::error::RunResult;
use crate::sink::Sink;

/// A sink under test.
pub struct SinkSuite<S, M, R> {
    make: M,
    form: Form,
    read: R,
    /// The path of the test that checks `recovers_whole_commits`, for a process that runs it and is killed.
    test: Option<&'static str>,
    schema: PhantomData<S>,
}

impl<S, K, M, R> SinkSuite<S, M, R>
where
    S: Schema,
    K: Sink<S>,
    M: Fn(&Path) -> K,
    R: Fn(&Path) -> Vec<Value>,
{
    /// Returns a suite for the sinks that `make` returns. `read` reads their output.
    pub fn new(make: M, form: Form, read: R) -> Self {
        SinkSuite { make, form, read, test: None, schema: PhantomData }
    }

    /// Names the test that this suite is in, so that it can run in a process that is killed. Without a name, the sink
    /// is dropped.
    #[must_use]
    pub fn in_test(mut self, test: &'static str) -> Self {
        self.test = Some(test);
        self
    }

    /// Each update of a commit is written once.
    fn writes_every_row(&self) -> Verdict {
        let commit =
            commit::<S>(1, &[(values::row::<S>(1)?, 1), (values::row::<S>(2)?, 1), (values::row::<S>(3)?, 1)])?;
        self.write_all(&[commit], Order::Any)?
            .map_err(|difference| format!("a commit of 3 rows is not written whole: {difference} (`Sink::write`)"))
    }

    /// The commits are in the output in the order of their times.
    fn keeps_the_order_of_commits(&self) -> Verdict {
        self.write_all(&self.commits(3)?, Order::Same)?.map_err(|difference| {
            format!("3 commits were written between two flushes, and are not in the order of their times: {difference}")
        })
    }

    /// After a flush, another reader sees all commits.
    fn shows_commits_after_a_flush(&self) -> Verdict {
        let directory = Directory::new()?;
        let commits = self.commits(2)?;
        let mut sink = self.open(&directory)?;
        for n in 0..commits.len() {
            write_and_flush(&mut sink, &commits[n])?;
            self.compare(&directory, &commits[..=n], Order::Same).map_err(|difference| {
                format!("after commit {} and a flush, a reader does not see it: {difference} (`Sink::flush`)", n + 1)
            })?;
        }
        finish(sink)
    }

    /// Without a row, the output is empty and can be read.
    fn closes_an_empty_table(&self) -> Verdict {
        let directory = Directory::new()?;
        finish(self.open(&directory)?).map_err(|error| format!("a table without rows cannot be written: {error}"))?;
        self.compare(&directory, &[], Order::Same)
    }

    /// An update whose `diff` is -1 is a removal.
    fn takes_removals(&self) -> Verdict {
        if S::SCHEMA.append_only || !S::SCHEMA.has_key() {
            return Ok(());
        }
        let directory = Directory::new()?;
        let row = values::row::<S>(1)?;
        let commits = [commit::<S>(1, &[(row.clone(), 1)])?, commit::<S>(2, &[(row, -1)])?];
        let mut sink = self.open(&directory)?;
        for commit in &commits {
            write_and_flush(&mut sink, commit)?;
        }
        finish(sink)?;
        self.compare(&directory, &commits, Order::Same)
            .map_err(|difference| format!("a removal has no effect: {difference} (`Update::diff`)"))
    }

    fn keeps_nulls(&self) -> Verdict {
        self.keeps(ValueKind::Null, "a null")
    }

    fn keeps_empty_values(&self) -> Verdict {
        self.keeps(ValueKind::Empty, "an empty value")
    }

    fn keeps_quotes(&self) -> Verdict {
        self.keeps(ValueKind::Quotes, "a separator or a quote")
    }

    fn keeps_nul(&self) -> Verdict {
        self.keeps(ValueKind::Nul, "a NUL")
    }

    fn keeps_extremes(&self) -> Verdict {
        self.keeps(ValueKind::Extremes, "an extreme value")
    }

    fn keeps_nan_and_infinity(&self) -> Verdict {
        self.keeps(ValueKind::NotFinite, "a NaN or an infinity")
    }

    /// A value is written as it is, or refused with an error.
    fn keeps(&self, kind: ValueKind, what: &str) -> Verdict {
        let rows = values::special::<S>(kind)?;
        let mut commits = Vec::new();
        for (time, (_, row)) in (1..).zip(&rows) {
            commits.push(commit::<S>(time, &[(row.clone(), 1)])?);
        }
        // All rows are written together, which is fast. If that fails, each row is written by itself.
        if self.write_all(&commits, Order::Any).is_ok_and(|verdict| verdict.is_ok()) {
            return Ok(());
        }
        for ((column, _), commit) in rows.iter().zip(commits) {
            if let Ok(Err(difference)) = self.write_all(&[commit], Order::Any) {
                return Err(format!(
                    "{what} in the column `{column}` is changed in the output, and no method has returned an error: \
                     {difference}"
                ));
            }
        }
        Ok(())
    }

    /// Writes commits and compares the output.
    ///
    /// # Errors
    ///
    /// Returns the error if the sink refuses a row.
    fn write_all(&self, commits: &[Commit<S>], order: Order) -> Result<Verdict, String> {
        let directory = Directory::new()?;
        let mut sink = self.open(&directory)?;
        for commit in commits {
            done("write", sink.write(commit))?;
        }
        finish(sink)?;
        Ok(self.compare(&directory, commits, order))
    }

    /// Runs a check of a transactional sink.
    fn recovers(&self, check: impl FnOnce(&Directory, &[Commit<S>]) -> Verdict) -> Verdict {
        let directory = Directory::new()?;
        if !(self.make)(&directory.0).is_transactional() {
            return Ok(());
        }
        check(&directory, &self.commits(3)?)
    }

    /// A sink without a commit recovers `None`.
    fn recovers_nothing_at_first(&self) -> Verdict {
        self.recovers(|directory, _| match recover(&mut (self.make)(&directory.0))? {
            None => Ok(()),
            Some(time) => Err(format!("nothing was written, and `recover` returns the time {time} (`Sink::recover`)")),
        })
    }

    /// A sink recovers the time of its last commit, and loses no row. The pipeline refuses one that is too new, and
    /// nothing may have changed by then.
    fn recovers_its_last_commit(&self) -> Verdict {
        self.recovers(|directory, commits| {
            let mut sink = self.recover_first(&directory.0)?;
            for commit in &commits[..2] {
                write_and_flush(&mut sink, commit)?;
            }
            drop(sink);
            let mut next = (self.make)(&directory.0);
            let (found, last) = (recover(&mut next)?, commits[1].time());
            if found != Some(last) {
                return Err(format!(
                    "the last commit that was flushed has the time {last}, and `recover` returns {found:?} (`Sink::recover`)"
                ));
            }
            drop(next);
            self.compare(directory, &commits[..2], Order::Same)
                .map_err(|difference| format!("`recover` changes what an earlier run has written: {difference}"))
        })
    }

    /// A sink that is killed between `write` and `flush` has whole commits, and their time.
    fn recovers_whole_commits(&self) -> Verdict {
        if let Some(directory) = killed::directory() {
            let _sink = self.write_without_flush(&directory, &self.commits(3)?)?;
            return killed::wait_for_kill();
        }
        let mut is_reachable = true;
        let killed = self.recovers(|directory, commits| {
            let Some(test) = self.test else {
                is_reachable = false;
                return Ok(());
            };
            killed::kill(test, &directory.0)?;
            let is_empty = directory.is_empty();
            let time = recover(&mut (self.make)(&directory.0))?;
            // A sink that keeps its rows in the memory of the test has lost all of them with the process.
            is_reachable = time.is_some() || !is_empty;
            if is_reachable { self.has_whole_commits(directory, commits, time, "after a kill") } else { Ok(()) }
        });
        if is_reachable {
            return killed;
        }
        self.recovers(|directory, commits| {
            drop(self.write_without_flush(&directory.0, commits)?);
            let time = recover(&mut (self.make)(&directory.0))?;
            self.has_whole_commits(directory, commits, time, "after an end")
        })
    }

    /// Writes two commits and flushes the first.
    fn write_without_flush(&self, directory: &Path, commits: &[Commit<S>]) -> Result<K, String> {
        let mut sink = self.recover_first(directory)?;
        write_and_flush(&mut sink, &commits[0])?;
        done("write", sink.write(&commits[1]))?;
        Ok(sink)
    }

    /// Compares the rows with the time that `recover` has returned after
    /// [`write_without_flush`](Self::write_without_flush).
    fn has_whole_commits(&self, directory: &Directory, commits: &[Commit<S>], time: Option<u64>, end: &str) -> Verdict {
        let time = time.unwrap_or(0);
        let durable: Vec<_> = commits.iter().filter(|commit| commit.time() <= time).cloned().collect();
        if durable.is_empty() {
            return Err(format!(
                "a commit was flushed, and {end} before the next flush `recover` returns {time}: the commit is lost, or \
                 its time is (`Sink::is_transactional`: a flush makes both durable)"
            ));
        }
        self.compare(directory, &durable, Order::Same).map_err(|difference| {
            format!(
                "{end} between `write` and `flush`, `recover` returns the time {time}, but the rows differ from the \
                 commits up to it: {difference} (`Sink::is_transactional`: no row may become durable without its time)"
            )
        })
    }

    /// A sink that is older than the checkpoint receives the missing commits, and has each once.
    fn takes_the_commits_that_it_misses(&self) -> Verdict {
        self.recovers(|directory, commits| {
            let mut sink = self.recover_first(&directory.0)?;
            write_and_flush(&mut sink, &commits[0])?;
            drop(sink);
            let mut next = (self.make)(&directory.0);
            let time = recover(&mut next)?.unwrap_or(0);
            self.catch_up(next, directory, commits, time).map_err(|difference| {
                format!("the sink received the commits that it missed, and does not have each once: {difference}")
            })
        })
    }

    /// After an error, `recover` is called on the same sink, and undoes all writes that were not flushed.
    fn undoes_what_was_not_flushed(&self) -> Verdict {
        self.recovers(|directory, commits| {
            let mut sink = self.write_without_flush(&directory.0, commits)?;
            let time = recover(&mut sink)?.unwrap_or(0);
            self.catch_up(sink, directory, commits, time).map_err(|difference| {
                format!(
                    "`recover` was called after an error, returned the time {time}, and the commits after it were written \
                     again: {difference} (`Sink::recover`: what was not flushed must be undone)"
                )
            })
        })
    }

    /// A flush without a commit keeps the time.
    fn keeps_its_time_without_a_commit(&self) -> Verdict {
        self.recovers(|directory, commits| {
            let mut sink = self.recover_first(&directory.0)?;
            done("write", sink.write(&commits[0]))?;
            finish(sink)?;
            let mut next = (self.make)(&directory.0);
            recover(&mut next)?;
            finish(next)?;
            let (found, last) = (recover(&mut (self.make)(&directory.0))?, commits[0].time());
            if found == Some(last) {
                return Ok(());
            }
            Err(format!(
                "after a run without a commit, `recover` returns {found:?}, and the last commit has the time {last}: a flush \
                 with nothing to write must keep it"
            ))
        })
    }

    /// Writes the commits after a time, closes the sink, and compares the output with all commits.
    fn catch_up(&self, mut sink: K, directory: &Directory, commits: &[Commit<S>], time: u64) -> Verdict {
        for commit in commits.iter().filter(|commit| commit.time() > time) {
            done("write", sink.write(commit))?;
        }
        finish(sink)?;
        self.compare(directory, commits, Order::Any)
    }

    /// Returns commits of one row each.
    fn commits(&self, number: u64) -> Result<Vec<Commit<S>>, String> {
        (1..=number).map(|n| commit(n * 10, &[(values::row::<S>(n)?, 1)])).collect()
    }

    fn open(&self, directory: &Directory) -> Result<K, String> {
        let mut sink = (self.make)(&directory.0);
        done("open", sink.open(S::SCHEMA))?;
        Ok(sink)
    }

    /// Recovers a new sink, as a persistent pipeline does at its first start.
    fn recover_first(&self, directory: &Path) -> Result<K, String> {
        let mut sink = (self.make)(directory);
        recover(&mut sink)?;
        Ok(sink)
    }

    /// Compares the output that is read with the commits that were written.
    fn compare(&self, directory: &Directory, commits: &[Commit<S>], order: Order) -> Verdict {
        let mut found = Vec::new();
        for value in (self.read)(&directory.0) {
            let mut batch = Batch::<S>::default();
            batch.push_value(&value).map_err(|error| {
                format!("the reader returns {value}, which is not a row of `{}`: {error}", S::SCHEMA.name)
            })?;
            let time = value.get("time").and_then(Value::as_u64).filter(|_| self.form == Form::Updates);
            let diff = value.get("diff").and_then(Value::as_i64).filter(|_| self.form == Form::Updates);
            found.push(Written { row: text(&batch, 0, false), diff: diff.unwrap_or(1), time });
        }
        let has_times = found.iter().all(|written| written.time.is_some());
        let mut expected = expected(commits, self.form, has_times);
        if order == Order::Any || self.form == Form::Rows {
            expected.sort();
            found.sort();
        }
        equal(&expected, &found)
    }

    /// Runs one check.
    pub fn check(&self, check: SinkCheck) -> Verdict {
        let suite = self;
        macro_rules! run {
            ($($name:ident)*) => {
                match check {
                    $(SinkCheck::$name => suite.$name(),)*
                }
            };
        }
        crate::sink_tests! { @each [run!] }
    }
}

fn commit<S: Schema>(time: u64, rows: &[(Value, i64)]) -> Result<Commit<S>, String> {
    let mut batch = Batch::<S>::default();
    for (row, diff) in rows {
        batch.push_encoded(row.to_string().as_bytes(), *diff).map_err(|error| error.to_string())?;
    }
    Ok(Commit::new(time, vec![batch], Pool::new()))
}

fn done(method: &str, result: RunResult) -> Verdict {
    result.map_err(|error| format!("`{method}` fails: {error}"))
}

fn write_and_flush<S: Schema>(sink: &mut impl Sink<S>, commit: &Commit<S>) -> Verdict {
    done("write", sink.write(commit))?;
    done("flush", sink.flush())
}

fn recover<S: Schema>(sink: &mut impl Sink<S>) -> Result<Option<u64>, String> {
    sink.recover(S::SCHEMA).map_err(|error| format!("`recover` fails: {error}"))
}

/// Ends a sink, as its thread does.
fn finish<S: Schema>(mut sink: impl Sink<S>) -> Verdict {
    done("flush", sink.flush())?;
    done("close", sink.close())
}
