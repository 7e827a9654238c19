//! Checks that the macro accepts a value if and only if the column in the runtime accepts it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;

use pathway_io::column::{Buffer, ColumnType};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use super::type_check::{VALUE, check_cell};
use crate::files::data_type::{DataType, PLAIN};
use crate::files::rows::{Cell, Format, Rows, parse, read};
use crate::files::{json, tests::json_text};
use crate::schema::spelling::{Trust, of};

/// Returns whether a column of the type accepts a JSON text.
fn takes<T: ColumnType>(text: &str) -> bool {
    let mut buffer = T::Buffer::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    buffer.decode(&mut deserializer).is_ok() && deserializer.end().is_ok()
}

/// Returns the type with this name. It includes types that the macro leaves to the compiler.
fn named(name: &str) -> DataType {
    let inner = |prefix: &str| name.strip_prefix(prefix)?.strip_suffix('>').map(named).map(Box::new);
    match name {
        "Value" => DataType::Plain(VALUE),
        _ if name.contains("Value") || name.contains("Map") => inner("Option<")
            .map(DataType::Optional)
            .or_else(|| inner("Vec<").map(DataType::List))
            .or_else(|| inner("BTreeMap<String, ").map(DataType::Map))
            .unwrap_or_default(),
        _ => of(&syn::parse_str(name).unwrap(), Trust::Certain),
    }
}

macro_rules! types {
    ($($ty:ty),* $(,)?) => {
        [$((stringify!($ty), takes::<$ty> as fn(&str) -> bool)),*]
    };
}

#[test]
fn a_value_fits_where_a_column_takes_it() {
    let types = types! {
        bool, i8, i16, i32, i64, u8, u16, u32, u64, isize, usize, i128, u128, char, f32, f64, String, Vec<u8>,
        std::time::Duration, Option<i64>, Option<String>, Vec<i64>, Vec<Option<f64>>, Vec<String>, [u8; 2], [f64; 3],
        (i64, String), (bool,), Option<Vec<(f32, Option<bool>)>>, Vec<Vec<u8>>, Value, Option<Value>, Vec<Value>,
        BTreeMap<String, i64>, BTreeMap<String, Option<Value>>,
    };
    let data_types: Vec<DataType> = types.iter().map(|(ty, _)| named(ty)).collect();
    assert!(data_types.iter().all(|data_type| !data_type.has_unknown()));
    let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&json_text(), |text| {
        let cell = Cell::Json(json::parse(&text).unwrap());
        for ((ty, takes), data_type) in types.iter().zip(&data_types) {
            prop_assert_eq!(check_cell(data_type, &cell).is_ok(), takes(&text), "{} as {}", text, ty);
        }
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
}

/// Texts that are almost instants.
fn near_instants() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "2021", "-", "03", "21", "T", "18", ":", "34", "12", ".", "5", "Z", "+", "01", "0", "é", " ",
    ]);
    let instant = (0..100_000u32, 0..14u32, 0..33u32, 0..25u32, 0..61u32, "[.]?[0-9]{0,10}").prop_map(
        |(year, month, day, hour, second, fraction)| {
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:34:{second:02}{fraction}")
        },
    );
    let offset =
        prop::sample::select(vec!["Z", "z", "", "+01", "-01:30", "+0130", "+01:30:15", "+1", "+24:00", "Zulu"]);
    prop_oneof![
        (prop::sample::select(vec!["", "+", "-"]), instant, offset).prop_map(|(a, b, c)| format!("{a}{b}{c}")),
        prop::collection::vec(part, 0..16).prop_map(|parts| parts.concat()),
    ]
}

