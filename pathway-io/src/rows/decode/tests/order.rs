//! Rows whose fields leave the order of the columns and come back to it.

use super::scan::Plain;
use super::{decode_json, parse_stored};
use crate::rows::decode::{Seen, scanned};
use crate::rows::schema::{ColumnsOf, row_at};

const FIELDS: [&str; 8] = [
    r#""int":1"#,
    r#""byte": 2"#,
    r#""flag":true"#,
    r#""text": "a""#,
    r#""float":0.5"#,
    r#""single":1.5"#,
    r#""maybe": 7"#,
    r#""note":"b""#,
];

/// Decodes the rows one after the other, each also by serde_json. Returns whether the scan took them.
fn decode(rows: &[String]) -> Vec<bool> {
    let (mut columns, mut seen) = (ColumnsOf::<Plain>::default(), Seen::default());
    let mut len = 0;
    let mut show = |row: &String| {
        let scanned = scanned::scan::<Plain>(&mut columns, len, row, &mut seen);
        let mut expected = ColumnsOf::<Plain>::default();
        let parsed = parse_stored::<Plain>(&mut expected, 0, row.as_bytes(), &mut Seen::default());
        if scanned {
            parsed.unwrap();
            let [row, expected]: [Plain; 2] = [row_at(&columns, len), row_at(&expected, 0)];
            assert_eq!(format!("{row:?}"), format!("{expected:?}"));
            len += 1;
        }
        scanned
    };
    rows.iter().map(&mut show).collect()
}

fn row(fields: impl IntoIterator<Item = usize>, unknown: &[usize]) -> String {
    let mut fields: Vec<String> = fields.into_iter().map(|field| FIELDS[field].to_owned()).collect();
    for place in unknown {
        fields.insert(*place, format!(r#""other{place}": {{"a": [{place}, "}}"]}}"#));
    }
    format!("{{{}}}", fields.join(if unknown.is_empty() { "," } else { " , " }))
}

#[test]
fn unknown_fields_are_anywhere_between_the_columns() {
    let rows: Vec<String> = (0..=8).flat_map(|place| [row(0..8, &[place]), row(0..8, &[0, place + 1])]).collect();
    assert_eq!(decode(&rows), vec![true; rows.len()]);
}

#[test]
fn columns_are_missing_or_come_in_any_order() {
    let rotations = (0..8).map(|first| row((0..8).map(|field| (field + first) % 8), &[]));
    let reversed = row((0..8).rev(), &[3]);
    let rows: Vec<String> = [row(0..6, &[]), row([0, 1, 2, 3, 4, 5, 7], &[]), reversed]
        .into_iter()
        .chain(rotations)
        .chain([row(0..8, &[])])
        .collect();
    let twice = [&rows[..], &rows[..]].concat();
    assert_eq!(decode(&twice), vec![true; twice.len()]);
}

#[test]
fn a_column_that_comes_twice_is_given_up() {
    let mut rows: Vec<String> = (0..8)
        .flat_map(|field| (0..=8).map(move |place| (field, place)))
        .map(|(field, place)| {
            let mut fields: Vec<usize> = (0..8).collect();
            fields.insert(place, field);
            row(fields, &[])
        })
        .collect();
    // The same with an unknown field between the two.
    rows.extend((0..8).map(|field| row((0..8).chain([field]), &[8])));
    rows.extend((0..8).map(|field| row([field].into_iter().chain(0..8), &[1])));
    assert_eq!(decode(&rows), vec![false; rows.len()]);
}

#[test]
fn names_of_any_length_find_their_column() {
    #[derive(Debug, PartialEq, pathway_derive::Schema)]
    #[schema(crate = crate)]
    struct Names {
        a: i64,
        #[schema(alias = "a_name_of_more_than_sixteen_bytes")]
        seventeen_bytes_a: i64,
        seventeen_bytes_b: i64,
        sixteen_bytes_ab: i64,
        eight_by: i64,
        nine_byte: i64,
    }
    let (mut columns, mut seen) = (ColumnsOf::<Names>::default(), Seen::default());
    for (len, alias) in ["seventeen_bytes_a", "a_name_of_more_than_sixteen_bytes"].into_iter().enumerate() {
        let text = format!(
            r#"{{"nine_byte":6,"eight_byt":0,"seventeen_bytes_b":3,"":0,"{alias}":2,"a_name_of_more_than_sixteen_letters":0,
                "seventeen_bytes_c":0,"sixteen_bytes_ab":4,"b":0,"a":1,"eight_by":5}}"#
        );
        assert!(scanned::scan::<Names>(&mut columns, len, &text, &mut seen), "{text}");
        let expected =
            Names { a: 1, seventeen_bytes_a: 2, seventeen_bytes_b: 3, sixteen_bytes_ab: 4, eight_by: 5, nine_byte: 6 };
        assert_eq!(row_at::<Names>(&columns, len), expected);
    }
    decode_json::<Names>(&mut columns, 2, br#"{"a":1}"#, &mut seen).unwrap_err();
}
