//! The clock that a test sets.

use std::sync::mpsc;
use std::time::Duration;

use pathway_io::monitor::SourceState;
use pathway_io::testing::Clock;
use pathway_io::{ReadOptions, Restart, Subject};

use crate::common::{self, Number, commits, next, run, source, within};
use crate::monitor::until;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn autocommit_follows_it() {
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let table = pipeline.read_with(
        source(|rows: Subject<Number>| {
            rows.next(Number { n: 1 })?;
            rows.wait_closed()?;
            Ok(())
        }),
        ReadOptions::new().autocommit(HOUR),
    );
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    assert_eq!(clock.advance_to_next(), HOUR);
    assert_eq!(next(&seen).updates, [(Number { n: 1 }, 1)]);
    assert_eq!(clock.elapsed(), HOUR);
    running.stop();
    within(move || running.join()).unwrap();
}

#[test]
fn rows_after_the_last_offset_have_waited_for_the_next_one() {
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let (go, gone) = mpsc::channel();
    let table = pipeline.read_with(
        source(move |rows: Subject<Number, u64>| {
            rows.next_at(1, Number { n: 1 })?;
            rows.next(Number { n: 2 })?;
            next(&gone);
            rows.advance(2)?;
            Ok(rows.wait_closed()?)
        }),
        ReadOptions::new().autocommit(HOUR),
    );
    let seen = commits(&table);
    let monitor = pipeline.monitor();
    let running = pipeline.start().unwrap();
    until(&monitor, |seen| seen.sources[0].backlog.rows == 2);
    assert_eq!(clock.advance_to_next(), HOUR);
    assert_eq!(next(&seen).updates, [(Number { n: 1 }, 1)]);
    go.send(()).unwrap();
    assert_eq!(next(&seen).updates, [(Number { n: 2 }, 1)]);
    assert_eq!(clock.elapsed(), HOUR);
    running.stop();
    within(move || running.join()).unwrap();
}

/// Advances the clock in any number of steps.
fn advance_to(clock: &Clock, moment: Duration) {
    while clock.elapsed() < moment {
        clock.advance_to_next();
    }
    assert_eq!(clock.elapsed(), moment);
}

#[test]
fn autocommit_follows_it_after_a_failed_attempt() {
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let monitor = pipeline.monitor();
    let mut attempts = 0;
    let table = pipeline.read_with(
        source(move |rows: Subject<Number, u64>| {
            attempts += 1;
            if attempts == 1 {
                rows.commit_at(1)?;
                // This row is after the last offset, and is dropped.
                rows.next(Number { n: 1 })?;
                return Err("gone".into());
            }
            rows.next_at(2, Number { n: 2 })?;
            Ok(rows.wait_closed()?)
        }),
        ReadOptions::new().autocommit(HOUR).restart(Restart::backoff(2 * HOUR..2 * HOUR)),
    );
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    until(&monitor, |seen| matches!(seen.sources[0].state, SourceState::BackingOff { .. }));
    // The wait between the attempts. The timer of the dropped row may come first.
    advance_to(&clock, 2 * HOUR);
    until(&monitor, |seen| seen.sources[0].backlog.rows == 1);
    advance_to(&clock, 3 * HOUR);
    assert_eq!(next(&seen).updates, [(Number { n: 2 }, 1)]);
    running.stop();
    within(move || running.join()).unwrap();
}

#[test]
fn sleep_follows_it() {
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let table = pipeline.read_with(
        source(|rows: Subject<Number>| {
            for n in 0..3 {
                rows.next(Number { n })?;
                rows.commit()?;
                rows.sleep(HOUR)?;
            }
            Ok(())
        }),
        ReadOptions::new().autocommit(None),
    );
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    for n in 0..3 {
        assert_eq!(next(&seen).updates, [(Number { n }, 1)]);
        assert_eq!(clock.advance_to_next(), HOUR);
    }
    within(move || running.join()).unwrap();
}

#[test]
fn back_off_follows_it() {
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let monitor = pipeline.monitor();
    let (mut attempts, (attempt, attempted)) = (0, mpsc::channel());
    let failing = source(move |_: Subject<Number>| {
        attempts += 1;
        attempt.send(attempts).unwrap();
        if attempts < 3 { Err("gone".into()) } else { Ok(()) }
    });
    let _table = pipeline.read_with(failing, ReadOptions::new().restart(Restart::backoff(HOUR..HOUR)));
    let running = pipeline.start().unwrap();
    for expected in 1..=3 {
        assert_eq!(next(&attempted), expected);
        if expected < 3 {
            until(&monitor, |seen| matches!(seen.sources[0].state, SourceState::BackingOff { .. }));
            assert_eq!(clock.advance_to_next(), HOUR);
        }
    }
    within(move || running.join()).unwrap();
}

#[test]
#[should_panic(expected = "before you take its stop handle or its monitor")]
fn it_is_set_before_handles_are_taken() {
    let pipeline = common::pipeline();
    let _monitor = pipeline.monitor();
    let _ = Clock::new().drive(pipeline);
}

#[test]
fn a_clock_outlives_its_pipeline() {
    let clock = Clock::new();
    run(clock.drive(common::pipeline())).unwrap();
    clock.advance(HOUR);
    assert_eq!(clock.elapsed(), HOUR);
}

#[test]
fn a_time_beyond_the_range_of_the_clock_fails_the_test_and_not_the_pipeline() {
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let waiting = source(|numbers: Subject<Number>| {
        numbers.next(Number { n: 1 })?;
        numbers.commit()?;
        numbers.sleep(HOUR)?;
        Ok(numbers.next(Number { n: 2 })?)
    });
    let seen = commits(&pipeline.read_with(waiting, ReadOptions::new().autocommit(None)));
    let running = pipeline.start().unwrap();
    next(&seen);
    let advanced = std::panic::catch_unwind(|| clock.advance(Duration::MAX));
    assert!(advanced.unwrap_err().downcast_ref::<String>().unwrap().starts_with("the clock cannot advance by "));
    assert_eq!(clock.advance_to_next(), HOUR);
    assert_eq!(next(&seen).updates, [(Number { n: 2 }, 1)]);
    within(move || running.join()).unwrap();
}

#[cfg(feature = "tokio")]
mod asynchronous {
    use pathway_io::{AsyncSubject, RunResult, connector};

    use super::*;

    struct Sleeper;

    #[connector(autocommit = off)]
    impl Sleeper {
        async fn run(&mut self, rows: AsyncSubject<Number>) -> RunResult {
            rows.next(Number { n: 1 }).await?;
            rows.commit().await?;
            rows.sleep(HOUR).await?;
            Ok(rows.next(Number { n: 2 }).await?)
        }
    }

    #[test]
    fn sleep_follows_it() {
        let clock = Clock::new();
        let pipeline = clock.drive(common::pipeline());
        let seen = commits(&pipeline.read(Sleeper));
        let running = pipeline.start().unwrap();
        assert_eq!(next(&seen).updates, [(Number { n: 1 }, 1)]);
        assert_eq!(clock.advance_to_next(), HOUR);
        assert_eq!(next(&seen).updates, [(Number { n: 2 }, 1)]);
        within(move || running.join()).unwrap();
    }
}
