//! Models with waiting tasks: a waker is registered under the lock that also guards the space, so that no wake-up is
//! lost.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::rig::*;
use crate::run::sync::{Condvar, Mutex};
use crate::source::intake::*;

/// A flag that is made of the intake's locks, so that loom controls it.
#[derive(Default)]
struct Woken {
    flag: Mutex<bool>,
    changed: Condvar,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        *self.flag.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

/// Polls after each wake-up until the future is ready. If a wake-up is lost, it hangs.
fn until_ready<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = poll(&mut cx) {
            return value;
        }
        let mut flag = woken.flag.lock().unwrap();
        while !std::mem::take(&mut *flag) {
            flag = woken.changed.wait(flag).unwrap();
        }
    }
}

fn push_by_task(intake: &Arc<Intake>, n: u64) -> Result<(), Refused> {
    let mut registration = Registration::for_space(&**intake);
    until_ready(|cx| {
        intake.poll_admit(FIRST, Push::Wait, &mut registration, cx).map(|admitted| admitted.map(|row| fill(row, n)))
    })
}

fn commit_by_task(intake: &Arc<Intake>) -> Result<(), Closed> {
    let mut registration = Registration::for_space(&**intake);
    until_ready(|cx| intake.poll_commit(FIRST, &mut registration, cx))
}

fn closed_by_task(intake: &Arc<Intake>, entry: Entry) {
    let mut registration = Registration::for_closing(&**intake);
    until_ready(|cx| intake.poll_closed(entry, &mut registration, cx));
}

fn nobody_waits(intake: &Intake) {
    let state = intake.lock();
    assert!(state.space.is_empty() && state.closing.is_empty(), "a registration was not removed");
}

#[test]
fn room_that_comes_back_finds_the_task() {
    check("task waits for space", || {
        let model = Model::new(1, false);
        let other = model.spawn(|intake| [10, 11].map(|n| push_by_task(intake, n).unwrap()));
        push_by_task(&model.intake, 20).unwrap();
        push(&model.intake, FIRST, 21).unwrap();
        commit_by_task(&model.intake).unwrap();
        other.join().unwrap();
        nobody_waits(&model.intake);
        let all = rows(&model.end());
        assert_eq!((of(&all, 1), of(&all, 2), all.len()), (vec![10, 11], vec![20, 21], 4));
    });
}

#[test]
fn a_stop_finds_the_task() {
    check("task waits for space, and a stop", || {
        let model = Model::stuck(1, false);
        let pusher = model.spawn(|intake| accepted(&[10, 11, 12], |n| push_by_task(intake, n)));
        let waiting = model.spawn(|intake| closed_by_task(intake, FIRST));
        model.intake.close();
        waiting.join().unwrap();
        let taken = pusher.join().unwrap();
        nobody_waits(&model.intake);
        assert_eq!(rows(&model.end()), taken);
    });
}

#[test]
fn the_end_of_an_attempt_and_of_a_table_find_the_task() {
    check("task waits for the end of its attempt", || {
        let model = Model::new(1, false);
        let waiting = model.spawn(|intake| closed_by_task(intake, FIRST));
        let other = model.spawn(|intake| closed_by_task(intake, OTHER_TABLE));
        model.intake.close_table(OTHER_TABLE).unwrap();
        other.join().unwrap();
        model.intake.end_attempt();
        waiting.join().unwrap();
        nobody_waits(&model.intake);
        assert!(rows(&model.end()).is_empty());
    });
}

#[test]
fn a_push_that_is_dropped_leaves_its_place_and_no_row() {
    check("task is dropped while space comes back", || {
        let model = Model::new(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let dropped = model.spawn(|intake| {
            let mut registration = Registration::for_space(&**intake);
            let cx = Context::from_waker(Waker::noop());
            let admitted = intake.poll_admit(FIRST, Push::Wait, &mut registration, &cx);
            let is_waiting = admitted.is_pending();
            drop(admitted);
            is_waiting
        });
        // The push succeeds only when space is returned.
        push_by_task(&model.intake, 20).unwrap();
        push_by_task(&model.intake, 21).unwrap();
        dropped.join().unwrap();
        nobody_waits(&model.intake);
        assert_eq!(rows(&model.end()), [10, 20, 21]);
    });
}

#[test]
fn a_transaction_by_a_task_is_whole() {
    check("transaction by a task, and a push", || {
        let model = Model::new(1, false);
        let unit = model.spawn(|intake| {
            let mut committing = Committing::new(intake, FIRST, transaction(&[10, 11]), None::<()>);
            let mut registration = Registration::for_space(&**intake);
            until_ready(|cx| committing.poll_commit(&mut registration, cx)).unwrap();
        });
        push_by_task(&model.intake, 20).unwrap();
        push_by_task(&model.intake, 21).unwrap();
        unit.join().unwrap();
        nobody_waits(&model.intake);
        let commits = model.end();
        let all = rows(&commits);
        assert_eq!((of(&all, 1), of(&all, 2)), (vec![10, 11], vec![20, 21]));
        assert!(commits.iter().any(|(rows, _)| rows.ends_with(&[10, 11])), "{commits:?}");
    });
}

#[test]
fn a_dropped_transaction_blocks_no_push() {
    check("transaction dropped in the queue", || {
        let model = Model::new(1, false);
        push(&model.intake, FIRST, 10).unwrap();
        let unit = model.spawn(|intake| {
            let mut committing = Committing::new(intake, FIRST, transaction(&[20, 21]), None::<()>);
            let mut registration = Registration::for_space(&**intake);
            committing.poll_commit(&mut registration, &Context::from_waker(Waker::noop())).is_ready()
        });
        push_by_task(&model.intake, 11).unwrap();
        push_by_task(&model.intake, 12).unwrap();
        commit_by_task(&model.intake).unwrap();
        let is_committed = unit.join().unwrap();
        nobody_waits(&model.intake);
        let all = rows(&model.end());
        assert_eq!(of(&all, 1), [10, 11, 12]);
        assert_eq!(of(&all, 2), if is_committed { vec![20, 21] } else { vec![] });
    });
}

#[test]
fn a_commit_that_is_dropped_leaves_nothing_due() {
    check("commit dropped while it waits", || {
        let model = Model::stuck(4, false);
        for n in [10, 11, 12] {
            push(&model.intake, FIRST, n).unwrap();
        }
        model.intake.commit(FIRST).unwrap();
        push(&model.intake, FIRST, 20).unwrap();
        push(&model.intake, FIRST, 21).unwrap();
        let mut registration = Registration::for_space(&*model.intake);
        let cx = Context::from_waker(Waker::noop());
        for _ in 0..100 {
            assert!(model.intake.poll_commit(FIRST, &mut registration, &cx).is_pending());
        }
        assert!(!model.intake.lock().space.is_empty());
        drop(registration);
        nobody_waits(&model.intake);
        assert!(!model.intake.lock().cut_due, "the space that comes back would make the commit");
        assert_eq!(rows(&model.end()), [10, 11, 12, 20, 21]);
    });
}