#[test]
fn a_text_that_a_column_takes_has_the_form_of_its_type() {
    let config = Config { cases: 5000, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&near_instants(), |text| {
        let is_instant = takes::<std::time::SystemTime>(&Value::from(text.as_str()).to_string());
        let fits = check_cell(&DataType::Plain("Timestamp"), &Cell::Text(Some(text.clone()))).is_ok();
        prop_assert!(fits || !is_instant, "{}", text);
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());

    let examples: [(_, &[&str], &[&str]); 7] = [
        ("Date", &["2021-03-21", "-009999-01-01"], &["21.03.2021", "2021-13-01", "20210321", "2021-03-21T00:00", ""]),
        ("Time", &["18:34", "18:34:60.123456789"], &["6 pm", "24:00", "18:34Z", "18:34:12.", "+1:00"]),
        ("DateTime", &["2021-03-21T18:34:12.5", "2021-03-21 18:34"], &["2021-03-21", "2021-03-21T18:34Z"]),
        ("Timestamp", &["2021-03-21T18:34:12.5Z", "2021-03-21t18:34+0100"], &["2021-03-21T18:34:12", "1616351652"]),
        ("OffsetDateTime", &["2021-03-21T18:34:12-23:59"], &["2021-03-21T18:34:12"]),
        ("Uuid", &["67e55044-10b1-426f-9247-bb680e5fe0c8", "67E5504410B1426F9247BB680E5FE0C8"], &["7", "x"]),
        ("Decimal", &["-12.50", "7"], &["1e5", "1,5", ".5", "NaN"]),
    ];
    for (name, good, bad) in examples {
        let data_type = DataType::Plain(name);
        let fits = |text: &&&str| {
            let cells = [Cell::Text(Some(text.to_string())), Cell::Json(json::Value::String(text.to_string()))];
            let [csv, json] = cells.map(|cell| check_cell(&data_type, &cell).is_ok());
            assert_eq!(csv, json, "{name}: {text}");
            csv
        };
        assert_eq!(good.iter().filter(|text| !fits(text)).collect::<Vec<_>>(), [&""; 0], "{name}");
        assert_eq!(bad.iter().filter(fits).collect::<Vec<_>>(), [&""; 0], "{name}");
    }
}

/// The rules for JSON in a column, for a `Value` by itself and inside other types.
#[test]
fn json_of_a_sample_has_the_rules_of_a_column() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let bad = [
        (nested(101), "is JSON that is nested more than 100 levels deep"),
        (r#"{"a": 1, "b": 2, "a": 3}"#.into(), "is an object with `a` twice"),
        ("18446744073709551616".into(), "is 18446744073709551616, an integer beyond 64 bits"),
        ("-9223372036854775809".into(), "is -9223372036854775809, an integer beyond 64 bits"),
        (format!("1{}", "0".repeat(40)), "is 1e40, an integer beyond 64 bits"),
    ];
    let types = ["Value", "Option<Value>"].map(named);
    for data_type in &types {
        for (text, found) in &bad {
            let cells = [Cell::Json(json::parse(text).unwrap()), Cell::Text(Some(text.as_str().into()))];
            for cell in cells {
                assert_eq!(check_cell(data_type, &cell).unwrap_err().found, *found, "{data_type}: {text}");
            }
        }
        for text in [&nested(100), "-9223372036854775808", "18446744073709551615", r#"[{"a": 1}, {"a": 1}]"#, "1e40"] {
            assert_eq!(check_cell(data_type, &Cell::Json(json::parse(text).unwrap())), Ok(()), "{data_type}: {text}");
        }
    }
    let inner = json::parse(r#"[{"a": {"b": 1, "b": 2}}]"#).unwrap();
    assert_eq!(check_cell(&types[0], &Cell::Json(inner)).unwrap_err().found, "holds an object with `b` twice");
    let fits = |data_type, text: &str| check_cell(data_type, &Cell::Json(json::parse(text).unwrap())).is_ok();
    // The JSON of any type, and text that may be a `RawJson`.
    let (any, raw) = (DataType::Plain("Value"), DataType::Unknown);
    assert_eq!(bad.each_ref().map(|(text, _)| fits(&any, text)), [false, false, true, true, true]);
    assert_eq!(bad.each_ref().map(|(text, _)| fits(&raw, text)), [false, true, true, true, true]);
}

/// The macro's verdicts reach the runtime by the numbers of the types.
#[test]
fn types_have_the_numbers_of_the_runtime() {
    use pathway_io::DataType::{OffsetDateTime as Offset, SignedDuration as Signed, *};
    let numbered = [
        Bool, I8, I16, I32, I64, U8, U16, U32, U64, I128, U128, F32, F64, Str, Json, Duration, Signed, Date, Time,
        DateTime, Timestamp, Offset, Uuid, Decimal,
    ];
    let plain = PLAIN.map(|(name, _)| name.to_owned());
    assert_eq!(numbered.map(|data_type| data_type.to_string()), plain);
    let rest = [Bytes, List(&I64), Map(&I64)];
    for (number, data_type) in numbered.iter().chain(&rest).enumerate() {
        assert_eq!(pathway_io::__private0::number(data_type) as usize, number, "{data_type}");
    }
}

fn rows(text: &str, is_cut: bool, format: Format) -> Vec<String> {
    let Rows { rows, fault } = parse(text.as_bytes(), is_cut, format);
    let rows = rows.iter().map(|row| format!("{} with {}", row.line, row.fields.len()));
    rows.chain(fault.map(|fault| format!("{}:{} {}", fault.line, fault.column, fault.reason))).collect()
}

#[test]
fn rows_have_lines_and_faults_have_places() {
    let json = |text| rows(text, false, Format::JsonLines);
    assert_eq!(json("{\"a\": 1}\r\n\n  \n {\"a\": 1, \"b\": 2} \n"), ["1 with 1", "4 with 2"]);
    assert_eq!(json("{}\n{\"é\": x}\n{}\n"), ["1 with 0", "2:7 expected a JSON value"]);
    assert_eq!(json("[{}]"), ["1:1 expected an object with the columns of a row, one on each line"]);
    assert_eq!(json("\u{feff}{}\n\u{feff}\n\u{feff}{\"a\": 1}"), ["1 with 0", "3 with 1"]);
    assert_eq!(json("\u{feff}\u{feff}{}"), ["1:1 a byte order mark is not part of JSON"]);
    assert_eq!(json("{\"a\": \u{feff}1}"), ["1:7 a byte order mark is not part of JSON"]);
    let csv = |text| rows(text, false, Format::Csv);
    assert_eq!(csv("\u{feff}a,b\n1,\"x\ny\"\n\n3,4\n"), ["2 with 2", "5 with 2"]);
    assert_eq!(csv("a,b\n1\n"), ["2:1 a record of 1, where the header has 2"]);
    assert_eq!(csv("a\n\"b\"c\n"), ["2:1 expected `,` after a quoted field"]);
    assert_eq!(csv("a,b\n"), [""; 0]);
}

#[test]
fn a_sample_is_read_as_far_as_its_limits() {
    let line = "{\"a\": 1}\n";
    assert_eq!(rows(&line.repeat(1500), false, Format::JsonLines).len(), 1000);
    assert_eq!(rows("{\"a\": 1}\n{\"a\"", true, Format::JsonLines), ["1 with 1"]);
    assert!(rows(&"x".repeat(100), true, Format::JsonLines)[0].starts_with("1:1 it does not end within"));

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("endless.jsonl");
    let mut file = File::create(&path).unwrap();
    file.write_all(line.as_bytes()).unwrap();
    // The file gets a hole of 2 GB, which takes no space on the disk, and a line without an end.
    file.set_len(2 << 30).unwrap();
    let (_, Rows { rows, fault }) = read(&path).unwrap();
    assert!(rows.len() == 1 && fault.is_none());
}

#[test]
fn devices_and_directories_are_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    assert!(read(directory.path()).is_err());
    #[cfg(unix)]
    assert!(read("/dev/zero".as_ref()).is_err());
    fs::write(directory.path().join("a.txt"), " {\"a\": 1}").unwrap();
    assert_eq!(read(&directory.path().join("a.txt")).unwrap().1.rows.len(), 1);
}

/// Rows of odd names and values of all kinds.
fn rows_of_json() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "id", "a", "type", "self", "Self", "time", "diff", "time_", "A b", "1", "a\"b", "é", "_", "r#a"
        ])
        .prop_map(str::to_owned),
        ".{1,4}",
    ];
    let row = prop::collection::btree_map(name, json_text(), 1..6).prop_map(|fields| {
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}: {value}", Value::from(name.as_str()))).collect();
        format!("{{{}}}\n", fields.join(", "))
    });
    prop::collection::vec(row, 1..6).prop_map(|rows| rows.concat())
}

