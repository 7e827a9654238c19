//! The values of every column type in PostgreSQL.

use std::time::Duration;

use pathway_io::{ColumnType, Schema, postgres as sink};
use serde_json::{Value, json};

use crate::{client, database, rows, write};

#[derive(Debug, Clone, Copy, PartialEq, ColumnType)]
#[column(rename_all = "snake_case")]
enum Diet {
    Carnivore,
    WholeFish,
}

#[derive(Schema, Clone)]
struct Types {
    #[schema(primary_key)]
    id: i64,
    yes: bool,
    tiny: i8,
    small: i16,
    medium: i32,
    utiny: u8,
    usmall: u16,
    umedium: u32,
    ubig: u64,
    single: f32,
    double: f64,
    text: String,
    bytes: Vec<u8>,
    nap: Duration,
    json: Value,
    list: Vec<Option<i64>>,
    pair: (bool, String),
    array: [u8; 3],
    diet: Diet,
    maybe: Option<String>,
    maybe_double: Option<f64>,
}

fn types(id: i64) -> Types {
    Types {
        id,
        yes: true,
        tiny: i8::MIN,
        small: i16::MIN,
        medium: i32::MIN,
        utiny: u8::MAX,
        usmall: u16::MAX,
        umedium: u32::MAX,
        ubig: u64::MAX,
        single: 0.1,
        double: 0.1,
        text: "a 'quoted' \\ text\nof 2 lines, \u{1f408}".into(),
        bytes: vec![0, 1, 255],
        nap: Duration::new(u64::MAX, 999_999_999),
        json: json!({"a": [1, null, "x"], "b": 1.5}),
        list: vec![Some(1), None, Some(i64::MAX)],
        pair: (false, "\"".into()),
        array: [1, 2, 3],
        diet: Diet::WholeFish,
        maybe: None,
        maybe_double: None,
    }
}

#[test]
fn every_type_keeps_its_value() {
    let Some(config) = database() else { return };
    for (table, options) in [("kept", sink::Options::new()), ("stream", sink::Options::new().updates())] {
        write(&config, options.table(table), |subject| {
            subject.next(types(1))?;
            subject.next(Types { id: 2, ubig: 0, nap: Duration::ZERO, json: Value::Null, ..types(2) })?;
            let lists = Types { list: vec![], maybe: Some(String::new()), maybe_double: Some(2.5), ..types(3) };
            Ok(subject.next(lists)?)
        })
        .unwrap();
        let query = format!("SELECT * FROM {table} ORDER BY id");
        let found = client(&config).query(&query, &[]).unwrap();
        let row = &found[0];
        assert_eq!(row.get::<_, i64>("id"), 1);
        assert!(row.get::<_, bool>("yes"));
        assert_eq!(row.get::<_, i16>("tiny"), i16::from(i8::MIN));
        assert_eq!(row.get::<_, i16>("small"), i16::MIN);
        assert_eq!(row.get::<_, i32>("medium"), i32::MIN);
        assert_eq!(row.get::<_, i16>("utiny"), 255);
        assert_eq!(row.get::<_, i32>("usmall"), 65_535);
        assert_eq!(row.get::<_, i64>("umedium"), i64::from(u32::MAX));
        assert_eq!(row.get::<_, f32>("single").to_bits(), 0.1_f32.to_bits());
        assert_eq!(row.get::<_, f64>("double").to_bits(), 0.1_f64.to_bits());
        assert_eq!(row.get::<_, String>("text"), types(1).text);
        assert_eq!(row.get::<_, Vec<u8>>("bytes"), [0, 1, 255]);
        assert_eq!(row.get::<_, String>("diet"), "whole_fish");
        assert_eq!(row.get::<_, Option<String>>("maybe"), None);
        assert_eq!(row.get::<_, Option<f64>>("maybe_double"), None);
        let query =
            format!("SELECT ubig, nap, json, list, pair, \"array\", maybe, maybe_double FROM {table} ORDER BY id");
        let found = rows(&config, &query);
        assert_eq!(
            found[0],
            [
                "18446744073709551615",
                "18446744073709551615999999999",
                r#"{"a": [1, null, "x"], "b": 1.5}"#,
                "[1, null, 9223372036854775807]",
                r#"[false, "\""]"#,
                "[1, 2, 3]",
                "NULL",
                "NULL"
            ]
        );
        assert_eq!(found[1][..3], ["0", "0", "null"]);
        assert_eq!([&*found[2][3], &*found[2][6], &*found[2][7]], ["[]", "", "2.5"]);
    }
}

#[derive(Schema)]
struct Floats {
    #[schema(primary_key)]
    id: i64,
    single: f32,
    double: f64,
}

