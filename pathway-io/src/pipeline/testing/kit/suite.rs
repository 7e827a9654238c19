//! The checks behind `connector_tests!`: one function for each promise. Each returns a message that says which promise
//! is broken, and where the documentation makes the promise.

use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;

use super::check::{Check, Length, Verdict};
use super::compare::{TableRows, all, contains, count, same};
use super::ended::{GRACE_PERIOD, ended};
use super::failing::FailingSinks;
use crate::pipeline::testing::clock::DEADLINE;
use crate::pipeline::testing::harness::Harness;
use crate::pipeline::testing::recorder::{Fail, StopRule};
use crate::pipeline::testing::report::Report;
use crate::pipeline::testing::tables::TestedTables;
use crate::run::error::Error;
use crate::run::restart::Restart;
use crate::source::connector::{Connector, Subjects};
use crate::source::options::ReadOptions;

/// The maximum number of refused pushes that are allowed after a stop: each thread of a client can make one.
const MOST_REFUSALS: u64 = 16;
/// The maximum number of offsets that are tried, spread over all.
const MOST_OFFSETS: usize = 200;

/// A limit of `ReadOptions::idle` that no test reaches.
const IDLE: Duration = Duration::from_secs(3600);
/// The maximum number of failures that are tried: spread over all rows, or after one poll, two polls, and so on.
const MOST_FAILURES: usize = 100;

/// Returns whether an error says that a source has pushed a whole backlog without an offset.
fn lacks_offset(error: &str) -> bool {
    error.contains("after its last offset")
}

/// A connector under test.
pub struct Suite<F> {
    make: F,
    length: Length,
    /// The backlog of [`whole`](Self::whole), once it is known.
    backlog: Cell<usize>,
}

/// The row types of a connector.
type RowsOf<C> = <<C as Connector>::Tables as TestedTables>::Rows;

