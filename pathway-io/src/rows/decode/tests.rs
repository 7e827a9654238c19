//! Rows from JSON: accepted and refused texts, and the errors.

use std::fmt::Debug;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::rows::declaration::Declaration;
use crate::rows::schema::RowOf;

#[derive(Debug, Clone, PartialEq, pathway_derive::Schema)]
#[schema(crate = crate)]
struct Cat {
    key: i64,
    #[schema(alias = "family")]
    genus: String,
    #[schema(default = 4.5)]
    weight: f64,
    nap: Option<Duration>,
}

/// A `Cat` with `deny_unknown`.
struct StrictCat(Cat);

impl Schema for StrictCat {
    type Fields = <Cat as Schema>::Fields;
    type Array = <Cat as Schema>::Array;
    const DECLARATION: Declaration = Declaration { table: Cat::DECLARATION.table.deny_unknown(), ..Cat::DECLARATION };

    fn into_fields(self) -> RowOf<Cat> {
        self.0.into_fields()
    }

    fn from_fields(fields: RowOf<Cat>) -> Self {
        StrictCat(Cat::from_fields(fields))
    }
}

/// A batch with one row in it, which a bad row must not change.
fn batch() -> ColumnsOf<Cat> {
    let mut columns = ColumnsOf::<Cat>::default();
    columns.push(cat(0, "first").into_fields());
    columns
}

fn cat(key: i64, genus: &str) -> Cat {
    Cat { key, genus: genus.to_owned(), weight: 4.5, nap: None }
}

