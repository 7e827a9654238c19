//! The dates and times of `chrono`, in the text forms of [`iso8601`](super::iso8601), and its `TimeDelta`.
//!
//! A leap second is written as `:60` if it is at the end of a minute. `chrono` allows one after any second; such a leap
//! second is written as the second that follows.
//!
//! A `DateTime<FixedOffset>` keeps its offset: the same instant at another offset is another row. It cannot be a key,
//! because `==` ignores the offset. A `DateTime<Local>` cannot be a column, because its text depends on the machine.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, Timelike, Utc};

use super::iso8601::{
    Day, NO_DAY, OUT_OF_RANGE, TimeOfDay, read_date, read_date_time, read_instant, read_time, write_date,
    write_date_time, write_offset, write_time, write_utc,
};
use super::text_form::{FORM, TextFault, TextForm, text_forms};
use crate::rows::column::duration::duration;
use crate::rows::column::number::NumberBuffer;
use crate::rows::column::{Style, column_type};
use crate::rows::data_type::DataType;

const SECOND: u32 = 1_000_000_000;

const EPOCH: NaiveDateTime = DateTime::UNIX_EPOCH.naive_utc();

text_forms! {
    NaiveDate, Date, EPOCH.date(), |text| read_date(text).and_then(to_date),
        |date, _, out| write_date(of_date(date), out);
    NaiveTime, Time, NaiveTime::MIN, |text| read_time(text).and_then(to_time),
        |time, _, out| write_time(of_time(time), out),
        canonical |time| as_written(NaiveDate::default().and_time(time), no_offset()).time();
    NaiveDateTime, DateTime, EPOCH, read_both, write_both,
        canonical |both| as_written(both, no_offset());
    DateTime<Utc>, Timestamp, DateTime::UNIX_EPOCH,
        |text| Ok(<DateTime<FixedOffset>>::parse(text)?.to_utc()), write_instant,
        canonical |instant: DateTime<Utc>| as_written(instant.naive_utc(), no_offset()).and_utc();
}
column_type!(DateTime<FixedOffset>, NumberBuffer<DateTime<FixedOffset>>, DataType::OffsetDateTime; NotNull);

duration!(TimeDelta, SignedDuration, TimeDelta::zero(), time_delta_nanos, time_delta_of_nanos);

fn time_delta_nanos(delta: &TimeDelta) -> i128 {
    i128::from(delta.num_seconds()) * i128::from(SECOND) + i128::from(delta.subsec_nanos())
}

fn time_delta_of_nanos(nanos: i128) -> Option<TimeDelta> {
    let seconds = i64::try_from(nanos.div_euclid(SECOND.into())).ok()?;
    let nanos = u32::try_from(nanos.rem_euclid(SECOND.into())).ok()?;
    TimeDelta::new(seconds, nanos)
}

fn to_date(day: Day) -> Result<NaiveDate, TextFault> {
    NaiveDate::from_ymd_opt(day.year, day.month.into(), day.day.into()).ok_or(NO_DAY)
}

fn to_time(clock: TimeOfDay) -> Result<NaiveTime, TextFault> {
    let (second, nano) = if clock.second == 60 { (59, clock.nano + SECOND) } else { (clock.second, clock.nano) };
    NaiveTime::from_hms_nano_opt(clock.hour.into(), clock.minute.into(), second.into(), nano).ok_or(FORM)
}

fn of_date(date: NaiveDate) -> Day {
    // At most 12 and 31.
    Day { year: date.year(), month: date.month() as u8, day: date.day() as u8 }
}

fn of_time(time: NaiveTime) -> TimeOfDay {
    let leap = time.nanosecond() / SECOND;
    // At most 23, 59 and 60.
    let [hour, minute, second] = [time.hour(), time.minute(), time.second() + leap].map(|part| part as u8);
    TimeOfDay { hour, minute, second, nano: time.nanosecond() % SECOND }
}

