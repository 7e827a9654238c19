//! The harness and the script.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use pathway_io::monitor::SourceState;
use pathway_io::testing::Step::{Commit, End, Fail, Offset, Panic, Pause, Push};
use pathway_io::testing::{Clock, Harness, Stuck, script};
use pathway_io::{Connector, ReadOptions, Restart, RunResult, Sink, Stop, Subject, Table, connector};

use crate::common::{Cat, Number, cat, source, within};

fn n(n: u64) -> Number {
    Number { n }
}

#[test]
fn a_script_is_followed_step_by_step() {
    let steps = [Push(n(1)), Push(n(2)), Commit, Push(n(3)), Offset(3), Commit, End, Push(n(4))];
    let report = within(move || Harness::new(script(steps)).run());
    let commits: Vec<Vec<u64>> =
        report.commits().iter().map(|commit| commit.iter().map(|update| update.row.n).collect()).collect();
    assert_eq!(commits, [vec![1, 2], vec![3]]);
    assert_eq!(report.offsets::<u64>(), [3]);
    assert!(report.offsets::<String>().is_empty());
    assert_eq!((report.on_stops(), report.result().unwrap().rows()), (1, 3));
}

#[test]
fn a_script_fails_and_panics() {
    let failed = within(|| Harness::new(script([Push(n(1)), Fail("gone")])).run());
    assert!(failed.result().unwrap_err().to_string().contains("gone"));
    assert_eq!(failed.rows().count(), 1);
    let panicked = within(|| Harness::new(script([Push(n(1)), Panic])).run());
    assert!(panicked.result().unwrap_err().to_string().contains("as the script says"));
}

/// A connector that is written by hand has no name in its options.
#[test]
fn a_source_is_named_as_in_a_pipeline() {
    let failing = || source(|_: Subject<Number>| Err("it breaks".into()));
    let report = within(move || Harness::new(failing()).run());
    assert_eq!(report.result().unwrap_err().to_string(), "connector `Source` failed: it breaks");
    let report = within(move || Harness::new(failing()).options(ReadOptions::new().name("other")).run());
    assert_eq!(report.result().unwrap_err().to_string(), "connector `other` failed: it breaks");
}