fn read_as<S: Schema<Fields = <Cat as Schema>::Fields>>(text: impl AsRef<[u8]>) -> Result<Cat, RowError> {
    let (mut columns, mut seen) = (batch(), Seen::default());
    let bytes = columns.bytes();
    let result = decode_json::<S>(&mut columns, 1, text.as_ref(), &mut seen);
    assert_eq!(Cat::from_fields(columns.get(0)), cat(0, "first"));
    if result.is_err() {
        assert_eq!(columns.bytes(), bytes, "something of the row stayed behind");
        // The next row is accepted as if nothing had happened.
        decode_json::<S>(&mut columns, 1, br#"{"key": 2, "genus": "next"}"#, &mut seen).unwrap();
        assert_eq!(Cat::from_fields(columns.get(1)), cat(2, "next"));
    }
    result.map(|()| Cat::from_fields(columns.get(1)))
}

fn read(text: &str) -> Cat {
    read_as::<Cat>(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn error(text: impl AsRef<[u8]>) -> String {
    read_as::<Cat>(text).unwrap_err().to_string()
}

#[test]
fn takes_rows_in_any_order_and_shape() {
    let whole = Cat { key: 1, genus: "felis".into(), weight: 3.0, nap: Some(Duration::from_nanos(7)) };
    assert_eq!(read(r#"{"key":1,"genus":"felis","weight":3,"nap":7}"#), whole);
    assert_eq!(read("\t{\"nap\" :\n7, \"weight\":3.0,\r\n\"genus\":\"felis\",\"key\":1 } \n"), whole);
    assert_eq!(read(r#"{"\u006bey":1,"fam\u0069ly":"f\u0065lis","weight":3,"nap":7}"#), whole);
    assert_eq!(read(r#"{"x":{"key":[2]},"key":1,"genus":"felis","y":"}","weight":3,"nap":7,"z":null}"#), whole);
    assert_eq!(read(r#"{"key":-1,"genus":""}"#), cat(-1, ""));
    assert_eq!(read(r#"{"key":1,"genus":"é\n\ud83d\ude00","nap":null}"#), cat(1, "é\n😀"));
}

#[test]
fn says_what_is_wrong_with_a_value_and_where() {
    assert_eq!(error(r#"{"key":1,"genus":5}"#), "column `genus`, byte 17: expected a `String`, found the number 5");
    assert_eq!(
        error("{\"key\":1,\n\n\"genus\":\n  -5.5 }"),
        "column `genus`, byte 22: expected a `String`, found the number -5.5"
    );
    assert_eq!(
        error(r#"{"key":"one","genus":""}"#),
        "column `key`, byte 7: expected an `i64`, found the string \"one\""
    );
    assert_eq!(
        error(r#"{"é\"":[],"key":null}"#),
        "column `key`, byte 17: expected an `i64`, found null, which only an `Option<i64>` takes"
    );
    assert_eq!(
        error(r#"{"key":1,"weight":null}"#),
        "column `weight`, byte 18: expected an `f64`, found null, which only an `Option<f64>` takes"
    );
    assert_eq!(error(r#"{"key": {"a":1}}"#), "column `key`, byte 8: expected an `i64`, found an object");
    assert_eq!(error(r#"{"key": [ [1]]}"#), "column `key`, byte 8: expected an `i64`, found a list");
    assert_eq!(error(r#"{"key":1.5}"#), "column `key`, byte 7: expected an `i64`, found the number 1.5");
    let wanted = "expected a `Duration` in whole nanoseconds";
    assert_eq!(error(r#"{"nap":-1}"#), "column `nap`, byte 7: -1 is out of range for `Duration`");
    assert_eq!(error(r#"{"nap":1.5}"#), format!("column `nap`, byte 7: {wanted}, found the number 1.5"));
    assert_eq!(error(r#"{"nap":"1s"}"#), format!("column `nap`, byte 7: {wanted}, found the string \"1s\""));
    assert_eq!(error(r#"{"nap":[1]}"#), format!("column `nap`, byte 7: {wanted}, found a list"));
}

#[test]
fn a_duration_is_read_as_integers_are() {
    let nap = |text: &str| read(&format!(r#"{{"key":1,"genus":"felis","nap":{text}}}"#)).nap.map(|nap| nap.as_nanos());
    for (text, nanos) in [
        ("7", 7),
        ("7.0", 7),
        ("1e3", 1_000),
        ("-0", 0),
        ("0.0", 0),
        ("18446744073709551616", 1 << 64),
        ("18446744073709551615999999999", Duration::MAX.as_nanos()),
    ] {
        assert_eq!(nap(text), Some(nanos), "{text}");
        // The last number has more than 64 bits, which a `Value` does not hold.
        if nanos < 1 << 53 {
            let value = serde_json::from_str(text).unwrap_or(Value::Null);
            let mut columns = batch();
            let row = json!({"key": 1, "genus": "felis", "nap": value});
            decode_value::<Cat>(&mut columns, 1, &row, &mut Seen::default()).unwrap();
            assert_eq!(Cat::from_fields(columns.get(1)).nap.map(|nap| nap.as_nanos()), Some(nanos), "{text}");
        }
    }
    for text in ["18446744073709551616000000000", "-1.0", "1e30", "0.5", "9007199254740993.0"] {
        let reason = error(format!(r#"{{"key":1,"genus":"felis","nap":{text}}}"#));
        assert!(reason.starts_with("column `nap`, byte 31: "), "{text}: {reason}");
    }
}

#[test]
fn says_what_is_wrong_with_the_columns() {
    assert_eq!(error("{}"), "column `key`: missing");
    assert_eq!(error(r#"{"key":1}"#), "column `genus`: missing");
    assert_eq!(error(r#"{"key":1,"genus":"a", "key":2}"#), "column `key`, byte 22: given twice");
    assert_eq!(error(r#"{"genus":"a","family":"b"}"#), "column `genus`, byte 13: given twice");
    let strict = |text: &str| read_as::<StrictCat>(text).unwrap_err().to_string();
    assert_eq!(strict(r#"{"key":1, "genuss" :"a"}"#), "byte 10: `Cat` has no column \"genuss\", did you mean `genus`?");
    assert_eq!(strict(r#"{"colour":"red"}"#), "byte 1: `Cat` has no column \"colour\"");
    assert_eq!(read_as::<StrictCat>(r#"{"key":1,"family":"a"}"#).unwrap(), cat(1, "a"));
}

#[test]
fn says_where_text_is_no_json() {
    assert_eq!(error(""), "byte 0: the line is blank");
    assert_eq!(error("  \n"), "byte 3: the line is blank");
    assert_eq!(error(r#"{"key":1"#), "byte 8: the text ends while parsing an object");
    assert_eq!(error(r#"{"key":1,"genus":"fe"#), "column `genus`, byte 20: the text ends while parsing a string");
    assert_eq!(error(r#"{"key":1 "genus":"a"}"#), "byte 9: expected `,` or `}`");
    assert_eq!(error(r#"{"key":1,"genus":"a"} x"#), "byte 22: trailing characters");
    assert_eq!(error("{\"key\":1,\n\"genus\":felis}"), "column `genus`, byte 19: expected ident");
    assert_eq!(error(r#"{"key":1,}"#), "byte 9: trailing comma");
    assert_eq!(error(r#"{1:2}"#), "byte 1: key must be a string");
    assert_eq!(error("[1]"), "byte 0: expected an object with the columns of `Cat`, found sequence");
    assert_eq!(error(" null"), "byte 1: expected an object with the columns of `Cat`, found null");
    assert_eq!(error(b"{\"key\":1,\"genus\":\"a\xff\"}"), "byte 19: the text is not valid UTF-8");
    let deep = format!("{{\"key\":1,\"x\":1,\"genus\":{}", "[".repeat(200));
    assert!(error(&deep).contains("expected a `String`"));
}

#[test]
fn takes_parsed_json_too() {
    let (mut columns, mut seen) = (batch(), Seen::default());
    let mut read = |value: Value| {
        let result = decode_value::<Cat>(&mut columns, 1, &value, &mut seen);
        let cat = result.map(|()| Cat::from_fields(columns.get(1)));
        columns.truncate(1);
        cat.map_err(|error| error.to_string())
    };
    assert_eq!(read(json!({ "family": "felis", "key": 1, "x": [], "nap": null })), Ok(cat(1, "felis")));
    let error = "column `genus`: expected a `String`, found the number 5";
    assert_eq!(read(json!({ "key": 1, "genus": 5 })), Err(error.to_owned()));
    assert_eq!(read(json!({ "key": 1 })), Err("column `genus`: missing".to_owned()));
    assert_eq!(read(json!({ "genus": "a", "family": "b" })), Err("column `genus`: given twice".to_owned()));
    let error = "expected an object with the columns of `Cat`, found integer `5`";
    assert_eq!(read(json!(5)), Err(error.to_owned()));
    let error = "column `nap`: expected a `Duration` in whole nanoseconds, found the string \"1s\"";
    assert_eq!(read(json!({ "nap": "1s" })), Err(error.to_owned()));
}

/// Fields that are right, wrong or unknown.
fn field() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(vec!["key", "genus", "family", "weight", "nap", "other"]);
    let value = proptest::sample::select(vec![
        "1",
        "-2.5",
        "\"a\"",
        "\"NaN\"",
        "null",
        "[1,{}]",
        "{\"key\":1}",
        "tru",
        "1e999",
    ]);
    (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_row_is_taken_whole_or_not_at_all(fields in proptest::collection::vec(field(), 0..6)) {
        // `read_as` asserts it.
        let text = format!("{{{}}}", fields.join(","));
        if let Err(error) = read_as::<Cat>(&text) {
            prop_assert!(error.position().is_none_or(|position| position < text.len()), "{}", error);
        }
    }

    #[test]
    fn any_bytes_are_a_row_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
        prop_assert!(read_as::<Cat>(bytes).is_err());
    }

    #[test]
    fn text_cut_short_is_an_error_at_its_end(cut in 0_usize..48) {
        let text = r#"{"key":10,"genus":"f\u0065lis","weight":1.5e3,"nap":12}"#;
        let error = read_as::<Cat>(&text[..cut]).unwrap_err();
        prop_assert_eq!(error.position(), Some(cut));
    }
}

/// Types that the scan knows, and one that it does not.
#[derive(Debug, pathway_derive::Schema)]
#[schema(crate = crate)]
struct Plain {
    int: i64,
    byte: u8,
    flag: bool,
    text: String,
    float: f64,
    single: f32,
    maybe: Option<i32>,
    note: Option<String>,
}

/// Plain values, and some that are almost plain.
const VALUES: [&[&str]; 8] = [
    &["0", "-1", "42", "999999999999999999", "-9223372036854775808", "1000000000000000000", "-0", "01", "1.0", "1e3"],
    &["0", "255", "256", "-1", "00"],
    &["true", "false", "truex", "null", "1"],
    &[
        r#""""#,
        r#""felis""#,
        "\"\u{17c}\u{f3}\u{142}w \u{1f408}\"",
        r#""a\nb""#,
        r#""\u0041""#,
        "\"a\tb\"",
        r#""a, }""#,
    ],
    &["0", "-0", "-0.0", "1.5", "0.1", "-123.456", "123456789012.345", "1234567890123.4567", "00.5", "1.", ".5", "1e5"],
    &["0.1", "7.038531e-26", "16777217", "3.4028236", "-2.5", "NaN", r#""NaN""#],
    &["null", "-7", "2147483648", "nul", "1.5"],
    &["null", r#""""#, r#""x""#, r#""\\""#],
];

/// A row, nearly always valid JSON, mostly in order.
fn plain_row() -> impl Strategy<Value = String> {
    let value =
        |choices: &'static [&'static str]| prop_oneof![4 => Just(choices[0]), 2 => proptest::sample::select(choices)];
    let values = VALUES.map(value);
    let space = prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\n\t\r "), 1 => Just("\u{a0}")];
    (values, proptest::collection::vec(space, 4), 0_usize..40, 0_usize..8).prop_map(|(values, space, twist, place)| {
        let names = Plain::SCHEMA.columns.iter().map(|column| column.name);
        let mut fields: Vec<String> =
            names.zip(values).map(|(name, value)| format!("\"{name}\"{}:{}{value}", space[0], space[1])).collect();
        match twist {
            0 => fields.swap(place, 0),
            1 => drop(fields.remove(place)),
            2 => fields.push(fields[place].clone()),
            3 => fields.insert(place, r#""other": {"a": [1]}"#.to_owned()),
            4 => fields[place] = fields[place].replacen('e', "\\u0065", 1),
            _ => {}
        }
        let row = format!(
            "{}{{{}{}{}}}{}",
            space[2],
            space[1],
            fields.join(&format!("{},{}", space[2], space[0])),
            space[3],
            space[1]
        );
        match twist {
            5 => format!("{row}x"),
            6 => row.trim_end_matches(char::is_whitespace).strip_suffix('}').unwrap_or("").to_owned(),
            _ => row,
        }
    })
}

/// Decodes a row with and without the scan.
fn scanned_and_parsed(text: &[u8]) -> (Option<String>, Option<String>) {
    let row = |columns: &ColumnsOf<Plain>| {
        // Compares debug texts, which distinguish `-0.0` from `0.0`, and in which `NaN` equals itself.
        format!("{:?}", Plain::from_fields(columns.get(0)))
    };
    let (mut columns, mut seen) = (ColumnsOf::<Plain>::default(), Seen::default());
    let scanned = std::str::from_utf8(text).is_ok_and(|text| scanned::scan::<Plain>(&mut columns, 0, text, &mut seen));
    let scanned = scanned.then(|| row(&columns));
    if scanned.is_none() {
        assert_eq!(columns.bytes(), 0, "something of the row stayed behind");
    }
    let mut columns = ColumnsOf::<Plain>::default();
    let parsed = parse_stored::<Plain>(&mut columns, 0, text, &mut seen).is_ok().then(|| row(&columns));
    (scanned, parsed)
}

#[test]
fn rows_as_they_come_are_scanned() {
    let rows = [
        r#"{"note":"a\n\"b\"","maybe":null,"single":1e-3,"float":-12.345678901234567,"text":"\u017c\ud83d\ude00","flag":false,"byte":0,"int":1}"#,
        r#"{"x":{"a":[1,{"b":null}],"c":"}"},"int":9223372036854775807,"y":[],"byte":1,"flag":true,"text":"","z":-0.5e1,
            "float":1234567890123456789.5,"single":0,"maybe":-1,"note":"\\","w":"\ud800"}"#,
        r#"{"int":1,"byte":2,"flag":true,"text":"a","float":"NaN","single":"-Infinity"}"#,
        r#"{ "int" : 1 , "byte":2,"flag":true, "text": "a","float":1e22,"single":16777217.0,"note":"x" } "#,
    ];
    for row in rows {
        let (scanned, parsed) = scanned_and_parsed(row.as_bytes());
        assert!(scanned.is_some(), "{row}");
        assert_eq!(scanned, parsed, "{row}");
    }
}

#[test]
fn plain_rows_are_scanned() {
    let plain = r#" {"int": -12, "byte":255,"flag":true , "text":"ż", "float": 0.1, "single":-2.50, "maybe":7, "note": null}
"#;
    let (scanned, parsed) = scanned_and_parsed(plain.as_bytes());
    assert!(scanned.is_some());
    assert_eq!(scanned, parsed);
}

#[test]
fn a_source_of_unusual_rows_is_scanned_again_once_they_are_plain() {
    let (mut columns, mut seen) = (ColumnsOf::<Cat>::default(), Seen::default());
    for row in 0..1_000 {
        assert!(seen.unscanned_rows() <= row);
        decode_json::<Cat>(&mut columns, row as usize, br#"{"genus": "x", "\u006bey": 1}"#, &mut seen).unwrap();
    }
    let mut plain = ColumnsOf::<Plain>::default();
    let row = br#"{"int":1,"byte":2,"flag":true,"text":"a","float":1,"single":1,"maybe":null,"note":null}"#;
    for rows in 0..100 {
        decode_json::<Plain>(&mut plain, rows, row, &mut seen).unwrap();
    }
    assert_eq!(seen.unscanned_rows(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn the_scan_takes_only_what_the_parser_takes(row in plain_row()) {
        let (scanned, parsed) = scanned_and_parsed(row.as_bytes());
        if scanned.is_some() {
            prop_assert_eq!(scanned, parsed);
        }
    }

    #[test]
    fn the_scan_takes_no_row_with_a_changed_byte_otherwise(
        row in plain_row(), place in any::<proptest::sample::Index>(), byte in any::<u8>(), insert in any::<bool>()
    ) {
        let mut row = row.into_bytes();
        let place = place.index(row.len());
        if insert {
            row.insert(place, byte);
        } else {
            row[place] = byte;
        }
        let (scanned, parsed) = scanned_and_parsed(&row);
        if scanned.is_some() {
            prop_assert_eq!(scanned, parsed);
        }
    }

    #[test]
    fn short_decimals_are_rounded_as_by_the_parser(digits in 0_i64..1_000_000_000_000_000, decimals in 0_usize..16) {
        let digits = format!("{digits:016}");
        let number = format!("{}.{}", digits[..16 - decimals].trim_start_matches('0'), &digits[16 - decimals..]);
        let number = number.trim_end_matches('.').replacen('.', "0.", usize::from(number.starts_with('.')));
        let row = format!(
            r#"{{"int":1,"byte":2,"flag":true,"text":"a","float":{number},"single":{number},"maybe":null,"note":null}}"#
        );
        let (scanned, parsed) = scanned_and_parsed(row.as_bytes());
        if scanned.is_some() {
            prop_assert_eq!(scanned, parsed);
        }
    }
}

#[test]
fn the_scan_takes_no_name_without_its_colon() {
    // Found by the fuzz target: a text after the name of a column was read as another name.
    for text in [
        r#"{"key":1,"genus":"lynx","weight":4.5,"nap""other":null}"#,
        r#"{"key":1,"genus":"lynx","nap""other":null}"#,
        r#"{"key""other":1,"genus":"lynx"}"#,
        r#"{"genus":"lynx","key" "key":1}"#,
    ] {
        let reason = error(text);
        assert!(reason.contains("expected `:`"), "{text}: {reason}");
    }
}

#[test]
fn the_scan_takes_no_row_without_its_brackets() {
    let fields = r#""int":0,"byte":0,"flag":true,"text":"","float":0,"single":0.1,"maybe":null,"note":null"#;
    assert!(scanned_and_parsed(format!("{{{fields}}}").as_bytes()).0.is_some());
    let unknown = r#"{"a":{},"#;
    for row in [
        format!("{fields}}}"),
        format!(" {fields}}}"),
        format!("{{{fields}"),
        format!("[{fields}}}"),
        format!("{{{fields}}}}}"),
        format!("{unknown}{fields}}} }}"),
        format!("{unknown}{fields}}}1"),
    ] {
        assert_eq!(scanned_and_parsed(row.as_bytes()), (None, None), "{row}");
    }
}

mod order;
mod paths;
