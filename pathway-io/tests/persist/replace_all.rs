//! Transactions that are whole tables, over restarts.

use std::time::Duration;

use pathway_io::{Restart, RunResult, Summary, csv};

use crate::common::{Cat, Subject, TempDir, cat, run, source};
use crate::restart::{options, persistent, rows};

type Subjects = (Subject<Cat, u64>, Subject<Cat, u64>);

fn run_twins(
    directory: &TempDir,
    push: impl FnMut(Subjects) -> RunResult + Send + 'static,
) -> pathway_io::Result<Summary> {
    let pipeline = persistent(directory);
    let options = options("cats").restart(Restart::backoff(Duration::ZERO..Duration::ZERO).attempts(2));
    let (cats, dogs) = pipeline.read_with(source(push), options);
    csv::write(&cats, directory.path("cats.csv"));
    csv::write(&dogs, directory.path("dogs.csv"));
    run(pipeline)
}

/// Commits both tables as one whole.
fn replace((cats, dogs): &Subjects, offset: u64, rows: &[(i64, &str)]) -> RunResult {
    let all = cats.transaction().replace_all();
    let of_dogs = all.with(dogs).replace_all();
    for &(key, genus) in rows {
        all.next(cat(key, genus))?;
        of_dogs.next(cat(-key, genus))?;
    }
    Ok(all.commit_at(offset)?)
}

// Contract 3.6
#[test]
fn a_restart_compares_with_the_rows_of_the_run_before() {
    let directory = TempDir::new();
    run_twins(&directory, |twins| replace(&twins, 1, &[(1, "felis"), (2, "lynx")])).unwrap();
    let mut attempts = 0;
    run_twins(&directory, move |twins| {
        attempts += 1;
        assert_eq!(twins.0.resume(), Some(attempts));
        replace(&twins, attempts + 1, &[(2, "lynx"), (2 + attempts as i64, "puma")])?;
        // A transaction that is open when the attempt fails retracts nothing.
        let torn = twins.0.transaction().replace_all();
        torn.next(cat(9, "torn"))?;
        if attempts == 1 { Err("lost".into()) } else { Ok(()) }
    })
    .unwrap();
    run_twins(&directory, |twins| {
        assert_eq!(twins.0.resume(), Some(3));
        Ok(twins.1.transaction().replace_all().commit_at(4)?)
    })
    .unwrap();
    let expected = ["1,felis 1", "2,lynx 1", "3,puma 1", "1,felis -1", "4,puma 1", "3,puma -1"];
    assert_eq!(rows(&directory, "cats.csv"), expected);
    let of_dogs = ["-1,felis 1", "-2,lynx 1", "-3,puma 1", "-1,felis -1", "-4,puma 1", "-3,puma -1"];
    let mut dogs = rows(&directory, "dogs.csv");
    // A last commit retracts both rows, in any order.
    dogs[of_dogs.len()..].sort_unstable();
    assert_eq!(dogs[..of_dogs.len()], of_dogs);
    assert_eq!(dogs[of_dogs.len()..], ["-2,lynx -1", "-4,puma -1"]);
}

#[test]
fn a_replacement_after_the_last_offset_is_dropped_with_a_failure() {
    let directory = TempDir::new();
    run_twins(&directory, |twins| replace(&twins, 1, &[(1, "felis"), (2, "lynx")])).unwrap();
    run_twins(&directory, |(cats, dogs)| {
        cats.next_at(2, cat(3, "puma"))?;
        let all = cats.transaction().replace_all();
        all.with(&dogs).replace_all();
        all.commit()?;
        Err("lost".into())
    })
    .unwrap_err();
    assert_eq!(rows(&directory, "cats.csv"), ["1,felis 1", "2,lynx 1", "3,puma 1"]);
    assert_eq!(rows(&directory, "dogs.csv"), ["-1,felis 1", "-2,lynx 1"]);
    // The end of a run that returns is an offset for all.
    run_twins(&directory, |(cats, dogs)| {
        let all = cats.transaction();
        all.with(&dogs).replace_all();
        Ok(all.commit()?)
    })
    .unwrap();
    assert_eq!(rows(&directory, "cats.csv").len(), 3);
    assert_eq!(rows(&directory, "dogs.csv").len(), 4);
}

#[test]
fn a_full_snapshot_can_start_again_by_a_replacement() {
    let directory = TempDir::new();
    let snapshot = |push: fn(Subject<Cat>) -> RunResult| {
        let pipeline = persistent(&directory);
        let cats = pipeline.read_with(source(push), options("cats").full_snapshot());
        csv::write(&cats, directory.path("cats.csv"));
        run(pipeline).unwrap();
    };
    snapshot(|cats| {
        cats.next(cat(1, "felis"))?;
        Ok(cats.next(cat(2, "lynx"))?)
    });
    snapshot(|cats| {
        cats.next(cat(2, "wrong"))?;
        cats.next(cat(3, "wrong"))?;
        let all = cats.transaction().replace_all();
        all.next(cat(4, "uncia"))?;
        all.commit()?;
        Ok(cats.next(cat(2, "lynx"))?)
    });
    assert_eq!(rows(&directory, "cats.csv"), ["1,felis 1", "2,lynx 1", "4,uncia 1", "1,felis -1"]);
}