fn rows_of_csv() -> impl Strategy<Value = String> {
    let short = [
        "", "\"\"", "1", "-2", "007", "1.5", "1e5", "1e999", "NaN", "inf", "true", "false", "x", "\"a,b\"", "[1]",
        "+1", "-", ".5", "5.",
    ];
    let long = ["é\u{1f408}", "\"a\"\"b\r\nc\"", "99999999999999999999", "18446744073709551615"];
    let field = prop::sample::select([&short[..], &long].concat());
    (1..5usize).prop_flat_map(move |width| {
        let record = prop::collection::vec(field.clone(), width);
        prop::collection::vec(record, 2..6).prop_map(move |records| {
            let header: Vec<String> = (0..width).map(|at| format!("c {at}")).collect();
            let lines = records.iter().map(|record| record.join(",") + ",-\n");
            header.join(",") + ",last\n" + &lines.collect::<String>()
        })
    })
}

/// The struct that `infer` prints for a sample passes the check against that sample.
#[test]
fn infer_and_sample_agree() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sample");
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    let samples = prop_oneof![rows_of_json(), rows_of_csv()];
    let result = TestRunner::new(config).run(&samples, |sample| {
        let Ok(inferred) = pathway_io::schema::infer(sample.as_bytes()) else {
            prop_assert!(false, "cannot infer from\n{sample}");
            return Ok(());
        };
        fs::write(&path, &sample).unwrap();
        let source = inferred.sample(path.to_str().unwrap()).to_string();
        let file = syn::parse_file(&source);
        prop_assert!(file.is_ok(), "{}", source);
        let input = file.unwrap().items.into_iter().find(|item| matches!(item, syn::Item::Struct(_))).unwrap();
        let output = crate::schema::derive(&syn::parse_quote!(#input)).to_string();
        prop_assert!(!output.contains("compile_error"), "{}\n{}\n{}", sample, source, output);
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
}

/// The runtime has its own copy of the CSV reader, because a macro crate exports only macros.
#[test]
fn the_runtime_has_the_same_reader_of_csv() {
    let runtime =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../pathway-io/src/schema/infer/csv.rs")).unwrap();
    assert_eq!(runtime, include_str!("../../files/csv.rs"));
}

/// Returns the output of the macro for a struct with this sample.
fn held(fields: &str, sample: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rows.jsonl");
    fs::write(&path, sample).unwrap();
    let source = format!("#[schema(sample = {path:?})] struct Row {{ {fields} }}");
    crate::schema::derive(&syn::parse_str(&source).unwrap()).to_string()
}

#[test]
fn a_path_leads_through_objects_and_lists_only() {
    let fields = r#"
        #[schema(path = "seller.name")] name: Option<String>,
        #[schema(path = "seller.tags[0].text", default)] tag: String,
    "#;
    for (value, fault) in [
        ("5", "`seller` is a number, the path `seller.name` needs an object"),
        ("[]", "`seller` is a list, the path `seller.name` needs an object"),
        (r#"{"tags":"x"}"#, "`seller.tags` is a string, the path `seller.tags[0].text` needs a list"),
        (r#"{"tags":{}}"#, "`seller.tags` is an object, the path `seller.tags[0].text` needs a list"),
        (r#"{"tags":[true]}"#, "`seller.tags[0]` is `true`, the path `seller.tags[0].text` needs an object"),
    ] {
        let output = held(fields, &format!("{{\"seller\":{{\"name\":\"a\"}}}}\n{{\"seller\":{value}}}\n"));
        assert!(output.contains(fault) && output.contains("rows.jsonl:2:11"), "{fault}: {output}");
    }
    let both = r#"#[schema(path = "a.b")] field: Option<i64>, #[schema(path = "a[0]")] item: Option<i64>"#;
    for (value, fits) in [("[1]", true), (r#"{"b":1}"#, true), ("1", false)] {
        assert_eq!(!held(both, &format!("{{\"a\":{value}}}")).contains("compile_error"), fits, "{value}");
    }
    for value in ["null", "{}", r#"{"tags":null}"#, r#"{"tags":[]}"#, r#"{"tags":[null]}"#, r#"{"tags":[{}]}"#] {
        let output = held(fields, &format!("{{\"seller\":{value}}}\n"));
        assert!(!output.contains("compile_error"), "{value}: {output}");
    }
}

#[test]
fn a_sample_accepts_the_fields_that_an_output_adds() {
    let fields = r#"#[schema(alias = "time")] time_: String"#;
    assert!(!held(fields, r#"{"time_":"12:00","diff":1,"time":1700}"#).contains("compile_error"));
    assert!(held(fields, r#"{"time":"12:00","diff":1,"time_":"13:00"}"#).contains("`time_` is given twice"));
}

#[test]
fn a_list_of_a_type_that_the_compiler_knows_may_be_bytes() {
    for fields in ["data: Vec<Byte>", "data: Option<Vec<Byte>>", "data: (Vec<Byte>,)"] {
        let value = if fields.contains('(') { r#"["AAE="]"# } else { r#""AAE=""# };
        assert!(!held(fields, &format!("{{\"data\":{value}}}")).contains("compile_error"), "{fields}");
    }
}
