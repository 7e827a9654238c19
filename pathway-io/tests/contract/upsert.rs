//! Part 3 of the contract: with a primary key, a push is an upsert.

use pathway_io::{ReadOptions, RunResult, Schema};

use crate::common::{Cat, Number, Seen, Subject, cat, commits, pipeline, run, source, updates};

/// Returns the updates of each commit. Only manual commits are made.
fn output<S: Schema + Send>(run_source: impl FnMut(Subject<S>) -> RunResult + Send + 'static) -> Vec<Vec<(S, i64)>> {
    let pipeline = pipeline();
    let table = pipeline.read_with(source(run_source), ReadOptions::new().autocommit(None));
    let seen = commits(&table);
    run(pipeline).unwrap();
    seen.try_iter().map(|Seen { updates, .. }| updates).collect()
}

// Contract 3.1
#[test]
fn the_last_push_of_a_key_in_a_commit_wins() {
    let output = output(|cats: Subject<Cat>| {
        cats.next(cat(1, "a"))?;
        cats.next(cat(2, "b"))?;
        cats.next(cat(1, "c"))?;
        cats.remove(3)?;
        cats.next(cat(3, "d"))?;
        cats.next(cat(4, "e"))?;
        cats.remove(4)?;
        Ok(())
    });
    // Keys are in the order of their first push.
    assert_eq!(output, [[(cat(1, "c"), 1), (cat(2, "b"), 1), (cat(3, "d"), 1)]]);
}

// Contract 3.2
#[test]
fn a_changed_row_is_retracted_first_and_an_equal_one_makes_no_output() {
    let output = output(|cats: Subject<Cat>| {
        cats.next(cat(1, "a"))?;
        cats.next(cat(2, "b"))?;
        cats.next(cat(3, "c"))?;
        cats.commit()?;
        cats.next(cat(3, "x"))?;
        cats.next(cat(2, "b"))?;
        cats.next(cat(1, "y"))?;
        cats.commit()?;
        // A removal and a push of the same row within one commit cancel out.
        cats.remove(1)?;
        cats.next(cat(1, "y"))?;
        cats.next(cat(2, "z"))?;
        cats.next(cat(2, "b"))?;
        cats.commit()?;
        Ok(())
    });
    assert_eq!(
        output,
        [
            vec![(cat(1, "a"), 1), (cat(2, "b"), 1), (cat(3, "c"), 1)],
            vec![(cat(3, "c"), -1), (cat(3, "x"), 1), (cat(1, "a"), -1), (cat(1, "y"), 1)],
        ]
    );
}

// Contract 3.3
#[test]
fn a_removal_retracts_the_row_and_ignores_an_absent_key() {
    let output = output(|cats: Subject<Cat>| {
        cats.next(cat(1, "a"))?;
        cats.remove(2)?;
        cats.commit()?;
        cats.remove(1)?;
        cats.remove(1)?;
        cats.commit()?;
        cats.remove(1)?;
        cats.commit()?;
        cats.next(cat(1, "a"))?;
        Ok(())
    });
    assert_eq!(output, [[(cat(1, "a"), 1)], [(cat(1, "a"), -1)], [(cat(1, "a"), 1)]]);
}

#[derive(Schema, Debug, Clone)]
struct Weight {
    #[schema(primary_key)]
    key: u8,
    kg: f64,
    error: Option<f32>,
}

// Contract 3.2
#[test]
fn floats_are_compared_by_their_bits() {
    let nan = f64::NAN;
    let other_nan = f64::from_bits(nan.to_bits() ^ 1);
    assert!(other_nan.is_nan());
    let output = output(move |weights: Subject<Weight>| {
        for kg in [nan, nan, other_nan, 0.0, -0.0, -0.0] {
            weights.next(Weight { key: 1, kg, error: None })?;
            weights.commit()?;
        }
        weights.next(Weight { key: 1, kg: -0.0, error: Some(0.0) })?;
        Ok(())
    });
    let bits: Vec<Vec<(u64, Option<u32>, i64)>> = output
        .iter()
        .map(|commit| {
            let updates = commit.iter();
            updates.map(|(row, diff)| (row.kg.to_bits(), row.error.map(f32::to_bits), *diff)).collect()
        })
        .collect();
    let (nan, other_nan, zero, minus) = (nan.to_bits(), other_nan.to_bits(), 0, (-0.0f64).to_bits());
    assert_eq!(
        bits,
        [
            vec![(nan, None, 1)],
            vec![(nan, None, -1), (other_nan, None, 1)],
            vec![(other_nan, None, -1), (zero, None, 1)],
            vec![(zero, None, -1), (minus, None, 1)],
            vec![(minus, None, -1), (minus, Some(0), 1)],
        ]
    );
    assert_eq!(output[0][0].0.key, 1);
}

