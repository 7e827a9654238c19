//! Dates and times as ISO 8601 and RFC 3339 text, in one form for the types of `jiff` and of `chrono`.
//!
//! The written forms are `2021-03-21`, `18:34:12.5` and `2021-03-21T18:34:12.5`; an offset follows as `Z` or `+01:00`.
//! A fraction has only the digits that it needs. A year before 0 or after 9999 has a sign and six digits. The parser
//! also accepts a time without seconds, `t` or a space for `T`, `z`, and offsets like `+0100` and `+01`.
//!
//! The crates' own parsers accept more than is safe in a column: for a date, `jiff` ignores a time after it. Each crate
//! also writes fractions and years in its own way.

use super::text_form::{FORM, TextFault};
use crate::rows::column::Style;

const NO_TIME: TextFault = "the time of day does not exist";
/// The fault of a date that the calendar, or the type, does not have.
pub(super) const NO_DAY: TextFault = "the day does not exist";
/// The fault of a moment that is out of the type's range.
pub(super) const OUT_OF_RANGE: TextFault = "it is out of range";

/// A day as it is written, which need not exist in the calendar.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) year: i32,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

/// A time of day as it is written, where 60 stands for a leap second.
#[derive(Clone, Copy)]
pub(crate) struct TimeOfDay {
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    pub(crate) nano: u32,
}

/// Reads a date and nothing else.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "arrow", feature = "postgres"))]
pub(crate) fn read_date(text: &str) -> Result<Day, TextFault> {
    read(text, Unread::day, b"Tt ", "a `Date` has no time of day")
}

/// Reads a time of day and nothing else.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "arrow", feature = "postgres"))]
pub(crate) fn read_time(text: &str) -> Result<TimeOfDay, TextFault> {
    read(text, Unread::clock, b"Zz+-", "a `Time` has no offset")
}

/// Reads a date and a time without an offset.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "arrow", feature = "postgres"))]
pub(crate) fn read_date_time(text: &str) -> Result<(Day, TimeOfDay), TextFault> {
    read(text, Unread::day_and_clock, b"Zz+-", "a `DateTime` has no offset")
}

/// Reads a whole text. `fault` is the error if one of the bytes in `more` follows the value.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "arrow", feature = "postgres"))]
fn read<'a, T>(
    text: &'a str,
    value: fn(&mut Unread<'a>) -> Result<T, TextFault>,
    more: &[u8],
    fault: TextFault,
) -> Result<T, TextFault> {
    let mut reader = Unread(text.as_bytes());
    let value = value(&mut reader)?;
    match reader.0.first() {
        None => Ok(value),
        Some(next) if more.contains(next) => Err(fault),
        Some(_) => Err(FORM),
    }
}

/// Reads a date and a time with their offset, in seconds east of UTC.
pub(crate) fn read_instant(text: &str) -> Result<(Day, TimeOfDay, i32), TextFault> {
    let mut reader = Unread(text.as_bytes());
    let (day, clock) = reader.day_and_clock()?;
    if reader.0.is_empty() {
        return Err("its offset is missing");
    }
    let offset = reader.offset()?;
    if reader.0.is_empty() { Ok((day, clock, offset)) } else { Err(FORM) }
}

/// The unread rest of a text.
struct Unread<'a>(&'a [u8]);

