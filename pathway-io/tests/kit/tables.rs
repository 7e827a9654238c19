//! `connector_tests!` with several tables. Each check of a promise about every table fails with a connector that breaks
//! the promise in one of two tables.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use pathway_io::__private0::testing::Check;
use pathway_io::dataflow::Partition;
use pathway_io::{Connector, ReadOptions, RunResult, Schema, Subject, Table, connector};

use crate::common::{Cat, Number, cat};
use crate::suite::only_failure;

/// A good source with offsets: even numbers, and odd ones.
struct Parities {
    to: u64,
}

#[connector]
impl Parities {
    fn run(&mut self, even: Subject<Number, u64>, odd: Subject<Number, u64>) -> RunResult {
        for n in even.resume().unwrap_or(0)..self.to {
            let rows = if n % 2 == 0 { &even } else { &odd };
            rows.next_at(n + 1, Number { n })?;
        }
        Ok(())
    }
}

/// A good source that feeds its tables in another proportion each time, as threads of a client do.
struct Uneven;

static UNEVEN: AtomicU64 = AtomicU64::new(0);

#[connector]
impl Uneven {
    fn run(&mut self, left: Subject<Number, (u64, u64)>, right: Subject<Number, (u64, u64)>) -> RunResult {
        let several = UNEVEN.fetch_add(1, Ordering::Relaxed) % 3 + 1;
        let (mut l, mut r) = left.resume().unwrap_or((0, 0));
        loop {
            for _ in 0..several {
                l += 1;
                left.next_at((l, r), Number { n: l })?;
            }
            r += 1;
            right.next_at((l, r), Number { n: r })?;
        }
    }
}

/// A good source with a key in each table. The same keys are in both.
struct Kennels;

#[connector]
impl Kennels {
    fn run(&mut self, cats: Subject<Cat>, lions: Subject<Cat>) -> RunResult {
        for key in 0..5 {
            cats.next(cat(key, "felis"))?;
            lions.next(cat(key, "panthera"))?;
        }
        cats.remove(3)?;
        Ok(lions.remove(3)?)
    }
}

/// A good source with as many tables as there can be.
struct Eight;

#[connector]
impl Eight {
    #[allow(clippy::too_many_arguments, reason = "one for each table")]
    fn run(
        &mut self,
        a: Subject<Number>,
        b: Subject<Cat>,
        c: Subject<Number>,
        d: Subject<Number>,
        e: Subject<Number>,
        f: Subject<Number>,
        g: Subject<Number>,
        h: Subject<Cat>,
    ) -> RunResult {
        for rows in [a, c, d, e, f, g] {
            rows.next(Number { n: 1 })?;
        }
        b.next(cat(1, "felis"))?;
        Ok(h.next(cat(1, "felis"))?)
    }
}

pathway_io::connector_tests! { parities: Parities { to: 10 }, ends }
pathway_io::connector_tests! { endless_parities: Parities { to: u64::MAX }, endless, after 20 rows }
pathway_io::connector_tests! { uneven: Uneven, endless, after 20 rows }
pathway_io::connector_tests! { kennels: Kennels, ends }
pathway_io::connector_tests! { eight: Eight, ends }
pathway_io::connector_tests! { in_partitions: Halves { overlap: false }, ends }

/// A source of two tables in partitions.
#[derive(Clone)]
struct Halves {
    /// One row of the second table is in each partition.
    overlap: bool,
}

#[connector]
impl Halves {
    fn run(&mut self, low: Subject<Number>, high: Subject<Number>, partition: Partition) -> RunResult {
        let is_mine = |n: &u64| n % partition.count as u64 == partition.index as u64;
        for n in (0..6).filter(is_mine) {
            low.next(Number { n })?;
        }
        for n in (6..12).filter(|n| is_mine(n) || (self.overlap && *n == 6)) {
            high.next(Number { n })?;
        }
        Ok(())
    }
}

#[test]
fn a_table_without_rows() {
    struct Half;
    #[connector]
    impl Half {
        fn run(&mut self, numbers: Subject<Number>, _cats: Subject<Cat>) -> RunResult {
            Ok(numbers.next(Number { n: 1 })?)
        }
    }
    only_failure(|| Half, Check::has_a_row, "in table 2 of 2, `Cat`: no row has arrived");
}

