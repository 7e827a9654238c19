//! Checks the promises of every buffer for arbitrary values of every family and some nestings of them.

use std::fmt::Debug;
use std::hash::BuildHasher;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde::de::DeserializeSeed;
use serde_json::Value;

use super::{Buffer, ColumnType, KeyType, Style, ValueSeed};

/// Compares debug forms, which distinguish `-0.0` from `0.0`, and in which `NaN` equals itself.
fn shown<T: Debug>(value: T) -> String {
    format!("{value:?}")
}

fn decode<B: Buffer>(buffer: &mut B, text: &[u8]) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    ValueSeed(buffer).deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())
}

fn json<B: Buffer>(buffer: &B, row: usize) -> Vec<u8> {
    let mut text = Vec::new();
    buffer.write_json(row, Style::Plain, &mut text);
    text
}

fn holds<B: Buffer<Item: Debug>>(buffer: &B, values: &[B::Item]) {
    assert_eq!(buffer.len(), values.len());
    for (row, value) in values.iter().enumerate() {
        assert_eq!(shown(buffer.get(row)), shown(value));
    }
}

fn check<T: ColumnType + Debug + Clone>(values: &[T]) {
    let mut pushed = T::Buffer::default();
    assert!(pushed.is_empty());
    for value in values {
        pushed.push(value.clone());
    }
    holds(&pushed, values);

    // Copies have other row numbers than the originals.
    let hasher = foldhash::fast::FixedState::default();
    let hash = |buffer: &T::Buffer, row| {
        let mut state = hasher.build_hasher();
        buffer.hash(row, &mut state);
        std::hash::Hasher::finish(&state)
    };
    let mut copied = T::Buffer::default();
    copied.push_placeholder();
    for row in 0..values.len() {
        copied.push_from(&pushed, row);
        assert!(copied.equal(row + 1, &pushed, row));
        assert_eq!(hash(&copied, row + 1), hash(&pushed, row));
        assert_eq!(shown(copied.get(row + 1)), shown(&values[row]));
        for other in 0..row {
            let same = shown(&values[row]) == shown(&values[other]);
            assert_eq!(pushed.equal(row, &pushed, other), same);
        }
    }

    // Through text and back, and through a tree of JSON values, which has no numbers beyond 64 bits.
    let mut read = T::Buffer::default();
    for row in 0..values.len() {
        let text = json(&pushed, row);
        if let Err(error) = decode(&mut read, &text) {
            panic!("{error}: {}", String::from_utf8_lossy(&text));
        }
        assert_eq!(json(&read, row), text);
        assert!(read.equal(row, &pushed, row));
        assert_eq!(read.is_null(row), pushed.is_null(row));

        let tree: Value = serde_json::from_slice(&text).unwrap();
        let mut of_tree = T::Buffer::default();
        if ValueSeed(&mut of_tree).deserialize(tree).is_ok() {
            assert!(of_tree.equal(0, &pushed, row));
        } else {
            assert!(shown(T::DATA_TYPE).contains("Duration"));
        }
    }
    holds(&read, values);

    // A failed read leaves nothing in the buffer.
    let bytes = read.bytes();
    for row in 0..values.len() {
        let text = json(&pushed, row);
        for end in (0..text.len()).chain([text.len()]) {
            let broken = [&text[..end], b"~"].concat();
            assert!(decode(&mut read, &broken).is_err());
            read.truncate(values.len());
            assert_eq!(read.bytes(), bytes);
        }
    }
    holds(&read, values);
    for kept in (0..values.len()).rev() {
        read.truncate(kept);
        holds(&read, &values[..kept]);
        read.push_from(&pushed, kept);
        holds(&read, &values[..=kept]);
        read.truncate(kept);
    }
    assert_eq!(read.bytes(), 0);
}

fn text() -> impl Strategy<Value = String> {
    let letter =
        prop_oneof![any::<char>(), proptest::char::range('\0', '\x7f'), Just('"'), Just('\\'), Just('\u{2028}')];
    vec(letter, 0..6).prop_map(String::from_iter)
}

fn float() -> impl Strategy<Value = f64> {
    let special =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, 1.0, 0.1];
    // Any `NaN` is read back from text as `f64::NAN`.
    let any = any::<u64>().prop_map(f64::from_bits).prop_map(|float| if float.is_nan() { f64::NAN } else { float });
    prop_oneof![any, proptest::sample::select(special.to_vec())]
}

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
        any::<u64>().prop_map(Duration::from_nanos),
        Just(Duration::MAX),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        float().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((text(), inner), 0..3).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

