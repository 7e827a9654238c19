//! Compares the readers with the libraries with which they must agree, and runs them on arbitrary texts.

use proptest::prelude::*;

use super::csv::{CsvFault, CsvReader, Record};
use super::data_type::DataType;
use super::fuzz;
use super::json::{self, Value};
use super::lock::{Entry, Lock, LockedColumn};

/// Texts that are almost JSON: the parts of its grammar in any order.
fn near_json() -> impl Strategy<Value = String> {
    let short = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "a", "\"a\"", "\\ud83d", "null", "true", "false", "nul", "-", "0",
        "12", "-0", "1.5", ".", "e", "1e5", "1E-7", "+", "01", "1e999", " ", "\n", "\t", "\u{1}", "é", "🐈", "\\n",
        "\\x",
    ];
    let long = ["\"\\u00e9\"", "\\ud83d\\ude3a", "9223372036854775808", "18446744073709551616", "\"key\": 1"];
    let part = prop::sample::select([&short[..], &long].concat());
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// Texts that are JSON.
pub fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        prop::sample::select(vec![
            "0", "-0", "1", "-1", "127", "128", "-129", "255", "256", "65536", "1e3", "1.5", "3e39"
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<u64>().prop_map(|value| value.to_string()),
        (u64::MAX as u128..u64::MAX as u128 * 2_000_000_000).prop_map(|value| value.to_string()),
        prop::sample::select(vec!["1", "34", "-3"]).prop_map(|digits| format!("{digits}{}", "0".repeat(38))),
        any::<f64>()
            .prop_filter("JSON has no word for it", |value| value.is_finite())
            .prop_map(|value| format!("{value:?}")),
        prop::sample::select(vec![
            "NaN",
            "Infinity",
            "-Infinity",
            "inf",
            "-inf",
            "AQI=",
            "AQ==",
            "AR==",
            "AQI",
            "",
            "x",
            "QUJD"
        ])
        .prop_map(|text| format!("{text:?}")),
        "[ -~é🐈]{0,6}".prop_map(|text| serde_json::Value::String(text).to_string()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            // A name that is given twice is refused inside a column.
            prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(|fields| {
                let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

/// Converts a value to serde_json's type, which has floats beyond 64 bits.
fn like_serde(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Integer(value) => match (u64::try_from(*value), i64::try_from(*value)) {
            (Ok(value), _) => value.into(),
            (_, Ok(value)) => value.into(),
            _ => (*value as f64).into(),
        },
        Value::Float(value) | Value::LongInteger(value) => (*value).into(),
        Value::String(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(like_serde).collect::<Vec<_>>().into(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|field| (field.name.clone(), like_serde(&field.value)));
            serde_json::Value::Object(fields.collect())
        }
    }
}

fn agrees_with_serde(text: &str) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    match (json::parse(text), theirs) {
        (Ok(mine), Ok(theirs)) => prop_assert_eq!(like_serde(&mine), theirs),
        (Err(fault), Err(_)) => prop_assert!(fault.at <= text.len() && text.is_char_boundary(fault.at)),
        (mine, theirs) => prop_assert!(false, "{text}: {mine:?} and {theirs:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accepts_the_json_that_serde_json_accepts(text in json_text()) {
        prop_assert!(json::parse(&text).is_ok());
        agrees_with_serde(&text)?;
    }

    #[test]
    fn refuses_the_json_that_serde_json_refuses(text in near_json()) {
        agrees_with_serde(&text)?;
    }

    #[test]
    fn reads_csv_as_the_csv_crate_writes_it(records in records()) {
        let mut text = String::new();
        for record in &records {
            let fields: Vec<String> = record.iter().map(|field| match field {
                Some(field) => format!("\"{}\"", field.replace('"', "\"\"")),
                None => String::new(),
            }).collect();
            text.push_str(&fields.join(","));
            text.push('\n');
        }
        let read: Result<Vec<Record>, CsvFault> = CsvReader::new(text.as_bytes(), false).collect();
        let read: Vec<_> = read.unwrap().into_iter().map(|record| record.fields).collect();
        prop_assert_eq!(read, records);
    }

    #[test]
    fn any_bytes_are_a_sample(bytes in prop::collection::vec(prop::sample::select(b"a,\"\r\n\xff".to_vec()), 0..40)) {
        fuzz::sample(&bytes);
    }

    #[test]
    fn a_lock_reads_back(lock in locks()) {
        let text = lock.print();
        prop_assert_eq!(Lock::parse(&text), Ok(lock));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }

    #[test]
    fn any_text_is_a_lock_or_an_error(text in near_json(), lock in locks(), at in any::<prop::sample::Index>()) {
        fuzz::lock(text.as_bytes());
        let mut whole = lock.print().into_bytes();
        let at = at.index(whole.len());
        whole.splice(at..at, text.into_bytes());
        fuzz::lock(&whole);
    }
}

fn records() -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    // An empty line is not a record, so each record has at least two fields.
    let field = prop::option::of("[a\",\n\r é]{0,4}");
    let record = prop::collection::vec(field, 2..4);
    prop::collection::vec(record, 0..6)
}

fn data_types() -> impl Strategy<Value = DataType> {
    let leaf = prop::sample::select(vec!["bool", "u8", "i64", "f64", "String", "char", "Value", "Uuid", "u128"]);
    let leaf = leaf.prop_map(DataType::Plain);
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|item| DataType::Optional(Box::new(item))),
            inner.clone().prop_map(|item| DataType::List(Box::new(item))),
            Just(DataType::Bytes),
            inner.clone().prop_map(|item| DataType::Map(Box::new(item))),
            (inner.clone(), 0..9usize).prop_map(|(item, len)| DataType::Array(Box::new(item), len)),
            prop::collection::vec(inner, 1..4).prop_map(DataType::Tuple),
        ]
    })
}

