//! The wall clock in the unit of commit times.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the wall clock in Unix milliseconds. A wall clock before 1970 counts as 1970.
pub(crate) fn unix_millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    u64::try_from(now).unwrap_or(u64::MAX)
}
