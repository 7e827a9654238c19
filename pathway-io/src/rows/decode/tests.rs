//! Rows from JSON: accepted and refused texts, and the errors.

use std::fmt::Debug;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::rows::declaration::Declaration;
use crate::rows::fields::Fields;
use crate::rows::schema::{RowOf, row_at};

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
    <Cat as Schema>::Fields::push(&mut columns, cat(0, "first").into_fields());
    columns
}

fn cat(key: i64, genus: &str) -> Cat {
    Cat { key, genus: genus.to_owned(), weight: 4.5, nap: None }
}

fn read_as<S: Schema<Fields = <Cat as Schema>::Fields>>(text: impl AsRef<[u8]>) -> Result<Cat, RowError> {
    let (mut columns, mut seen) = (batch(), Seen::default());
    let bytes = columns.bytes();
    let result = decode_json::<S>(&mut columns, 1, text.as_ref(), &mut seen);
    assert_eq!(row_at::<Cat>(&columns, 0), cat(0, "first"));
    if result.is_err() {
        assert_eq!(columns.bytes(), bytes, "a part of the row was not removed");
        // The next row is accepted as if nothing had happened.
        decode_json::<S>(&mut columns, 1, br#"{"key": 2, "genus": "next"}"#, &mut seen).unwrap();
        assert_eq!(row_at::<Cat>(&columns, 1), cat(2, "next"));
    }
    result.map(|()| row_at::<Cat>(&columns, 1))
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
fn names_the_mistake_in_a_value_and_its_place() {
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
            assert_eq!(row_at::<Cat>(&columns, 1).nap.map(|nap| nap.as_nanos()), Some(nanos), "{text}");
        }
    }
    for text in ["18446744073709551616000000000", "-1.0", "1e30", "0.5", "9007199254740993.0"] {
        let reason = error(format!(r#"{{"key":1,"genus":"felis","nap":{text}}}"#));
        assert!(reason.starts_with("column `nap`, byte 31: "), "{text}: {reason}");
    }
}

#[test]
fn names_the_mistake_in_the_columns() {
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
fn names_the_place_where_json_is_malformed() {
    assert_eq!(error(""), "byte 0: the line is blank");
    assert_eq!(error("  \n"), "byte 3: the line is blank");
    assert_eq!(error(r#"{"key":1"#), "byte 8: the text ends while parsing an object");
    assert_eq!(error(r#"{"key":1,"genus":"fe"#), "column `genus`, byte 20: the text ends while parsing a string");
    assert_eq!(error(r#"{"key":1 "genus":"a"}"#), "byte 9: expected `,` or `}`");
    assert_eq!(
        error(r#"{"key":1,"genus":"a"} x"#),
        "byte 22: text after the end of the object; `next_json_lines` takes one object per line"
    );
    assert_eq!(error("{\"key\":1,\n\"genus\":felis}"), "column `genus`, byte 19: expected a JSON value");
    assert_eq!(error(r#"{"key":1,}"#), "byte 9: trailing comma");
    assert_eq!(error(r#"{1:2}"#), "byte 1: expected a name in double quotes");
    assert_eq!(error("[1]"), "byte 0: expected an object with the columns of `Cat`, found a list");
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
        let cat = result.map(|()| row_at::<Cat>(&columns, 1));
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

mod order;
mod paths;
mod scan;

// FAULTS 7
#[test]
fn one_byte_order_mark_is_skipped_and_a_second_is_an_error() {
    let row = r#"{"key":1,"genus":"felis"}"#;
    assert_eq!(read(&format!("\u{feff}{row}")), cat(1, "felis"));
    assert_eq!(error("\u{feff} "), "byte 4: the line is blank");
    assert_eq!(error("\u{feff}{\"key\":true}"), "column `key`, byte 10: expected an `i64`, found `true`");
    for marks in [2, 3, 350_000] {
        assert_eq!(error("\u{feff}".repeat(marks) + row), "byte 3: expected a JSON value");
        assert_eq!(error("\u{feff}".repeat(marks)), "byte 3: expected a JSON value");
    }
}

#[derive(Debug, PartialEq, pathway_derive::Schema)]
#[schema(crate = crate)]
struct Odd {
    #[schema(rename = "a\"b")]
    quote: i64,
    #[schema(rename = "a\\b")]
    backslash: i64,
    #[schema(rename = "a\tb")]
    tab: i64,
}

/// The scan compares the text of a name, so it would take such a name without its escape.
#[test]
fn names_that_must_be_escaped_are_compared_as_they_are_read() {
    let read = |text: &str| {
        let mut columns = ColumnsOf::<Odd>::default();
        decode_json::<Odd>(&mut columns, 0, text.as_bytes(), &mut Seen::default())?;
        Ok::<_, RowError>(row_at::<Odd>(&columns, 0))
    };
    let [quote, backslash, tab] = [r#""a\"b":1"#, r#""a\\b":2"#, r#""a\tb":3"#];
    for order in [[quote, backslash, tab], [tab, quote, backslash], [backslash, tab, quote]] {
        assert_eq!(read(&format!("{{{}}}", order.join(","))).unwrap(), Odd { quote: 1, backslash: 2, tab: 3 });
    }
    let raw = [r#""a"b":1"#, r#""a\b":2"#, "\"a\tb\":3"];
    let of = |is_raw: [bool; 3]| [0, 1, 2].map(|i| if is_raw[i] { raw[i] } else { [quote, backslash, tab][i] });
    for raw in [[true; 3], [true, false, false], [false, true, false], [false, false, true]].map(of) {
        let text = format!("{{{}}}", raw.join(","));
        assert!(read(&text).is_err(), "{text}");
        let text = format!("{{{}}}", [raw[1], raw[2], raw[0]].join(", "));
        assert!(read(&text).is_err(), "{text}");
    }
}

#[test]
fn aliases_that_must_be_escaped_are_compared_as_they_are_read() {
    #[derive(Debug, pathway_derive::Schema)]
    #[schema(crate = crate)]
    struct Renamed {
        #[schema(alias = "a\\b")]
        backslash: i64,
        #[schema(alias = "a\tb")]
        tab: i64,
    }

    let read = |text: &str| {
        let mut columns = ColumnsOf::<Renamed>::default();
        decode_json::<Renamed>(&mut columns, 0, text.as_bytes(), &mut Seen::default())?;
        Ok::<_, RowError>(row_at::<Renamed>(&columns, 0))
    };
    for text in [r#"{"tab":2,"a\\b":1}"#, r#"{"a\tb":2,"backslash":1}"#] {
        let row = read(text).unwrap();
        assert_eq!((row.backslash, row.tab), (1, 2), "{text}");
    }
    // An escaped backspace, and a tab that is not escaped.
    for text in [r#"{"tab":2,"a\b":1}"#, "{\"a\tb\":2,\"backslash\":1}"] {
        assert!(read(text).is_err(), "{text}");
    }
}

/// The feature `arbitrary_precision` of serde_json, which another crate can turn on, changes how numbers arrive.
/// `.ci/run` runs this test with the feature, too.
#[test]
fn numbers_are_read_with_any_features_of_serde_json() {
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, pathway_derive::Schema)]
    #[schema(crate = crate)]
    struct Numbers {
        float: f64,
        single: f32,
        integer: i64,
        wide: i128,
        nap: Duration,
        list: Vec<f64>,
        pair: (f64, Option<i32>),
        map: BTreeMap<String, f64>,
        json: Value,
        maybe: Option<f64>,
    }

    let json = r#"{"a":1.5,"b":[1e+30,-0.0,7,-7,18446744073709551615]}"#;
    let fields = format!(
        r#""single":0.1,"integer":-1e3,"wide":2.0,"nap":-0,"list":[0.1,1e300],"pair":[2.5,1e1],"map":{{"x":-1.5}},"json":{json},"maybe":0.25}}"#
    );
    let expected = || Numbers {
        float: 4.5,
        single: 0.1,
        integer: -1000,
        wide: 2,
        nap: Duration::ZERO,
        list: vec![0.1, 1e300],
        pair: (2.5, Some(10)),
        map: [("x".to_owned(), -1.5)].into(),
        json: json!({ "a": 1.5, "b": [1e30, -0.0, 7, -7, u64::MAX] }),
        maybe: Some(0.25),
    };
    let mut columns = ColumnsOf::<Numbers>::default();
    // The scan reads the first row, and not the second.
    for (row, name) in ["float", "fl\\u006fat"].into_iter().enumerate() {
        let text = format!(r#"{{"{name}":4.5,{fields}"#);
        decode_json::<Numbers>(&mut columns, row, text.as_bytes(), &mut Seen::default()).unwrap();
        assert_eq!(format!("{:?}", row_at::<Numbers>(&columns, row)), format!("{:?}", expected()));
        let mut written = Vec::new();
        crate::rows::row_writer::RowWriter::new::<Numbers>().write_row(&columns, row, &mut written);
        let written = String::from_utf8(written).unwrap();
        assert!(written.contains(&format!("\"json\":{json}")), "{written}");
        // A restart reads the row from the log in this way, and `next_value` from a parsed row.
        let mut again = ColumnsOf::<Numbers>::default();
        parse_stored::<Numbers>(&mut again, 0, written.as_bytes(), &mut Seen::default()).unwrap();
        let value: Value = serde_json::from_str(&written).unwrap();
        decode_value::<Numbers>(&mut again, 1, &value, &mut Seen::default()).unwrap();
        for row in 0..2 {
            assert_eq!(format!("{:?}", row_at::<Numbers>(&again, row)), format!("{:?}", expected()));
        }
    }
    for (bad, reason) in [
        ("1.5", "expected an `i64`, found the number 1.5"),
        ("18446744073709551616", "1.8446744073709552e19 is out of range for `i64`"),
        ("{}", "expected an `i64`, found an object"),
        (r#"{"a":1.5}"#, "expected an `i64`, found an object"),
    ] {
        assert!(error(format!(r#"{{"k\u0065y":{bad}}}"#)).ends_with(reason), "{bad}");
    }
    for (bad, reason) in [("1.5", "expected a `String`, found the number 1.5"), ("1e999", "number out of range")] {
        assert!(error(format!(r#"{{"genus":{bad}}}"#)).ends_with(reason), "{bad}");
    }
}