fn locks() -> impl Strategy<Value = Lock> {
    let column = (
        ".{0,6}",
        prop_oneof![Just(DataType::Unknown), data_types()],
        any::<[bool; 3]>(),
        prop::collection::vec(".{0,4}", 0..3),
        [".{0,9}", ".{0,9}"],
    );
    let column =
        column.prop_map(|(name, data_type, [optional, primary_key, has_default], aliases, [path, description])| {
            Entry::Column(LockedColumn {
                name,
                data_type,
                optional,
                primary_key,
                has_default,
                aliases,
                path,
                description,
            })
        });
    let flatten = (".{0,6}", ".{0,6}", any::<bool>(), ".{0,4}");
    let flatten =
        flatten.prop_map(|(ty, field, primary_key, prefix)| Entry::Flatten { ty, field, primary_key, prefix });
    let entries = prop::collection::vec(prop_oneof![column, flatten], 0..4);
    (".{0,6}", any::<bool>(), any::<bool>(), entries).prop_map(|(name, append_only, deny_unknown, entries)| Lock {
        name,
        append_only,
        deny_unknown,
        entries,
    })
}

#[test]
fn nesting_has_a_limit() {
    for depth in [127, 128, 1_000_000] {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(json::parse(&text).is_ok(), depth <= 127);
        assert!(depth > 1000 || json::parse(&text).is_ok() == serde_json::from_str::<serde_json::Value>(&text).is_ok());
        assert_eq!(DataType::parse(&format!("{}u8{}", "Option<".repeat(depth), ">".repeat(depth))), None);
    }
}

#[test]
fn the_last_record_before_a_cut_is_left_out() {
    let fields =
        |text: &str| CsvReader::new(text.as_bytes(), true).map(|record| record.unwrap().fields).collect::<Vec<_>>();
    let a = vec![Some("a".to_owned()), None];
    assert_eq!(fields("a,\nb,"), std::slice::from_ref(&a));
    assert_eq!(fields("a,\nb,\"c"), std::slice::from_ref(&a));
    assert_eq!(fields("a,\n"), [a]);
}

#[test]
fn a_lock_says_what_is_wrong_and_where() {
    let fault = |text: &str| {
        let fault = Lock::parse(text).unwrap_err();
        format!("{}: {}", fault.line, fault.reason)
    };
    let lock = Lock { name: "Cat".to_owned(), append_only: false, deny_unknown: true, entries: Vec::new() }.print();
    assert!(Lock::parse(&lock).is_ok());
    assert_eq!(fault("[]"), "1: expected an object");
    assert_eq!(fault("{}"), "1: it is not the lock of a schema: `\"lock\": 1` is missing");
    assert_eq!(fault(&lock.replace("\"lock\": 1", "\"lock\": 2")), "2: it is of another version of `pathway-io`");
    assert_eq!(fault(&lock.replace("Cat\"", "Cat\", \"x\": 1")), "3: `x` is not expected here, or is given twice");
    assert_eq!(fault(&lock.replace("true", "1")), "5: `deny_unknown` must be true or false");
    assert_eq!(
        fault(&lock.replace("  \"name\"", "<<<<<<< HEAD\n  \"name\"")),
        "3: expected the name of a field, in double quotes"
    );
    let column = lock.replace("[\n", "[\n    { \"name\": \"key\", \"type\": \"i65\" }");
    assert_eq!(fault(&column), "7: `i65` is not a column type");
}

#[test]
fn wider_types_read_values_of_narrower_ones() {
    let reads = |new: &str, old: &str| DataType::parse(new).unwrap().reads(&DataType::parse(old).unwrap());
    for (new, old) in [
        ("i64", "i32"),
        ("i64", "u32"),
        ("u64", "u8"),
        ("f64", "f32"),
        ("Vec<i64>", "Vec<i8>"),
        ("Vec<Option<u16>>", "[u8; 4]"),
        ("(i64, String)", "(i16, String)"),
    ] {
        assert!(reads(new, old) && !reads(old, new), "{new} and {old}");
    }
    for (new, old) in
        [("i64", "u64"), ("u64", "i8"), ("f64", "i32"), ("String", "i64"), ("[u16; 3]", "[u8; 2]"), ("Value", "i64")]
    {
        assert!(!reads(new, old) && !reads(old, new), "{new} and {old}");
    }
}