#[derive(Schema, Debug, Clone, PartialEq)]
struct Vote {
    #[schema(primary_key)]
    user: String,
    choice: bool,
    #[schema(primary_key)]
    poll: u32,
}

#[test]
fn a_key_of_two_columns_is_a_tuple_in_column_order() {
    let vote = |user: &str, poll, choice| Vote { user: user.into(), choice, poll };
    let output = output(move |votes: Subject<Vote>| {
        votes.next(vote("ann", 1, true))?;
        votes.next(vote("ann", 2, true))?;
        votes.next(vote("bob", 1, true))?;
        votes.commit()?;
        votes.remove(("ann".into(), 2))?;
        votes.next(vote("bob", 1, false))?;
        votes.remove(("bob".into(), 2))?;
        Ok(())
    });
    assert_eq!(output[1], [(vote("ann", 2, true), -1), (vote("bob", 1, true), -1), (vote("bob", 1, false), 1)]);
}

#[derive(Schema, Debug, Clone, PartialEq)]
#[schema(append_only)]
struct Event {
    #[schema(primary_key)]
    id: u32,
    what: u32,
}

// Contract 3.5
#[test]
fn an_append_only_table_keeps_no_state() {
    let output = output(|events: Subject<Event>| {
        events.next(Event { id: 1, what: 1 })?;
        events.next(Event { id: 1, what: 1 })?;
        events.commit()?;
        events.next(Event { id: 1, what: 2 })?;
        Ok(())
    });
    let event = |what| (Event { id: 1, what }, 1);
    assert_eq!(output, [vec![event(1), event(1)], vec![event(2)]]);
}

// Contract 3.4
#[test]
fn without_a_key_each_push_is_an_addition() {
    let output = output(|numbers: Subject<Number>| {
        for _ in 0..3 {
            numbers.next(Number { n: 1 })?;
        }
        Ok(())
    });
    assert_eq!(output, [[(Number { n: 1 }, 1); 3]]);
}

#[test]
fn many_upserts_of_one_key_in_one_transaction_make_one_row() {
    const UPSERTS: u32 = 100_000;
    let pipeline = pipeline();
    let table = pipeline.read(source(|events: Subject<Cat>| {
        let transaction = events.transaction();
        for n in 0..UPSERTS {
            transaction.next(cat(1, &n.to_string()))?;
        }
        transaction.commit()?;
        Ok(())
    }));
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    assert_eq!(updates(&seen), [(cat(1, "99999"), 1)]);
    assert_eq!((summary.sources[0].rows, summary.sources[0].commits), (u64::from(UPSERTS), 1));
}

/// There are more rows than a batch or a segment of the state holds. Many are replaced and removed, so that the state
/// is compacted.
#[test]
fn the_state_survives_its_compaction() {
    const KEYS: i64 = 10_000;
    let output = output(|cats: Subject<Cat>| {
        for round in 0..4 {
            for key in 0..KEYS {
                cats.next(cat(key, &format!("{key} {round}")))?;
            }
            cats.commit()?;
        }
        for key in (0..KEYS).filter(|key| key % 10 != 0) {
            cats.remove(key)?;
        }
        cats.commit()?;
        for key in 0..KEYS {
            cats.next(cat(key, &format!("{key} 3")))?;
        }
        Ok(())
    });
    assert_eq!(output.len(), 6);
    for (round, updates) in output.iter().enumerate().take(4).skip(1) {
        let expected = (0..KEYS).flat_map(|key| {
            [(cat(key, &format!("{key} {}", round - 1)), -1), (cat(key, &format!("{key} {round}")), 1)]
        });
        assert!(updates.iter().cloned().eq(expected), "round {round}");
    }
    let gone = || (0..KEYS).filter(|key| key % 10 != 0).map(|key| cat(key, &format!("{key} 3")));
    assert!(output[4].iter().cloned().eq(gone().map(|row| (row, -1))));
    assert!(output[5].iter().cloned().eq(gone().map(|row| (row, 1))));
}
