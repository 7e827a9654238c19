//! Values in PostgreSQL's binary form, for `COPY BINARY` and arrays: four bytes with the length, and the value. A
//! length of -1 is a null.

use std::ops::Range;

use crate::rows::civil;
use crate::rows::column::{Buffer, Scalar, Style};
use crate::sink::postgres::fault::{FORM, NANOS, NUL, PostgresFault, RANGE};
use crate::sink::postgres::jsonb;
use crate::sink::postgres::types::PostgresType;

/// Days from 1970-01-01 to PostgreSQL's own epoch, 2000-01-01.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_MICROS: i128 = EPOCH_DAYS as i128 * 86_400_000_000;
/// PostgreSQL's range of dates in days from its epoch: from 4714-11-24 BC to the end of the year 5874897.
const DATES: Range<i32> = -2_451_545..2_145_031_949;
/// PostgreSQL's range of timestamps in microseconds from its epoch: from 4714-11-24 BC to the end of the year 294276.
const TIMESTAMPS: Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;
/// The range of a time of day in microseconds. The last one is 24:00:00.
const TIMES: Range<i64> = 0..86_400_000_001;

/// Begins a field, with room for its length. Returns its position.
fn begin(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&(-1_i32).to_be_bytes());
    out.len()
}

/// Completes the field that starts at `start`.
fn end(out: &mut [u8], start: usize) -> Result<(), PostgresFault> {
    let len = i32::try_from(out.len() - start).map_err(|_| "a value of more than 1 GB")?;
    out[start - 4..start].copy_from_slice(&len.to_be_bytes());
    Ok(())
}

/// Appends an integer of eight bytes.
pub(super) fn int8(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&8_i32.to_be_bytes());
    out.extend_from_slice(&value.to_be_bytes());
}

