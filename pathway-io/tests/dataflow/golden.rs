//! Compares results row for row with files that Pathway wrote for the same pushes. Times in the files are replaced by
//! ranks.

use pathway_io::dataflow::{Workers, compute};
use pathway_io::{Schema, Subject, Table, csv};

use crate::common::{TempDir, pipeline, ranked, run_on, source};

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct GenusCount {
    #[schema(primary_key)]
    genus: String,
    n: i64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Weight {
    #[schema(primary_key)]
    key: i64,
    weight: f64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Weighed {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    weight: f64,
}

fn cat(key: i64, genus: &str) -> Cat {
    Cat { key, genus: genus.into() }
}

/// Returns the CSV that a table produces on several workers. `table` adds the table to the pipeline.
fn written<S: Schema>(workers: usize, table: impl Fn(&pathway_io::Pipeline) -> Table<S>) -> Vec<Vec<String>> {
    let dir = TempDir::new();
    let path = dir.path("output.csv");
    let pipeline = pipeline();
    csv::write(&table(&pipeline), &path);
    run_on(pipeline, Workers::threads(workers)).unwrap();
    ranked(&std::fs::read_to_string(&path).unwrap())
}

#[test]
fn groupby_count_updates() {
    for workers in [1, 2] {
        let ours = written(workers, |pipeline| {
            let cats = pipeline.read(source(|cats: Subject<Cat>| {
                for (key, genus) in [(1, "felis"), (2, "lynx"), (3, "felis"), (4, "felis")] {
                    cats.next(cat(key, genus))?;
                    cats.commit()?;
                }
                Ok(())
            }));
            cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }))
        });
        assert_eq!(ours, ranked(include_str!("../goldens/groupby_count_updates.csv")));
    }
}

#[test]
fn two_subjects_join() {
    for workers in [1, 2] {
        let ours = written(workers, |pipeline| {
            let (cats, weights) = pipeline.read(source(|(cats, weights): (Subject<Cat>, Subject<Weight>)| {
                for key in 1..=2 {
                    cats.next(cat(key, &format!("g{key}")))?;
                    weights.next(Weight { key, weight: key as f64 / 2.0 })?;
                }
                Ok(())
            }));
            compute((&cats, &weights), |_scope, (cats, weights)| {
                let weights = weights.map(|weight| (weight.key, weight));
                cats.map(|cat| (cat.key, cat.genus)).join_map(weights, |key, genus, weight| Weighed {
                    key: *key,
                    genus: genus.clone(),
                    weight: weight.weight,
                })
            })
        });
        assert_eq!(ours, ranked(include_str!("../goldens/two_subjects_join.csv")));
    }
}
