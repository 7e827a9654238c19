//! Converts dates, times and decimals from their text form to numbers, for formats that have types for them.
//!
//! It reads only the texts that the column types write in `Style::Plain`.

use crate::rows::column::others::iso8601::{Day, TimeOfDay, read_date, read_date_time, read_instant, read_time};
use crate::rows::column::others::system_time::number_of;

const DAY: i128 = 86_400 * SECOND;
const SECOND: i128 = 1_000_000_000;

/// Returns the days since 1970-01-01 of `2021-03-21`.
pub(crate) fn days(text: &str) -> Option<i64> {
    number(read_date(text).ok()?)
}

/// Returns the nanoseconds since midnight of `18:34:12.5`; a leap second belongs to the next minute.
pub(crate) fn time_of_day(text: &str) -> Option<i64> {
    read_time(text).ok().map(nanos)
}

/// Returns the nanoseconds since 1970-01-01T00:00:00 of `2021-03-21T18:34:12.5`.
pub(crate) fn date_time(text: &str) -> Option<i128> {
    let (day, clock) = read_date_time(text).ok()?;
    since_1970(day, clock)
}

/// Returns the nanoseconds since the Unix epoch of `2021-03-21T18:34:12.5Z` and of `..+01:00`.
pub(crate) fn instant(text: &str) -> Option<i128> {
    let (day, clock, east) = read_instant(text).ok()?;
    Some(since_1970(day, clock)? - i128::from(east) * SECOND)
}

fn since_1970(day: Day, clock: TimeOfDay) -> Option<i128> {
    Some(i128::from(number(day)?) * DAY + i128::from(nanos(clock)))
}

fn number(Day { year, month, day }: Day) -> Option<i64> {
    let is_valid = (1..=12).contains(&month) && (1..=31).contains(&day);
    is_valid.then(|| number_of(year.into(), month.into(), day.into()))
}

fn nanos(TimeOfDay { hour, minute, second, nano }: TimeOfDay) -> i64 {
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    seconds * 1_000_000_000 + i64::from(nano)
}

/// Returns whether a decimal is negative, and its digits before and after the point.
pub(crate) fn decimal(text: &str) -> Option<(bool, &str, &str)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (!whole.is_empty() && is_number(whole) && is_number(fraction)).then_some((
        digits.len() < text.len(),
        whole,
        fraction,
    ))
}

/// Returns the 16 bytes of `67e55044-10b1-426f-9247-bb680e5fe0c8`.
pub(crate) fn uuid(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut digits = text.bytes().filter(|byte| *byte != b'-').map(|byte| char::from(byte).to_digit(16));
    for byte in &mut bytes {
        // Two hexadecimal digits are below 256.
        *byte = (digits.next()?? * 16 + digits.next()??) as u8;
    }
    digits.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_years_of_four_or_six_digits() {
        assert_eq!(days("2000-02-29"), Some(11_016));
        assert_eq!(days("-000001-12-31"), Some(-719_529));
        assert_eq!(days("+010000-01-01"), Some(2_932_897));
        for wrong in ["", "2000-13-01", "2000-1", "x", "2000-01-01T00:00:00"] {
            assert_eq!(days(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_have_nanoseconds_and_offsets() {
        assert_eq!(time_of_day("18:34:12.5"), Some(66_852_500_000_000));
        assert_eq!(time_of_day("00:00:00.000000001"), Some(1));
        assert_eq!(time_of_day("23:59:60"), Some(86_400_000_000_000));
        assert_eq!(date_time("1969-12-31T23:59:59.999999999"), Some(-1));
        assert_eq!(instant("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(instant("1969-12-31T22:59:30-01:00:30"), Some(0));
        assert_eq!(instant("1970-01-01T00:00:01Z"), Some(SECOND));
    }

    #[test]
    fn decimals_and_uuids_are_taken_apart() {
        assert_eq!(decimal("-12.50"), Some((true, "12", "50")));
        assert_eq!(decimal("0"), Some((false, "0", "")));
        assert_eq!(decimal("1e5"), None);
        assert_eq!(uuid("67e55044-10b1-426f-9247-bb680e5fe0c8").map(|bytes| bytes[0]), Some(0x67));
        assert_eq!(uuid("67e55044"), None);
    }
}
