//! The output of `jsonlines::write`, which the same schema reads back.

use std::fs;
use std::time::Duration;

use pathway_io::{Pipeline, Result, Schema, Subject, Update, connector, jsonlines, testing};
use proptest::prelude::*;
use serde_json::Value;

#[derive(Schema, Debug, Clone, PartialEq)]
#[schema(deny_unknown)]
struct Reading {
    on: bool,
    count: u64,
    #[schema(rename = "temperature \"°C\"\n", alias = "temperature")]
    temperature: f64,
    ratio: Option<f32>,
    name: String,
    raw: Vec<u8>,
    lag: Duration,
    note: Option<String>,
    extra: Value,
    pairs: Vec<(i16, Option<String>)>,
    place: [f64; 2],
    /// The time by the device's own clock.
    #[schema(alias = "time")]
    at: i64,
}

struct Rows(Vec<Reading>);

#[connector]
impl Rows {
    fn run(&mut self, readings: Subject<Reading>) -> Result<()> {
        for row in self.0.drain(..) {
            readings.next(row)?;
        }
        Ok(())
    }
}

struct Lines(String);

#[connector]
impl Lines {
    fn run(&mut self, readings: Subject<Reading>) -> Result<()> {
        for line in self.0.lines() {
            readings.next_json(line)?;
        }
        Ok(())
    }
}

fn written(rows: Vec<Reading>) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("readings.jsonl");
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    jsonlines::write(&pipeline.read(Rows(rows)), &path);
    pipeline.run().unwrap();
    fs::read_to_string(path).unwrap()
}

fn text() -> impl Strategy<Value = String> {
    let letter = prop_oneof![any::<char>(), proptest::char::range('\0', '\x7f'), Just('\u{2028}')];
    proptest::collection::vec(letter, 0..6).prop_map(String::from_iter)
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), proptest::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0])]
}

prop_compose! {
    fn reading()(
        (on, count, temperature, ratio) in (any::<bool>(), any::<u64>(), float(), proptest::option::of(any::<f32>())),
        (name, raw, lag) in (text(), any::<Vec<u8>>(), any::<Duration>()),
        (note, extra) in (proptest::option::of(text()), text().prop_map(|text| serde_json::json!([text, { "a": 1.5 }]))),
        pairs in proptest::collection::vec((any::<i16>(), proptest::option::of(text())), 0..3),
        place in [float(), float()],
        at in any::<i64>(),
    ) -> Reading {
        Reading { on, count, temperature, ratio, name, raw, lag, note, extra, pairs, place, at }
    }
}

/// Returns the rows as text, in which `-0.0` differs from `0.0` and `NaN` equals itself.
fn shown(rows: impl IntoIterator<Item = Reading>) -> Vec<String> {
    rows.into_iter().map(|row| format!("{row:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_read_back_unchanged(rows in proptest::collection::vec(reading(), 0..8)) {
        let text = written(rows.clone());
        for line in text.lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            prop_assert!(object["time"].is_u64() && object["diff"] == 1);
        }
        let read = testing::collect(Lines(text)).unwrap();
        prop_assert_eq!(shown(read.into_iter().map(|update| update.row)), shown(rows));
    }
}

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: Option<String>,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> Result<()> {
        cats.next(Cat { key: 1, genus: Some("\"felis\"".into()) })?;
        cats.commit()?;
        cats.next(Cat { key: 1, genus: None })?;
        Ok(())
    }
}

#[test]
fn columns_come_first_and_then_diff_and_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cats.jsonl");
    let pipeline = Pipeline::new();
    jsonlines::write(&pipeline.read(Cats), &path);
    pipeline.run().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<_> = text.lines().map(|line| line.split_once("\"time\":").unwrap()).collect();
    let starts: Vec<_> = lines.iter().map(|(start, _)| *start).collect();
    assert_eq!(
        starts,
        [
            r#"{"key":1,"genus":"\"felis\"","diff":1,"#,
            r#"{"key":1,"genus":"\"felis\"","diff":-1,"#,
            r#"{"key":1,"genus":null,"diff":1,"#,
        ]
    );
    let times: Vec<u64> = lines.iter().map(|(_, end)| end.strip_suffix('}').unwrap().parse().unwrap()).collect();
    assert!(times[0] < times[1] && times[1] == times[2]);
    assert!(text.ends_with("}\n"));
}

#[test]
fn a_table_without_rows_makes_an_empty_file() {
    assert_eq!(written(Vec::new()), "");
}

#[test]
fn only_the_columns_that_outputs_add_are_ignored() {
    let mut line = written(vec![Reading {
        on: true,
        count: 1,
        temperature: 1.0,
        ratio: None,
        name: String::new(),
        raw: Vec::new(),
        lag: Duration::ZERO,
        note: None,
        extra: Value::Null,
        pairs: Vec::new(),
        place: [0.0; 2],
        at: 7,
    }]);
    // The alias `time` comes after the column that it refers to, and is ignored there.
    let updates: Vec<Update<Reading>> = testing::collect(Lines(line.clone())).unwrap();
    assert_eq!(updates[0].row.at, 7);
    line = line.replace("\"at\":7,", "");
    assert!(testing::collect(Lines(line.clone())).unwrap()[0].row.at > 1_700_000_000_000);
    line = line.replace("\"diff\"", "\"dif\"");
    let error = testing::collect(Lines(line)).unwrap_err().to_string();
    assert!(error.contains("no column \"dif\""), "{error}");
}
