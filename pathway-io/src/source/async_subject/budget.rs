//! Limits the time for which a task pushes without waiting: [`take`].
//!
//! A push that finds space completes at its first poll, so a loop of pushes would never return to the runtime. A push
//! therefore sometimes yields once although there is space. It yields before it pushes, so a future that is dropped
//! then has pushed nothing.
//!
//! The budget is a time, because the work between two pushes can take nanoseconds or a millisecond. Reading the clock
//! costs as much as a push, so only every 16th push reads it. The budget belongs to the thread, because all tasks of
//! the thread delay its runtime together.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The time between two yields. It is long compared with a yield (1 to 2 us in tokio), and short compared with a
/// timer's millisecond.
const SLICE: Duration = Duration::from_micros(100);
/// The number of pushes between two readings of the clock.
const PUSHES: u32 = 16;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(PUSHES) };
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Returns whether the next push may be made without yielding.
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
    // The first push of a thread begins its budget.
    let began = BEGAN.get().unwrap_or_else(begin);
    began.elapsed() < SLICE
}

/// Renews the budget, because the thread has returned from the runtime.
pub(super) fn renew() {
    LEFT.set(PUSHES);
    begin();
}

fn begin() -> Instant {
    let now = Instant::now();
    BEGAN.set(Some(now));
    now
}