#[test]
fn floats_keep_their_bits() {
    let Some(config) = database() else { return };
    let floats = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, 1e300];
    write(&config, sink::Options::new(), move |subject| {
        for (id, double) in (0..).zip(floats) {
            subject.next(Floats { id, single: double as f32, double })?;
        }
        Ok(())
    })
    .unwrap();
    let found = client(&config).query("SELECT single, double FROM \"Floats\" ORDER BY id", &[]).unwrap();
    for (row, double) in found.iter().zip(floats) {
        assert_eq!(row.get::<_, f64>(1).to_bits(), double.to_bits());
        assert_eq!(row.get::<_, f32>(0).to_bits(), (double as f32).to_bits());
    }
}

#[derive(Schema)]
struct Text {
    #[schema(primary_key)]
    id: i64,
    text: String,
    json: Value,
}

#[test]
fn a_nul_is_an_error_that_names_the_column() {
    let Some(config) = database() else { return };
    for (column, row) in [
        ("text", Text { id: 1, text: "a\0b".into(), json: Value::Null }),
        ("json", Text { id: 1, text: String::new(), json: json!({"a": ["\0"]}) }),
    ] {
        let mut row = Some(row);
        let result =
            write(&config, sink::Options::new(), move |texts| row.take().map_or(Ok(()), |row| Ok(texts.next(row)?)));
        let error = result.unwrap_err().to_string();
        assert!(error.contains(&format!("column `{column}`: it has a text with a NUL character")), "{error}");
    }
    // Texts that only look like a NUL.
    write(&config, sink::Options::new(), |texts| {
        Ok(texts.next(Text { id: 1, text: "\\u0000".into(), json: json!("\\u0000") })?)
    })
    .unwrap();
    assert_eq!(rows(&config, "SELECT text, json FROM \"Text\""), [[r"\u0000", r#""\\u0000""#]]);
}

#[cfg(all(feature = "chrono", feature = "jiff", feature = "uuid", feature = "rust_decimal", feature = "bytes"))]
mod others {
    use super::*;

    #[derive(Schema, Clone)]
    struct Others {
        #[schema(primary_key)]
        day: chrono::NaiveDate,
        #[schema(primary_key)]
        at: jiff::Timestamp,
        clock: jiff::civil::Time,
        date_time: chrono::NaiveDateTime,
        offset: chrono::DateTime<chrono::FixedOffset>,
        id: uuid::Uuid,
        price: rust_decimal::Decimal,
        span: jiff::SignedDuration,
        data: bytes::Bytes,
    }

    fn others(day: &str, at: &str) -> Others {
        Others {
            day: day.parse().unwrap(),
            at: at.parse().unwrap(),
            clock: "18:34:12.123456789".parse().unwrap(),
            date_time: "1999-12-31T23:59:59.5".parse().unwrap(),
            offset: "2021-03-21T18:34:12+01:30".parse().unwrap(),
            id: "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap(),
            price: "-12.500".parse().unwrap(),
            span: jiff::SignedDuration::new(-5, -1),
            data: bytes::Bytes::from_static(b"\0x"),
        }
    }

    #[test]
    fn dates_and_times_keep_their_values() {
        let Some(config) = database() else { return };
        write(&config, sink::Options::new(), |subject| {
            subject.next(others("2021-03-21", "2021-03-21T18:34:12.5Z"))?;
            subject.next(others("0000-01-01", "1969-12-31T23:59:59.999999Z"))?;
            Ok(subject.next(others("+010000-01-01", "-000100-01-01T00:00:00Z"))?)
        })
        .unwrap();
        let query = "SET timezone = 'UTC'; SELECT * FROM \"Others\" ORDER BY day";
        let found = rows(&config, query);
        let common = [
            "18:34:12.123456",
            "1999-12-31 23:59:59.5",
            "2021-03-21 17:04:12+00",
            "67e55044-10b1-426f-9247-bb680e5fe0c8",
            "-12.500",
            "-5000000001",
            "\\x0078",
        ];
        assert!(found.iter().all(|row| row[2..] == common), "{found:?}");
        let keys: Vec<[&str; 2]> = found.iter().map(|row| [&*row[0], &*row[1]]).collect();
        assert_eq!(
            keys,
            [
                ["0001-01-01 BC", "1969-12-31 23:59:59.999999+00"],
                ["2021-03-21", "2021-03-21 18:34:12.5+00"],
                ["10000-01-01", "0101-01-01 00:00:00+00 BC"],
            ]
        );
    }

    #[test]
    fn a_key_with_nanoseconds_is_an_error() {
        let Some(config) = database() else { return };
        let row = others("2021-03-21", "2021-03-21T18:34:12.123456789Z");
        let result = write(&config, sink::Options::new(), move |subject| Ok(subject.next(row.clone())?));
        let error = result.unwrap_err().to_string();
        assert!(error.contains("column `at`: it has a time with more digits than microseconds"), "{error}");
    }
}
