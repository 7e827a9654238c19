//! How long a task may push without waiting: [`take`].
//!
//! A push that finds room is over at its first poll, so that a loop of them would never give the thread back to its runtime. From
//! time to time a push therefore waits once although there is room. It does so before it pushes: a future that is dropped then
//! has pushed nothing.
//!
//! The budget is one of time, since what a loop does between two pushes may take nanoseconds or a millisecond. Reading the clock
//! costs as much as a push, and is done with every 16th. The budget is the thread's, as the runtime is held up there, whatever the
//! task and the subject.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Long beside what a yield costs (1 to 2 us in tokio), and short beside a timer's millisecond.
const SLICE: Duration = Duration::from_micros(100);
/// The number of pushes between two looks at the clock.
const PUSHES: u32 = 16;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(PUSHES) };
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Returns whether the next push may be made at once.
#[inline]
pub(super) fn take() -> bool {
    let left = LEFT.get();
    if left > 0 {
        LEFT.set(left - 1);
        return true;
    }
    look()
}

#[cold]
fn look() -> bool {
    LEFT.set(PUSHES);
    // A thread that has not pushed before begins now.
    let began = BEGAN.get().unwrap_or_else(begin);
    began.elapsed() < SLICE
}

/// The thread comes back to a push that has yielded.
pub(super) fn renew() {
    LEFT.set(PUSHES);
    begin();
}

fn begin() -> Instant {
    let now = Instant::now();
    BEGAN.set(Some(now));
    now
}
