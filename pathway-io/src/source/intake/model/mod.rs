//! Models of the intake. `.ci/loom` tries every order in which threads can take the intake's lock and be woken, up to
//! a number of preemptions, and asserts the promises in each.
//!
//! The ordinary tests run the models with real threads, several times. A model has the real intake, the threads of its
//! sources, and one thread that replaces the sequencer and the sinks. That thread takes the messages one by one,
//! records the rows of each cut, and returns the credit. Its channel is made of loom's locks. The models have no
//! clock: an armed autocommit fires when the thread reaches its message.

pub(crate) mod rig;
#[cfg(feature = "async")]
mod tasks;

use std::time::Instant;

use rig::*;

use super::*;

#[test]
fn pushes_of_two_threads_and_autocommit() {
    check("pushes and autocommit", || {
        let model = Model::new(1, true);
        let other = model.spawn(|intake| {
            push(intake, FIRST, 10).unwrap();
            push(intake, FIRST, 11).unwrap();
        });
        push(&model.intake, FIRST, 20).unwrap();
        push(&model.intake, FIRST, 21).unwrap();
        other.join().unwrap();
        let all = rows(&model.end());
        assert_eq!((of(&all, 1), of(&all, 2), all.len()), (vec![10, 11], vec![20, 21], 4));
    });
}

#[test]
fn autocommit_brings_out_every_row_while_nothing_else_happens() {
    // A cut of two rows delays the next cut, of two rows or of one. Only the timer makes it.
    for (name, backlog, eager) in
        [("autocommit", 3, false), ("autocommit in a small backlog", 2, false), ("eager autocommit", 3, true)]
    {
        check(name, move || {
            let model = Model::with(backlog, true, eager);
            let other = model.spawn(|intake| {
                push(intake, FIRST, 10).unwrap();
                push(intake, FIRST, 11).unwrap();
            });
            push(&model.intake, FIRST, 20).unwrap();
            push(&model.intake, FIRST, 21).unwrap();
            // A row that is never committed would block this wait forever.
            model.channel.wait_for(4);
            other.join().unwrap();
            let all = rows(&model.end());
            assert_eq!((of(&all, 1), of(&all, 2)), (vec![10, 11], vec![20, 21]));
        });
    }
}

#[test]
fn the_row_that_fills_the_backlog_brings_out_all_of_them() {
    check("full backlog", || {
        let model = Model::new(2, false);
        let other = model.spawn(|intake| push(intake, FIRST, 10).unwrap());
        push(&model.intake, FIRST, 20).unwrap();
        // Nothing else asks for a commit or for space.
        model.channel.wait_for(2);
        other.join().unwrap();
        let all = rows(&model.end());
        assert_eq!((of(&all, 1), of(&all, 2)), (vec![10], vec![20]));
    });
}

#[test]
fn a_commit_takes_what_was_pushed_before_it() {
    check("push and commit", || {
        let model = Model::new(2, false);
        let other = model.spawn(|intake| {
            for n in [10, 11] {
                push(intake, FIRST, n).unwrap();
                // The second transaction may have to wait for space.
                intake.commit(FIRST).unwrap();
            }
            push(intake, FIRST, 12).unwrap();
        });
        push(&model.intake, FIRST, 20).unwrap();
        model.intake.commit(FIRST).unwrap();
        push(&model.intake, FIRST, 21).unwrap();
        other.join().unwrap();
        let commits = model.end();
        let all = rows(&commits);
        assert_eq!((of(&all, 1), of(&all, 2), all.len()), (vec![10, 11, 12], vec![20, 21], 5));
        for n in [10, 11, 20] {
            let of = |n| commits.iter().position(|(rows, _)| rows.contains(&n));
            assert!(of(n) < of(n + 1), "a commit has not cut between {n} and the next: {commits:?}");
        }
    });
}

#[test]
fn a_transaction_is_never_split() {
    // The transaction is larger than the first backlog, and smaller than the second.
    for (name, backlog) in [("transaction, push and autocommit", 2), ("the same in a large backlog", 8)] {
        check(name, move || {
            let model = Model::new(backlog, true);
            let other = model.spawn(|intake| {
                push(intake, FIRST, 10).unwrap();
                intake.commit_transaction(FIRST, transaction(&[11, 12, 13]), None::<()>).unwrap();
            });
            push(&model.intake, FIRST, 20).unwrap();
            push(&model.intake, FIRST, 21).unwrap();
            other.join().unwrap();
            let commits = model.end();
            let all = rows(&commits);
            assert_eq!((of(&all, 1), of(&all, 2), all.len()), (vec![10, 11, 12, 13], vec![20, 21], 6));
            let whole = commits.iter().find(|(rows, _)| rows.contains(&11)).map(|(rows, _)| rows.as_slice());
            assert!(whole.is_some_and(|rows| rows.ends_with(&[11, 12, 13])), "{commits:?}");
        });
    }
}

