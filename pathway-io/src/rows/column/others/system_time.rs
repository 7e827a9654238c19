//! `SystemTime`: an instant in UTC, in the text form of [`iso8601`](super::iso8601).
//!
//! The calendar of the text ends with the years -999,999 and 999,999. A `SystemTime` out of this range, which no clock
//! shows, is stored as the first or last second of the calendar.

use std::time::{Duration, SystemTime};

use super::iso8601::{Day, NO_DAY, OUT_OF_RANGE, TimeOfDay, read_instant, write_date_time, write_utc};
use super::text_form::{TextFault, TextForm, text_forms};
use crate::rows::column::Style;

text_forms! {
    SystemTime, Timestamp, SystemTime::UNIX_EPOCH, parse, write, canonical canonical;
}

const DAY: i64 = 86_400;
const LAST_YEAR: i64 = 999_999;

/// Returns the number of days from 1970-01-01 to a day of the Gregorian calendar.
///
/// Years begin in March here, so that a leap day is the last day of its year. 400 years always have 146,097 days.
pub(crate) fn number_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Returns the year, month and day of the day with this number.
fn day_of(number: i64) -> (i64, i64, i64) {
    let (era, of_era) = ((number + 719_468).div_euclid(146_097), (number + 719_468).rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = (shifted + 2) % 12 + 1;
    (era * 400 + year + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// Returns the seconds and nanoseconds since 1970. The nanoseconds are never negative.
fn since_1970(time: SystemTime) -> (i64, u32) {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => (i64::try_from(after.as_secs()).unwrap_or(i64::MAX), after.subsec_nanos()),
        Err(error) => {
            let before = error.duration();
            let seconds = i64::try_from(before.as_secs()).map_or(i64::MIN + 1, |seconds| -seconds);
            match before.subsec_nanos() {
                0 => (seconds, 0),
                nanos => (seconds - 1, 1_000_000_000 - nanos),
            }
        }
    }
}

fn at(seconds: i64, nanos: u32) -> Option<SystemTime> {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let second = if seconds < 0 { epoch.checked_sub(whole) } else { epoch.checked_add(whole) };
    second?.checked_add(Duration::from_nanos(nanos.into()))
}

/// Returns the seconds and nanoseconds in the text.
fn within_calendar(time: SystemTime) -> (i64, u32) {
    let (seconds, nanos) = since_1970(time);
    let first = number_of(-LAST_YEAR, 1, 1) * DAY;
    (seconds.clamp(first, number_of(LAST_YEAR + 1, 1, 1) * DAY - 1), nanos)
}

fn canonical(time: SystemTime) -> SystemTime {
    let (seconds, nanos) = within_calendar(time);
    at(seconds, nanos).unwrap_or(time)
}

fn parse(text: &str) -> Result<SystemTime, TextFault> {
    let (day, clock, east) = read_instant(text)?;
    let date = (i64::from(day.year), i64::from(day.month), i64::from(day.day));
    let number = number_of(date.0, date.1, date.2);
    if day.month == 0 || day_of(number) != date {
        return Err(NO_DAY);
    }
    // A leap second is read as the second before it, because this clock has none.
    let of_day = i64::from(clock.hour) * 3600 + i64::from(clock.minute) * 60 + i64::from(clock.second.min(59));
    at(number * DAY + of_day - i64::from(east), clock.nano).ok_or(OUT_OF_RANGE)
}

fn write(time: SystemTime, style: Style, out: &mut Vec<u8>) {
    let (seconds, nano) = within_calendar(time);
    let ((year, month, day), of_day) = (day_of(seconds.div_euclid(DAY)), seconds.rem_euclid(DAY));
    // Each part fits its type: a year has at most six digits, and no other part exceeds 59.
    let day = Day { year: year as i32, month: month as u8, day: day as u8 };
    let [hour, minute, second] = [of_day / 3600, of_day / 60 % 60, of_day % 60].map(|part| part as u8);
    write_date_time(day, TimeOfDay { hour, minute, second, nano }, style, out);
    write_utc(style, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbered_through_the_calendar() {
        assert_eq!(number_of(1970, 1, 1), 0);
        assert_eq!(number_of(2000, 3, 1), 11_017);
        assert_eq!(number_of(1969, 12, 31), -1);
        let mut number = number_of(-401, 1, 1);
        for year in -401..=2401 {
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days = [31, 28 + i64::from(is_leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, days) in (1..).zip(days) {
                for day in 1..=days {
                    assert_eq!(number_of(year, month, day), number);
                    assert_eq!(day_of(number), (year, month, day));
                    number += 1;
                }
            }
        }
    }

    #[test]
    fn instants_are_read_back() {
        let text = |time: SystemTime| {
            let mut out = Vec::new();
            time.write(Style::Plain, &mut out);
            String::from_utf8(out).unwrap()
        };
        for (seconds, nanos, written) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"),
            (1_616_351_652, 500_000_000, "2021-03-21T18:34:12.5Z"),
            (-62_167_219_200, 0, "0000-01-01T00:00:00Z"),
            (253_402_300_800, 0, "+010000-01-01T00:00:00Z"),
        ] {
            let time = at(seconds, nanos).unwrap();
            assert_eq!(text(time), written);
            assert_eq!(SystemTime::parse(written), Ok(time));
        }
        assert_eq!(SystemTime::parse("2021-03-21T19:34:12.5+01:00"), SystemTime::parse("2021-03-21T18:34:12.5Z"));
        assert_eq!(SystemTime::parse("2021-02-29T00:00:00Z"), Err(NO_DAY));
        assert_eq!(SystemTime::parse("2021-00-01T00:00:00Z"), Err(NO_DAY));
        // This time is out of the calendar's range.
        let far = at(i64::MAX, 0).unwrap();
        assert_eq!(text(far), "+999999-12-31T23:59:59Z");
        let back = SystemTime::parse("+999999-12-31T23:59:59Z").unwrap();
        assert!(back != far && TextForm::identity(back) == TextForm::identity(far));
    }
}