impl Unread<'_> {
    fn take(&mut self, byte: u8) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), TextFault> {
        if self.take(byte) { Ok(()) } else { Err(FORM) }
    }

    fn digits(&self) -> usize {
        self.0.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// Returns a number of exactly this many digits, at most nine.
    fn number(&mut self, digits: usize) -> Result<u32, TextFault> {
        let (number, rest) = self.0.split_at_checked(digits).ok_or(FORM)?;
        if !number.iter().all(u8::is_ascii_digit) {
            return Err(FORM);
        }
        self.0 = rest;
        Ok(number.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
    }

    fn two(&mut self) -> Result<u8, TextFault> {
        // Below 100.
        Ok(self.number(2)? as u8)
    }

    fn day(&mut self) -> Result<Day, TextFault> {
        let minus = self.take(b'-');
        let digits = if minus || self.take(b'+') { self.digits().clamp(4, 6) } else { 4 };
        // Below 1,000,000.
        let year = self.number(digits)? as i32;
        self.expect(b'-')?;
        let month = self.two()?;
        self.expect(b'-')?;
        Ok(Day { year: if minus { -year } else { year }, month, day: self.two()? })
    }

    fn clock(&mut self) -> Result<TimeOfDay, TextFault> {
        let hour = self.two()?;
        self.expect(b':')?;
        let minute = self.two()?;
        let (mut second, mut nano) = (0, 0);
        if self.take(b':') {
            second = self.two()?;
            if self.take(b'.') {
                let digits = self.digits();
                if digits > 9 {
                    return Err("it has more than nine digits of a second");
                }
                nano = self.number(digits.max(1))? * 10_u32.pow(9 - digits as u32);
            }
        }
        if hour > 23 || minute > 59 || second > 60 {
            return Err(NO_TIME);
        }
        Ok(TimeOfDay { hour, minute, second, nano })
    }

    fn day_and_clock(&mut self) -> Result<(Day, TimeOfDay), TextFault> {
        let day = self.day()?;
        if self.0.is_empty() {
            return Err("its time of day is missing");
        }
        if self.take(b'T') || self.take(b't') || self.take(b' ') { Ok((day, self.clock()?)) } else { Err(FORM) }
    }

    fn offset(&mut self) -> Result<i32, TextFault> {
        if self.take(b'Z') || self.take(b'z') {
            return Ok(0);
        }
        let minus = self.take(b'-');
        if !minus {
            self.expect(b'+')?;
        }
        let mut parts = [self.two()?, 0, 0];
        for part in &mut parts[1..] {
            if self.take(b':') || !self.0.is_empty() {
                *part = self.two()?;
            }
        }
        let [hours, minutes, seconds] = parts.map(i32::from);
        if hours > 23 || minutes > 59 || seconds > 59 {
            return Err("the offset does not exist");
        }
        let east = hours * 3600 + minutes * 60 + seconds;
        Ok(if minus { -east } else { east })
    }
}

pub(super) fn write_date(date: Day, out: &mut Vec<u8>) {
    let year = date.year.unsigned_abs();
    match date.year {
        0..=9999 => write_digits::<4>(year, out),
        _ => {
            out.push(if date.year < 0 { b'-' } else { b'+' });
            write_digits::<6>(year, out);
        }
    }
    out.push(b'-');
    write_digits::<2>(date.month.into(), out);
    out.push(b'-');
    write_digits::<2>(date.day.into(), out);
}

pub(super) fn write_time(clock: TimeOfDay, out: &mut Vec<u8>) {
    write_whole_time(clock, out);
    let zeros = out.iter().rev().take_while(|byte| **byte == b'0').count();
    // The point is removed, too, if no digit remains after it.
    let gone = if zeros == 9 { 10 } else { zeros };
    out.truncate(out.len() - gone);
}

/// Writes a time with all nine digits of its second.
fn write_whole_time(clock: TimeOfDay, out: &mut Vec<u8>) {
    write_digits::<2>(clock.hour.into(), out);
    out.push(b':');
    write_digits::<2>(clock.minute.into(), out);
    out.push(b':');
    write_digits::<2>(clock.second.into(), out);
    out.push(b'.');
    write_digits::<9>(clock.nano, out);
}

pub(super) fn write_date_time(day: Day, clock: TimeOfDay, style: Style, out: &mut Vec<u8>) {
    write_date(day, out);
    out.push(b'T');
    match style {
        Style::Plain | Style::Exact => write_time(clock, out),
        Style::Pathway => write_whole_time(clock, out),
    }
}

/// Writes the end of an instant in UTC, after its date and time.
pub(super) fn write_utc(style: Style, out: &mut Vec<u8>) {
    out.extend_from_slice(match style {
        Style::Plain | Style::Exact => b"Z",
        Style::Pathway => b"+0000",
    });
}

/// Writes an offset in seconds east of UTC.
#[cfg(feature = "chrono")]
pub(super) fn write_offset(east: i32, out: &mut Vec<u8>) {
    out.push(if east < 0 { b'-' } else { b'+' });
    let east = east.unsigned_abs();
    write_digits::<2>(east / 3600, out);
    out.push(b':');
    write_digits::<2>(east / 60 % 60, out);
    if !east.is_multiple_of(60) {
        out.push(b':');
        write_digits::<2>(east % 60, out);
    }
}

fn write_digits<const N: usize>(mut number: u32, out: &mut Vec<u8>) {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        // Below 10.
        *digit += (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits);
}
