//! Upserts and removals feed computations. After every commit, each result must equal a batch recomputation from the
//! rows of the table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Receiver;

use pathway_io::dataflow::differential_dataflow::operators::Iterate;
use pathway_io::dataflow::{Collection, ResultRow, Workers, compute};
use pathway_io::{Schema, Subject};
use proptest::prelude::*;

use crate::common::{Seen, commits, pipeline, run_on, source};

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    #[schema(primary_key)]
    key: u8,
    genus: u8,
    weight: f32,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Edge {
    from: u8,
    to: u8,
}

/// A row of a result: its kind and its value.
#[derive(Schema)]
#[schema(dataflow)]
struct Found {
    of: u8,
    what: i64,
}

fn found(of: u8, what: i64) -> Found {
    Found { of, what }
}

/// A collection as a map from rows to their counts.
type Bag<S> = BTreeMap<S, i64>;

fn add<S: Ord + Clone>(bag: &mut Bag<S>, updates: &[(S, i64)]) {
    for (row, diff) in updates {
        let count = bag.entry(row.clone()).or_default();
        *count += diff;
        if *count == 0 {
            bag.remove(row);
        }
    }
}

fn bag(rows: impl IntoIterator<Item = Found>) -> Bag<Found> {
    let mut bag = Bag::new();
    add(&mut bag, &rows.into_iter().map(|row| (row, 1)).collect::<Vec<_>>());
    bag
}

fn by_genus(cats: &Bag<Cat>) -> BTreeMap<u8, Vec<i64>> {
    let mut groups: BTreeMap<u8, Vec<i64>> = BTreeMap::new();
    for cat in cats.keys() {
        groups.entry(cat.genus).or_default().push(i64::from(cat.key));
    }
    groups
}

/// Returns all nodes that can be reached from 0.
fn reached(edges: &Bag<Edge>) -> BTreeSet<u8> {
    let mut reached = BTreeSet::from([0]);
    let mut new = vec![0];
    while let Some(from) = new.pop() {
        for edge in edges.keys().filter(|edge| edge.from == from) {
            if reached.insert(edge.to) {
                new.push(edge.to);
            }
        }
    }
    reached
}

