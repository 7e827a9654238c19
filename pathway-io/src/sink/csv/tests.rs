//! Compares rows with the output of the `csv` crate, and tests the search for characters that need quotes.

use proptest::prelude::*;

use super::*;
use crate::sink::csv::fuzz;

fn text() -> impl Strategy<Value = String> {
    let special =
        proptest::sample::select(vec!['"', ',', '\r', '\n', ' ', '\t', '\'', ';', '#', '\\', '\0', '|', '\u{1e}']);
    let letter = prop_oneof![4 => any::<char>(), 1 => special];
    let few_quotes = prop_oneof![40 => Just('x'), 1 => Just('"')];
    // Texts shorter and longer than the lengths at which the search changes, with many quotes and with few.
    prop_oneof![
        proptest::collection::vec(letter.clone(), 0..6),
        proptest::collection::vec(letter, 20..60),
        proptest::collection::vec(few_quotes, 100..400),
    ]
    .prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_written_as_the_csv_crate_writes_them(text in text()) {
        fuzz::csv(text.as_bytes());
    }
}

#[test]
fn a_field_is_quoted_wherever_the_byte_is_that_asks_for_it() {
    for len in 1..150 {
        let plain = "x".repeat(len);
        assert!(!needs_quotes(plain.as_bytes()));
        for place in 0..len {
            for byte in ["\"", ",", "\r", "\n"] {
                let mut text = plain.clone();
                text.replace_range(place..=place, byte);
                assert!(needs_quotes(text.as_bytes()), "{text:?}");
            }
        }
    }
}
