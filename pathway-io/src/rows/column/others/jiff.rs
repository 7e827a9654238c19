//! The dates and times of `jiff`, in the text forms of [`iso8601`](super::iso8601), and its `SignedDuration`.
//!
//! A `Zoned` cannot be a column: its text means another instant once the rules of its time zone change, and reading it
//! needs a time zone database. Use a `Timestamp`, and a column for the zone's name. A `Span` cannot be a column
//! either, because several spans have the same length.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::iso8601::{
    Day, NO_DAY, OUT_OF_RANGE, TimeOfDay, read_date, read_date_time, read_instant, read_time, write_date,
    write_date_time, write_time, write_utc,
};
use super::text_form::{FORM, TextFault, TextForm, text_forms};
use crate::rows::column::Style;
use crate::rows::column::duration::duration;

text_forms! {
    Date, Date, Date::ZERO, |text| read_date(text).and_then(to_date), |date, _, out| write_date(of_date(date), out);
    Time, Time, Time::MIN, |text| read_time(text).and_then(to_time), |time, _, out| write_time(of_time(time), out);
    DateTime, DateTime, DateTime::ZERO, read_both, write_both;
    Timestamp, Timestamp, Timestamp::UNIX_EPOCH, read_timestamp, write_timestamp;
}

duration!(
    SignedDuration,
    SignedDuration,
    SignedDuration::ZERO,
    SignedDuration::as_nanos,
    SignedDuration::try_from_nanos_i128
);

fn to_date(day: Day) -> Result<Date, TextFault> {
    let year = i16::try_from(day.year).map_err(|_| NO_DAY)?;
    Date::new(year, day.month.cast_signed(), day.day.cast_signed()).map_err(|_| NO_DAY)
}

fn to_time(clock: TimeOfDay) -> Result<Time, TextFault> {
    // `jiff` has no leap seconds, and its own parser reads `:60` as `:59`, too.
    let second = clock.second.min(59);
    let [hour, minute, second] = [clock.hour, clock.minute, second].map(u8::cast_signed);
    Time::new(hour, minute, second, clock.nano.cast_signed()).map_err(|_| FORM)
}

fn of_date(date: Date) -> Day {
    Day { year: date.year().into(), month: date.month().cast_unsigned(), day: date.day().cast_unsigned() }
}

fn of_time(time: Time) -> TimeOfDay {
    TimeOfDay {
        hour: time.hour().cast_unsigned(),
        minute: time.minute().cast_unsigned(),
        second: time.second().cast_unsigned(),
        nano: time.subsec_nanosecond().cast_unsigned(),
    }
}

fn read_both(text: &str) -> Result<DateTime, TextFault> {
    let (day, clock) = read_date_time(text)?;
    Ok(to_date(day)?.to_datetime(to_time(clock)?))
}

fn write_both(both: DateTime, style: Style, out: &mut Vec<u8>) {
    write_date_time(of_date(both.date()), of_time(both.time()), style, out);
}

fn read_timestamp(text: &str) -> Result<Timestamp, TextFault> {
    let (day, clock, east) = read_instant(text)?;
    let offset = Offset::from_seconds(east).map_err(|_| OUT_OF_RANGE)?;
    offset.to_timestamp(to_date(day)?.to_datetime(to_time(clock)?)).map_err(|_| OUT_OF_RANGE)
}

fn write_timestamp(timestamp: Timestamp, style: Style, out: &mut Vec<u8>) {
    write_both(Offset::UTC.to_datetime(timestamp), style, out);
    write_utc(style, out);
}
