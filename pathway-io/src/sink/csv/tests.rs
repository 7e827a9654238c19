//! Compares the quoting with the `csv` crate.

use proptest::prelude::*;

use super::*;

fn text() -> impl Strategy<Value = String> {
    let special = proptest::sample::select(vec!['"', ',', '\r', '\n', ' ', '\t', '\'', ';', '#', '\\', '\0']);
    let letter = prop_oneof![4 => any::<char>(), 1 => special];
    let few_quotes = prop_oneof![40 => Just('x'), 1 => Just('"')];
    // Texts shorter and longer than the lengths at which the search changes, with many quotes and with few.
    prop_oneof![
        proptest::collection::vec(letter.clone(), 1..6),
        proptest::collection::vec(letter, 20..60),
        proptest::collection::vec(few_quotes, 100..400),
    ]
    .prop_map(String::from_iter)
}

fn quoted(text: &str, quote: fn(&mut Vec<u8>, usize)) -> String {
    let mut out = b"before,".to_vec();
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    quote(&mut out, start);
    String::from_utf8(out).unwrap().split_off(start)
}

fn by_csv_crate(text: &str, style: csv::QuoteStyle) -> String {
    let mut writer = csv::WriterBuilder::new().quote_style(style).from_writer(Vec::new());
    writer.write_record([text, "1"]).unwrap();
    let mut record = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    record.truncate(record.rfind(',').unwrap());
    record
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn fields_are_quoted_as_the_csv_crate_quotes_them(text in text()) {
        prop_assert_eq!(quoted(&text, quote_if_needed), by_csv_crate(&text, csv::QuoteStyle::Necessary));
        prop_assert_eq!(quoted(&text, quote), by_csv_crate(&text, csv::QuoteStyle::Always));
    }
}

#[test]
fn an_empty_text_is_not_null() {
    assert_eq!(quoted("", quote_if_needed), "\"\"");
    assert_eq!(quoted("\"", quote_if_needed), "\"\"\"\"");
    assert_eq!(quoted("a\"\"b\"", quote), "\"a\"\"\"\"b\"\"\"");
}

#[test]
fn a_field_is_quoted_wherever_the_byte_is_that_asks_for_it() {
    for len in 1..150 {
        let plain = "x".repeat(len);
        assert_eq!(quoted(&plain, quote_if_needed), plain);
        for place in 0..len {
            for byte in ["\"", ",", "\r", "\n"] {
                let mut text = plain.clone();
                text.replace_range(place..=place, byte);
                assert!(quoted(&text, quote_if_needed).starts_with('"'), "{text:?}");
            }
        }
    }
}
