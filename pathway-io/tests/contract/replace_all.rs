//! A transaction that is the whole table.

use std::sync::mpsc;
use std::time::Duration;

use pathway_io::{BadRows, Closed, ReadOptions, Restart, RunResult, Schema};

use crate::common::{Cat, Number, Subject, TempDir, cat, commits, next, pipeline, read, run, source, updates};

/// The updates of each commit in both tables.
type Output = (Vec<Vec<(Cat, i64)>>, Vec<Vec<(Cat, i64)>>);

/// Returns the commits of a source with two tables of cats. Only manual commits are made.
fn output_of(
    options: ReadOptions,
    run_source: impl FnMut((Subject<Cat>, Subject<Cat>)) -> RunResult + Send + 'static,
) -> (pathway_io::Result<pathway_io::Summary>, Output) {
    let pipeline = pipeline();
    let (cats, dogs) = pipeline.read_with(source(run_source), options.name("cats").autocommit(None));
    let (cats, dogs) = (commits(&cats), commits(&dogs));
    let result = run(pipeline);
    let all = |seen: mpsc::Receiver<crate::common::Seen<Cat>>| seen.try_iter().map(|commit| commit.updates).collect();
    (result, (all(cats), all(dogs)))
}

fn output(run_source: impl FnMut((Subject<Cat>, Subject<Cat>)) -> RunResult + Send + 'static) -> Output {
    let (result, output) = output_of(ReadOptions::new(), run_source);
    result.unwrap();
    output
}

fn push_three(cats: &Subject<Cat>) -> RunResult {
    for (key, genus) in [(1, "felis"), (2, "lynx"), (3, "puma")] {
        cats.next(cat(key, genus))?;
    }
    Ok(cats.commit()?)
}

fn three() -> Vec<(Cat, i64)> {
    vec![(cat(1, "felis"), 1), (cat(2, "lynx"), 1), (cat(3, "puma"), 1)]
}

// Contract 3.6
#[test]
fn keys_that_the_transaction_does_not_hold_are_retracted_in_its_commit() {
    let (seen, _) = output(|(cats, _)| {
        push_three(&cats)?;
        let all = cats.transaction().replace_all();
        all.next(cat(4, "uncia"))?;
        all.next(cat(2, "leo"))?;
        all.next(cat(1, "felis"))?;
        all.commit()?;
        // Later commits are upserts again.
        cats.next(cat(5, "acinonyx"))?;
        Ok(cats.commit()?)
    });
    let replaced = vec![(cat(4, "uncia"), 1), (cat(2, "lynx"), -1), (cat(2, "leo"), 1), (cat(3, "puma"), -1)];
    assert_eq!(seen, [three(), replaced, vec![(cat(5, "acinonyx"), 1)]]);
}

#[test]
fn the_same_table_again_makes_no_output() {
    let (seen, _) = output(|(cats, _)| {
        for _ in 0..3 {
            let all = cats.transaction().replace_all();
            for (cat, _) in three() {
                all.next(cat)?;
            }
            all.commit()?;
        }
        Ok(())
    });
    assert_eq!(seen, [three()]);
}

#[test]
fn an_empty_transaction_retracts_all_rows() {
    let (seen, _) = output(|(cats, _)| {
        // Nothing to retract.
        cats.transaction().replace_all().commit()?;
        push_three(&cats)?;
        cats.transaction().replace_all().commit()?;
        cats.transaction().replace_all().commit()?;
        cats.next(cat(1, "felis"))?;
        Ok(())
    });
    let gone: Vec<_> = three().into_iter().map(|(cat, _)| (cat, -1)).collect();
    assert_eq!(seen, [three(), gone, vec![(cat(1, "felis"), 1)]]);
}

#[test]
fn a_dropped_transaction_retracts_nothing() {
    let (seen, _) = output(|(cats, dogs)| {
        push_three(&cats)?;
        let all = cats.transaction().replace_all();
        all.next(cat(9, "torn"))?;
        let _ = all.with(&dogs).replace_all();
        drop(all);
        drop(cats.transaction().replace_all());
        Ok(cats.commit()?)
    });
    assert_eq!(seen, [three()]);
}

#[test]
fn the_last_push_or_removal_of_a_key_in_the_transaction_wins() {
    let (seen, _) = output(|(cats, _)| {
        push_three(&cats)?;
        let all = cats.transaction().replace_all();
        all.next(cat(1, "torn"))?;
        all.next(cat(2, "torn"))?;
        all.remove(2)?;
        all.remove(3)?;
        all.next(cat(3, "puma"))?;
        // This key is neither in the table nor in the transaction.
        all.remove(7)?;
        all.next(cat(1, "leo"))?;
        Ok(all.commit()?)
    });
    assert_eq!(seen[1], [(cat(1, "felis"), -1), (cat(1, "leo"), 1), (cat(2, "lynx"), -1)]);
}

