//! Durations as the options spell them: `"100ms"`, `"1.5s"`.

/// The units and their length in nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Returns the nanoseconds of a number with a unit, or `None` if the text is not such a number or does not fit in 64
/// bits.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))?;
    let (number, unit) = text.split_at(unit_at);
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if whole.is_empty() || (fraction.is_empty() && number.contains('.')) || fraction.contains('.') {
        return None;
    }
    let mut nanos = u128::from(whole.parse::<u64>().ok()?) * u128::from(*scale);
    // Adds digit by digit, so that 0.1 is exact. Digits below a nanosecond are ignored.
    let mut place = u128::from(*scale);
    for digit in fraction.bytes() {
        place /= 10;
        nanos += u128::from(digit - b'0') * place;
    }
    u64::try_from(nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units() {
        assert_eq!(parse("100ms"), Some(100_000_000));
        assert_eq!(parse("1.5s"), Some(1_500_000_000));
        assert_eq!(parse("0.1 s"), Some(100_000_000));
        assert_eq!(parse("1_000us"), Some(1_000_000));
        assert_eq!(parse("0s"), Some(0));
        assert_eq!(parse("2m"), Some(120_000_000_000));
        assert_eq!(parse("1h"), Some(3_600_000_000_000));
        assert_eq!(parse("1.9ns"), Some(1));
    }

    #[test]
    fn everything_else() {
        for text in ["", "100", "ms", "1 second", "-1s", "1.s", ".5s", "1.2.3s", "off", "9999999999h", "1e3s"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
