//! The snapshots of a monitor.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use pathway_io::monitor::{Monitor, SinkState, Snapshot, SourceState};
use pathway_io::{Commit, ReadOptions, Restart, RunResult, Sink, SinkOptions, Stop, Subject, TableSchema};

use crate::common::{DEADLINE, Number, next, pipeline, run, source, within};

/// Takes snapshots until one satisfies the condition.
#[track_caller]
pub fn until(monitor: &Monitor, holds: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let began = Instant::now();
    loop {
        let snapshot = monitor.snapshot();
        if holds(&snapshot) {
            return snapshot;
        }
        assert!(began.elapsed() < DEADLINE, "the condition is never satisfied:\n{snapshot}");
        thread::yield_now();
    }
}

/// Returns a callback that sends a message and then waits for a message of the test, once for each commit.
fn gate() -> (Sender<()>, Receiver<()>, impl FnMut() + Send) {
    let (open, opened) = mpsc::channel::<()>();
    let (enter, entered) = mpsc::channel();
    let pass = move || {
        // The send fails if the test has ended.
        let _ = enter.send(());
        let _ = opened.recv();
    };
    (open, entered, pass)
}

#[test]
fn a_pipeline_is_watched_before_during_and_after_its_run() {
    let pipeline = pipeline();
    let monitor = pipeline.monitor();
    let (end, ends) = mpsc::channel::<()>();
    let table = pipeline.read_with(
        source(move |rows: Subject<Number>| {
            rows.next(Number { n: 1 })?;
            rows.next(Number { n: 2 })?;
            rows.commit()?;
            rows.next(Number { n: 3 })?;
            // The test ends this wait.
            let _ = ends.recv();
            Ok(())
        }),
        ReadOptions::new().name("numbers").autocommit(None),
    );
    let (open, entered, mut pass) = gate();
    table.subscribe_commits(move |_| pass());
    let before = monitor.snapshot();
    assert!(before.sources.is_empty() && before.sinks.is_empty() && before.clock.is_none());

    let running = pipeline.start().unwrap();
    next(&entered);
    let during = until(&running.monitor(), |seen| seen.sources[0].backlog.rows == 1);
    let (of_source, of_sink) = (during.source("numbers").unwrap(), during.sink("numbers").unwrap());
    assert_eq!((of_source.state, of_source.rows, of_source.commits), (SourceState::Running, 2, 1));
    assert_eq!((of_source.in_flight.rows, of_source.attempts, of_source.bad_rows), (2, 1, 0));
    assert!(of_source.backlog.bytes > 0 && of_source.since_last_row.is_some());
    assert_eq!((of_sink.state, of_sink.updates, of_sink.undelivered), (SinkState::Writing, 0, 2));
    let time = during.clock.unwrap().time;
    assert!(time > 1_600_000_000_000, "{time}");

    open.send(()).unwrap();
    // The sink is idle a little before the source has its space back.
    let is_idle = |seen: &Snapshot| seen.sinks[0].state == SinkState::Idle && seen.sources[0].in_flight.rows == 0;
    let idle = until(&monitor, is_idle);
    assert_eq!((idle.sinks[0].updates, idle.sinks[0].commits, idle.sinks[0].undelivered), (2, 1, 0));
    assert_eq!(idle.sinks[0].lag, Duration::ZERO);
    drop((end, open));
    within(move || running.join()).unwrap();

    let after = monitor.snapshot();
    assert_eq!((after.sources[0].state, after.sources[0].rows), (SourceState::Ended, 3));
    assert_eq!((after.sinks[0].state, after.sinks[0].updates), (SinkState::Ended, 3));
    assert_eq!(after.stop, None);
}

#[test]
fn a_source_that_waits_for_room_says_so() {
    let pipeline = pipeline();
    let monitor = pipeline.monitor();
    let numbers = source(|rows: Subject<Number>| {
        for n in 0..10 {
            rows.next(Number { n })?;
        }
        Ok(())
    });
    let table = pipeline.read_with(numbers, ReadOptions::new().backlog(2));
    let (open, _entered, mut pass) = gate();
    table.subscribe_commits(move |_| pass());
    let running = pipeline.start().unwrap();
    let seen = until(&monitor, |seen| seen.sources[0].state == SourceState::Backpressured);
    assert_eq!((seen.sources[0].backlog.rows, seen.sources[0].in_flight.rows), (2, 2));
    // Its oldest commit grows older.
    until(&monitor, |seen| seen.sinks[0].lag > Duration::from_millis(1));
    drop(open);
    within(move || running.join()).unwrap();
    assert_eq!(monitor.snapshot().sources[0].rows, 10);
}

#[test]
fn a_sink_that_is_retried_says_why() {
    struct Unreachable;
    impl Sink<Number> for Unreachable {
        fn open(&mut self, _: &'static TableSchema) -> RunResult {
            Err("no route\nto the host".into())
        }

        fn write(&mut self, _: &Commit<Number>) -> RunResult {
            Ok(())
        }
    }
    let pipeline = pipeline();
    let monitor = pipeline.monitor();
    let numbers = source(|rows: Subject<Number>| Ok(rows.next(Number { n: 1 })?));
    let hour = Duration::from_secs(3600);
    let retry = SinkOptions::new().retry(Restart::backoff(hour..hour));
    pipeline.read_with(numbers, ReadOptions::new().name("numbers")).write_to_with(Unreachable, retry);
    let stop = pipeline.stop_handle();
    let ran = thread::spawn(move || pipeline.run());
    let seen = until(&monitor, |seen| seen.sinks.first().is_some_and(|sink| sink.state == SinkState::Retrying));
    assert_eq!((seen.sinks[0].retries, seen.sinks[0].last_error.as_deref()), (1, Some("no route\nto the host")));
    assert!(seen.to_string().contains("sink numbers: retrying, "), "{seen}");
    assert!(seen.to_string().contains(", 1 retry, last error: no route to the host"), "{seen}");
    stop.stop();
    within(move || ran.join()).unwrap().unwrap_err();
}