#[test]
fn rows_that_were_pushed_before_replace_all_belong_to_the_transaction() {
    let (seen, _) = output(|(cats, _)| {
        push_three(&cats)?;
        let transaction = cats.transaction();
        transaction.next(cat(3, "puma"))?;
        let all = transaction.replace_all().replace_all();
        all.next(cat(4, "uncia"))?;
        Ok(all.commit()?)
    });
    assert_eq!(seen[1], [(cat(4, "uncia"), 1), (cat(1, "felis"), -1), (cat(2, "lynx"), -1)]);
}

// Contract 3.7
#[test]
fn plain_rows_before_the_commit_are_replaced_and_later_ones_are_not() {
    let (seen, dogs) = output(|(cats, dogs)| {
        cats.next(cat(1, "before"))?;
        dogs.next(cat(1, "canis"))?;
        let all = cats.transaction().replace_all();
        all.next(cat(2, "lynx"))?;
        cats.next(cat(3, "meanwhile"))?;
        cats.remove(2)?;
        all.commit()?;
        cats.next(cat(4, "after"))?;
        Ok(())
    });
    assert_eq!(seen, [[(cat(2, "lynx"), 1)], [(cat(4, "after"), 1)]]);
    assert_eq!(dogs, [[(cat(1, "canis"), 1)]]);
}

#[test]
fn each_table_of_a_transaction_is_replaced_or_not() {
    let (cats, dogs) = output(|(cats, dogs)| {
        push_three(&cats)?;
        push_three(&dogs)?;
        // An upsert in the second table.
        let first = cats.transaction().replace_all();
        first.with(&dogs).next(cat(4, "canis"))?;
        first.next(cat(1, "felis"))?;
        first.commit()?;
        // The second table alone.
        let second = cats.transaction();
        second.with(&dogs).replace_all();
        second.next(cat(5, "acinonyx"))?;
        second.commit()?;
        // Both.
        let both = cats.transaction().replace_all();
        both.with(&dogs).replace_all().next(cat(6, "vulpes"))?;
        both.with(&dogs).next(cat(7, "lycaon"))?;
        Ok(both.commit()?)
    });
    assert_eq!(
        cats,
        [
            three(),
            vec![(cat(2, "lynx"), -1), (cat(3, "puma"), -1)],
            vec![(cat(5, "acinonyx"), 1)],
            vec![(cat(1, "felis"), -1), (cat(5, "acinonyx"), -1)],
        ]
    );
    let mut retracted = three();
    retracted.push((cat(4, "canis"), 1));
    retracted.iter_mut().for_each(|(_, diff)| *diff = -1);
    assert_eq!(
        dogs,
        [three(), vec![(cat(4, "canis"), 1)], retracted, vec![(cat(6, "vulpes"), 1), (cat(7, "lycaon"), 1)]]
    );
}

#[test]
fn a_table_larger_than_the_backlog_is_one_commit() {
    let (result, (seen, _)) = output_of(ReadOptions::new().backlog(3), |(cats, _)| {
        for genus in ["felis", "lynx"] {
            let all = cats.transaction().replace_all();
            for key in 0..10_000 {
                all.next(cat(key, genus))?;
            }
            all.commit()?;
        }
        Ok(cats.transaction().replace_all().commit()?)
    });
    assert_eq!(result.unwrap().sources[0].rows, 20_000, "the starts of tables are no rows");
    let lengths: Vec<_> = seen.iter().map(Vec::len).collect();
    assert_eq!(lengths, [10_000, 20_000, 10_000]);
}

#[test]
fn a_closed_table_refuses_the_whole_transaction() {
    let (seen, dogs) = output(|(cats, dogs)| {
        push_three(&cats)?;
        push_three(&dogs)?;
        let all = cats.transaction().replace_all();
        all.with(&dogs).replace_all();
        dogs.close()?;
        assert_eq!(all.commit(), Err(Closed));
        Ok(())
    });
    assert_eq!((seen, dogs), (vec![three()], vec![three()]));
}

