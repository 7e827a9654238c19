//! Each test that `connector_tests!` makes fails with a connector that is broken in one way, and only that test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use pathway_io::__private0::testing::{Check, Length, Suite};
use pathway_io::dataflow::Partition;
use pathway_io::testing::TestedTables;
use pathway_io::{Connector, ReadOptions, RunResult, Schema, Subject, Table, connector};

use crate::common::{Cat, Number, cat, source};

/// A good source with offsets.
#[derive(Clone)]
struct Counting {
    to: u64,
}

#[connector(name = "counting")]
impl Counting {
    fn run(&mut self, rows: Subject<Number, u64>) -> RunResult {
        for n in rows.resume().unwrap_or(0)..self.to {
            rows.next_at(n + 1, Number { n })?;
        }
        Ok(())
    }
}

pathway_io::connector_tests! { counting: Counting { to: 10 }, ends }
pathway_io::connector_tests! { endless: Counting { to: u64::MAX }, endless, after 20 rows }
pathway_io::connector_tests! { keyed: Kennel, ends }
pathway_io::connector_tests! { pairs: Pairs, ends }
pathway_io::connector_tests! { in_partitions: Slices { overlap: false }, ends }

/// A good source that sets an offset after each pair of rows. The first comes late.
struct Pairs;

#[connector]
impl Pairs {
    fn run(&mut self, rows: Subject<Number, u64>) -> RunResult {
        for n in (rows.resume().unwrap_or(0)..10).step_by(2) {
            rows.next(Number { n })?;
            rows.next(Number { n: n + 1 })?;
            if n == 0 {
                // An interruption here sends the pair again, so it must not have been committed.
                rows.sleep(Duration::from_millis(20))?;
            }
            rows.advance(n + 2)?;
        }
        Ok(())
    }
}

/// A good source with a key, which sends its whole table.
struct Kennel;

#[connector]
impl Kennel {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        for key in 0..5 {
            cats.next(cat(key, "felis"))?;
        }
        Ok(cats.remove(3)?)
    }
}

/// A source in partitions.
#[derive(Clone)]
struct Slices {
    overlap: bool,
}

#[connector]
impl Slices {
    fn run(&mut self, rows: Subject<Number>, partition: Partition) -> RunResult {
        for n in (0..12).filter(|n| n % partition.count as u64 == partition.index as u64 || (self.overlap && *n == 0)) {
            rows.next(Number { n })?;
        }
        Ok(())
    }
}

/// Asserts that exactly one check fails, with this text.
#[track_caller]
pub(crate) fn only_failure<C>(make: impl Fn() -> C, expected: Check, text: &str)
where
    C: Connector,
    C::Tables: TestedTables,
{
    let suite = Suite::new(make, Length::Ends);
    let failed: Vec<(Check, String)> =
        Check::ALL.iter().filter_map(|check| Some((*check, suite.check(*check).err()?))).collect();
    match &failed[..] {
        [(check, found)] if *check == expected => assert!(found.contains(text), "{found}"),
        failed => panic!("expected {expected:?} alone to fail, and these did: {failed:#?}"),
    }
}

/// Blocks for ever, like a read without data.
fn hang() {
    loop {
        thread::park();
    }
}