macro_rules! hold_for {
    ($($name:ident: $strategy:expr;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { failure_persistence: None, cases: if cfg!(miri) { 2 } else { 128 }, ..ProptestConfig::default() })]
            $(
                #[test]
                fn $name(values in vec($strategy, 0..5)) {
                    check(&values);
                }
            )*
        }
    };
}

hold_for! {
    bools: any::<bool>();
    i8s: any::<i8>();
    i16s: any::<i16>();
    i32s: any::<i32>();
    i64s: prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
    u8s: any::<u8>();
    u16s: any::<u16>();
    u32s: any::<u32>();
    u64s: prop_oneof![any::<u64>(), Just(u64::MAX)];
    f64s: float();
    f32s: any::<u32>().prop_map(f32::from_bits).prop_map(|float| if float.is_nan() { f32::NAN } else { float });
    texts: text();
    byte_strings: vec(any::<u8>(), 0..6);
    durations: duration();
    values: value();
    optional_texts: option::of(text());
    optional_floats: option::of(float());
    optional_values: option::of(value().prop_filter("the null is `None`", |value| !value.is_null()));
    optional_lists: option::of(vec(option::of(any::<i8>()), 0..3));
    lists: vec(any::<i64>(), 0..4);
    lists_of_lists: vec(vec(vec(any::<u8>(), 0..3), 0..3), 0..3);
    lists_of_values: vec(value(), 0..3);
    arrays: [option::of(text()), option::of(text())];
    arrays_of_bytes: proptest::array::uniform3(any::<u8>());
    empty_arrays: Just([(); 0]).prop_map(|_| [] as [String; 0]);
    lists_of_empty_arrays: vec(Just([] as [u64; 0]), 0..3);
    singles: (text(),);
    tuples: (any::<i64>(), text(), option::of(vec(any::<u8>(), 0..3)), [float(), float()]);
    lists_of_tuples: vec((text(), vec(duration(), 0..3), (value(), any::<bool>())), 0..3);
    long_tuples: (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(),
        any::<u8>(), text()).prop_map(|(a, b, c, d, e, f, g, h, i, j)| (a, b, c, d, e, f, g, h, i, j, a, b));
}

proptest! {
    #[test]
    fn texts_are_written_as_serde_json_writes_them(text in text()) {
        let mut buffer = super::text::TextBuffer::default();
        buffer.push(text.clone());
        prop_assert_eq!(json(&buffer, 0), serde_json::to_vec(&text).unwrap());
    }
}

/// The types of other crates.
#[cfg(any(feature = "chrono", feature = "jiff"))]
mod dates;
mod floats;
mod json_values;
#[cfg(any(feature = "bytes", feature = "rust_decimal", feature = "uuid"))]
mod others;
mod std_types;

fn text_in<T: ColumnType>(style: Style, value: T) -> String {
    let mut buffer = T::Buffer::default();
    buffer.push(value);
    let mut text = Vec::new();
    buffer.write_text(0, style, &mut text);
    String::from_utf8(text).unwrap()
}

fn text_of<T: ColumnType>(value: T) -> String {
    text_in(Style::Plain, value)
}

