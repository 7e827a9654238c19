//! The dates and times of `jiff`, in the text forms of [`iso8601`](super::iso8601), and its `SignedDuration`.
//!
//! A `Zoned` cannot be a column: its text means another instant once the rules of its time zone change, and reading it
//! needs a time zone database. Use a `Timestamp`, and a column for the zone's name. A `Span` cannot be a column
//! either, because several spans have the same length.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::iso8601::{
    Clock, Day, NO_DAY, OUT_OF_RANGE, read_date, read_date_time, read_instant, read_time, write_date, write_date_time,
    write_time, write_utc,
};
use super::signed::signed_duration;
use super::text_form::{FORM, Fault, TextForm, compared_as_written};
use crate::rows::column::number::NumberBuffer;
use crate::rows::column::{Style, column_type};
use crate::rows::data_type::DataType;

column_type!(Date, NumberBuffer<Date>, DataType::Date; KeyType NotNull);
column_type!(Time, NumberBuffer<Time>, DataType::Time; KeyType NotNull);
column_type!(DateTime, NumberBuffer<DateTime>, DataType::DateTime; KeyType NotNull);
column_type!(Timestamp, NumberBuffer<Timestamp>, DataType::Timestamp; KeyType NotNull);

signed_duration!(SignedDuration, SignedDuration::as_nanos, SignedDuration::try_from_nanos_i128);

fn to_date(day: Day) -> Result<Date, Fault> {
    let year = i16::try_from(day.year).map_err(|_| NO_DAY)?;
    Date::new(year, day.month.cast_signed(), day.day.cast_signed()).map_err(|_| NO_DAY)
}

fn to_time(clock: Clock) -> Result<Time, Fault> {
    // `jiff` has no leap seconds, and its own parser reads `:60` as `:59`, too.
    let second = clock.second.min(59);
    let [hour, minute, second] = [clock.hour, clock.minute, second].map(u8::cast_signed);
    Time::new(hour, minute, second, clock.nano.cast_signed()).map_err(|_| FORM)
}

fn of_date(date: Date) -> Day {
    Day { year: date.year().into(), month: date.month().cast_unsigned(), day: date.day().cast_unsigned() }
}

fn of_time(time: Time) -> Clock {
    Clock {
        hour: time.hour().cast_unsigned(),
        minute: time.minute().cast_unsigned(),
        second: time.second().cast_unsigned(),
        nano: time.subsec_nanosecond().cast_unsigned(),
    }
}

impl TextForm for Date {
    compared_as_written!(Self::default());

    fn parse(text: &str) -> Result<Date, Fault> {
        read_date(text).and_then(to_date)
    }

    fn write(self, _style: Style, out: &mut Vec<u8>) {
        write_date(of_date(self), out);
    }
}

impl TextForm for Time {
    compared_as_written!(Self::default());

    fn parse(text: &str) -> Result<Time, Fault> {
        read_time(text).and_then(to_time)
    }

    fn write(self, _style: Style, out: &mut Vec<u8>) {
        write_time(of_time(self), out);
    }
}

impl TextForm for DateTime {
    compared_as_written!(Self::default());

    fn parse(text: &str) -> Result<DateTime, Fault> {
        let (day, clock) = read_date_time(text)?;
        Ok(to_date(day)?.to_datetime(to_time(clock)?))
    }

    fn write(self, style: Style, out: &mut Vec<u8>) {
        write_date_time(of_date(self.date()), of_time(self.time()), style, out);
    }
}

impl TextForm for Timestamp {
    compared_as_written!(Self::default());

    fn parse(text: &str) -> Result<Timestamp, Fault> {
        let (day, clock, east) = read_instant(text)?;
        let offset = Offset::from_seconds(east).map_err(|_| OUT_OF_RANGE)?;
        offset.to_timestamp(to_date(day)?.to_datetime(to_time(clock)?)).map_err(|_| OUT_OF_RANGE)
    }

    fn write(self, style: Style, out: &mut Vec<u8>) {
        Offset::UTC.to_datetime(self).write(style, out);
        write_utc(style, out);
    }
}
