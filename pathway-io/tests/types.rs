//! Column types of other crates: pushed by `next` and from JSON, as keys, with defaults, and written to CSV and back.
#![cfg(all(feature = "bytes", feature = "chrono", feature = "jiff", feature = "rust_decimal", feature = "uuid"))]

use std::fs;

use pathway_io::{Pipeline, Result, Schema, Subject, connector, csv, jsonlines, testing};
use serde_json::{Value, json};

#[derive(Schema, Debug, Clone, PartialEq)]
struct Trade {
    #[schema(primary_key)]
    id: uuid::Uuid,
    #[schema(primary_key)]
    at: jiff::Timestamp,
    #[schema(primary_key)]
    day: chrono::NaiveDate,
    price: rust_decimal::Decimal,
    #[schema(default = jiff::civil::time(9, 30, 0, 0))]
    opens: jiff::civil::Time,
    #[schema(example = "2021-03-21T18:34:12+01:00".parse().ok())]
    seen: Option<chrono::DateTime<chrono::FixedOffset>>,
    blob: bytes::Bytes,
    note: Option<Value>,
}

const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

fn text(price: &str) -> String {
    format!(
        r#"{{"id": "{ID}", "at": "2021-03-21T18:34:12.5+01:00", "day": "2021-03-21", "price": "{price}",
            "seen": "2021-03-21 18:34:12+01:00", "blob": "AQI=", "note": null}}"#
    )
}

fn trade(price: &str) -> Trade {
    Trade {
        id: ID.parse().unwrap(),
        at: "2021-03-21T17:34:12.5Z".parse().unwrap(),
        day: chrono::NaiveDate::from_ymd_opt(2021, 3, 21).unwrap(),
        price: price.parse().unwrap(),
        opens: jiff::civil::time(9, 30, 0, 0),
        seen: Some("2021-03-21T18:34:12+01:00".parse().unwrap()),
        blob: bytes::Bytes::from_static(&[1, 2]),
        note: None,
    }
}

struct Trades;

#[connector(autocommit = off)]
impl Trades {
    fn run(&mut self, trades: Subject<Trade>) -> Result<()> {
        trades.next_json(text("1.50"))?;
        trades.commit()?;
        // The same row pushed in another way: a null in an `Option<Value>` is `None`.
        trades.next(Trade { note: Some(Value::Null), ..trade("1.50") })?;
        trades.commit()?;
        // The same price in a different notation.
        trades.next_value(serde_json::from_str(&text("1.5")).map_err(std::io::Error::other)?)?;
        trades.commit()?;
        let Trade { id, at, day, .. } = trade("0");
        trades.remove((id, at, day))?;
        Ok(())
    }
}

#[test]
fn foreign_types_are_upserted_by_key() {
    let updates = testing::collect(Trades).unwrap();
    let seen: Vec<_> =
        updates.into_iter().map(|update| (update.row.price.to_string(), update.row, update.diff)).collect();
    let expected = [("1.50", 1), ("1.50", -1), ("1.5", 1), ("1.5", -1)];
    assert_eq!(seen, expected.map(|(price, diff)| (price.to_owned(), trade(price), diff)));
}

#[test]
fn foreign_types_have_the_same_text_in_csv_and_json() {
    let directory = tempfile::tempdir().unwrap();
    let [csv, json] = ["trades.csv", "trades.jsonl"].map(|name| directory.path().join(name));
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    let trades = pipeline.read(Trades);
    csv::write(&trades, &csv);
    jsonlines::write(&trades, &json);
    pipeline.run().unwrap();

    let csv = fs::read_to_string(csv).unwrap();
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("id,at,day,price,opens,seen,blob,note,time,diff"));
    let row = format!("{ID},2021-03-21T17:34:12.5Z,2021-03-21,1.50,09:30:00,2021-03-21T18:34:12+01:00,AQI=,,");
    assert!(lines.next().is_some_and(|line| line.starts_with(&row) && line.ends_with(",1")), "{csv}");

    let json = fs::read_to_string(json).unwrap();
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    for (column, text) in ["id", "at", "day", "price", "opens", "seen", "blob"].iter().zip(row.split(',')) {
        assert_eq!(first[column], text);
    }
    assert_eq!(first["note"], Value::Null);
}

#[test]
fn foreign_types_describe_themselves() {
    let schema = serde_json::to_value(Trade::schema()).unwrap();
    let types: Vec<_> = schema["columns"].as_array().unwrap().iter().map(|column| &column["type"]).collect();
    assert_eq!(types, ["Uuid", "Timestamp", "Date", "Decimal", "Time", "OffsetDateTime", "Vec<u8>", "Value"]);
    assert_eq!(schema["columns"][4]["default"], json!("09:30:00"));
    assert_eq!(schema["columns"][5]["example"], json!("2021-03-21T18:34:12+01:00"));
}

#[test]
fn bad_rows_name_the_column() {
    struct Bad;

    #[connector]
    impl Bad {
        fn run(&mut self, trades: Subject<Trade>) -> Result<()> {
            let bad = text("1.50").replace("\"1.50\"", "1.5");
            Ok(trades.next_json(bad)?)
        }
    }

    let error = testing::collect(Bad).unwrap_err().to_string();
    assert!(error.contains("`price`"), "{error}");
    assert!(error.contains("expected a `Decimal` in a string, found the number 1.5"), "{error}");
}
