//! Floats of 32 bits, which are rounded once, as serde_json rounds them.

use proptest::prelude::*;

use super::read;
use crate::rows::column::scan::Scan;
use crate::rows::column::{Buffer, ColumnType};

/// Returns the bits of a number as the scan reads it, and as the parser does.
fn both(number: &str) -> [Option<u32>; 2] {
    let mut buffer = <f32 as ColumnType>::Buffer::default();
    let scanned = buffer.scan(&mut Scan::new(number)).then(|| buffer.get(0).to_bits());
    [scanned, read::<f32>(number).ok().map(f32::to_bits)]
}

fn as_serde(number: &str) -> [Option<u32>; 2] {
    [serde_json::from_str(number).ok().map(f32::to_bits); 2]
}

#[test]
fn floats_of_32_bits_are_rounded_once() {
    for (number, expected) in [
        // As an `f64` it is halfway between 16777216 and 16777218, which rounds to the even one.
        ("16777217.0000000001", 16_777_218.0),
        ("16777217.0", 16_777_216.0),
        ("16777216.9999999999", 16_777_216.0),
        ("1.00000005960464477539062500001", 1.000_000_1),
        ("7.038531e-26", 7.038531e-26),
        // A little less, and a little more, than half of the smallest float.
        ("7.006492321624085e-46", 0.0),
        ("7.0064923216240853546186479164495807e-46", f32::from_bits(1)),
        ("340282356779733661637539395458142568447.9999", f32::MAX),
        ("16777217", 16_777_216.0),
        ("-0.0", -0.0),
        ("0.0", 0.0),
        ("0", 0.0),
    ] {
        assert_eq!(both(number), [Some(f32::to_bits(expected)); 2], "{number}");
        assert_eq!(both(number), as_serde(number), "{number}");
        assert_eq!(read::<Vec<Option<f32>>>(&format!("[null,{number}]")), Ok(vec![None, Some(expected)]));
    }
    for number in ["340282356779733661637539395458142568448.0", "1e39", "1e400"] {
        assert_eq!(both(number), [None; 2], "{number}");
        assert_eq!(both(number), as_serde(number), "{number}");
    }
}

#[test]
fn a_value_is_the_float_of_its_text() {
    for (number, expected) in [("7.038531e-26", 7.038531e-26_f32), ("16777217.0", 16_777_216.0), ("1e-50", 0.0)] {
        let value: serde_json::Value = serde_json::from_str(number).unwrap();
        let mut buffer = <f32 as ColumnType>::Buffer::default();
        buffer.decode(&value).unwrap();
        assert_eq!(buffer.get(0), expected, "{number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// The value halfway between two floats, or one that differs in its last digit.
    #[test]
    fn halves_are_rounded_as_by_serde_json(bits in 0_u32..0x7f7f_ffff, digit in "[0-9]{0,3}", more in 0_usize..12) {
        let half = (f64::from(f32::from_bits(bits)) + f64::from(f32::from_bits(bits + 1))) / 2.0;
        let exact = format!("{half:.400}");
        let number = exact.trim_end_matches('0');
        let number = format!("{number}{}{}{digit}", if number.ends_with('.') { "0" } else { "" }, "0".repeat(more));
        prop_assert_eq!(both(&number), as_serde(&number));
    }
}