#[test]
fn transactions_wait_for_room_and_for_nothing_else() {
    check("two transactions and a commit", || {
        let model = Model::new(1, false);
        let other = model.spawn(|intake| {
            intake.commit_transaction(FIRST, transaction(&[10, 11]), None::<()>).unwrap();
        });
        push(&model.intake, FIRST, 20).unwrap();
        model.intake.commit_transaction(FIRST, transaction(&[21, 22]), None::<()>).unwrap();
        model.intake.commit(FIRST).unwrap();
        other.join().unwrap();
        let all = rows(&model.end());
        assert_eq!((of(&all, 1), of(&all, 2)), (vec![10, 11], vec![20, 21, 22]));
    });
}

#[test]
fn an_offset_that_is_set_while_a_transaction_waits_for_room_waits_for_it() {
    check("transaction in a full backlog, and an offset behind it", || {
        let model = Model::new(1, false);
        push_at(&model.intake, FIRST, 10, 1).unwrap();
        model.intake.commit(FIRST).unwrap();
        push_at(&model.intake, FIRST, 11, 2).unwrap();
        let mut opened = transaction(&[20]);
        opened.offsets_before = Some(model.intake.open_transaction(FIRST).unwrap());
        let unit = model.spawn(|intake| intake.commit_transaction(FIRST, opened, None::<u64>));
        model.intake.advance(FIRST, 3_u64).unwrap();
        unit.join().unwrap().unwrap();
        let all = rows(&model.end());
        assert_eq!((of(&all, 1), of(&all, 2)), (vec![10, 11], vec![20]));
    });
}

