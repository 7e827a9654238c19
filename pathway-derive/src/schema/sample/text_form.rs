//! The types whose values are strings of a certain form.
//!
//! The readers of these types are in the runtime, which depends on this crate. Here only the form is checked. A string
//! of the form can still be refused by its column, such as the 30th of February. A string that the column accepts is
//! never refused here.

/// Returns the check for the strings of a type, if they have a certain form.
pub fn of(name: &str) -> Option<fn(&str) -> bool> {
    Some(match name {
        "Date" => is_date,
        "Time" => is_time,
        "DateTime" => |text| is_date_and(text, is_time),
        "Timestamp" | "OffsetDateTime" => |text| is_date_and(text, is_time_with_offset),
        "Uuid" => is_uuid,
        "Decimal" => is_decimal,
        _ => return None,
    })
}

/// `2021-03-21`
fn is_date(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']);
    let longest = if unsigned.is_some() { 6 } else { 4 };
    let parts: Vec<&str> = unsigned.unwrap_or(text).split('-').collect();
    matches!(parts[..], [year, month, day] if (4..=longest).contains(&year.len())
        && is_number(year, 0..=999_999) && is_two(month, 1..=12) && is_two(day, 1..=31))
}

/// `18:34:12.5`
fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, "00"),
        [hour, minute, second] => (hour, minute, second),
        _ => return false,
    };
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let is_fraction = fraction.len() <= 9 && is_number(fraction, 0..=u32::MAX);
    is_two(hour, 0..=23) && is_two(minute, 0..=59) && is_two(second, 0..=60) && is_fraction
}

/// `2021-03-21T`, and then a time.
fn is_date_and(text: &str, is_time: fn(&str) -> bool) -> bool {
    text.split_once(['T', 't', ' ']).is_some_and(|(date, time)| is_date(date) && is_time(time))
}

/// `18:34:12.5Z`, `18:34:12.5+01:00`
fn is_time_with_offset(text: &str) -> bool {
    let Some(at) = text.find(['Z', 'z', '-', '+']) else { return false };
    let (time, offset) = text.split_at(at);
    let digits = offset[1..].replace(':', "");
    is_time(time) && if offset.starts_with(['Z', 'z']) { offset.len() == 1 } else { is_offset(&digits) }
}

/// `01`, `0100`, `010000`
fn is_offset(digits: &str) -> bool {
    matches!(digits.len(), 2 | 4 | 6) && is_number(digits, 0..=235_959)
}

fn is_uuid(text: &str) -> bool {
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let digits = text.replace(['-', '{', '}'], "");
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `-12.50`
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}

/// Returns whether the text is a number of two digits in the range.
fn is_two(text: &str, range: std::ops::RangeInclusive<u32>) -> bool {
    text.len() == 2 && is_number(text, range)
}

/// Returns whether the text is a number in the range, without a sign.
fn is_number(text: &str, range: std::ops::RangeInclusive<u32>) -> bool {
    !text.starts_with('+') && text.parse().is_ok_and(|number| range.contains(&number))
}
