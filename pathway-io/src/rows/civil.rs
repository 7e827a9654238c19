//! Converts dates, times and decimals from their text form to numbers, for formats that have types for them.
//!
//! It reads only what the column types write in `Style::Plain`.

const DAY: i128 = 86_400 * SECOND;
const SECOND: i128 = 1_000_000_000;

/// Returns the days since 1970-01-01 of `2021-03-21`.
pub(crate) fn days(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let mut parts = digits.splitn(3, '-');
    let year = sign * number(parts.next()?)?;
    let (month, day) = (number(parts.next()?)?, number(parts.next()?)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // The years begin in March, so that the leap day is the last, and come in cycles of 400.
    let year = year - i64::from(month <= 2);
    let cycle = year.div_euclid(400);
    let year_of_cycle = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    Some(cycle * 146_097 + day_of_cycle - 719_468)
}

/// Returns the nanoseconds since midnight of `18:34:12.5`; a leap second belongs to the next minute.
pub(crate) fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let (hour, minute, seconds) = (number(parts.next()?)?, number(parts.next()?)?, parts.next()?);
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| *digits <= 9)?;
    let nanos = if fraction.is_empty() { 0 } else { number(fraction)? * 10_i64.pow(9 - digits) };
    Some(((hour * 60 + minute) * 60 + number(second)?) * 1_000_000_000 + nanos)
}

/// Returns the nanoseconds since 1970-01-01T00:00:00 of `2021-03-21T18:34:12.5`.
pub(crate) fn date_time(text: &str) -> Option<i128> {
    let (date, time) = text.split_once('T')?;
    Some(i128::from(days(date)?) * DAY + i128::from(time_of_day(time)?))
}

/// Returns the nanoseconds since the Unix epoch of `2021-03-21T18:34:12.5Z` and of `..+01:00`.
pub(crate) fn instant(text: &str) -> Option<i128> {
    if let Some(utc) = text.strip_suffix('Z') {
        return date_time(utc);
    }
    // The date has hyphens too.
    let time = text.find('T')?;
    let place = time + text[time..].find(['+', '-'])?;
    let sign = if text[place..].starts_with('-') { -1 } else { 1 };
    let mut east = 0;
    for (part, seconds) in text[place + 1..].split(':').zip([3600, 60, 1]) {
        east += number(part)? * seconds;
    }
    Some(date_time(&text[..place])? - sign * i128::from(east) * SECOND)
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

fn number(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_through_leap_years_and_before_the_epoch() {
        assert_eq!(days("1970-01-01"), Some(0));
        assert_eq!(days("2000-02-29"), Some(11_016));
        assert_eq!(days("2000-03-01"), Some(11_017));
        assert_eq!(days("1969-12-31"), Some(-1));
        assert_eq!(days("0000-03-01"), Some(-719_468));
        assert_eq!(days("-000001-12-31"), Some(-719_529));
        assert_eq!(days("+010000-01-01"), Some(2_932_897));
        for wrong in ["", "2000-13-01", "2000-1", "x", "2000-01-01T00:00:00"] {
            assert_eq!(days(wrong), None, "{wrong}");
        }
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn days_agree_with_the_calendar_of_chrono() {
        for day in (-400_000..800_000).step_by(17) {
            let date = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + chrono::TimeDelta::days(day);
            let text = crate::rows::column::to_json(date);
            assert_eq!(days(text.as_str().unwrap()), Some(day), "{date}");
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