#[test]
fn rows_of_the_second_table_that_do_not_fit() {
    struct Misfit;
    #[connector]
    impl Misfit {
        fn run(&mut self, cats: Subject<Cat>, numbers: Subject<Number>) -> RunResult {
            cats.next(cat(1, "felis"))?;
            numbers.next(Number { n: 1 })?;
            // The source ignores the error and continues.
            let _ = numbers.next_json(r#"{"n": "one"}"#);
            Ok(())
        }
    }
    only_failure(|| Misfit, Check::every_row_fits, "1 of the rows do not fit `Cat` or `Number`");
}

#[test]
fn a_run_that_ignores_the_failure_of_a_sink_of_its_second_table() {
    struct Stubborn;
    #[connector]
    impl Stubborn {
        fn run(&mut self, first: Subject<Number>, second: Subject<Number>) -> RunResult {
            second.next(Number { n: 0 })?;
            let _ = second.sleep(Duration::from_millis(300));
            while first.next(Number { n: 1 }).is_err() {
                thread::sleep(Duration::from_millis(10));
            }
            Ok(())
        }
    }
    only_failure(
        || Stubborn,
        Check::survives_a_failing_sink,
        "after a sink had failed, `run` has not returned within 5s",
    );
}

#[test]
fn a_key_that_is_appended_twice_to_the_second_table() {
    #[derive(Schema)]
    #[schema(append_only)]
    struct Entry {
        #[schema(primary_key)]
        id: u64,
    }
    struct Ledgers;
    #[connector]
    impl Ledgers {
        fn run(&mut self, first: Subject<Entry>, second: Subject<Entry>) -> RunResult {
            first.next(Entry { id: 1 })?;
            for id in [1, 2, 1] {
                second.next(Entry { id })?;
            }
            Ok(())
        }
    }
    let text = "in table 2 of 2, `Entry`: `Entry` is append-only, and has the key {id: 1} twice";
    only_failure(|| Ledgers, Check::appends_no_key_twice, text);
}

#[test]
fn a_removal_of_a_key_that_is_in_the_other_table() {
    struct Mistaken;
    #[connector]
    impl Mistaken {
        fn run(&mut self, cats: Subject<Cat>, lions: Subject<Cat>) -> RunResult {
            cats.next(cat(1, "felis"))?;
            lions.next(cat(2, "panthera"))?;
            // It should be `cats.remove(1)`.
            Ok(lions.remove(1)?)
        }
    }
    let text = "in table 2 of 2, `Cat`: the key {key: 1} is removed, and no row has it";
    only_failure(|| Mistaken, Check::removes_only_keys_that_exist, text);
}

#[test]
fn a_resume_that_loses_rows_of_the_second_table() {
    struct Forgetful;
    #[connector]
    impl Forgetful {
        fn run(&mut self, even: Subject<Number, u64>, odd: Subject<Number, u64>) -> RunResult {
            let start = even.resume().unwrap_or(0);
            for n in start..10 {
                if n % 2 == 0 {
                    even.next_at(n + 1, Number { n })?;
                } else if n != start {
                    odd.next_at(n + 1, Number { n })?;
                }
            }
            Ok(())
        }
    }
    let text = "resumed at 1, the source does not send the rest of its rows: in table 2 of 2, `Number`: row 1: expected \
                {n: 1}, found {n: 3}";
    only_failure(|| Forgetful, Check::resumes_at_every_offset, text);
}

#[test]
fn a_second_table_that_is_another_each_time() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    struct Changing;
    impl Connector for Changing {
        type Subjects = (Subject<Number>, Subject<Number>);
        type Tables = (Table<Number>, Table<Number>);
        fn options() -> ReadOptions {
            ReadOptions::new().full_snapshot()
        }
        fn run(&mut self, (first, second): Self::Subjects) -> RunResult {
            first.next(Number { n: 1 })?;
            Ok(second.next(Number { n: RUNS.fetch_add(1, Ordering::Relaxed) })?)
        }
    }
    let text = "two runs of a `full_snapshot` source send different tables: in table 2 of 2, `Number`: row 1: expected";
    only_failure(|| Changing, Check::sends_the_same_table_twice, text);
}

#[test]
fn partitions_that_overlap_in_the_second_table() {
    let text = "2 partitions together do not have each row once: in table 2 of 2, `Number`: row 4: expected {n: 7}, found {n: 6}";
    only_failure(|| Halves { overlap: true }, Check::partitions_are_disjoint, text);
}

#[test]
fn rows_of_the_second_table_that_are_lost_by_a_failure() {
    struct Once(Option<Vec<u64>>);
    #[connector]
    impl Once {
        fn run(&mut self, first: Subject<Number>, second: Subject<Number>) -> RunResult {
            first.next(Number { n: 0 })?;
            // A correct source would keep the rows that it has not pushed.
            for n in self.0.take().unwrap_or_default() {
                second.next(Number { n })?;
            }
            Ok(())
        }
    }
    let text = "`run` was interrupted and called again: in table 2 of 2, `Number`: {n: ";
    only_failure(|| Once(Some((0..6).collect())), Check::restarts_after_each_row, text);
}

#[cfg(feature = "tokio")]
mod asynchronous {
    use std::collections::VecDeque;

    use pathway_io::AsyncSubject;

    use super::*;

    /// A queue that feeds two tables, and keeps a row until it is pushed, or loses it.
    struct Queue {
        left: VecDeque<u64>,
        careful: bool,
    }

    #[connector]
    impl Queue {
        async fn run(&mut self, first: AsyncSubject<Number>, second: AsyncSubject<Number>) -> RunResult {
            first.next(Number { n: 0 }).await?;
            while let Some(n) = self.left.front().copied() {
                if self.careful {
                    second.next(Number { n }).await?;
                    self.left.pop_front();
                    continue;
                }
                self.left.pop_front();
                // A future that is dropped does not come to the second line.
                if let Err(closed) = second.next(Number { n }).await {
                    self.left.push_front(n);
                    return Err(closed.into());
                }
            }
            Ok(())
        }
    }

    fn queue(careful: bool) -> Queue {
        Queue { left: (0..6).collect(), careful }
    }

    pathway_io::connector_tests! { careful: queue(true), ends }

    #[test]
    fn a_row_of_the_second_table_that_is_lost_with_the_future() {
        let text = "and `run` called again: in table 2 of 2, `Number`: {n: ";
        only_failure(|| queue(false), Check::can_be_dropped_at_each_await, text);
    }
}