/// Appends one value of a column. `exact` is for a key, which must not be rounded.
#[inline]
pub(super) fn field<B: Buffer>(
    kind: PostgresType,
    exact: bool,
    buffer: &B,
    row: usize,
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
) -> Result<(), PostgresFault> {
    let start = begin(out);
    match (kind, buffer.scalar(row)) {
        (_, Scalar::Null) => return Ok(()),
        (PostgresType::Bool, Scalar::Integer(value)) => out.push(u8::from(value != 0)),
        // The column's type guarantees that the value fits.
        (PostgresType::Int2, Scalar::Integer(value)) => out.extend_from_slice(&(value as i16).to_be_bytes()),
        (PostgresType::Int4, Scalar::Integer(value)) => out.extend_from_slice(&(value as i32).to_be_bytes()),
        (PostgresType::Int8, Scalar::Integer(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (PostgresType::Numeric(_), Scalar::Integer(value)) => numeric(itoa::Buffer::new().format(value), out)?,
        (PostgresType::Float4, Scalar::Float(value)) => out.extend_from_slice(&(value as f32).to_be_bytes()),
        (PostgresType::Float8, Scalar::Float(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (PostgresType::Text, Scalar::Text(value)) => text(value.as_bytes(), out)?,
        (PostgresType::Bytea, Scalar::Bytes(value)) => out.extend_from_slice(value),
        (kind, Scalar::Spelled) => {
            scratch.clear();
            match kind {
                PostgresType::Jsonb => buffer.write_json(row, Style::Plain, scratch),
                _ => buffer.write_text(row, Style::Plain, scratch),
            }
            spelled(kind, exact, scratch, out)?;
        }
        _ => return Err(FORM),
    }
    end(out, start)
}

/// Checks the characters of a text.
pub(super) fn check_text(value: &[u8]) -> Result<(), PostgresFault> {
    if memchr::memchr(0, value).is_some() { Err(NUL) } else { Ok(()) }
}

fn text(value: &[u8], out: &mut Vec<u8>) -> Result<(), PostgresFault> {
    check_text(value)?;
    out.extend_from_slice(value);
    Ok(())
}

/// Appends a value from its text form.
fn spelled(kind: PostgresType, exact: bool, value: &[u8], out: &mut Vec<u8>) -> Result<(), PostgresFault> {
    match kind {
        PostgresType::Text => return text(value, out),
        PostgresType::Jsonb => {
            jsonb::check(value)?;
            // The version of the binary form of `jsonb`.
            out.push(1);
            out.extend_from_slice(value);
            return Ok(());
        }
        _ => {}
    }
    let value = std::str::from_utf8(value).map_err(|_| FORM)?;
    match kind {
        PostgresType::Numeric(_) => numeric(value, out)?,
        PostgresType::Date => {
            let days = civil::days(value).ok_or(FORM)? - EPOCH_DAYS;
            let days = i32::try_from(days).ok().filter(|days| DATES.contains(days)).ok_or(RANGE)?;
            out.extend_from_slice(&days.to_be_bytes());
        }
        PostgresType::Time => {
            let nanos = civil::time_of_day(value).ok_or(FORM)?;
            out.extend_from_slice(&micros(nanos.into(), exact, 0, TIMES)?.to_be_bytes());
        }
        PostgresType::Timestamp => {
            let nanos = civil::date_time(value).ok_or(FORM)?;
            out.extend_from_slice(&micros(nanos, exact, EPOCH_MICROS, TIMESTAMPS)?.to_be_bytes());
        }
        PostgresType::Timestamptz => {
            let nanos = civil::instant(value).ok_or(FORM)?;
            out.extend_from_slice(&micros(nanos, exact, EPOCH_MICROS, TIMESTAMPS)?.to_be_bytes());
        }
        PostgresType::Uuid => out.extend_from_slice(&civil::uuid(value).ok_or(FORM)?),
        _ => return Err(FORM),
    }
    Ok(())
}

/// Returns the microseconds since an epoch. Nanoseconds are truncated, or refused if `exact`.
fn micros(nanos: i128, exact: bool, epoch: i128, range: Range<i64>) -> Result<i64, PostgresFault> {
    if exact && nanos.rem_euclid(1_000) != 0 {
        return Err(NANOS);
    }
    i64::try_from(nanos.div_euclid(1_000) - epoch).ok().filter(|micros| range.contains(micros)).ok_or(RANGE)
}

/// Appends a `numeric`: groups of four digits, with the position of the point.
fn numeric(text: &str, out: &mut Vec<u8>) -> Result<(), PostgresFault> {
    const NEGATIVE: u16 = 0x4000;
    let (negative, whole, fraction) = civil::decimal(text).ok_or(FORM)?;
    let head = out.len();
    out.extend_from_slice(&[0; 8]);
    let group = |digits: &[u8]| digits.iter().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0'));
    let whole = whole.trim_start_matches('0').as_bytes();
    // The first group before the point and the last group after it may be shorter.
    let (first, others) = whole.split_at(whole.len() % 4);
    let mut groups = 0_i16;
    let mut weight = -1_i16;
    if !first.is_empty() {
        out.extend_from_slice(&group(first).to_be_bytes());
    }
    for digits in others.chunks(4) {
        out.extend_from_slice(&group(digits).to_be_bytes());
    }
    let before = whole.len().div_ceil(4);
    weight += i16::try_from(before).map_err(|_| FORM)?;
    groups += i16::try_from(before).map_err(|_| FORM)?;
    for digits in fraction.as_bytes().chunks(4) {
        let value = group(digits) * 10_i16.pow(4 - digits.len() as u32);
        // Zeros before the first digit are omitted.
        if groups == 0 && value == 0 {
            weight -= 1;
            continue;
        }
        out.extend_from_slice(&value.to_be_bytes());
        groups += 1;
    }
    while groups > 0 && out.ends_with(&[0, 0]) {
        out.truncate(out.len() - 2);
        groups -= 1;
    }
    if groups == 0 {
        weight = 0;
    }
    let sign = if negative && groups > 0 { NEGATIVE } else { 0 };
    let scale = u16::try_from(fraction.len()).map_err(|_| FORM)?;
    let head = &mut out[head..head + 8];
    head[..2].copy_from_slice(&groups.to_be_bytes());
    head[2..4].copy_from_slice(&weight.to_be_bytes());
    head[4..6].copy_from_slice(&sign.to_be_bytes());
    head[6..].copy_from_slice(&scale.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric_of(text: &str) -> Vec<i16> {
        let mut out = vec![9];
        numeric(text, &mut out).unwrap();
        out[1..].chunks(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn a_numeric_is_groups_of_four_digits() {
        // A `numeric` begins with the number of groups, the weight of the first group, the sign, and the number of
        // digits after the point. The groups follow.
        for (text, expected) in [
            ("0", vec![0, 0, 0, 0]),
            ("-0.00", vec![0, 0, 0, 2]),
            ("7", vec![1, 0, 0, 0, 7]),
            ("-12345", vec![2, 1, 0x4000, 0, 1, 2345]),
            ("10000", vec![1, 1, 0, 0, 1]),
            ("12.50", vec![2, 0, 0, 2, 12, 5000]),
            ("0.00012", vec![2, -1, 0, 5, 1, 2000]),
            ("0.00001", vec![1, -2, 0, 5, 1000]),
        ] {
            assert_eq!(numeric_of(text), expected, "{text}");
        }
    }

    #[test]
    fn a_key_is_not_rounded() {
        assert_eq!(micros(1_500, false, 0, TIMESTAMPS), Ok(1));
        assert_eq!(micros(-1, false, 0, TIMESTAMPS), Ok(-1));
        assert_eq!(micros(1_500, true, 0, TIMESTAMPS), Err(NANOS));
        assert_eq!(micros(2_000, true, 0, TIMESTAMPS), Ok(2));
    }
}
