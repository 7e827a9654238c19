//! What a table that was computed can do.

use pathway_io::dataflow::{Workers, compute};
use pathway_io::{Schema, Subject};
use serde::{Deserialize, Serialize};

use crate::common::{Seen, commits, next, pipeline, run, run_on, source};

/// A row that has the engine's traits by derives of its own.
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
fn one_table_is_computed_on_again_and_again() {
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