impl<F, C> Suite<F>
where
    F: Fn() -> C,
    C: Connector,
    C::Tables: TestedTables,
{
    /// Returns a suite for the connectors that `make` returns.
    pub fn new(make: F, length: Length) -> Self {
        Suite { make, length, backlog: Cell::new(1) }
    }

    fn harness(&self) -> Harness<C, RowsOf<C>> {
        let harness = Harness::new((self.make)()).grace_period(GRACE_PERIOD).raw();
        match self.length {
            Length::Ends => harness,
            Length::EndlessAfter(rows) => harness.stop_after_rows(rows.max(1)).stop_at_deadline(),
        }
    }

    /// Returns a harness for a run that is not ended by the source. If the expected event does not end the run, a stop
    /// does.
    fn disturbed(&self) -> Harness<C, RowsOf<C>> {
        Harness::new((self.make)()).grace_period(GRACE_PERIOD).stop_at_deadline()
    }

    fn has_offsets() -> bool {
        !<C::Subjects as Subjects>::offset_type().is_unit
    }

    /// Runs the source to its end, and commits its rows one by one, or as many together as share an offset.
    fn whole(&self) -> Result<Report<RowsOf<C>>, String> {
        loop {
            let backlog = self.backlog.get();
            let report = self.harness().cut_at_offsets().options(ReadOptions::new().backlog(backlog)).run();
            match report.result() {
                Ok(_) => return Ok(report),
                Err(error) if lacks_offset(&error.to_string()) && backlog < C::options().backlog_rows() => {
                    self.backlog.set(backlog * 2);
                }
                Err(error) => return Err(format!("an undisturbed run fails: {error}")),
            }
        }
    }

    /// The source has a row for each table. Otherwise no other check means anything.
    fn has_a_row(&self) -> Verdict {
        let report = self.harness().run();
        let tables = all(&report);
        let found = count(&tables);
        let dropped = match report.uncommitted {
            0 => String::new(),
            rows => format!("; {rows} pushed rows were in transactions that it has not committed"),
        };
        match (report.result(), self.length) {
            (Ok(_), Length::EndlessAfter(rows)) if (1..rows).contains(&found) => Err(format!(
                "the source is declared `endless, after {rows} rows`, and has sent {found} of them in {DEADLINE:?}"
            )),
            _ if report.bad_rows > 0 => Ok(()),
            _ if found > 0 => match tables.iter().find(|table| table.pushes.is_empty()) {
                Some(empty) => Err(format!(
                    "{}no row has arrived: the other tests would check nothing of this table. Choose a source with a row for \
                     each table, or a larger number of rows after `endless`{dropped}",
                    empty.place
                )),
                None => Ok(()),
            },
            (Ok(_), _) => Err(format!(
                "`run` has ended without a row: the other tests of this source would check nothing{dropped}"
            )),
            (Err(error), _) => Err(format!("`run` has ended without a row{dropped}: {error}")),
        }
    }

    /// Every row fits the schema.
    fn every_row_fits(&self) -> Verdict {
        let report = self.harness().run();
        match report.bad_rows {
            0 => Ok(()),
            bad => {
                let names: Vec<String> = all(&report).iter().map(|table| format!("`{}`", table.schema.name)).collect();
                let names = names.join(" or ");
                Err(format!(
                    "{bad} of the rows do not fit {names}: its columns differ from the columns of the data (`docs/guarantees.md`, section 7)"
                ))
            }
        }
    }

    /// A stop before the first row ends `run`.
    fn stops_before_a_row(&self) -> Verdict {
        self.ends("before its first row", StopRule::Before)
    }

    /// A stop between two rows ends `run`.
    fn stops_between_rows(&self) -> Verdict {
        self.ends("between two rows", StopRule::AfterRows(3))
    }

    /// A stop ends a `run` that waits for backlog space.
    fn stops_in_a_full_backlog(&self) -> Verdict {
        self.ends("while a push waited for backlog space", StopRule::Full)
    }

    fn ends(&self, when: &str, stop: StopRule) -> Verdict {
        let report = self.disturbed().options(ReadOptions::new().backlog(1)).stop(stop).run();
        ended(&report, &format!("after a stop {when}"))
    }

    /// After `Closed`, `run` pushes nothing more.
    fn stops_pushing_after_closed(&self) -> Verdict {
        let report = self.disturbed().stop(StopRule::Before).run();
        match report.refusals {
            0..=MOST_REFUSALS => Ok(()),
            refusals => Err(format!(
                "{refusals} pushes came after a stop: return when a push returns `Closed`, as `?` does \
                 (`docs/guarantees.md`, section 5)"
            )),
        }
    }

    /// The failure of a sink ends `run`, and is the only failure.
    fn survives_a_failing_sink(&self) -> Verdict {
        if Self::has_offsets() {
            // This run determines the backlog. Other checks report a source that fails by itself.
            let _ = self.whole();
        }
        let options = ReadOptions::new().backlog(self.backlog.get());
        let harness = self.disturbed().options(options);
        let report = harness.attach(|tables| tables.visit(&mut FailingSinks::default())).run();
        ended(&report, "after a sink had failed")?;
        match report.result() {
            Err(error) if !error.others().is_empty() => {
                Err(format!("after a sink had failed, the source failed, too: {}", error.others()[0]))
            }
            _ => Ok(()),
        }
    }

    /// An append-only table never has a key twice.
    fn appends_no_key_twice(&self) -> Verdict {
        for table in all(&self.whole()?) {
            let schema = table.schema;
            if !schema.append_only || !schema.has_key() {
                continue;
            }
            let mut seen = HashSet::new();
            if let Some(row) = table.rows().find(|row| !seen.insert(&row.key)) {
                let (place, name, key) = (&table.place, schema.name, &row.key);
                return Err(format!("{place}`{name}` is append-only, and has the key {key} twice"));
            }
        }
        Ok(())
    }

    /// Each removal has a key that exists.
    fn removes_only_keys_that_exist(&self) -> Verdict {
        for table in all(&self.whole()?) {
            let mut present = HashSet::new();
            for row in table.rows() {
                if row.diff > 0 {
                    present.insert(&row.key);
                } else if !present.remove(&row.key) {
                    let (place, key) = (&table.place, &row.key);
                    return Err(format!("{place}the key {key} is removed, and no row has it"));
                }
            }
        }
        Ok(())
    }

    /// From each offset, the source sends the rows that one run sends after it.
    fn resumes_at_every_offset(&self) -> Verdict {
        if !Self::has_offsets() {
            return Ok(());
        }
        let whole = self.whole()?;
        let all_tables = all(&whole);
        let kept = whole.kept.lock();
        let step = kept.len().div_ceil(MOST_OFFSETS).max(1);
        for (time, offset) in kept.iter().step_by(step) {
            let rest: Vec<TableRows> = all_tables.iter().map(|table| table.after(*time)).collect();
            let Some(stop) = self.stop_after(&rest) else { continue };
            let place = offset.to_json();
            let bytes = offset.encode().map_err(|error| format!("the offset {place} cannot be written: {error}"))?;
            let offsets = <C::Subjects as Subjects>::offset_type();
            let offsets =
                offsets.resume(&bytes).map_err(|error| format!("the offset {place} cannot be read back: {error}"))?;
            let report = self.harness().resume(offsets).stop(stop).run();
            if let Err(error) = report.result() {
                return Err(format!("resumed at {place}, `run` fails: {error}"));
            }
            same(&rest, &all(&report), self.length)
                .map_err(|difference| format!("resumed at {place}, the source does not send the rest of its rows: {difference} (`docs/guarantees.md`, section 9)"))?;
        }
        Ok(())
    }

    /// Returns the event that stops a run which should send these rows, or `None` if the source ends by itself.
    fn stop_after(&self, tables: &[TableRows]) -> Option<StopRule> {
        match self.length {
            Length::Ends => Some(StopRule::Never),
            Length::EndlessAfter(_) if count(tables) == 0 => None,
            // Threads of a source need not feed its tables in the same proportion each time.
            Length::EndlessAfter(_) => {
                Some(StopRule::AfterEach(tables.iter().map(|table| table.pushes.len()).collect()))
            }
        }
    }

    /// The source sets an offset before the backlog is full.
    fn sets_offsets_within_the_backlog(&self) -> Verdict {
        if !Self::has_offsets() {
            return Ok(());
        }
        let report = self.harness().cut_at_offsets().run();
        match report.result().map_err(Error::to_string) {
            Err(error) if lacks_offset(&error) => Err(error),
            Ok(_) if report.kept.lock().is_empty() => Err("the source has an offset type, and sets no offset".into()),
            _ => Ok(()),
        }
    }

    /// A source that sends its whole table sends the same table twice.
    fn sends_the_same_table_twice(&self) -> Verdict {
        if !C::options().full_snapshot {
            return Ok(());
        }
        let tables = || -> Result<Vec<TableRows>, String> {
            let mut tables = all(&self.whole()?);
            tables.iter_mut().for_each(TableRows::sort);
            Ok(tables)
        };
        same(&tables()?, &tables()?, Length::Ends)
            .map_err(|difference| format!("two runs of a `full_snapshot` source send different tables: {difference}"))
    }

    /// The partitions of a source are disjoint, and their union is the whole source.
    fn partitions_are_disjoint(&self) -> Verdict {
        if (self.make)().partition().is_none() {
            return Ok(());
        }
        let rows = |workers| -> Result<Vec<TableRows>, String> {
            let report = self.harness().workers(workers).run();
            if let Err(error) = report.result() {
                return Err(format!("read in {workers} partitions, it fails: {error}"));
            }
            let mut tables = all(&report);
            tables.iter_mut().for_each(TableRows::sort);
            Ok(tables)
        };
        let whole = rows(1)?;
        for workers in 2..=3 {
            same(&whole, &rows(workers)?, Length::Ends).map_err(|difference| {
                format!("{workers} partitions together do not have each row once: {difference}")
            })?;
        }
        Ok(())
    }

    /// After a failure at any row, a `run` of the same connector loses nothing.
    fn restarts_after_each_row(&self) -> Verdict {
        let Some(whole) = self.reference()? else { return Ok(()) };
        let rows = count(&whole);
        let step = rows.div_ceil(MOST_FAILURES).max(1);
        for row in (1..=rows).step_by(step) {
            let when = format!("after row {row}, `run` was interrupted and called again");
            if !self.fails(Fail::AfterRows(row), &whole, &when)? {
                break;
            }
        }
        Ok(())
    }

    /// The future of `run` can be dropped at each `.await`, and nothing is lost.
    fn can_be_dropped_at_each_await(&self) -> Verdict {
        let Some(whole) = self.reference()? else { return Ok(()) };
        for polls in 1..=MOST_FAILURES as u64 {
            let when = format!("the future of `run` was dropped after poll {polls}, and `run` called again");
            if !self.fails(Fail::AfterPolls(polls), &whole, &when)? {
                break;
            }
        }
        Ok(())
    }

    /// Returns the rows of a run, with which runs that fail are compared. Returns `None` if they cannot be compared:
    /// the source has neither an end nor offsets, it sends other rows each time, or another test fails and says why.
    fn reference(&self) -> Result<Option<Vec<TableRows>>, String> {
        let is_endless = matches!(self.length, Length::EndlessAfter(_));
        if (is_endless && !Self::has_offsets()) || (Self::has_offsets() && self.resumes_at_every_offset().is_err()) {
            return Ok(None);
        }
        let (first, second) = (all(&self.whole()?), all(&self.whole()?));
        Ok((is_endless || same(&first, &second, Length::Ends).is_ok()).then_some(first))
    }

    /// Runs the source with a failure of its first attempt. Returns whether it has failed.
    fn fails(&self, fail: Fail, whole: &[TableRows], when: &str) -> Result<bool, String> {
        let moment = Duration::from_millis(1);
        // The harness interrupts the source as if it were idle, so the limit itself must not be reached.
        let options = ReadOptions::new()
            .backlog(self.backlog.get())
            .idle(IDLE)
            .restart(Restart::backoff(moment..moment).attempts(3));
        let Some(stop) = self.stop_after(whole) else { return Ok(false) };
        let report = self.harness().cut_at_offsets().options(options).stop(stop).fail(fail).run();
        if !report.returned {
            // The source ignores that its handles are closed, which the tests of a stop report.
            return Ok(false);
        }
        let summary = report.result().map_err(|error| format!("{when}: it fails: {error}"))?;
        let has_failed = summary.sources.iter().any(|source| source.attempts > 1);
        let found = all(&report);
        let verdict = if Self::has_offsets() { same(whole, &found, self.length) } else { contains(&found, whole) };
        match verdict {
            Ok(()) => Ok(has_failed),
            Err(difference) => Err(format!("{when}: {difference} (`docs/guarantees.md`, section 8)")),
        }
    }

    /// Runs one check.
    pub fn check(&self, check: Check) -> Verdict {
        let suite = self;
        macro_rules! run {
            ($($name:ident)*) => {
                match check {
                    $(Check::$name => suite.$name(),)*
                }
            };
        }
        let verdict = crate::connector_tests! { @each [run!] };
        match verdict {
            // Only one test reports this.
            Err(error) if lacks_offset(&error) && check != Check::sets_offsets_within_the_backlog => Ok(()),
            verdict => verdict,
        }
    }
}