#[test]
fn has_the_text_forms_of_the_contract() {
    assert_eq!(text_of(true), "true");
    assert_eq!(text_of(i64::MIN), "-9223372036854775808");
    assert_eq!([1.0, -0.0, 1e300, 1e-7, 0.1].map(text_of), ["1.0", "-0.0", "1e+300", "1e-7", "0.1"]);
    assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(text_of), ["NaN", "inf", "-inf"]);
    assert_eq!([0.1_f32, f32::NEG_INFINITY].map(text_of), ["0.1", "-inf"]);
    assert_eq!(text_of(vec![1_u8, 2]), "AQI=");
    assert_eq!(text_of(Duration::new(86_400, 5_000)), "86400000005000");
    assert_eq!(text_of(vec![Some(f64::NAN), None]), r#"["NaN",null]"#);
    assert_eq!(text_of((1_i8, "a\"".to_owned(), [vec![0_u8]])), r#"[1,"a\"",["AA=="]]"#);
    assert_eq!(text_of(serde_json::json!({ "a": [1, null] })), r#"{"a":[1,null]}"#);
    assert_eq!(text_of(Value::Null), "null");
    assert_eq!(text_of(None::<String>), "");
    assert_eq!(text_of(Some("a,\n".to_owned())), "a,\n");
}

/// The expected texts were observed in the output of Pathway 0.33.0.
#[test]
fn has_the_text_forms_of_pathway() {
    fn text_of<T: ColumnType>(value: T) -> String {
        text_in(Style::Pathway, value)
    }
    assert_eq!([true, false].map(text_of), ["True", "False"]);
    assert_eq!(text_of(vec![true]), "[true]");
    assert_eq!([1.0, -0.0, 1e300, 1e-7, 0.1, 1e-5].map(text_of), ["1.0", "-0.0", "1e300", "1e-7", "0.1", "1e-5"]);
    assert_eq!([1e15, 1e16, 5e-324].map(text_of), ["1000000000000000.0", "1e16", "5e-324"]);
    assert_eq!([123_456_789_012_345_680.0, -1e300].map(text_of), ["1.2345678901234568e17", "-1e300"]);
    assert_eq!(text_of(vec![1e300, 1e-5, 1e16]), "[1e+300,0.00001,1e+16]");
    assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(text_of), ["NaN", "inf", "-inf"]);
    assert_eq!(text_of((f64::NAN, None::<i64>, true, b"ab".to_vec())), r#"[null,null,true,"YWI="]"#);
    assert_eq!(text_of(vec![251_u8, 255, 10]), "+/8K");
    assert_eq!(text_of(vec![Duration::from_secs(1)]), "[1000000000]");
    assert_eq!(text_of(serde_json::json!("x")), "\"x\"");
}

fn read<T: ColumnType>(text: &str) -> Result<T, String> {
    let mut buffer = T::Buffer::default();
    let result = decode(&mut buffer, text.as_bytes());
    result.map(|()| buffer.get(0)).map_err(|error| {
        // The text may also contain the position of the error.
        let error = error.split_once('\u{1f}').map_or(&*error, |(reason, _)| reason);
        error[..error.find(" at line").unwrap_or(error.len())].to_owned()
    })
}

#[test]
fn floats_take_more_than_their_own_form() {
    assert_eq!(read("3"), Ok(3.0));
    assert_eq!(read("-3"), Ok(-3.0_f32));
    assert_eq!(read("18446744073709551615"), Ok(u64::MAX as f64));
    assert_eq!(["\"inf\"", "\"-inf\""].map(read), [Ok(f64::INFINITY), Ok(f64::NEG_INFINITY)]);
    assert_eq!(read::<f32>("1e39").unwrap_err(), "1e39 is out of range for `f32`");
    assert_eq!(read::<f64>("1e999").unwrap_err(), "number out of range");
}

#[test]
fn errors_name_the_expected_and_the_found_value() {
    let of_text = |text| read::<String>(text).unwrap_err();
    assert_eq!(of_text("5"), "expected a `String`, found the number 5");
    assert_eq!(of_text("-5.0"), "expected a `String`, found the number -5.0");
    assert_eq!(of_text("null"), "expected a `String`, found null, which only an `Option<String>` takes");
    assert_eq!(of_text("true"), "expected a `String`, found `true`");
    assert_eq!(of_text("[1]"), "expected a `String`, found a list");
    assert_eq!(of_text("{}"), "expected a `String`, found an object");

    assert_eq!(read::<u8>("300").unwrap_err(), "300 is out of range for `u8`");
    assert_eq!(read::<u8>("-1").unwrap_err(), "-1 is out of range for `u8`");
    assert_eq!(read::<u64>("18446744073709551616").unwrap_err(), "1.8446744073709552e19 is out of range for `u64`");
    assert_eq!(read::<i64>("1.5").unwrap_err(), "expected an `i64`, found the number 1.5");
    assert_eq!(read::<i64>("1e-3").unwrap_err(), "expected an `i64`, found the number 0.001");
    assert_eq!(read::<i64>("\"1\"").unwrap_err(), "expected an `i64`, found the string \"1\"");
    assert_eq!(read::<bool>("1").unwrap_err(), "expected a `bool`, found the number 1");
    assert_eq!(read::<f64>("\"nan\"").unwrap_err(), "expected an `f64`, found the string \"nan\"");
    let long = format!("\"{}\"", "é".repeat(100));
    assert!(read::<f64>(&long).unwrap_err().ends_with("éé\"..."));

    let of_bytes = |text| read::<Vec<u8>>(text).unwrap_err();
    assert_eq!(of_bytes("[1]"), "expected a `Vec<u8>` in base64, found a list");
    assert_eq!(of_bytes("\"AQ\""), "expected a `Vec<u8>` in base64, found a string that is not base64: wrong padding");
    assert_eq!(of_bytes("\"A-==\""), "expected a `Vec<u8>` in base64, found a string that is not base64: '-' at 1");

    assert_eq!(read::<Vec<i64>>("[1,2.5]").unwrap_err(), "expected an `i64`, found the number 2.5");
    assert_eq!(read::<Vec<Option<i64>>>("3").unwrap_err(), "expected a `Vec<Option<i64>>`, found the number 3");
    assert_eq!(read::<[i64; 3]>("[1]").unwrap_err(), "expected a `[i64; 3]`, found a list of only 1");
    assert_eq!(read::<[i64; 1]>("[1,2]").unwrap_err(), "expected a `[i64; 1]`, found a longer list");
    assert_eq!(read::<(i64, bool)>("[1]").unwrap_err(), "expected a `(i64, bool)`, found a list of only 1");
    assert_eq!(read::<(i64,)>("[1,2]").unwrap_err(), "expected a `(i64,)`, found a longer list");
    let beyond = (Duration::MAX.as_nanos() + 1).to_string();
    assert_eq!(read::<Duration>(&beyond).unwrap_err(), format!("{beyond} is out of range for `Duration`"));
}

#[test]
fn only_options_can_be_missing() {
    const { assert!(<Option<i64> as ColumnType>::OPTIONAL && !<Value as ColumnType>::OPTIONAL) };
    assert_eq!(read("null"), Ok(None::<i64>));
    assert_eq!(read("null"), Ok(Value::Null));
}

#[test]
fn describes_its_types() {
    fn name<T: ColumnType>() -> String {
        T::ELEMENT.to_string()
    }
    assert_eq!(name::<Vec<u8>>(), "Vec<u8>");
    assert_eq!(name::<Vec<Vec<u8>>>(), "Vec<Vec<u8>>");
    assert_eq!(name::<Option<Vec<Option<u8>>>>(), "Option<Vec<Option<u8>>>");
    assert_eq!(name::<([f32; 2], Duration, Value)>(), "([f32; 2], Duration, Value)");
    assert_eq!(<Option<i64>>::DATA_TYPE, crate::rows::data_type::DataType::I64);

    fn is_key<T: KeyType>() {}
    is_key::<(bool, u8, String, Vec<u8>, Duration, [Vec<i64>; 2])>();
}

// FAULTS 6
#[test]
fn integers_are_read_as_json_schema_defines_them() {
    for (json, value) in
        [("1.0", 1), ("-0", 0), ("-0.0", 0), ("1e0", 1), ("1.2E2", 120), ("9007199254740991.0", (1 << 53) - 1)]
    {
        assert_eq!(read::<i64>(json), Ok(value), "{json}");
        assert_eq!(read::<Option<u64>>(json), Ok(Some(value as u64)), "{json}");
        assert_eq!(read::<Vec<i128>>(&format!("[{json}]")), Ok(vec![value.into()]), "{json}");
        assert_eq!(read::<(u128,)>(&format!("[{json}]")), Ok((value as u128,)), "{json}");
    }
    assert_eq!(read::<u8>("255.0"), Ok(255));
    assert_eq!(read::<u8>("256.0").unwrap_err(), "256 is out of range for `u8`");
    assert_eq!(read::<u64>("-1.0").unwrap_err(), "-1 is out of range for `u64`");
    assert_eq!(read::<std::num::NonZero<i64>>("2e0"), Ok(std::num::NonZero::new(2).unwrap()));
    assert!(read::<std::num::NonZero<i64>>("-0").is_err());
    // From 2 to the power of 53 on, floats skip integers.
    for json in ["9007199254740992.0", "9007199254740993.0", "1e17", "0.5", "1e-1"] {
        assert!(read::<i64>(json).is_err() && read::<i128>(json).is_err(), "{json}");
    }
}
