//! Numbers. Digits are read eight at a time.

use super::Scan;

/// The powers of ten that are exact as floats.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
const POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1; 20];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};
/// Integers up to this one are exact as floats.
const EXACT: u64 = 1 << 53;
/// The maximum number of digits that always fit in 64 bits.
const DIGITS: usize = 19;

/// Returns the number whose digits are the bytes of `word`. The first digit is the lowest byte.
#[inline]
fn eight_digits(word: u64) -> u64 {
    // Combines digits to pairs, pairs to groups of four, and these to eight. Each sum is in the upper half of a
    // product.
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8);
    let upper = (pairs & 0xff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let lower = ((pairs >> 16) & 0xff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    upper.wrapping_add(lower) >> 32
}

/// For each power of ten up to the 19th: the first 64 bits of its reciprocal, which begin with a 1, and the number of
/// bits by which the reciprocal is shifted to the left.
const RECIPROCALS: [(u64, i32); 20] = {
    let mut reciprocals = [(0, 0); 20];
    let mut i = 1;
    while i < reciprocals.len() {
        let power = POWERS_OF_TEN[i] as u128;
        // Long division of 2 to the power of `shift`, bit by bit.
        let (mut remainder, mut quotient, mut shift) = (1, 0, 0);
        while quotient >> 63 == 0 {
            remainder *= 2;
            quotient = (quotient << 1) | (remainder >= power) as u64;
            remainder %= power;
            shift += 1;
        }
        reciprocals[i] = (quotient, shift);
        i += 1;
    }
    reciprocals
};

/// Divides `value` by ten to the power of `power`, and rounds the quotient. The value is not exact as a float, and the
/// power is not 0. Returns `None` if 64 bits of the reciprocal cannot decide which float is the nearest. This happens
/// for one value in 300 (Lemire, 2021).
#[inline]
fn quotient(value: u64, power: usize) -> Option<f64> {
    let &(reciprocal, shift) = RECIPROCALS.get(power).filter(|_| power > 0)?;
    let zeros = value.leading_zeros();
    // The upper 64 bits of the product, less than 2 too small in their last place.
    let product = ((u128::from(value << zeros) * u128::from(reciprocal)) >> 64) as u64;
    let normal = product.leading_zeros();
    let (product, error) = (product << normal, 2 << normal);
    // The first 53 bits are the mantissa. The bits after them determine the rounding, unless they are too close to one
    // half or to the next mantissa.
    let (mantissa, low_bits) = (product >> 11, product & 0x7ff);
    let half = 0x400;
    if (low_bits <= half && low_bits + error > half) || low_bits + error > half * 2 {
        return None;
    }
    let mantissa = mantissa + u64::from(low_bits > half);
    // The first bit of the mantissa is 2 to the power of 52. The sum carries it into the exponent, to which it adds 1.
    // If rounding has turned the mantissa into 2 to the power of 53, the sum adds 2, which is right for that value.
    let exponent = 11 + 64 - normal as i32 - zeros as i32 - shift;
    Some(f64::from_bits((((1023 + 52 - 1 + exponent) as u64) << 52) + mantissa))
}

impl Scan<'_> {
    /// Returns the sign and the absolute value of an integer of 64 bits.
    #[inline]
    pub(crate) fn integer(&mut self) -> Option<(bool, u64)> {
        let negative = self.eat(b'-');
        let rest = self.text.as_bytes().get(self.at..)?;
        let (value, digits) = digits(0, rest);
        // For serde_json, `-0` is a float and `01` is not a number.
        let padded = rest.first() == Some(&b'0');
        if digits == 0 || digits > DIGITS || (padded && (negative || digits > 1)) {
            return None;
        }
        self.at += digits;
        Some((negative, value))
    }

    /// Returns a float. If its digits and the power of ten are exact as floats, their quotient is rounded once and is
    /// therefore right (Clinger, 1990). The standard library reads other floats, and rounds them correctly, too.
    #[inline]
    pub(crate) fn float(&mut self) -> Option<f64> {
        let start = self.at;
        let negative = self.eat(b'-');
        let rest = self.text.as_bytes().get(self.at..)?;
        let (whole, before) = digits(0, rest);
        if before == 0 || (before > 1 && rest[0] == b'0') {
            return None;
        }
        let (value, decimals, len) = match rest.get(before..) {
            Some([b'.', fraction @ ..]) => {
                let (value, decimals) = digits(whole, fraction);
                if decimals == 0 {
                    return None;
                }
                (value, decimals, before + 1 + decimals)
            }
            _ => (whole, 0, before),
        };
        self.at += len;
        if before + decimals > DIGITS || matches!(rest.get(len), Some(b'e' | b'E')) {
            return self.long_float(start, decimals > 0);
        }
        let value = if value <= EXACT {
            value as f64 / POWERS[decimals]
        } else if let Some(value) = quotient(value, decimals) {
            value
        } else {
            return self.long_float(start, decimals > 0);
        };
        Some(if negative { -value } else { value })
    }

    /// Returns the float that begins at `start` and has been read up to its exponent. Returns `None` for a number out
    /// of range, and for an integer, which serde_json can convert to an `f32` without rounding twice.
    #[inline(never)]
    fn long_float(&mut self, start: usize, decimals: bool) -> Option<f64> {
        let exponent = self.eat(b'e') || self.eat(b'E');
        if exponent {
            let _ = self.eat(b'+') || self.eat(b'-');
            let (_, digits) = digits(0, self.text.as_bytes().get(self.at..)?);
            if digits == 0 {
                return None;
            }
            self.at += digits;
        }
        if !exponent && !decimals {
            return None;
        }
        self.text.get(start..self.at)?.parse().ok().filter(|value: &f64| value.is_finite())
    }
}