/// Three rows, of which the second is bad.
const ROWS: [&str; 3] =
    [r#"{"key": 1, "genus": "felis"}"#, r#"{"key": 2, "genus": 5}"#, r#"{"key": 4, "genus": "uncia"}"#];

// Contract 3.8
#[test]
fn a_bad_row_that_is_left_out_does_not_keep_its_key() {
    let directory = TempDir::new();
    for policy in [BadRows::Skip, BadRows::Quarantine(directory.path("bad.jsonl"))] {
        let (result, (seen, _)) = output_of(ReadOptions::new().bad_rows(policy), |(cats, _)| {
            push_three(&cats)?;
            let all = cats.transaction().replace_all();
            ROWS.iter().try_for_each(|row| all.next_json(row))?;
            Ok(all.commit()?)
        });
        assert_eq!(result.unwrap().sources[0].bad_rows, 1);
        assert_eq!(seen[1], [(cat(4, "uncia"), 1), (cat(2, "lynx"), -1), (cat(3, "puma"), -1)]);
    }
    assert_eq!(read(directory.path("bad.jsonl")).lines().count(), 1);
}

#[test]
fn a_bad_row_that_fails_the_source_retracts_nothing() {
    let (result, (seen, _)) = output_of(ReadOptions::new(), |(cats, _)| {
        push_three(&cats)?;
        let all = cats.transaction().replace_all();
        ROWS.iter().try_for_each(|row| all.next_json(row))?;
        Ok(all.commit()?)
    });
    result.unwrap_err();
    assert_eq!(seen, [three()]);
}

#[test]
fn a_restarted_source_retracts_rows_that_vanished() {
    let mut answers = vec![[cat(2, "lynx"), cat(3, "puma")], [cat(1, "felis"), cat(2, "lynx")]];
    let options = ReadOptions::new().restart(Restart::backoff(Duration::ZERO..Duration::ZERO));
    let (result, (seen, _)) = output_of(options, move |(cats, _)| {
        let all = cats.transaction().replace_all();
        for cat in answers.pop().unwrap() {
            all.next(cat)?;
        }
        all.commit()?;
        if answers.is_empty() {
            return Ok(());
        }
        // The first attempt fails with an open transaction.
        let torn = cats.transaction().replace_all();
        torn.next(cat(9, "torn"))?;
        Err("lost".into())
    });
    assert_eq!(result.unwrap().sources[0].attempts, 2);
    assert_eq!(
        seen,
        [vec![(cat(1, "felis"), 1), (cat(2, "lynx"), 1)], vec![(cat(3, "puma"), 1), (cat(1, "felis"), -1)]]
    );
}

#[test]
fn a_replacement_without_an_offset_waits_for_the_next_one() {
    let pipeline = pipeline();
    let (told, offsets) = mpsc::channel();
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat, u64>| {
            cats.next_at(1, cat(1, "felis"))?;
            cats.commit()?;
            cats.next(cat(2, "behind the offset"))?;
            let all = cats.transaction().replace_all();
            all.next(cat(3, "puma"))?;
            all.commit()?;
            cats.next(cat(4, "uncia"))?;
            // Before the offset, nothing is committed.
            told.send(cats.resume())?;
            cats.commit()?;
            told.send(cats.resume())?;
            cats.commit_at(5)?;
            told.send(cats.resume())?;
            let none = cats.transaction().replace_all();
            none.commit_at(6)?;
            told.send(cats.resume())?;
            Ok(())
        }),
        ReadOptions::new().name("cats").autocommit(None),
    );
    let seen = commits(&cats);
    run(pipeline).unwrap();
    assert_eq!(offsets.try_iter().collect::<Vec<_>>(), [Some(1), Some(1), Some(5), Some(6)]);
    let seen: Vec<_> = seen.try_iter().map(|commit| commit.updates).collect();
    assert_eq!(
        seen,
        [
            vec![(cat(1, "felis"), 1)],
            vec![(cat(3, "puma"), 1), (cat(4, "uncia"), 1), (cat(1, "felis"), -1)],
            vec![(cat(3, "puma"), -1), (cat(4, "uncia"), -1)],
        ]
    );
}

#[test]
fn an_offset_waits_for_an_empty_replacement_that_was_open_when_it_was_set() {
    let pipeline = pipeline();
    let cats = pipeline.read_with(
        source(|cats: Subject<Cat, u64>| {
            cats.next_at(1, cat(1, "felis"))?;
            cats.commit()?;
            let none = cats.transaction().replace_all();
            cats.next_at(2, cat(2, "lynx"))?;
            cats.commit()?;
            assert_eq!(cats.resume(), Some(1));
            none.commit()?;
            assert_eq!(cats.resume(), Some(2));
            Ok(())
        }),
        ReadOptions::new().name("cats").autocommit(None),
    );
    let seen = commits(&cats);
    run(pipeline).unwrap();
    let seen: Vec<_> = seen.try_iter().map(|commit| commit.updates).collect();
    assert_eq!(seen, [[(cat(1, "felis"), 1)], [(cat(1, "felis"), -1)]]);
}