/// Repeats a push until it succeeds.
fn insist(rows: &Subject<Number>, n: u64) {
    while rows.next(Number { n }).is_err() {
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_source_without_rows() {
    only_failure(|| source(|_: Subject<Number>| Ok(())), Check::has_a_row, "without a row");
}

#[test]
fn a_source_that_commits_none_of_its_transactions() {
    let make = || {
        source(|rows: Subject<Number>| {
            let transaction = rows.transaction();
            Ok((0..3).try_for_each(|n| transaction.next(Number { n }))?)
        })
    };
    only_failure(make, Check::has_a_row, "; 3 pushed rows were in transactions that it has not committed");
}

#[test]
fn rows_that_do_not_fit() {
    struct Misfit;
    #[connector]
    impl Misfit {
        fn run(&mut self, rows: Subject<Number>) -> RunResult {
            rows.next(Number { n: 1 })?;
            // The source ignores the error and continues.
            let _ = rows.next_json(r#"{"n": "one"}"#);
            Ok(())
        }
    }
    only_failure(|| Misfit, Check::every_row_fits, "1 of the rows do not fit `Number`");
}

#[test]
fn a_run_that_ignores_a_stop_before_its_first_row() {
    let make = || {
        source(|rows: Subject<Number>| {
            if rows.next(Number { n: 0 }).is_err() {
                hang();
            }
            Ok(())
        })
    };
    only_failure(
        make,
        Check::stops_before_a_row,
        "after a stop before its first row, `run` has not returned within 5s",
    );
}

#[test]
fn a_run_that_ignores_a_stop_between_rows() {
    let make = || {
        source(|rows: Subject<Number>| {
            rows.next(Number { n: 0 })?;
            // If a sink fails, `run` ends here.
            rows.sleep(Duration::from_millis(500))?;
            for n in 1..3 {
                rows.next(Number { n })?;
            }
            // The check has a backlog of one row: the last of these is accepted only after the sink has taken the third
            // row, and so after the stop.
            (3..6).for_each(|n| insist(&rows, n));
            Ok(())
        })
    };
    only_failure(make, Check::stops_between_rows, "after a stop between two rows, `run` has not returned within 5s");
}

#[test]
fn a_run_that_ignores_a_stop_while_it_waits_for_room() {
    let make = || {
        source(|rows: Subject<Number>| {
            for n in 0..2 {
                rows.next(Number { n })?;
            }
            // An earlier stop ends `run` here. Only a sink that takes nothing makes it wait below.
            rows.sleep(Duration::from_millis(300))?;
            insist(&rows, 2);
            Ok(())
        })
    };
    only_failure(make, Check::stops_in_a_full_backlog, "after a stop while a push waited for backlog space");
}

#[test]
fn a_run_that_pushes_after_closed() {
    let make = || {
        source(|rows: Subject<Number>| {
            for n in 0..100 {
                // A correct source would return the error.
                let _ = rows.next(Number { n });
            }
            Ok(())
        })
    };
    only_failure(make, Check::stops_pushing_after_closed, "100 pushes came after a stop");
}

#[test]
fn a_run_that_ignores_the_failure_of_a_sink() {
    let make = || {
        source(|rows: Subject<Number>| {
            rows.next(Number { n: 0 })?;
            let _ = rows.sleep(Duration::from_millis(300));
            insist(&rows, 1);
            Ok(())
        })
    };
    only_failure(make, Check::survives_a_failing_sink, "after a sink had failed, `run` has not returned within 5s");
}

#[test]
fn a_key_that_is_appended_twice() {
    #[derive(Schema)]
    #[schema(append_only)]
    struct Entry {
        #[schema(primary_key)]
        id: u64,
    }
    let make = || {
        source(|rows: Subject<Entry>| {
            for id in [1, 2, 1] {
                rows.next(Entry { id })?;
            }
            Ok(())
        })
    };
    only_failure(make, Check::appends_no_key_twice, "`Entry` is append-only, and has the key {id: 1} twice");
}

#[test]
fn a_removal_of_a_key_that_is_not_there() {
    let make = || {
        source(|cats: Subject<Cat>| {
            cats.next(cat(1, "felis"))?;
            Ok(cats.remove(2)?)
        })
    };
    only_failure(make, Check::removes_only_keys_that_exist, "the key {key: 2} is removed, and no row has it");
}

#[test]
fn an_offset_that_is_one_too_early() {
    struct Early;
    #[connector]
    impl Early {
        fn run(&mut self, rows: Subject<Number, u64>) -> RunResult {
            for n in rows.resume().unwrap_or(0)..10 {
                // A correct offset would be the position after the row.
                rows.next_at(n, Number { n })?;
            }
            Ok(())
        }
    }
    let text = "resumed at 0, the source does not send the rest of its rows: row 1: expected {n: 1}, found {n: 0}";
    only_failure(|| Early, Check::resumes_at_every_offset, text);
}

#[test]
fn offsets_that_do_not_come() {
    struct Offsetless;
    #[connector]
    impl Offsetless {
        fn run(&mut self, rows: Subject<Number, u64>) -> RunResult {
            Ok(rows.next(Number { n: rows.resume().unwrap_or(0) })?)
        }
    }
    only_failure(|| Offsetless, Check::sets_offsets_within_the_backlog, "has an offset type, and sets no offset");
}

#[test]
fn a_first_offset_after_more_rows_than_the_backlog() {
    struct Late;
    #[connector(backlog = 10)]
    impl Late {
        fn run(&mut self, rows: Subject<Number, u64>) -> RunResult {
            for n in rows.resume().unwrap_or(0)..20 {
                rows.next(Number { n })?;
            }
            Ok(rows.advance(20)?)
        }
    }
    let text = "pushed more than its backlog of 10 rows or 16 MiB after its last offset";
    only_failure(|| Late, Check::sets_offsets_within_the_backlog, text);
}

#[test]
fn a_table_that_is_another_each_time() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    struct Changing;
    impl Connector for Changing {
        type Subjects = Subject<Number>;
        type Tables = Table<Number>;
        fn options() -> ReadOptions {
            ReadOptions::new().full_snapshot()
        }
        fn run(&mut self, rows: Subject<Number>) -> RunResult {
            Ok(rows.next(Number { n: RUNS.fetch_add(1, Ordering::Relaxed) })?)
        }
    }
    only_failure(
        || Changing,
        Check::sends_the_same_table_twice,
        "two runs of a `full_snapshot` source send different tables",
    );
}

#[test]
fn partitions_that_overlap() {
    let text = "2 partitions together do not have each row once: row 2: expected {n: 10}, found {n: 0}";
    only_failure(|| Slices { overlap: true }, Check::partitions_are_disjoint, text);
}

#[test]
fn rows_that_are_lost_by_a_failure() {
    struct Once(Option<Vec<u64>>);
    #[connector]
    impl Once {
        fn run(&mut self, rows: Subject<Number>) -> RunResult {
            // A correct source would keep the rows that it has not pushed.
            for n in self.0.take().unwrap_or_default() {
                rows.next(Number { n })?;
            }
            Ok(())
        }
    }
    let text = "after row 1, `run` was interrupted and called again: {n: ";
    only_failure(|| Once(Some((0..6).collect())), Check::restarts_after_each_row, text);
}

#[cfg(feature = "tokio")]
mod asynchronous {
    use std::collections::VecDeque;

    use pathway_io::AsyncSubject;

    use super::*;

    /// A queue that keeps a row until it is pushed, or loses it.
    struct Queue {
        left: VecDeque<u64>,
        careful: bool,
    }

    #[connector]
    impl Queue {
        async fn run(&mut self, rows: AsyncSubject<Number>) -> RunResult {
            while let Some(n) = self.left.front().copied() {
                if self.careful {
                    rows.next(Number { n }).await?;
                    self.left.pop_front();
                    continue;
                }
                self.left.pop_front();
                // A future that is dropped does not come to the second line.
                if let Err(closed) = rows.next(Number { n }).await {
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
    fn a_row_that_is_lost_with_the_future() {
        let text = "the future of `run` was dropped after poll ";
        only_failure(|| queue(false), Check::can_be_dropped_at_each_await, text);
    }
}