fn count(cats: Collection<'_, Cat>) -> Collection<'_, Found> {
    cats.map(|cat| cat.genus).count().map(|(genus, n)| found(genus, n as i64))
}

fn distinct(cats: Collection<'_, Cat>) -> Collection<'_, Found> {
    cats.map(|cat| cat.genus).distinct().map(|genus| found(genus, 0))
}

fn extremes(cats: Collection<'_, Cat>) -> Collection<'_, Found> {
    cats.map(|cat| (cat.genus, i64::from(cat.key)))
        .reduce(|_, keys, output| {
            output.push((*keys[0].0, 1));
            output.push((-*keys[keys.len() - 1].0, 1));
        })
        .map(|(genus, key)| found(genus, key))
}

fn top_two(cats: Collection<'_, Cat>) -> Collection<'_, Found> {
    cats.map(|cat| (cat.genus, i64::from(cat.key)))
        .reduce(|_, keys, output| output.extend(keys.iter().rev().take(2).map(|(key, _)| (**key, 1))))
        .map(|(genus, key)| found(genus, key))
}

fn join<'s>(cats: Collection<'s, Cat>, edges: Collection<'s, Edge>) -> Collection<'s, Found> {
    cats.map(|cat| (cat.key, cat.genus)).join_map(edges.map(|edge| (edge.from, edge.to)), |key, genus, to| {
        found(*key, i64::from(*genus) * 100 + i64::from(*to))
    })
}

fn reachable(edges: Collection<'_, Edge>) -> Collection<'_, Found> {
    let edges = edges.map(|edge| (edge.from, edge.to));
    let roots = edges.clone().map(|_| 0).distinct();
    roots
        .clone()
        .iterate(move |scope, reached| {
            let (edges, roots) = (edges.enter(scope), roots.enter(scope));
            reached.map(|node| (node, ())).join_map(edges, |_, (), to| *to).concat(roots).distinct()
        })
        .map(|node| found(node, 0))
}

/// Checks a derived table against its input table, at the time of each commit of the input.
fn check<S: ResultRow>(
    what: &str,
    input: &[Seen<S>],
    output: &Receiver<Seen<Found>>,
    batch: impl Fn(&Bag<S>) -> Bag<Found>,
) {
    let mut output = output.try_iter().peekable();
    let (mut table, mut results) = (Bag::new(), Bag::new());
    for commit in input {
        add(&mut table, &commit.updates);
        while let Some(commit) = output.next_if(|result| result.time <= commit.time) {
            let rows: BTreeSet<&Found> = commit.updates.iter().map(|(row, _)| row).collect();
            assert_eq!(rows.len(), commit.updates.len(), "{what} is not consolidated");
            assert!(commit.updates.is_sorted_by(|(a, _), (b, _)| a < b), "{what} is not sorted");
            add(&mut results, &commit.updates);
        }
        assert_eq!(results, batch(&table), "{what}");
    }
    assert_eq!(output.next().map(|commit| commit.updates), None);
}

#[derive(Debug, Clone)]
enum Op {
    Cat(u8, u8, f32),
    RemoveCat(u8),
    Edge(u8, u8),
    Commit,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..12u8, 0..4u8, 0..2u8).prop_map(|(key, genus, weight)| Op::Cat(key, genus, f32::from(weight))),
        2 => (0..12u8).prop_map(Op::RemoveCat),
        2 => (0..6u8, 0..6u8).prop_map(|(from, to)| Op::Edge(from, to)),
        2 => Just(Op::Commit),
    ]
}

/// The changes of a commit to cats and to edges.
type Changes = (Vec<(Cat, i64)>, Vec<(Edge, i64)>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_prefix_equals_a_batch_recomputation(ops in prop::collection::vec(op(), 0..60), workers in 1..4usize) {
        let pipeline = pipeline();
        let (cats, edges) = pipeline.read(source(move |(cats, edges): (Subject<Cat>, Subject<Edge>)| {
            for op in ops.clone() {
                match op {
                    Op::Cat(key, genus, weight) => cats.next(Cat { key, genus, weight })?,
                    Op::RemoveCat(key) => cats.remove(key)?,
                    Op::Edge(from, to) => edges.next(Edge { from, to })?,
                    Op::Commit => cats.commit()?,
                }
            }
            Ok(())
        }));
        let counts = commits(&cats.compute(count));
        let genera = commits(&cats.compute(distinct));
        let extremes = commits(&cats.compute(extremes));
        let top = commits(&cats.compute(top_two));
        let reachable = commits(&edges.compute(reachable));
        let joined = commits(&compute((&cats, &edges), |_, (cats, edges)| join(cats, edges)));
        let (cats, edges) = (commits(&cats), commits(&edges));
        run_on(pipeline, Workers::threads(workers)).unwrap();
        let (cats, edges): (Vec<Seen<Cat>>, Vec<Seen<Edge>>) = (cats.try_iter().collect(), edges.try_iter().collect());

        check("count", &cats, &counts, |cats| {
            bag(by_genus(cats).into_iter().map(|(genus, keys)| found(genus, keys.len() as i64)))
        });
        check("distinct", &cats, &genera, |cats| bag(by_genus(cats).into_keys().map(|genus| found(genus, 0))));
        check("extremes", &cats, &extremes, |cats| {
            bag(by_genus(cats).into_iter().flat_map(|(genus, keys)| {
                [found(genus, keys[0]), found(genus, -keys[keys.len() - 1])]
            }))
        });
        check("top two", &cats, &top, |cats| {
            let top = by_genus(cats).into_iter();
            bag(top.flat_map(|(genus, keys)| keys.into_iter().rev().take(2).map(move |key| found(genus, key))))
        });
        check("reachable", &edges, &reachable, |edges| {
            bag(if edges.is_empty() { BTreeSet::new() } else { reached(edges) }.into_iter().map(|node| found(node, 0)))
        });

        // The join changes with each of its two tables.
        let mut times: BTreeMap<u64, Changes> = BTreeMap::new();
        for commit in cats {
            times.entry(commit.time).or_default().0 = commit.updates;
        }
        for commit in edges {
            times.entry(commit.time).or_default().1 = commit.updates;
        }
        let mut joined = joined.try_iter().peekable();
        let (mut cats, mut edges, mut results) = (Bag::new(), Bag::new(), Bag::new());
        for (time, (of_cats, of_edges)) in times {
            add(&mut cats, &of_cats);
            add(&mut edges, &of_edges);
            while let Some(commit) = joined.next_if(|commit| commit.time <= time) {
                add(&mut results, &commit.updates);
            }
            let mut expected = Bag::new();
            for cat in cats.keys() {
                for (edge, n) in edges.iter().filter(|(edge, _)| edge.from == cat.key) {
                    add(&mut expected, &[(found(cat.key, i64::from(cat.genus) * 100 + i64::from(edge.to)), *n)]);
                }
            }
            prop_assert_eq!(&results, &expected);
        }
    }
}
