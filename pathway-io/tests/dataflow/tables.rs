//! The operations on a derived table.

use std::sync::mpsc;
use std::time::Duration;

use pathway_io::dataflow::{Workers, compute};
use pathway_io::{Commit, ReadOptions, RunResult, Schema, Sink, SinkOptions, Subject, csv};
use serde::{Deserialize, Serialize};

use crate::common::{Seen, TempDir, commits, next, pipeline, run, run_on, source, within};

/// A row that derives the required traits itself.
#[derive(Schema, Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

#[derive(Schema, Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct GenusCount {
    #[schema(primary_key)]
    genus: String,
    n: i64,
}

fn cat(key: i64, genus: &str) -> Cat {
    Cat { key, genus: genus.into() }
}

fn count(genus: &str, n: i64) -> GenusCount {
    GenusCount { genus: genus.into(), n }
}

#[test]
fn a_count_follows_its_table() {
    let pipeline = pipeline();
    let cats = pipeline.read(source(|cats: Subject<Cat>| {
        cats.next(cat(1, "felis"))?;
        cats.next(cat(2, "felis"))?;
        cats.commit()?;
        cats.next(cat(2, "lynx"))?;
        cats.commit()?;
        cats.remove(1)?;
        Ok(())
    }));
    let counts =
        cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
    let commits = commits(&counts);
    run(pipeline).unwrap();
    let updates: Vec<_> = commits.try_iter().map(|Seen { updates, .. }| updates).collect();
    assert_eq!(
        updates,
        [
            vec![(count("felis", 2), 1)],
            vec![(count("felis", 2), -1), (count("felis", 1), 1), (count("lynx", 1), 1)],
            vec![(count("felis", 1), -1)],
        ]
    );
}

#[test]
fn an_inline_sink_of_a_computed_table_gets_each_result() {
    struct Results(mpsc::Sender<Vec<(GenusCount, i64)>>);
    impl Sink<GenusCount> for Results {
        fn write(&mut self, commit: &Commit<GenusCount>) -> RunResult {
            Ok(self.0.send(commit.iter().map(|update| (update.row, update.diff)).collect())?)
        }
    }
    let pipeline = pipeline();
    let cats = pipeline.read(source(|cats: Subject<Cat>| {
        for key in 1..=50 {
            cats.next(cat(key, "felis"))?;
            cats.commit()?;
        }
        Ok(())
    }));
    let counts =
        cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
    let (sender, results) = mpsc::channel();
    counts.write_to_with(Results(sender), SinkOptions::new().inline(true));
    run(pipeline).unwrap();
    let results: Vec<_> = results.iter().collect();
    assert_eq!((results.len(), &results[0]), (50, &vec![(count("felis", 1), 1)]));
    for (result, n) in results[1..].iter().zip(1..) {
        assert_eq!(result, &[(count("felis", n), -1), (count("felis", n + 1), 1)]);
    }
}

#[test]
fn several_computations_read_one_table_and_each_other() {
    for threads in [1, 2, 3] {
        let pipeline = pipeline();
        let cats = pipeline.read(source(|cats: Subject<Cat>| {
            for key in 0..20 {
                cats.next(cat(key, if key % 3 == 0 { "felis" } else { "lynx" }))?;
            }
            Ok(())
        }));
        let counts =
            cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
        let total = counts.compute(|counts| {
            counts.map(|_| ()).count().map(|((), n)| GenusCount { genus: "all".into(), n: n as i64 })
        });
        let both = compute((&counts, &total, &cats), |_scope, (counts, total, cats)| {
            counts.concat(total).concat(cats.map(|cat| GenusCount { genus: "a cat".into(), n: cat.key }))
        });
        let (counts, both) = (commits(&counts), commits(&both));
        run_on(pipeline, Workers::threads(threads)).unwrap();
        let (counts, both) = (next(&counts), next(&both));
        assert_eq!(counts.updates, [(count("felis", 7), 1), (count("lynx", 13), 1)]);
        assert_eq!(counts.time, both.time);
        let mut expected: Vec<_> = (0..20).map(|key| (count("a cat", key), 1)).collect();
        expected.extend([(count("all", 2), 1), (count("felis", 7), 1), (count("lynx", 13), 1)]);
        assert_eq!(both.updates, expected);
    }
}