#[test]
fn an_offset_before_a_waiting_replacement_is_cut_before_it() {
    let pipeline = pipeline();
    let (release, released) = mpsc::channel::<()>();
    let mut release = Some(release);
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat, u64>| {
            cats.next_at(1, cat(1, "felis"))?;
            cats.commit()?;
            // The sink holds the backlog, so that the next rows wait with the replacement behind them.
            cats.next_at(2, cat(2, "lynx"))?;
            let all = cats.transaction().replace_all();
            all.next(cat(3, "puma"))?;
            all.commit()?;
            drop(release.take());
            cats.commit()?;
            cats.commit_at(3)?;
            Ok(())
        }),
        ReadOptions::new().name("cats").autocommit(None).backlog(2),
    );
    let seen = commits(&cats);
    cats.subscribe_commits(move |_| {
        let _ = released.recv();
    });
    run(pipeline).unwrap();
    let seen: Vec<_> = seen.try_iter().map(|commit| commit.updates).collect();
    assert_eq!(
        seen,
        [
            vec![(cat(1, "felis"), 1)],
            vec![(cat(2, "lynx"), 1)],
            vec![(cat(3, "puma"), 1), (cat(1, "felis"), -1), (cat(2, "lynx"), -1)],
        ]
    );
}

#[test]
fn rows_that_autocommit_has_committed_are_replaced() {
    let pipeline = pipeline();
    let (tell, told) = mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let cats = pipeline.read_with(
        source(move |cats: Subject<Cat>| {
            let all = cats.transaction().replace_all();
            all.next(cat(2, "lynx"))?;
            cats.next(cat(1, "felis"))?;
            // The sink has seen the commit of the timer.
            next(&told.lock().unwrap());
            Ok(all.commit()?)
        }),
        ReadOptions::new().autocommit(Duration::from_millis(1)),
    );
    let seen = commits(&cats);
    cats.subscribe_commits(move |_| {
        let _ = tell.send(());
    });
    run(pipeline).unwrap();
    assert_eq!(updates(&seen), [(cat(1, "felis"), 1), (cat(2, "lynx"), 1), (cat(1, "felis"), -1)]);
}

#[derive(Schema, Debug, Clone, PartialEq)]
struct Place {
    #[schema(primary_key)]
    country: String,
    #[schema(primary_key)]
    city: String,
}

#[derive(Schema, Debug, Clone, PartialEq)]
struct Reading {
    #[schema(flatten, primary_key)]
    place: Place,
    celsius: f64,
    #[schema(primary_key)]
    sensor: u8,
}

#[test]
fn composite_and_flattened_keys_are_compared_whole() {
    let reading = |country: &str, city: &str, sensor, celsius| Reading {
        place: Place { country: country.into(), city: city.into() },
        celsius,
        sensor,
    };
    let pipeline = pipeline();
    let readings = pipeline.read_with(
        source(move |readings: Subject<Reading>| {
            for (city, sensor) in [("Bern", 1), ("Bern", 2), ("Basel", 1)] {
                readings.next(reading("ch", city, sensor, 20.0))?;
            }
            readings.commit()?;
            let all = readings.transaction().replace_all();
            all.next(reading("ch", "Bern", 2, 20.0))?;
            all.next(reading("ch", "Basel", 1, 21.0))?;
            all.next(reading("de", "Bern", 1, 20.0))?;
            Ok(all.commit()?)
        }),
        ReadOptions::new().autocommit(None),
    );
    let seen = commits(&readings);
    run(pipeline).unwrap();
    assert_eq!(
        seen.try_iter().last().unwrap().updates,
        [
            (reading("ch", "Basel", 1, 20.0), -1),
            (reading("ch", "Basel", 1, 21.0), 1),
            (reading("de", "Bern", 1, 20.0), 1),
            (reading("ch", "Bern", 1, 20.0), -1),
        ]
    );
}

#[test]
fn a_table_without_a_key_can_be_in_the_same_transaction() {
    let pipeline = pipeline();
    let (cats, numbers) = pipeline.read_with(
        source(|(cats, numbers): (Subject<Cat>, Subject<Number>)| {
            for n in 0..2 {
                let all = cats.transaction().replace_all();
                all.with(&numbers).next(Number { n })?;
                all.next(cat(n as i64, "felis"))?;
                all.commit()?;
            }
            Ok(())
        }),
        ReadOptions::new().autocommit(None),
    );
    let (cats, numbers) = (commits(&cats), commits(&numbers));
    run(pipeline).unwrap();
    assert_eq!(updates(&cats), [(cat(0, "felis"), 1), (cat(1, "felis"), 1), (cat(0, "felis"), -1)]);
    assert_eq!(updates(&numbers), [(Number { n: 0 }, 1), (Number { n: 1 }, 1)]);
}
