//! Failures of computations: the run ends with an error that names the part that failed.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use pathway_io::dataflow::differential_dataflow::operators::Iterate;
use pathway_io::dataflow::{Collection, Workers, compute};
use pathway_io::{Commit, Error, FailureKind, ReadOptions, RunResult, Schema, Sink, Stop, Subject};

use crate::common::{DEADLINE, commits, next, pipeline, run, run_on, source, within};

#[derive(Schema)]
#[schema(dataflow)]
struct Number {
    n: u64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Count {
    #[schema(primary_key)]
    n: u64,
    times: i64,
}

fn count(numbers: Collection<'_, Number>) -> Collection<'_, Count> {
    numbers.map(|number| number.n).count().map(|(n, times)| Count { n, times: times as i64 })
}

/// Pushes numbers until the subject is closed.
fn endless(numbers: &Subject<Number>) -> RunResult {
    for n in 0.. {
        numbers.next(Number { n: n % 100 })?;
        if n % 10 == 0 {
            numbers.commit()?;
        }
    }
    Ok(())
}

#[test]
fn a_panic_in_an_operator_names_the_computation() {
    for workers in [1, 2, 4] {
        let pipeline = pipeline();
        let numbers = pipeline.read(source(|numbers: Subject<Number>| endless(&numbers)));
        let fine = numbers.compute(count);
        let counts = numbers.compute(|numbers| {
            numbers.map(|number| {
                assert!(number.n != 77, "no 77");
                Count { n: number.n, times: 1 }
            })
        });
        let _commits = (commits(&fine), commits(&counts));
        let error = run_on(pipeline, Workers::threads(workers)).unwrap_err();
        assert_eq!(error.to_string(), "computation `Count` panicked in an operator: no 77");
        assert_eq!(error.others().len(), 0, "{error:?}");
        assert_eq!(error.summary().unwrap().stop, Some(Stop::Failure));
    }
}

#[test]
fn a_panic_after_an_exchange_names_the_computation() {
    for workers in [1, 3] {
        let pipeline = pipeline();
        let numbers = pipeline.read(source(|numbers: Subject<Number>| endless(&numbers)));
        let counts = numbers.compute(|numbers| {
            numbers
                .map(|number| (number.n, ()))
                .reduce(|n, _, output| {
                    assert!(*n != 55, "no 55");
                    output.push(((), 1));
                })
                .map(|(n, ())| Count { n, times: 1 })
        });
        let _commits = commits(&counts);
        let error = run_on(pipeline, Workers::threads(workers)).unwrap_err();
        assert_eq!(error.to_string(), "computation `Count` panicked in an operator: no 55");
    }
}

#[test]
fn a_panic_while_a_computation_is_built_prevents_the_start_of_the_sources() {
    for workers in [1, 2] {
        let (entered, was_entered) = mpsc::channel();
        let pipeline = pipeline();
        let numbers = pipeline.read(source(move |_: Subject<Number>| Ok(entered.send(())?)));
        let counts = numbers.compute(|_| -> Collection<'_, Count> { panic!("not today") });
        let _commits = commits(&counts);
        let error = run_on(pipeline, Workers::threads(workers)).unwrap_err();
        assert!(matches!(&error, Error::Computation(failure) if failure.name() == "Count"), "{error}");
        assert!(error.to_string().ends_with(": not today"), "{error}");
        assert!(was_entered.try_recv().is_err());
    }
}

#[test]
fn a_stop_drains_the_commits() {
    for workers in [1, 2] {
        let pipeline = pipeline();
        let numbers = pipeline.read(source(|numbers: Subject<Number>| endless(&numbers)));
        let counts = commits(&numbers.compute(count));
        let running = pipeline.start_on(Workers::threads(workers)).unwrap();
        let first = next(&counts);
        running.stop();
        let summary = within(move || running.join()).unwrap();
        assert_eq!(summary.stop, Some(Stop::Handle));
        // At the end, every row has been counted exactly once.
        let updates = std::iter::once(first).chain(counts.try_iter()).flat_map(|commit| commit.updates);
        let counted: i64 = updates.map(|(row, diff)| row.times * diff).sum();
        assert_eq!(counted, summary.rows() as i64);
    }
}

#[test]
fn rows_of_a_failed_source_are_counted() {
    let pipeline = pipeline();
    let numbers = pipeline.read(source(|numbers: Subject<Number>| {
        numbers.next(Number { n: 7 })?;
        Err("broken".into())
    }));
    let counts = commits(&numbers.compute(count));
    let error = run(pipeline).unwrap_err();
    assert!(matches!(&error, Error::Connector(_)), "{error}");
    assert_eq!(next(&counts).updates, [(Count { n: 7, times: 1 }, 1)]);
}

struct Broken;

impl Sink<Count> for Broken {
    fn write(&mut self, _commit: &Commit<Count>) -> RunResult {
        Err("disk full".into())
    }
}

#[test]
fn a_failing_sink_ends_the_run_and_has_the_name_of_its_table() {
    let pipeline = pipeline();
    let numbers = pipeline.read(source(|numbers: Subject<Number>| endless(&numbers)));
    numbers.compute(count).write_to(Broken);
    let error = run(pipeline).unwrap_err();
    assert_eq!(error.to_string(), "sink `Count` failed: disk full");
}

#[test]
fn a_computation_that_does_not_end_is_abandoned_and_named() {
    let (entered, was_entered) = mpsc::channel();
    let pipeline = pipeline();
    pipeline.grace_period(Duration::from_millis(100));
    let numbers = pipeline.read(source(|numbers: Subject<Number>| endless(&numbers)));
    let counts = numbers.compute(move |numbers| {
        let entered = entered.clone();
        numbers.map(move |number| -> Count {
            // The receiver is dropped after the first message.
            let _ = entered.send(number.n);
            loop {
                std::thread::park();
            }
        })
    });
    let _commits = commits(&counts);
    let running = pipeline.start().unwrap();
    next(&was_entered);
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    let all = std::iter::once(&error).chain(error.others());
    let abandoned = all.filter(|error| {
        matches!(error, Error::Computation(failure)
            if failure.name() == "Count" && matches!(failure.kind(), FailureKind::TimedOut { .. }))
    });
    assert_eq!(abandoned.count(), 1, "{error:?}");
}

#[test]
fn an_endless_loop_is_named_and_ends_after_the_grace_period() {
    for workers in [1, 2] {
        let (entered, was_entered) = mpsc::channel();
        let pipeline = pipeline();
        pipeline.grace_period(Duration::from_millis(100));
        let numbers = pipeline.read(source(|numbers: Subject<Number>| {
            numbers.next(Number { n: 0 })?;
            numbers.commit()?;
            Ok(numbers.wait_closed()?)
        }));
        let greater = numbers.compute(move |numbers| {
            let entered = entered.clone();
            numbers.iterate(move |_, numbers| {
                numbers.map(move |number| {
                    // The receiver is dropped after the first message.
                    let _ = entered.send(number.n);
                    Number { n: number.n + 1 }
                })
            })
        });
        let _commits = commits(&greater);
        let running = pipeline.start_on(Workers::threads(workers)).unwrap();
        drop((numbers, greater));
        next(&was_entered);
        running.stop();
        let error = within(move || running.join()).unwrap_err();
        let abandoned = "computation `Number` did not finish within the grace period and was abandoned";
        assert_eq!(error.to_string(), abandoned);
        assert_eq!(error.others().len(), 0, "{error:?}");
        // The worker ends and drops the closures with everything that they captured.
        let deadline = Instant::now() + DEADLINE;
        while was_entered.recv_timeout(DEADLINE).is_ok() {
            assert!(Instant::now() < deadline, "the worker still runs after the deadline");
        }
        assert!(Instant::now() < deadline, "the closure was not dropped before the deadline");
    }
}

#[test]
fn only_the_busy_sink_is_named_and_not_the_parts_that_wait_for_it() {
    let (entered, was_entered) = mpsc::channel::<()>();
    let pipeline = pipeline();
    pipeline.grace_period(Duration::from_secs(2));
    // The backlog is small, so that no other part is busy for long.
    let few = ReadOptions::new().backlog(10);
    let numbers = pipeline.read_with(source(|numbers: Subject<Number>| endless(&numbers)), few);
    let counts = numbers.compute(count);
    let mut waiting = Some(entered);
    counts.subscribe_commits(move |_| {
        drop(waiting.take());
        loop {
            std::thread::park();
        }
    });
    let _commits = (commits(&counts), commits(&numbers));
    let running = pipeline.start_on(Workers::threads(2)).unwrap();
    was_entered.recv_timeout(DEADLINE).unwrap_err();
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    assert!(error.to_string().starts_with("sink `Count` did not finish"), "{error}");
    assert_eq!(error.others().len(), 0, "{error:?}");
}

#[test]
fn a_panic_payload_may_panic_when_it_is_dropped() {
    struct Thrown;

    impl Drop for Thrown {
        fn drop(&mut self) {
            panic!("again");
        }
    }

    let pipeline = pipeline();
    let numbers = pipeline.read(source(|numbers: Subject<Number>| endless(&numbers)));
    let counts = numbers.compute(|numbers| numbers.map(|_| -> Count { std::panic::panic_any(Thrown) }));
    let _commits = commits(&counts);
    let error = run_on(pipeline, Workers::threads(2)).unwrap_err();
    assert!(error.to_string().starts_with("computation `Count` panicked in an operator"), "{error}");
    let abandoned = error.others().iter().any(|error| error.to_string().contains("abandoned"));
    assert!(!abandoned, "{error:?}");
}

#[test]
fn a_receiver_of_results_ends_if_the_pipeline_is_not_started() {
    let pipeline = pipeline();
    let numbers = pipeline.read(source(|numbers: Subject<Number>| endless(&numbers)));
    let counts = numbers.compute(count);
    let received = counts.commits(1);
    drop(pipeline);
    assert!(received.recv_timeout(DEADLINE).unwrap_err().is_disconnected());
}

#[test]
fn tables_of_two_pipelines_cannot_be_computed_together() {
    let (one, other) = (pipeline(), pipeline());
    let numbers = one.read(source(|_: Subject<Number>| Ok(())));
    let others = other.read(source(|_: Subject<Number>| Ok(())));
    let _both = compute((&numbers, &others), |_, (numbers, others)| count(numbers.concat(others)));
    let error = run(one).unwrap_err();
    assert_eq!(
        error.to_string(),
        "computation `Count` failed: it reads tables of two pipelines\nhelp: read all of its tables with one `Pipeline`"
    );
}

#[test]
#[should_panic(expected = "its pipeline has been started or dropped")]
fn a_computation_cannot_be_added_after_the_start() {
    let pipeline = pipeline();
    let numbers = pipeline.read(source(|_: Subject<Number>| Ok(())));
    run(pipeline).unwrap();
    let _counts = numbers.compute(count);
}

/// A run whose computation panics.
#[cfg(target_os = "linux")]
fn run_to_a_panic(workers: usize) {
    let pipeline = pipeline();
    let numbers = pipeline.read(source(|numbers: Subject<Number>| Ok(numbers.next(Number { n: 1 })?)));
    let counts = numbers.compute(|numbers| numbers.map(|number| -> Count { panic!("no {}", number.n) }));
    counts.subscribe(|_| ());
    let error = run_on(pipeline, Workers::threads(workers)).unwrap_err();
    assert!(error.to_string().ends_with("panicked in an operator: no 1"), "{error}");
}

/// The stack of a thread that is never joined stays mapped. Other tests run in this process, so another one measures.
#[cfg(target_os = "linux")]
#[test]
fn runs_that_panic_leave_no_threads_and_no_mappings() {
    const CHILD: &str = "PATHWAY_IO_TEST_LEAK";
    let usage = || {
        let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
        (threads, std::fs::read_to_string("/proc/self/maps").unwrap().lines().count())
    };
    if std::env::var_os(CHILD).is_some() {
        (0..20).for_each(|_| run_to_a_panic(2));
        let (threads, mappings) = usage();
        (0..200).for_each(|_| run_to_a_panic(2));
        let (threads_after, mappings_after) = usage();
        println!("threads: {threads} to {threads_after}, mappings: {mappings} to {mappings_after}");
        assert!(threads_after <= threads + 4 && mappings_after <= mappings + 40);
        return;
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "failures::runs_that_panic_leave_no_threads_and_no_mappings", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    println!("{said}");
    assert!(child.status.success() && said.contains("mappings: "), "{said}");
}