/// Returns the time that its text reads back as. A leap second is written only at the end of a minute of the local
/// time. Any other is stored as the following second, so that the value is the same after a restart.
fn as_written(utc: NaiveDateTime, offset: FixedOffset) -> NaiveDateTime {
    let Some(nanos) = utc.nanosecond().checked_sub(SECOND) else { return utc };
    if (utc.time() + offset).second() == 59 {
        return utc;
    }
    let second = utc.with_nanosecond(nanos).and_then(|second| second.checked_add_signed(TimeDelta::seconds(1)));
    second.unwrap_or(utc)
}

fn no_offset() -> FixedOffset {
    Utc.fix()
}

fn read_both(text: &str) -> Result<NaiveDateTime, TextFault> {
    let (day, clock) = read_date_time(text)?;
    Ok(to_date(day)?.and_time(to_time(clock)?))
}

fn write_both(both: NaiveDateTime, style: Style, out: &mut Vec<u8>) {
    write_date_time(of_date(both.date()), of_time(both.time()), style, out);
}

fn write_instant(instant: DateTime<Utc>, style: Style, out: &mut Vec<u8>) {
    write_both(instant.naive_utc(), style, out);
    write_utc(style, out);
}

impl TextForm for DateTime<FixedOffset> {
    type Identity = (NaiveDateTime, FixedOffset);
    const PLACEHOLDER: Self =
        DateTime::from_naive_utc_and_offset(EPOCH, FixedOffset::east_opt(0).expect("zero is an offset"));

    #[inline]
    fn identity(self) -> Self::Identity {
        (as_written(self.naive_utc(), *self.offset()), *self.offset())
    }

    fn canonical(self) -> DateTime<FixedOffset> {
        let (utc, offset) = TextForm::identity(self);
        DateTime::from_naive_utc_and_offset(utc, offset)
    }

    fn parse(text: &str) -> Result<DateTime<FixedOffset>, TextFault> {
        let (day, clock, east) = read_instant(text)?;
        let offset = FixedOffset::east_opt(east).ok_or(OUT_OF_RANGE)?;
        match to_date(day) {
            Ok(date) => date.and_time(to_time(clock)?).and_local_timezone(offset).single().ok_or(OUT_OF_RANGE),
            Err(fault) => beyond_calendar(day, clock, offset).ok_or(fault),
        }
    }

    fn write(self, style: Style, out: &mut Vec<u8>) {
        if style == Style::Pathway {
            return write_instant(self.to_utc(), style, out);
        }
        let (utc, offset) = (self.naive_utc(), *self.offset());
        let east = offset.local_minus_utc();
        match utc.checked_add_offset(offset) {
            Some(local) => write_both(local, style, out),
            None => write_date_time(day_beyond(east), of_time(utc.time() + offset), style, out),
        }
        write_offset(east, out);
    }
}

/// Returns the day of a local time that is out of the calendar's range. The calendar ends with whole days in UTC, so
/// it is the day after the last one or before the first one, depending on the sign of the offset.
fn day_beyond(east: i32) -> Day {
    if east < 0 {
        let first = of_date(NaiveDate::MIN);
        Day { year: first.year - 1, month: 12, day: 31 }
    } else {
        let last = of_date(NaiveDate::MAX);
        Day { year: last.year + 1, month: 1, day: 1 }
    }
}

/// Returns the instant of such a local time.
fn beyond_calendar(day: Day, clock: TimeOfDay, offset: FixedOffset) -> Option<DateTime<FixedOffset>> {
    let east = offset.local_minus_utc();
    let end = if east < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
    let local = to_time(clock).ok()?;
    // The local time is one day out of range, and its offset leads back into the calendar.
    let second = i32::try_from(local.num_seconds_from_midnight()).ok()? - east;
    let leads_back = if east < 0 { second >= 86_400 } else { second < 0 };
    let is_within = day == day_beyond(east) && leads_back;
    is_within.then(|| DateTime::from_naive_utc_and_offset(end.and_time(local - offset), offset))
}
