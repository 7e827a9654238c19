//! `Decimal` of `rust_decimal`: all its digits in text, including zeros at the end.
//!
//! In JSON it is a string, because readers of JSON convert a number to a float. For the same reason, a number with a
//! point is refused, since it may have lost digits already.
//!
//! An integer is accepted. `1.0` and `1.00` are different values: replacing one by the other changes a row. They are
//! equal for `==`, so a `Decimal` cannot be a key. Zero has no sign.

use rust_decimal::Decimal;

use super::text_form::{FORM, TextFault, TextForm};
use crate::rows::column::number::NumberBuffer;
use crate::rows::column::{Style, column_type};
use crate::rows::data_type::DataType;

column_type!(Decimal, NumberBuffer<Decimal>, DataType::Decimal; NotNull);

impl TextForm for Decimal {
    /// All digits as an integer, and the number of digits after the point.
    type Identity = (i128, u32);
    const PLACEHOLDER: Self = Decimal::ZERO;

    #[inline]
    fn identity(self) -> (i128, u32) {
        (self.mantissa(), self.scale())
    }

    fn parse(text: &str) -> Result<Decimal, TextFault> {
        // The crate's own parser accepts underscores, and `.5`.
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(FORM);
        }
        Decimal::from_str_exact(text).map_err(|_| "it has too many digits")
    }

    fn of_integer(integer: i128) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(integer, 0).ok()
    }

    fn write(self, _style: Style, out: &mut Vec<u8>) {
        let (mantissa, scale) = self.identity();
        if mantissa < 0 {
            out.push(b'-');
        }
        let start = out.len();
        out.extend_from_slice(itoa::Buffer::new().format(mantissa.unsigned_abs()).as_bytes());
        // At most 28.
        let scale = scale as usize;
        if scale > 0 {
            let missing = (scale + 1).saturating_sub(out.len() - start);
            out.splice(start..start, std::iter::repeat_n(b'0', missing));
            out.insert(out.len() - scale, b'.');
        }
    }
}
