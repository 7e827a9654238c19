//! The output of `infer` for samples. `ui-tests/infer` compiles the output against them, and a property test in
//! `pathway-derive` compares it with the check of samples.

use super::infer;

/// The fields without the struct around them.
fn fields(sample: &str) -> Vec<String> {
    let source = infer(sample.as_bytes()).unwrap().to_string();
    let (_, fields) = source.split_once("struct Row {\n").unwrap();
    let fields = fields.strip_suffix("}\n").unwrap();
    fields.lines().filter(|line| !line.contains("//")).map(|line| line.trim().to_owned()).collect()
}

fn error(sample: &str) -> String {
    let error = infer(sample.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    error.to_string()
}

#[test]
fn values_become_types() {
    let of = |values: &[&str]| {
        let rows: Vec<String> = values.iter().map(|value| format!("{{\"a\": {value}}}\n")).collect();
        fields(&rows.concat()).last().unwrap().clone()
    };
    assert_eq!(of(&["true", "false"]), "a: bool,");
    assert_eq!(of(&["1", "1"]), "a: i64,");
    assert_eq!(of(&["18446744073709551615", "0"]), "a: u64,");
    assert_eq!(of(&["18446744073709551615", "-1"]), "a: serde_json::Value,");
    assert_eq!(of(&["18446744073709551616"]), "a: f64,");
    assert_eq!(of(&["1", "1.5", "\"NaN\""]), "a: f64,");
    assert_eq!(of(&["\"NaN\"", "\"x\""]), "a: String,");
    assert_eq!(of(&["1", "\"x\""]), "a: serde_json::Value,");
    assert_eq!(of(&["null", "1"]), "a: Option<i64>,");
    assert_eq!(of(&["null"]), "a: Option<serde_json::Value>,");
    assert_eq!(of(&["{}"]), "a: serde_json::Value,");
    assert_eq!(of(&["[1, 2]", "[]"]), "a: Vec<i64>,");
    assert_eq!(of(&["[1, null]", "[2.5]"]), "a: Vec<Option<f64>>,");
    assert_eq!(of(&["[[1], []]"]), "a: Vec<Vec<i64>>,");
    assert_eq!(of(&["[]"]), "a: Vec<serde_json::Value>,");
    assert_eq!(of(&["[1, \"a\"]", "[2, null]"]), "a: (i64, Option<String>),");
    assert_eq!(of(&["[1, \"a\"]", "[2]"]), "a: Vec<serde_json::Value>,");
    assert_eq!(of(&["[1, {}]"]), "a: Vec<serde_json::Value>,");
    // The items of deep lists are not summarised: the work doubles with each level.
    let nested = |levels, value| format!("{}{value}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(of(&[&nested(4, "1")]), "a: Vec<Vec<Vec<Vec<i64>>>>,");
    assert_eq!(of(&[&nested(5, "1")]), "a: Vec<Vec<Vec<Vec<Vec<serde_json::Value>>>>>,");
    assert_eq!(of(&[&nested(100, "1")]), "a: Vec<Vec<Vec<Vec<Vec<serde_json::Value>>>>>,");
    assert_eq!(of(&[&nested(100, "99999999999999999999")]), "a: Vec<Vec<Vec<Vec<Vec<pathway_io::RawJson>>>>>,");
}

/// The comments and the type of the column `a`.
fn remarks(sample: &str) -> String {
    let source = infer(sample.as_bytes()).unwrap().to_string();
    let lines = source.lines().map(str::trim).skip_while(|line| !line.starts_with("struct"));
    lines
        .filter(|line| line.starts_with("// int") || line.contains("; int") || line.starts_with("a:"))
        .collect::<Vec<_>>()
        .join(" ")
}

// FAULTS 4
#[test]
fn integers_beyond_64_bits_keep_their_digits_or_a_comment_says_that_they_do_not() {
    const LOSES: &str = "// integers beyond 64 bits lose digits in an `f64` a:";
    const KEEPS: &str = "// integers beyond 64 bits keep their digits here a:";
    for long in ["18446744073709551616", "99999999999999999999", "-9223372036854775809", &"9".repeat(50)] {
        let json = |value: &str| remarks(&format!("{{\"a\": {}}}\n{{\"a\": {value}}}\n", value.replace("#", "1.5")));
        let of = |value: &str| json(&value.replace("@", long));
        assert_eq!(of("@"), format!("{LOSES} f64,"));
        assert_eq!(of("[@, 1]"), format!("{LOSES} Vec<f64>,"));
        assert_eq!(of("[@, \"x\"]"), format!("{LOSES} (f64, String),"));
        assert_eq!(of("{\"b\": [@]}"), format!("{KEEPS} pathway_io::RawJson,"));
        assert_eq!(of("[{\"b\": @}]"), format!("{KEEPS} Vec<pathway_io::RawJson>,"));
        assert_eq!(
            remarks(&format!("{{\"a\": {long}}}\n{{\"a\": \"x\"}}")),
            "// numbers and strings; integers beyond 64 bits keep their digits here a: pathway_io::RawJson,"
        );
        assert_eq!(remarks(&format!("a,b\n{long},\n1,\n")), format!("{KEEPS} String,"));
        assert_eq!(remarks(&format!("a,b\n{long},\n1.5,\n")), format!("{LOSES} f64,"));
    }
    for short in ["1e30", "18446744073709551616.0", "18446744073709551615", "-9223372036854775808"] {
        assert!(remarks(&format!("{{\"a\": [{short}]}}")).starts_with("a: "));
    }
}

// FAULTS 5, 7, 8
#[test]
fn lines_are_read_by_the_rules_of_a_push() {
    let sample = "\u{feff}{\"a\": 1}\n\u{feff}\n \t\r\n\u{feff}{\"a\": 2}\r\n";
    assert_eq!(fields(sample).last().unwrap(), "a: i64,");
    assert_eq!(fields("\u{feff}a,b\n1,2\n")[0], "a: i64,");
    assert_eq!(
        error("{\"a\": 1}\n{\"a\": {\"b\": 1, \"b\": 2}}"),
        "line 2 column 16: the name \"b\" is given twice in one object"
    );
    assert_eq!(error("{\"a\": 1}\n\u{feff}\u{feff}{\"a\": 1}\n"), "line 2 column 1: expected a JSON value");
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(101), "]".repeat(101));
    assert_eq!(error(&deep), "line 1 column 107: the JSON is nested more than 100 levels deep");
}

#[test]
fn texts_of_csv_become_types() {
    let of = |values: &[&str]| fields(&format!("a,b\n{},\n", values.join(",\n")))[0].clone();
    assert_eq!(of(&["true", "false", "true"]), "a: bool,");
    assert_eq!(of(&["1", "-2", "1"]), "a: i64,");
    assert_eq!(of(&["1", "2.5", "NaN", "1"]), "a: f64,");
    assert_eq!(of(&["007", "1", "1"]), "a: String,");
    assert_eq!(of(&["true", "1", "1"]), "a: String,");
    assert_eq!(of(&["", "1", "1"]), "a: Option<i64>,");
    assert_eq!(of(&["\"\"", "1", "1"]), "a: String,");
    assert_eq!(of(&["1e999", "+1", "0x10", "0x10"]), "a: String,");
    assert_eq!(of(&["99999999999999999999", "99999999999999999999"]), "a: String,");
}

#[test]
fn names_become_fields() {
    let sample = r#"{"genusName": 1, "genus_name": 1, "type": 1, "self": 1, "": 1, "1st place": 1, "HTTPStatus": 1, "größe": 1, "猫": 1, "a\"b": 1}"#;
    assert_eq!(
        fields(sample),
        [
            r#"#[schema(rename = "genusName")]"#,
            "genus_name_2: i64,",
            "genus_name: i64,",
            "r#type: i64,",
            r#"#[schema(rename = "self")]"#,
            "self_: i64,",
            r#"#[schema(rename = "1st place")]"#,
            "_1st_place: i64,",
            r#"#[schema(rename = "HTTPStatus")]"#,
            "http_status: i64,",
            "größe: i64,",
            r#"#[schema(rename = "猫")]"#,
            "column_9: i64,",
            r#"#[schema(rename = "a\"b")]"#,
            "a_b: i64,",
        ]
    );
}

#[test]
fn a_key_is_guessed_with_a_reason() {
    let source = |sample: &str| infer(sample.as_bytes()).unwrap().to_string();
    let by_name = source("{\"n\": 1, \"cat_id\": \"a\"}\n{\"n\": 2, \"cat_id\": \"b\"}\n");
    assert!(
        by_name.contains("by its name: no value repeats in 2 rows\n    #[schema(primary_key)]\n    cat_id:"),
        "{by_name}"
    );
    let first = source("n,x\n1,1\n2,1\n");
    assert!(
        first.contains(
            "perhaps the key: it is first, and no value repeats in 2 rows\n    #[schema(primary_key)]\n    n:"
        )
    );
    for sample in
        ["id\n1\n1\n", "x,n\n1,1\n1,2\n", "id\n1\n", "{\"id\": 1.5}\n{\"id\": 2.5}", "{\"id\": null}\n{\"id\": 1}"]
    {
        assert!(source(sample).contains("no primary key"), "{sample}");
    }
}

#[test]
fn the_columns_of_every_output_are_left_out() {
    let output = "key,time,diff\n1,1700000000000,1\n2,1700000000000,-1\n";
    assert_eq!(fields(output), ["#[schema(primary_key)]", "key: i64,"]);
    let own = "key,time,time_\n1,12:00,1\n1,13:00,1\n";
    assert_eq!(fields(own)[1..3], [r#"#[schema(rename = "time__", alias = "time")]"#, "time: String,"]);
}

#[test]
fn structs_are_named() {
    let named = |name: &str| infer("a\n1\n".as_bytes()).unwrap().name(name).to_string();
    for (name, expected) in
        [("cats", "Cats"), ("house cat", "HouseCat"), ("2024-11", "Row202411"), ("string", "StringRow"), ("", "Row")]
    {
        assert!(named(name).contains(&format!("struct {expected} {{")), "{}", named(name));
    }
    let hostile = infer("a\n1\n".as_bytes()).unwrap().sample("x\n}\" */").to_string();
    assert!(hostile.contains(
        "/// Inferred from the 1 row of `x }\" */`.\n#[derive(Schema)]\n#[schema(sample = \"x\\n}\\\" */\")]"
    ));
}

#[test]
fn a_malformed_sample_is_an_error_with_its_line() {
    assert_eq!(error(""), "the sample has no row");
    assert_eq!(error("\n \n"), "the sample has no row");
    assert_eq!(error("a,b\n"), "the sample has no row");
    assert_eq!(error("{}\n{}"), "the rows of the sample have no columns");
    assert_eq!(error("{\"a\": 1}\n\n{\"a\" 1}"), "line 3 column 6: expected `:`");
    assert_eq!(error("{\"a\": 1}\n[1]"), "line 2: expected an object with the columns of a row, one on each line");
    let open = "line 1: the row does not end on its line\nhelp: write one object on each line, as `jq -c .` does";
    assert_eq!(error("{\n  \"a\": 1\n}\n"), open);
    assert_eq!(error("{\"a\": 1, \"a\": 2}"), "line 1: `a` is given twice");
    for list in ["[{\"a\": 1}, {\"a\": 2}]", "\u{feff}[\n  {\n    \"a\": 1\n  }\n]\n"] {
        assert!(error(list).starts_with("the sample is a JSON list\nhelp: "));
    }
    assert_eq!(
        fields("[a],[b]\n1,2"),
        ["#[schema(rename = \"[a]\")]", "a: i64,", "#[schema(rename = \"[b]\")]", "b: i64,"]
    );
    for header in ["id;name", "id\tname", "id|name"] {
        let expected =
            format!("the header has one field, {header:?}\nhelp: the fields of a CSV are separated by commas");
        assert_eq!(error(&format!("{header}\n1;x\n")), expected);
    }
    assert_eq!(error("a,a\n1,2"), "line 1: the header has `a` twice");
    assert_eq!(error("a,b\n1"), "line 2: a record of 1, where the header has 2");
    assert!(error("{\"a\": \"\u{fffd}\"}\n{\"a\": \"\u{1}\"}").starts_with("line 2 column 8: control character"));
}

#[test]
fn a_negative_integer_of_any_length_is_a_column() {
    let long = format!("-{}", "9".repeat(40));
    for sample in [format!("a,b,c\n{long},1,2\n"), format!("diff,time,c\n{long},1,2\n")] {
        assert!(fields(&sample).contains(&"c: i64,".to_owned()), "{sample}");
    }
}

/// Takes minutes if each name is compared with all others.
#[test]
fn a_row_with_many_names_is_read_in_linear_time() {
    let names: Vec<String> = (0..100_000).map(|i| format!("id{i}")).collect();
    let json = format!("{{{}}}\n", names.iter().map(|name| format!("\"{name}\":1")).collect::<Vec<_>>().join(","));
    let csv = format!("{}\n{}\n", names.join(","), vec!["1"; names.len()].join(","));
    for sample in [json, csv] {
        assert_eq!(super::rows::read(sample.as_bytes(), false, &mut |_, _| {}).unwrap(), 1);
    }
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(super::names::of_fields(&columns)[99_999], "id99999");
    // Names that become one field.
    let names: Vec<String> = (0..100_000).map(|i| format!("a{i:017b}").replace('0', "!").replace('1', "?")).collect();
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(super::names::of_fields(&columns)[99_999], "a_100000");
}