/// Appends the digits at the start of `text` to the digits of `value`, and counts them. If the result has more than 64
/// bits, it has no meaning.
#[inline(always)]
fn digits(mut value: u64, text: &[u8]) -> (u64, usize) {
    let mut rest = text;
    while let Some((chunk, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*chunk) ^ 0x3030_3030_3030_3030;
        // The top bit of each byte that is not a digit. A carry can only mark bytes above the first such byte.
        let others = (word.wrapping_add(0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080;
        if others != 0 {
            let count = others.trailing_zeros() as usize / 8;
            // The shift is in two steps, because for no digits it would be by 64 bits.
            let digits = eight_digits((word << (56 - 8 * count)) << 8);
            return (value.wrapping_mul(POWERS_OF_TEN[count]).wrapping_add(digits), text.len() - rest.len() + count);
        }
        value = value.wrapping_mul(100_000_000).wrapping_add(eight_digits(word));
        rest = after;
    }
    let (value, count) = digits_at_end(value, rest);
    (value, text.len() - rest.len() + count)
}

/// Does the same as [`digits`] for less than eight bytes.
#[inline(never)]
fn digits_at_end(value: u64, text: &[u8]) -> (u64, usize) {
    let digits = text.iter().take_while(|digit| digit.is_ascii_digit());
    digits.fold((value, 0), |(value, count), digit| {
        (value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')), count + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20_000))]

        #[test]
        fn quotients_are_the_nearest_floats(value in EXACT + 1.., power in 1_usize..=DIGITS, bits in 0_u32..11) {
            for value in [value, value >> bits].into_iter().filter(|value| *value > EXACT) {
                let expected: f64 = format!("{value}e-{power}").parse().unwrap();
                if let Some(quotient) = quotient(value, power) {
                    proptest::prop_assert_eq!(quotient, expected);
                }
            }
        }
    }

    #[test]
    fn halves_are_left_to_others() {
        // `2^53 + 1` lies between two floats. The test uses a tenth of it, a hundredth and so on.
        let half = EXACT + 1;
        for power in 1..=2 {
            let value = half * 10_u64.pow(power as u32);
            assert_eq!(quotient(value, power), None);
            for near in [value - 1, value + 1] {
                let expected: f64 = format!("{near}e-{power}").parse().unwrap();
                assert_eq!(quotient(near, power), Some(expected));
            }
        }
        assert!(quotient(EXACT + 2, 0).is_none() && quotient(EXACT + 2, 20).is_none());
    }

    #[test]
    fn counts_and_reads_digits() {
        for digits in 0..=DIGITS {
            for after in ["", ",", ".5", ", \"a\": 12345678", "e5", "\u{c5}\u{9}", "/:;0"] {
                let number = &"9876543210123456789"[..digits];
                let text = format!("{number}{after}");
                assert_eq!(super::digits(0, text.as_bytes()), (number.parse().unwrap_or(0), digits), "{text}");
            }
        }
    }
}