#[test]
fn each_worker_can_write_its_own_file() {
    let dir = TempDir::new();
    let pipeline = pipeline();
    let cats = pipeline.read(source(|cats: Subject<Cat>| {
        for key in 0..40 {
            cats.next(cat(key, &format!("genus {}", key % 20)))?;
        }
        cats.commit()?;
        cats.remove(0)?;
        Ok(())
    }));
    let counts =
        cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
    csv::write_with(&counts, dir.path("counts.csv"), csv::Options::default().per_worker());
    csv::write(&counts, dir.path("all.csv"));
    csv::write_with(&cats, dir.path("cats.csv"), csv::Options::new().per_worker());
    run_on(pipeline, Workers::threads(3)).unwrap();

    let lines = |name: &str| -> Vec<String> {
        let text = std::fs::read_to_string(dir.path(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let mut parts = Vec::new();
    for worker in 0..3 {
        let part = lines(&format!("counts.{worker}.csv"));
        assert_eq!(part[0], "genus,n,time,diff");
        assert!(part.len() > 1, "worker {worker} received none of the twenty groups");
        parts.extend(part.into_iter().skip(1));
    }
    let mut all: Vec<String> = lines("all.csv").into_iter().skip(1).collect();
    assert_eq!(all.len(), 22);
    parts.sort();
    all.sort();
    assert_eq!(parts, all);
    // A source that is not partitioned belongs to the first worker.
    assert_eq!([lines("cats.0.csv").len(), lines("cats.1.csv").len(), lines("cats.2.csv").len()], [42, 1, 1]);
}

#[test]
fn an_idle_source_does_not_delay_other_results() {
    let pipeline = pipeline();
    let cats = pipeline.read(source(|cats: Subject<Cat>| {
        cats.next(cat(1, "felis"))?;
        cats.commit()?;
        cats.wait_closed()?;
        Ok(())
    }));
    let silent = pipeline.read(source(|cats: Subject<Cat>| Ok(cats.wait_closed()?)));
    let both = commits(&compute((&cats, &silent), |_, (cats, silent)| cats.concat(silent).distinct()));
    let running = pipeline.start_on(Workers::threads(2)).unwrap();
    assert_eq!(next(&both).updates, [(cat(1, "felis"), 1)]);
    running.stop();
    within(move || running.join()).unwrap();
}

/// After the row of the busy source, only its autocommit happens.
#[test]
fn a_join_with_an_idle_source_appears_at_the_autocommit_of_the_busy_one() {
    for threads in [1, 2] {
        let pipeline = pipeline();
        let silent = pipeline.read(source(|counts: Subject<GenusCount>| {
            counts.next(count("felis", 7))?;
            counts.commit()?;
            Ok(counts.wait_closed()?)
        }));
        let known = commits(&silent);
        let busy = source(move |cats: Subject<Cat>| {
            next(&known);
            cats.next(cat(1, "felis"))?;
            Ok(cats.wait_closed()?)
        });
        let busy = pipeline.read_with(busy, ReadOptions::new().autocommit(Duration::from_millis(20)));
        let both = compute((&busy, &silent), |_, (cats, counts)| {
            let cats = cats.map(|cat| (cat.genus, cat.key));
            let counts = counts.map(|count| (count.genus, count.n));
            cats.join_map(counts, |genus, key, n| GenusCount { genus: genus.clone(), n: key + n })
        });
        let both = commits(&both);
        let running = pipeline.start_on(Workers::threads(threads)).unwrap();
        assert_eq!(next(&both).updates, [(count("felis", 8), 1)]);
        running.stop();
        within(move || running.join()).unwrap();
    }
}

#[test]
fn one_computation_reads_eight_tables() {
    for threads in [1, 2] {
        let pipeline = pipeline();
        let tables = [0, 1, 2, 3, 4, 5, 6, 7]
            .map(|key| pipeline.read(source(move |cats: Subject<Cat>| Ok(cats.next(cat(key, "felis"))?))));
        let [a, b, c, d, e, f, g, h] = &tables;
        let all = compute((a, b, c, d, e, f, g, h), |_scope, (a, b, c, d, e, f, g, h)| {
            [b, c, d, e, f, g, h].into_iter().fold(a, |all, one| all.concat(one))
        });
        let all = commits(&all);
        run_on(pipeline, Workers::threads(threads)).unwrap();
        let mut keys: Vec<i64> = all.try_iter().flat_map(|commit| commit.updates).map(|(cat, _)| cat.key).collect();
        keys.sort_unstable();
        assert_eq!(keys, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}

#[test]
fn a_small_backlog_and_a_slow_sink_lose_nothing() {
    let pipeline = pipeline();
    let source = source(|cats: Subject<Cat>| {
        for key in 0..500 {
            cats.next(cat(key, "felis"))?;
        }
        Ok(())
    });
    let cats = pipeline.read_with(source, ReadOptions::new().backlog(2).autocommit(None));
    let total =
        cats.compute(|cats| cats.map(|_| ()).count().map(|((), n)| GenusCount { genus: "all".into(), n: n as i64 }));
    let updates = total.commits(1);
    let running = pipeline.start_on(Workers::threads(2)).unwrap();
    let last = within(move || updates.iter().last().unwrap());
    assert!(last.iter().any(|update| update.row.n == 500 && update.diff == 1), "{last:?}");
    within(move || running.join()).unwrap();
}