#[test]
fn a_script_continues_after_a_failure_and_pauses_by_the_clock() {
    let clock = Clock::new();
    let hour = Duration::from_secs(3600);
    let steps = [Push(n(1)), Commit, Fail("gone"), Pause(hour), Push(n(2))];
    let options = ReadOptions::new().autocommit(None).restart(Restart::backoff(hour..hour));
    let harness = Harness::new(script(steps)).options(options).clock(&clock);
    let running = std::thread::spawn(move || harness.run());
    assert_eq!((clock.advance_to_next(), clock.advance_to_next()), (hour, hour));
    let report = within(move || running.join().unwrap());
    assert_eq!(report.rows().map(|update| update.row.n).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(report.result().unwrap().sources[0].attempts, 2);
}

#[test]
fn a_run_is_stopped_after_rows() {
    let endless = || crate::common::numbers(0..u64::MAX);
    let report =
        within(move || Harness::new(endless()).options(ReadOptions::new().backlog(2)).stop_after_rows(5).run());
    assert!(report.rows().count() >= 5);
    assert_eq!(report.result().unwrap().stop, Some(Stop::Handle));
    let report = within(move || Harness::new(endless()).stop_after_rows(0).run());
    assert_eq!((report.rows().count(), report.on_stops()), (0, 1));
    let report = within(move || Harness::new(endless()).stop_when_full().run());
    // One row in flight, and one that has filled the backlog.
    assert_eq!((report.rows().count(), report.on_stops()), (2, 1));
}

/// Returns the error of a run at its deadline.
fn late(harness: Harness<impl Connector<Tables = Table<Number>>, Number>) -> String {
    let moment = Duration::from_millis(50);
    let harness = harness.deadline(moment).grace_period(moment);
    let report = within(move || harness.run());
    format!("{:?}", report.result().unwrap_err())
}

/// Takes nothing, and never returns.
struct Hanging;

impl Sink<Number> for Hanging {
    fn write(&mut self, _: &pathway_io::Commit<Number>) -> RunResult {
        loop {
            std::thread::park();
        }
    }
}

#[test]
fn a_run_that_does_not_end_fails_at_its_deadline() {
    let waiting = || source(|numbers: Subject<Number>| Ok(numbers.wait_closed()?));
    let starts = |error: String, what: &str| {
        let expected =
            format!("the pipeline failed: it has not ended within 50ms, the deadline of its test: {what}\nhelp: ");
        assert!(error.starts_with(&expected), "{error}");
        error
    };
    let source_waits = |received| format!("connector `Source` has not ended; updates received: {received}");
    starts(late(Harness::new(waiting())), &source_waits("0"));
    starts(late(Harness::new(waiting()).sink(Stuck)), &source_waits("0"));
    starts(late(Harness::new(waiting()).stop_after_rows(7)), &source_waits("0 of 7"));
    starts(late(Harness::new(waiting()).stop_when_full()), &source_waits("0, and the backlog is not full"));
    let hanging = source(|_: Subject<Number>| {
        loop {
            std::thread::park();
        }
    });
    let error = starts(late(Harness::new(hanging)), &source_waits("0"));
    assert!(error.contains("later: connector `Source` did not finish within the grace period"), "{error}");
    let sinks_wait = "not all sinks have ended; updates received: 1";
    starts(late(Harness::new(script([Push(n(1))])).sink(Hanging)), sinks_wait);
}

/// Pushes numbers from an offset, without end, and records whether `run` has returned.
struct Resumed(Arc<AtomicBool>);

#[connector(autocommit = off)]
impl Resumed {
    fn run(&mut self, numbers: Subject<Number, u64>) -> RunResult {
        for n in numbers.resume().unwrap_or(0).. {
            if numbers.next_at(n + 1, Number { n }).and_then(|()| numbers.commit()).is_err() {
                break;
            }
        }
        self.0.store(true, Ordering::SeqCst);
        Ok(())
    }
}

/// Takes every commit, and counts those that arrived before `run` had returned.
struct Early(Arc<AtomicBool>, Arc<AtomicUsize>);

impl Sink<Number> for Early {
    fn write(&mut self, _: &pathway_io::Commit<Number>) -> RunResult {
        if !self.0.load(Ordering::SeqCst) {
            self.1.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

#[test]
fn a_stuck_sink_holds_the_source_until_the_stop() {
    let returned = Arc::new(AtomicBool::new(false));
    let harness = Harness::new(Resumed(Arc::clone(&returned))).resume_at(7_u64);
    let report = within(move || harness.stop_after_rows(10).sink(Stuck).run());
    let rows: Vec<u64> = report.rows().map(|update| update.row.n).collect();
    assert!(rows.len() >= 10 && rows.iter().copied().eq(7..7 + rows.len() as u64), "{rows:?}");
    assert_eq!(report.on_stops(), 1);
    assert_eq!(report.result().unwrap().stop, Some(Stop::Handle));
}

#[test]
fn a_source_that_waits_for_a_stuck_sink_is_stopped() {
    let returned = Arc::new(AtomicBool::new(false));
    // The source never pushes 10 rows, because the backlog has 3, and the sink returns no space.
    let harness = Harness::new(Resumed(returned)).options(ReadOptions::new().backlog(3));
    let report = within(move || harness.stop_after_rows(10).sink(Stuck).run());
    let rows = report.rows().count();
    assert!((3..10).contains(&rows), "{rows}");
    assert_eq!(report.result().unwrap().stop, Some(Stop::Handle));
}

#[test]
fn a_source_that_ends_by_itself_is_not_stopped_by_a_stuck_sink() {
    let report = within(|| Harness::new(script([Push(n(1)), Push(n(2))])).sink(Stuck).run());
    assert_eq!((report.rows().count(), report.on_stops()), (2, 1));
    assert_eq!(report.result().unwrap().stop, None);
}

#[test]
fn any_sink_is_taken() {
    let (returned, early) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let sink = Early(Arc::clone(&returned), Arc::clone(&early));
    let harness = Harness::new(Resumed(returned)).options(ReadOptions::new().backlog(1));
    let report = within(move || harness.stop_after_rows(10).sink(sink).run());
    assert!(report.rows().count() >= 10 && early.load(Ordering::SeqCst) > 0);
}

#[test]
fn a_stuck_sink_ends_with_any_pipeline() {
    let pipeline = crate::common::pipeline();
    let returned = Arc::new(AtomicBool::new(false));
    let numbers = pipeline.read_with(Resumed(Arc::clone(&returned)), ReadOptions::new().backlog(3));
    numbers.write_to(Stuck);
    let commits = numbers.commits(8);
    let running = pipeline.start().unwrap();
    let monitor = running.monitor();
    within(move || {
        commits.recv().unwrap();
        while monitor.snapshot().sources[0].state != SourceState::Backpressured {
            std::thread::yield_now();
        }
        assert_eq!(monitor.snapshot().sinks[0].updates, 0);
        running.stop();
        while commits.recv().is_ok() {}
        running.join().unwrap();
    });
    assert!(returned.load(Ordering::SeqCst));
}

#[test]
#[should_panic(expected = "the offsets of the connector have another type")]
fn an_offset_of_another_type_is_refused() {
    let _ = Harness::new(script([Push(n(1))])).resume_at("one".to_owned());
}

/// A cat and three numbers.
struct Mixed;

#[connector]
impl Mixed {
    fn run(&mut self, cats: Subject<Cat>, numbers: Subject<Number>) -> RunResult {
        cats.next(cat(1, "felis"))?;
        (1..=3).try_for_each(|n| numbers.next(Number { n }))?;
        Ok(())
    }
}

#[test]
fn several_tables_are_recorded_and_take_sinks() {
    let (sender, received) = std::sync::mpsc::channel();
    let harness = Harness::new(Mixed)
        .attach(|(_, numbers)| numbers.subscribe(move |update| sender.send(update.row.n).expect("it is received")));
    let report = within(move || harness.run());
    let cats: Vec<i64> =
        report.commits_of::<Cat>(0).iter().flat_map(|commit| commit.iter()).map(|cat| cat.row.key).collect();
    let numbers: Vec<u64> =
        report.commits_of::<Number>(1).iter().flat_map(|commit| commit.iter()).map(|number| number.row.n).collect();
    assert_eq!((cats, numbers), (vec![1], vec![1, 2, 3]));
    assert_eq!(received.iter().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((report.on_stops(), report.result().unwrap().rows()), (1, 4));
}

#[test]
fn the_rows_of_all_tables_count_for_a_stop() {
    let report = within(|| Harness::new(Mixed).options(ReadOptions::new().backlog(1)).stop_after_rows(2).run());
    assert_eq!(report.commits_of::<Cat>(0).len(), 1);
    assert!(report.commits_of::<Number>(1).len() < 3, "{report:?}");
}

#[test]
#[should_panic(expected = "the connector has no table 0 with rows of type `kit::common::Number`")]
fn a_table_of_another_row_type_is_refused() {
    let _ = Harness::new(Mixed).run().commits_of::<Number>(0);
}
