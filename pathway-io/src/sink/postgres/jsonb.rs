//! Finds valid JSON that PostgreSQL does not accept as `jsonb`: [`check`].

use super::fault::{NUL, PostgresFault};

/// A shorter text has few elements, and numbers that fit unless an exponent has four digits or more.
const LONG: usize = 8 * 1024;
/// The maximum number of digits of a `numeric` before and after the point, and the first exponent that it does not take
/// even of 0.
const BEFORE: i64 = 131_072;
const AFTER: i64 = 16_383;
const EXPONENT: i64 = (i32::MAX / 2) as i64;
/// The maximum number of elements of an array and names of an object. PostgreSQL doubles the memory for them, and
/// refuses to allocate 1 GiB.
const ELEMENTS: usize = 1 << 24;
const NAMES: usize = 1 << 23;

const SURROGATE: PostgresFault =
    "JSON with one half of a surrogate pair, such as `\\ud800`, which PostgreSQL cannot hold; replace it in the source";
const NUMBER: PostgresFault =
    "JSON with a number of more than 131072 digits before or 16383 after the point, which PostgreSQL cannot hold";
const MANY: PostgresFault = "JSON with an array of more than 16777216 elements or an object of more than 8388608 names, which \
                     PostgreSQL cannot hold";

/// Checks a valid JSON text.
pub(super) fn check(json: &[u8]) -> Result<(), PostgresFault> {
    check_escapes(json)?;
    if json.len() >= LONG || has_long_exponent(json) { check_parts(json, ELEMENTS, NAMES) } else { Ok(()) }
}

fn check_escapes(json: &[u8]) -> Result<(), PostgresFault> {
    let mut rest = json;
    while let Some(place) = memchr::memchr(b'\\', rest) {
        let escape = &rest[place..];
        let len = match unit(escape) {
            Some(0) => return Err(NUL),
            Some(0xd800..0xdc00) if matches!(escape.get(6..).and_then(unit), Some(0xdc00..0xe000)) => 12,
            Some(0xd800..0xe000) => return Err(SURROGATE),
            // The escaped character may be a backslash itself.
            _ => 2,
        };
        rest = escape.get(len..).unwrap_or(&[]);
    }
    Ok(())
}

/// Returns the number of a `\u` escape at the start of a text.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Returns whether an exponent may have four digits or more, inside a string too. The loop has no branch, so that the
/// compiler can use vector instructions.
fn has_long_exponent(json: &[u8]) -> bool {
    let Some(ends) = json.len().checked_sub(5) else { return false };
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let starts = json[..ends].iter().zip(&json[1..]).zip(&json[2..]);
    let places = starts.zip(&json[3..]).zip(&json[4..]).zip(&json[5..]);
    places.fold(false, |found, (((((before, e), sign), a), b), c)| {
        let is_exponent = is_digit(before) & (e | 0x20 == b'e') & (b'+'..=b'9').contains(sign);
        found | (is_exponent & is_digit(a) & is_digit(b) & is_digit(c))
    })
}

/// Checks the numbers, and how many elements each array and object has.
fn check_parts(json: &[u8], elements: usize, names: usize) -> Result<(), PostgresFault> {
    // For each open array and object, how many elements may follow.
    let mut open = Vec::new();
    let mut rest = json;
    while let Some(byte) = rest.first() {
        let mut len = 1;
        match byte {
            b'"' => len = string_len(rest),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"-+.eE".contains(byte);
                len = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
                check_number(&rest[..len])?;
            }
            b'[' => open.push(elements - 1),
            b'{' => open.push(names - 1),
            b']' | b'}' => drop(open.pop()),
            b',' => {
                if let Some(left) = open.last_mut() {
                    *left = left.checked_sub(1).ok_or(MANY)?;
                }
            }
            _ => {}
        }
        rest = &rest[len..];
    }
    Ok(())
}

/// Returns the length of the string at the start of a text, with its quotes.
fn string_len(text: &[u8]) -> usize {
    let mut end = 1;
    while let Some(place) = text.get(end..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        end += place;
        if text[end] == b'"' {
            return end + 1;
        }
        end += 2;
    }
    text.len()
}

fn check_number(text: &[u8]) -> Result<(), PostgresFault> {
    let (digits, exponent) = match memchr::memchr2(b'e', b'E', text) {
        Some(place) => (&text[..place], exponent(&text[place + 1..])),
        None => (text, 0),
    };
    let digits = digits.strip_prefix(b"-").unwrap_or(digits);
    let point = memchr::memchr(b'.', digits).unwrap_or(digits.len());
    let (whole, fraction) = (&digits[..point], digits.get(point + 1..).unwrap_or(&[]));
    // Zeros before the first digit take no place.
    let zeros = whole.iter().chain(fraction).position(|digit| *digit != b'0');
    let before = zeros.map_or(0, |zeros| whole.len() as i64 - zeros as i64 + exponent);
    let after = fraction.len() as i64 - exponent;
    if exponent.abs() >= EXPONENT || before > BEFORE || after > AFTER { Err(NUMBER) } else { Ok(()) }
}

/// Returns an exponent, or one that is too large as well.
fn exponent(text: &[u8]) -> i64 {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let size = digits.fold(0, |size, digit| (size * 10 + i64::from(digit - b'0')).min(EXPONENT));
    if text.starts_with(b"-") { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_after_any_number_of_backslashes() {
        for (json, expected) in [
            (r#""\u0000""#, Err(NUL)),
            (r#""\\\u0000""#, Err(NUL)),
            (r#""\\u0000""#, Ok(())),
            (r#""\"u0000""#, Ok(())),
            ("\\", Ok(())),
        ] {
            assert_eq!(check(json.as_bytes()), expected, "{json}");
        }
    }

    #[test]
    fn elements_are_counted_for_each_array_and_object() {
        let array = |len: usize| format!("[{}1]", "1,".repeat(len - 1));
        let object = |len: usize| format!("{{{}\"\":[]}}", "\"\":1,".repeat(len - 1));
        for (json, expected) in [
            (array(9), Ok(())),
            (array(10), Err(MANY)),
            (object(5), Ok(())),
            (object(6), Err(MANY)),
            (format!("[{0},[{0}],{{\"a\":{0}}}]", array(9)), Ok(())),
            (format!("[[{}],7]", object(6)), Err(MANY)),
            (format!("[\"{}\"]", "\\\",[{1e999999".repeat(10)), Ok(())),
        ] {
            assert_eq!(check_parts(json.as_bytes(), 9, 5), expected, "{json}");
        }
        assert_eq!(check(format!("[{}1]", "1,".repeat(1 << 24)).as_bytes()), Err(MANY));
    }
}
