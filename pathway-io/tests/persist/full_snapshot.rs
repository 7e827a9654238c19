//! Sources that push their whole table each time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pathway_io::{Restart, RunResult, csv};

use crate::common::{Cat, Subject, TempDir, cat, run, source};
use crate::restart::{options, persistent, rows};

fn run_snapshot(
    directory: &TempDir,
    push: impl FnMut(Subject<Cat>) -> RunResult + Send + 'static,
) -> pathway_io::Result<pathway_io::Summary> {
    let pipeline = persistent(directory);
    let cats = pipeline.read_with(source(push), options("cats").full_snapshot().backlog(2));
    csv::write(&cats, directory.path("cats.csv"));
    run(pipeline)
}

// Contract 9.7
#[test]
fn only_differences_are_written_in_one_commit() {
    let directory = TempDir::new();
    let send = |cats: Vec<Cat>| {
        let expected = u64::from(!cats.is_empty());
        let cats = Arc::new(Mutex::new(cats));
        let summary = run_snapshot(&directory, move |subject| {
            for cat in cats.lock().unwrap().drain(..) {
                subject.next(cat)?;
                // A manual commit does not split the snapshot.
                subject.commit()?;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(summary.sources[0].commits, expected);
    };
    send(vec![cat(1, "felis"), cat(2, "lynx"), cat(3, "puma"), cat(1, "leo")]);
    let mut expected = vec!["1,leo 1", "2,lynx 1", "3,puma 1"];
    assert_eq!(rows(&directory, "cats.csv"), expected);
    send(vec![cat(3, "puma"), cat(1, "leo"), cat(2, "lynx")]);
    assert_eq!(rows(&directory, "cats.csv"), expected);
    send(vec![cat(4, "uncia"), cat(2, "caracal"), cat(3, "puma")]);
    expected.extend(["4,uncia 1", "2,lynx -1", "2,caracal 1", "1,leo -1"]);
    assert_eq!(rows(&directory, "cats.csv"), expected);
    // An empty table is a snapshot too.
    send(Vec::new());
    assert_eq!(rows(&directory, "cats.csv").len(), expected.len() + 3);
    send(vec![cat(9, "new")]);
    assert_eq!(rows(&directory, "cats.csv").last().unwrap(), "9,new 1");
}

// Contract 9.7
#[test]
fn an_incomplete_snapshot_retracts_nothing() {
    let directory = TempDir::new();
    run_snapshot(&directory, |cats| {
        cats.next(cat(1, "felis"))?;
        Ok(cats.next(cat(2, "lynx"))?)
    })
    .unwrap();
    run_snapshot(&directory, |cats| {
        cats.next(cat(1, "changed"))?;
        Err("torn".into())
    })
    .unwrap_err();
    let pipeline = persistent(&directory);
    let stop = pipeline.stop_handle();
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat>| {
            cats.next(cat(1, "changed"))?;
            stop.stop();
            Ok(cats.wait_closed()?)
        }),
        options("cats").full_snapshot(),
    );
    csv::write(&cats, directory.path("cats.csv"));
    run(pipeline).unwrap();
    assert_eq!(rows(&directory, "cats.csv"), ["1,felis 1", "2,lynx 1"]);
    // A failed attempt retracts nothing either, if the next attempt pushes the whole table.
    let pipeline = persistent(&directory);
    let restart = Restart::backoff(Duration::ZERO..Duration::ZERO);
    let mut attempt = 0;
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat>| {
            attempt += 1;
            cats.next(cat(if attempt == 1 { 9 } else { 1 }, "felis"))?;
            if attempt == 1 {
                return Err("torn".into());
            }
            Ok(cats.next(cat(2, "lynx"))?)
        }),
        options("cats").full_snapshot().restart(restart),
    );
    csv::write(&cats, directory.path("cats.csv"));
    run(pipeline).unwrap();
    assert_eq!(rows(&directory, "cats.csv"), ["1,felis 1", "2,lynx 1"]);
    // A source that never ran retracts nothing.
    let pipeline = persistent(&directory);
    pipeline.stop_handle().stop();
    let cats = pipeline.read_with(source(|_: Subject<Cat>| Ok(())), options("cats").full_snapshot());
    csv::write(&cats, directory.path("cats.csv"));
    run(pipeline).unwrap();
    assert_eq!(rows(&directory, "cats.csv"), ["1,felis 1", "2,lynx 1"]);
}