#[test]
fn a_transaction_that_is_refused_holds_up_no_row() {
    check("transaction, close of its table, and a row behind it", || {
        let model = Model::new(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let unit = model.spawn(|intake| accepts(intake, transaction_of(OTHER_TABLE, &[20, 21])));
        model.intake.close_table(OTHER_TABLE).unwrap();
        push(&model.intake, FIRST, 11).unwrap();
        let committed = unit.join().unwrap();
        // All rows arrive although the source has not ended.
        model.channel.wait_for(if committed { 4 } else { 2 });
        let all = rows(&model.end());
        assert_eq!(of(&all, 1), [10, 11]);
        assert_eq!(of(&all, 2), if committed { vec![20, 21] } else { vec![] });
    });
}

#[test]
fn a_transaction_that_is_refused_holds_up_no_commit() {
    check("transaction, close of its table, and a commit behind it", || {
        let model = Model::new(2, false);
        model.intake.commit_transaction(FIRST, transaction(&[10, 11, 12]), None::<()>).unwrap();
        let unit = model.spawn(|intake| accepts(intake, transaction_of(OTHER_TABLE, &[20, 21])));
        model.intake.close_table(OTHER_TABLE).unwrap();
        push(&model.intake, FIRST, 13).unwrap();
        model.intake.commit(FIRST).unwrap();
        let committed = unit.join().unwrap();
        let all = rows(&model.end());
        assert_eq!(of(&all, 1), [10, 11, 12, 13]);
        assert_eq!(of(&all, 2), if committed { vec![20, 21] } else { vec![] });
    });
}

#[test]
fn a_transaction_of_a_failed_attempt_is_committed_before_the_next_or_never() {
    check("transaction and restart", || {
        let model = Model::new(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let unit = model.spawn(|intake| accepts(intake, transaction(&[20, 21])));
        push(&model.intake, FIRST, 11).unwrap();
        model.intake.end_attempt();
        assert!(model.intake.begin_attempt(Some(Instant::now())));
        let begun = Entry { table: 0, attempt: model.intake.attempt() };
        push(&model.intake, begun, 30).unwrap();
        let committed = unit.join().unwrap();
        let all = rows(&model.end());
        assert_eq!(of(&all, 1), [10, 11]);
        assert_eq!(of(&all, 2), if committed { vec![20, 21] } else { vec![] });
        assert!(all.ends_with(&[30]), "a row of the failed attempt came after one of the next: {all:?}");
    });
}

#[test]
fn rows_accepted_before_a_stop_are_delivered_and_no_thread_hangs() {
    let stuck = Model::stuck as fn(usize, bool) -> Model;
    for (name, model) in [("stop", Model::new as _), ("stop beside a sink that blocks", stuck)] {
        check(name, move || {
            let model = model(1, true);
            let pusher = model.spawn(|intake| {
                let mut taken = Vec::new();
                for n in [10, 11, 12] {
                    match push(intake, FIRST, n) {
                        Ok(()) => taken.push(n),
                        Err(refused) => assert_eq!(refused, Refused::Closed),
                    }
                }
                taken
            });
            let unit = model.spawn(|intake| accepts(intake, transaction(&[20, 21])));
            model.intake.close();
            assert_eq!(model.intake.wait_closed(FIRST, None), Err(Closed));
            let (taken, committed) = (pusher.join().unwrap(), unit.join().unwrap());
            let all = rows(&model.end());
            assert_eq!(of(&all, 1), taken);
            assert_eq!(of(&all, 2), if committed { vec![20, 21] } else { vec![] });
        });
    }
}

#[test]
fn a_table_that_closes_wakes_a_transaction_that_waits_for_a_sink_that_takes_nothing() {
    check("close of a table beside a sink that blocks", || {
        let model = Model::stuck(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let unit =
            model.spawn(|intake| intake.commit_transaction(FIRST, transaction_of(OTHER_TABLE, &[20]), None::<()>));
        model.intake.close_table(OTHER_TABLE).unwrap();
        assert_eq!(unit.join().unwrap(), Err(Refused::Closed));
        assert_eq!(rows(&model.end()), [10]);
    });
}

#[test]
fn the_end_of_an_attempt_wakes_who_waits_for_a_sink_that_takes_nothing() {
    check("restart beside a sink that blocks", || {
        let model = Model::stuck(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let client = model.spawn(|intake| [push(intake, FIRST, 11), intake.commit(FIRST).map_err(Refused::from)]);
        model.intake.end_attempt();
        let [pushed, _] = client.join().unwrap();
        assert_eq!(rows(&model.end()), if pushed.is_ok() { vec![10, 11] } else { vec![10] });
    });
}

#[test]
fn a_table_that_closes_wakes_who_waits_for_it() {
    check("close of a table", || {
        let model = Model::new(1, false);
        let waiting = model.spawn(|intake| intake.wait_closed(FIRST, None));
        let pusher = model.spawn(|intake| accepted(&[10, 11], |n| push(intake, FIRST, n)));
        model.intake.close_table(FIRST).unwrap();
        assert_eq!(waiting.join().unwrap(), Err(Closed));
        let taken = pusher.join().unwrap();
        assert_eq!(rows(&model.end()), taken);
    });
}

#[test]
fn handles_of_a_failed_attempt_push_nothing_into_the_next() {
    check("restart", || {
        let model = Model::new(1, false);
        // A thread of the client, which is not aware of the failure.
        let client = model.spawn(|intake| accepted(&[10, 11], |n| push(intake, FIRST, n)));
        model.intake.end_attempt();
        assert!(model.intake.begin_attempt(Some(Instant::now())));
        let begun = Entry { table: 0, attempt: model.intake.attempt() };
        push(&model.intake, begun, 20).unwrap();
        let taken = client.join().unwrap();
        let all = rows(&model.end());
        assert_eq!(of(&all, 1), taken);
        assert_eq!(of(&all, 2), [20]);
        assert!(all.ends_with(&[20]), "a row of the failed attempt came after one of the next: {all:?}");
    });
}

#[test]
fn a_stop_between_two_attempts_is_the_end() {
    check("restart and stop", || {
        let model = Model::new(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let stop = model.spawn(|intake| intake.close());
        model.intake.end_attempt();
        // Without the stop, this call would never return.
        assert!(!model.intake.begin_attempt(None));
        stop.join().unwrap();
        assert_eq!(rows(&model.end()), [10]);
    });
}

#[test]
fn a_source_with_offsets_is_cut_directly_after_them() {
    check("offsets, commit and autocommit", || {
        let model = Model::new(3, true);
        let other = model.spawn(|intake| intake.commit(FIRST).unwrap());
        push_at(&model.intake, FIRST, 10, 1).unwrap();
        push(&model.intake, FIRST, 11).unwrap();
        push_at(&model.intake, FIRST, 12, 3).unwrap();
        other.join().unwrap();
        let commits = model.end();
        assert_eq!(rows(&commits), [10, 11, 12]);
        for (rows, offset) in &commits {
            // Row 10 is the first row of the source, and an offset is the number of rows that were read.
            assert_eq!(rows.last().map(|n| n - 9), *offset, "{commits:?}");
        }
    });
}
