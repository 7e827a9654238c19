//! Compares `csv::Options::pathway()` byte for byte with files that Pathway 0.33.0 wrote.

use std::fs;
use std::time::Duration;

use pathway_io::{Connector, Pipeline, Result, Schema, Subject, Table, connector, csv};
use serde_json::{Value, json};

/// Returns the CSV of a source with one table and one commit, whose time is replaced by rank 0.
fn written<C, S>(source: C) -> Vec<u8>
where
    C: Connector<Tables = Table<S>>,
    S: Schema,
{
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output.csv");
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    csv::write_with(&pipeline.read(source), &path, csv::Options::pathway());
    pipeline.run().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let time = text.strip_suffix("\",\"1\"\n").and_then(|text| text.rsplit('"').next()).unwrap();
    assert!(time.parse::<u64>().unwrap() > 1_700_000_000_000);
    text.replace(&format!("\"{time}\""), "\"0\"").into_bytes()
}

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    epithet: String,
}

struct Cats;

#[connector(autocommit = off)]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> Result<()> {
        for (key, genus, epithet) in [
            (1, "he said \"hi\"", "a,b;c"),
            (2, "line1\nline2\r\nline3", "tab\there"),
            (3, "żółć 🐈 \0nul", ""),
            (4, " lead trail ", "'single' \\ backslash"),
            (i64::MIN, "", "=1+1"),
        ] {
            cats.next(Cat { key, genus: genus.into(), epithet: epithet.into() })?;
        }
        Ok(())
    }
}

#[test]
fn quotes_line_breaks_and_unicode_match_pathway() {
    let golden = include_bytes!("goldens/unicode_quotes_newlines.csv");
    assert_eq!(written(Cats).escape_ascii().to_string(), golden.escape_ascii().to_string());
}

/// The columns of the golden file, except those whose types have no counterpart here.
#[derive(Schema)]
struct Types {
    #[schema(primary_key)]
    key: i64,
    i: Option<i64>,
    f: f64,
    b: bool,
    by: Vec<u8>,
    dur: Duration,
    js: Value,
    tup: (i64, String),
    lst: Vec<f64>,
}

struct Source;

#[connector(autocommit = off)]
impl Source {
    fn run(&mut self, types: Subject<Types>) -> Result<()> {
        let types = |row| types.next(row);
        types(Types {
            key: 1,
            i: None,
            f: 1.0,
            b: true,
            by: vec![1, 2],
            dur: Duration::from_secs(86_400) + Duration::from_micros(5),
            js: json!({ "a": [1, null, "x"] }),
            tup: (1, "q".into()),
            lst: vec![1.0, 2.5],
        })?;
        types(Types {
            key: 2,
            i: Some(5),
            f: f64::NAN,
            b: false,
            by: vec![],
            dur: Duration::from_nanos(1),
            js: Value::Null,
            tup: (2, "r".into()),
            lst: vec![],
        })?;
        types(Types {
            key: 3,
            i: Some(5),
            f: f64::INFINITY,
            b: false,
            by: vec![],
            // The golden file has a duration of -1 s here, which `std::time::Duration` cannot represent.
            dur: Duration::from_secs(1),
            js: json!([1, 2]),
            tup: (2, "r".into()),
            lst: vec![1e300, -0.0, 1e-7],
        })?;
        Ok(())
    }
}

/// Returns the fields of a file exactly as written, with their quotes.
fn cells(text: &[u8]) -> Vec<Vec<String>> {
    let mut records = vec![vec![String::new()]];
    let mut inside = false;
    for &byte in text {
        let record = records.last_mut().unwrap();
        match byte {
            b'\n' if !inside => records.push(vec![String::new()]),
            b',' if !inside => record.push(String::new()),
            _ => {
                inside ^= byte == b'"';
                record.last_mut().unwrap().extend(byte.escape_ascii().map(char::from));
            }
        }
    }
    assert_eq!(records.pop(), Some(vec![String::new()]));
    records
}

#[test]
fn types() {
    let ours = cells(&written(Source));
    let golden = cells(include_bytes!("goldens/types.csv"));
    assert_eq!((ours.len(), golden.len()), (4, 4));
    let mut compared = 0;
    for (column, name) in ours[0].iter().enumerate() {
        let theirs = golden[0].iter().position(|other| other == name).unwrap();
        for row in 1..4 {
            if (row, name.as_str()) == (3, r#"\"dur\""#) {
                assert_eq!(format!("\\\"-{}", &ours[row][column][2..]), golden[row][theirs]);
            } else {
                assert_eq!(ours[row][column], golden[row][theirs], "{name} of row {row}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 3 * 11 - 1);
}

/// The columns of the golden file that need a feature.
#[cfg(any(feature = "chrono", feature = "jiff"))]
mod dates {
    use super::*;

    /// The input of the golden file. It includes dates with an offset, which Pathway converts to UTC.
    const ROWS: [&str; 3] = [
        r#"{"key": 1, "dn": "2021-03-21T18:34:12.123456", "du": "2021-03-21T18:34:12Z", "dur": 86400000005000}"#,
        r#"{"key": 2, "dn": "2021-03-21T18:34:12.000000001", "du": "2021-03-21T18:34:12+01:00", "dur": 1}"#,
        r#"{"key": 3, "dn": "1900-01-01 00:00:00", "du": "2021-03-21T18:34:12.000000000+0000", "dur": -1000000000}"#,
    ];

    macro_rules! as_in_the_golden {
        ($name:ident, $feature:literal, $naive:ty, $instant:ty, $duration:ty) => {
            #[cfg(feature = $feature)]
            #[test]
            fn $name() {
                #[derive(Schema)]
                struct Dates {
                    #[schema(primary_key)]
                    key: i64,
                    dn: $naive,
                    du: $instant,
                    dur: $duration,
                }

                struct Source;

                #[connector(autocommit = off)]
                impl Source {
                    fn run(&mut self, dates: Subject<Dates>) -> Result<()> {
                        ROWS.iter().try_for_each(|row| Ok(dates.next_json(row)?))
                    }
                }

                let golden = cells(include_bytes!("goldens/types.csv"));
                let columns = ["key", "dn", "du", "dur", "time", "diff"]
                    .map(|name| golden[0].iter().position(|other| *other == format!(r#"\"{name}\""#)).unwrap());
                let theirs: Vec<_> = golden.iter().map(|record| columns.map(|column| record[column].clone())).collect();
                assert_eq!(cells(&written(Source)), theirs);
            }
        };
    }

    as_in_the_golden!(of_jiff, "jiff", jiff::civil::DateTime, jiff::Timestamp, jiff::SignedDuration);
    as_in_the_golden!(of_chrono, "chrono", chrono::NaiveDateTime, chrono::DateTime<chrono::Utc>, chrono::TimeDelta);
    as_in_the_golden!(
        of_chrono_with_offsets,
        "chrono",
        chrono::NaiveDateTime,
        chrono::DateTime<chrono::FixedOffset>,
        chrono::TimeDelta
    );
}