#[test]
fn a_source_that_backs_off_says_until_when() {
    let pipeline = pipeline();
    let monitor = pipeline.monitor();
    let failing = source(|_: Subject<Number>| Err("gone\nfor good".into()));
    let hour = Duration::from_secs(3600);
    let _table = pipeline.read_with(failing, ReadOptions::new().name("failing").restart(Restart::backoff(hour..hour)));
    let running = pipeline.start().unwrap();
    let seen = until(&monitor, |seen| matches!(seen.sources[0].state, SourceState::BackingOff { .. }));
    let SourceState::BackingOff { until } = seen.sources[0].state else { unreachable!() };
    let wall = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
    assert!(until > wall + 3_500_000 && until <= wall + 3_600_000, "{until} at {wall}");
    assert_eq!((seen.sources[0].attempts, seen.sources[0].last_error.as_deref()), (1, Some("gone\nfor good")));
    let text = seen.to_string();
    assert!(text.contains("backing off until ") && text.contains("last error: gone for good"), "{text}");
    running.stop();
    within(move || running.join()).unwrap();
    assert_eq!(
        (monitor.snapshot().stop, monitor.snapshot().sources[0].state),
        (Some(Stop::Handle), SourceState::Ended)
    );
}

#[test]
fn bad_rows_and_the_clock_are_counted() {
    let pipeline = pipeline();
    let monitor = pipeline.monitor();
    let clock = pipeline.monitor();
    let fast = source(move |rows: Subject<Number>| {
        rows.next_json("{}")?;
        // Each commit has a later time, and no millisecond passes for most.
        while clock.snapshot().clock.is_none_or(|clock| clock.ahead <= Duration::from_secs(10)) {
            rows.next(Number { n: 0 })?;
            rows.commit()?;
        }
        Ok(())
    });
    let _table = pipeline.read_with(fast, ReadOptions::new().bad_rows(pathway_io::BadRows::Skip));
    let summary = run(pipeline).unwrap();
    let seen = monitor.snapshot();
    assert_eq!((seen.sources[0].bad_rows, seen.sources[0].commits), (1, summary.rows()));
    assert!(seen.clock.unwrap().ahead > Duration::from_secs(1), "{seen}");
}

#[test]
#[cfg(feature = "persist")]
fn the_last_checkpoint_is_seen() {
    let directory = crate::common::TempDir::new();
    let state = directory.path("state");
    let pipeline = pathway_io::Pipeline::persistent(&state).unwrap();
    pipeline.handle_signals(false);
    let monitor = pipeline.monitor();
    let numbers = source(|rows: Subject<Number, u64>| Ok(rows.next_at(1, Number { n: 1 })?));
    let _table = pipeline.read_with(numbers, ReadOptions::new().name("numbers"));
    run(pipeline).unwrap();
    let seen = monitor.snapshot();
    let (checkpoint, clock) = (seen.checkpoint.unwrap(), seen.clock.unwrap());
    assert_eq!(checkpoint.time, clock.time);
    assert_eq!(checkpoint.log_bytes, std::fs::metadata(state.join("log-1")).unwrap().len());
    assert!(checkpoint.duration > Duration::ZERO && seen.to_string().contains("\ncheckpoint: time "), "{seen}");
}

#[test]
fn a_snapshot_is_json_and_text() {
    let pipeline = pipeline();
    let monitor = pipeline.monitor();
    let numbers = source(|rows: Subject<Number>| Ok(rows.next(Number { n: 1 })?));
    let table = pipeline.read_with(numbers, ReadOptions::new().name("numbers"));
    table.subscribe(|_| {});
    run(pipeline).unwrap();
    let seen = monitor.snapshot();
    let mut json = serde_json::to_value(&seen).unwrap();
    json["sources"][0]["since_last_row_seconds"].take();
    json["clock"].take();
    let expected = serde_json::json!({
        "sources": [{
            "name": "numbers", "state": "ended", "backing_off_until": null, "rows": 1, "bad_rows": 0, "commits": 1,
            "attempts": 1, "backlog": {"rows": 0, "bytes": 0}, "in_flight": {"rows": 0, "bytes": 0},
            "since_last_row_seconds": null, "last_error": null,
        }],
        "sinks": [{
            "name": "numbers", "state": "ended", "updates": 1, "commits": 1, "undelivered": 0, "lag_seconds": 0.0,
            "retries": 0, "refused": 0, "last_error": null,
        }],
        "checkpoint": null, "clock": null, "stop": null,
    });
    assert_eq!(json, expected);
    let text = seen.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let source = "source numbers: ended, 1 row in 1 commit, backlog 0 rows, in flight 0 rows, last row 0.0 s ago";
    assert_eq!(lines[..2], [source, "sink numbers: ended, 1 update in 1 commit, 0 undelivered, lag 0.0 s"]);
    assert!(lines[2].starts_with("clock: time ") && lines.len() == 3, "{text}");
}
