//! The scan beside the parser, which decides what a row means. The fuzz target compares them on random rows.

use super::*;

/// Types that the scan knows, and one that it does not.
#[derive(Debug, pathway_derive::Schema)]
#[schema(crate = crate)]
pub(super) struct Plain {
    pub(super) int: i64,
    pub(super) byte: u8,
    pub(super) flag: bool,
    pub(super) text: String,
    pub(super) float: f64,
    pub(super) single: f32,
    pub(super) maybe: Option<i32>,
    pub(super) note: Option<String>,
}

/// Decodes a row with and without the scan.
fn scanned_and_parsed(text: &[u8]) -> (Option<String>, Option<String>) {
    let row = |columns: &ColumnsOf<Plain>| {
        // Compares debug texts, which distinguish `-0.0` from `0.0`, and in which `NaN` equals itself.
        format!("{:?}", row_at::<Plain>(columns, 0))
    };
    let (mut columns, mut seen) = (ColumnsOf::<Plain>::default(), Seen::default());
    let scanned = std::str::from_utf8(text).is_ok_and(|text| scanned::scan::<Plain>(&mut columns, 0, text, &mut seen));
    let scanned = scanned.then(|| row(&columns));
    if scanned.is_none() {
        assert_eq!(columns.bytes(), 0, "a part of the row was not removed");
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
        r#" {"int": -12, "byte":255,"flag":true , "text":"ż", "float": 0.1, "single":-2.50, "maybe":7, "note": null}"#,
        r#"{ "int" : 1 , "byte":2,"flag":true, "text": "a","float":1e22,"single":16777217.0,"note":"x" } "#,
    ];
    for row in rows {
        let (scanned, parsed) = scanned_and_parsed(row.as_bytes());
        assert!(scanned.is_some(), "{row}");
        assert_eq!(scanned, parsed, "{row}");
    }
}

/// Decodes the rows one after the other, and compares each with the same row alone and without the scan.
fn compare_in_turn<S: Schema<Fields = <Cat as Schema>::Fields>>(rows: &[String]) -> Seen {
    let show = |columns: &ColumnsOf<Cat>, read: Result<(), RowError>| {
        read.map(|()| format!("{:?}", row_at::<Cat>(columns, 0))).map_err(|error| error.to_string())
    };
    let (mut columns, mut seen) = (ColumnsOf::<Cat>::default(), Seen::default());
    for text in rows {
        let read = decode_json::<S>(&mut columns, 0, text.as_bytes(), &mut seen);
        let mut parsed = ColumnsOf::<Cat>::default();
        let expected = parse_row::<S>(&mut parsed, 0, text, &mut Seen::default());
        assert_eq!(show(&columns, read), show(&parsed, expected), "{text}");
        columns.truncate(0);
    }
    seen
}

#[test]
fn fields_without_a_column_are_passed_over_from_row_to_row() {
    let row = |fields: &[&str]| format!("{{{}}}", fields.join(","));
    let [key, genus, weight, nap] = [r#""key":1"#, r#""genus":"lynx""#, r#""weight":2.5"#, r#""nap":5"#];
    let x = r#""x":{"a":[1,-2.5e3,"]",{}],"b":{"c":null}}"#;
    let y = r#""a name that is longer than sixteen bytes":"\ud800 and a text""#;
    let z = r#" "z" : [ true , false , "" ] "#;
    let usual = row(&[x, key, y, genus, weight, nap, z]);
    let others = [
        row(&[key, genus, weight, nap]),
        row(&[x, y, key, genus, z, weight, nap]),
        row(&[key, genus, x, weight]),
        row(&[genus, x, key, y]),
        row(&[key, x, r#""family":"felis""#]),
        row(&[x, key, y, key, genus]),
        row(&[x, key]),
        row(&[x, y]),
        row(&[key, genus, r#""x":01"#]),
        row(&[key, genus, r#""x":[1,]"#]),
        row(&[key, genus, r#""x":"\x""#]),
        row(&[key, genus, r#""x""#]),
        row(&[key, genus, r#""\u006bey":2"#]),
        row(&[key, genus, weight, nap, x, ""]),
        row(&["", x, key, genus]),
        row(&[x, key, genus, weight, nap]) + "}",
    ];
    // Each of these rows follows two usual rows, and then itself.
    let mut rows: Vec<String> = others.iter().flat_map(|other| [&usual, &usual, other, other]).cloned().collect();
    compare_in_turn::<StrictCat>(&rows);
    rows.push(usual.clone());
    rows.push(usual);
    assert!(compare_in_turn::<Cat>(&rows).expects_unknown);
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
