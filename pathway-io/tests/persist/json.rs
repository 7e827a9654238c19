//! JSON inside a column. Accepted values can be read back, and all others are refused at the push.

use std::collections::BTreeMap;

use pathway_io::{BadRows, RawJson, ReadOptions, RunResult, Schema, jsonlines, next};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::common::{Subject, TempDir, commits, pipeline, read, run, source, updates};
use crate::restart::{options, persistent};

/// The documented limit.
const LEVELS: usize = 100;

#[derive(Schema, Debug, PartialEq)]
struct Body {
    value: Value,
}

#[derive(Schema, Debug, PartialEq)]
struct Doc {
    #[schema(primary_key)]
    key: i64,
    #[schema(flatten)]
    body: Body,
    maybe: Option<Value>,
    list: Vec<Value>,
    pair: (i64, Value),
    array: [Value; 2],
    map: BTreeMap<String, Value>,
    raw: RawJson,
    #[schema(json)]
    json: Value,
    #[schema(json)]
    maybe_json: Option<Value>,
}

const COLUMNS: [&str; 9] = ["value", "maybe", "list", "pair", "array", "map", "raw", "json", "maybe_json"];

fn nested(levels: usize) -> Value {
    let leaf = if levels.is_multiple_of(2) { Value::from(7) } else { Value::from("\"[{\\") };
    (0..levels).fold(leaf, |inner, level| match level % 3 {
        0 => serde_json::json!({ "a": inner }),
        _ => Value::Array(vec![inner]),
    })
}

/// A row in which one column has that value.
fn doc(key: i64, column: &str, value: &Value) -> Doc {
    let of = |name: &str| if name == column { value.clone() } else { Value::Bool(true) };
    Doc {
        key,
        body: Body { value: of("value") },
        maybe: Some(of("maybe")),
        list: vec![Value::Null, of("list")],
        pair: (1, of("pair")),
        array: [of("array"), Value::Null],
        map: BTreeMap::from([("m".to_owned(), of("map"))]),
        raw: RawJson::new(if column == "raw" { value.to_string() } else { "1".to_owned() }).unwrap(),
        json: of("json"),
        maybe_json: Some(of("maybe_json")),
    }
}

/// Returns the same row as JSON text, without building a tree.
fn text(key: i64, column: &str, value: &str) -> String {
    let of = |name: &str| if name == column { value } else { "true" };
    let fields = [
        ("value", of("value").to_owned()),
        ("maybe", of("maybe").to_owned()),
        ("list", format!("[null,{}]", of("list"))),
        ("pair", format!("[1,{}]", of("pair"))),
        ("array", format!("[{},null]", of("array"))),
        ("map", format!("{{\"m\":{}}}", of("map"))),
        ("raw", if column == "raw" { value.to_owned() } else { "1".to_owned() }),
        ("json", of("json").to_owned()),
        ("maybe_json", of("maybe_json").to_owned()),
    ];
    let fields: String = fields.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
    format!("{{\"key\":{key}{fields}}}")
}

/// Runs a persistent pipeline once, and returns the updates that a callback received.
fn run_docs(directory: &TempDir, push: impl FnMut(Subject<Doc, u64>) -> RunResult + Send + 'static) -> Vec<(Doc, i64)> {
    let pipeline = persistent(directory);
    let docs = pipeline.read_with(source(push), options("docs"));
    let seen = commits(&docs);
    jsonlines::write(&docs, directory.path("docs.jsonl"));
    run(pipeline).unwrap();
    updates(&seen)
}

// FAULTS 1, 2
#[test]
fn accepted_rows_are_read_back_by_a_restart_and_from_json_lines() {
    let directory = TempDir::new();
    let push = |docs: Subject<Doc, u64>| {
        for (key, column) in (0..).zip(COLUMNS) {
            docs.next(doc(key, column, &nested(LEVELS)))?;
            docs.next_json(text(100 + key, column, &nested(LEVELS).to_string()))?;
            docs.next_value(serde_json::from_str(&text(200 + key, column, &nested(LEVELS).to_string()))?)?;
        }
        docs.advance(1)?;
        Ok(())
    };
    let first = run_docs(&directory, push);
    assert_eq!(first.len(), 3 * COLUMNS.len());
    // The same rows make no update, and all are in the state.
    assert_eq!(run_docs(&directory, push), []);
    let removed = run_docs(&directory, |docs| {
        for key in (0..300).filter(|key| key % 100 < COLUMNS.len() as i64) {
            docs.remove(key)?;
        }
        docs.advance(2)?;
        Ok(())
    });
    let by_key =
        |updates: Vec<(Doc, i64)>| updates.into_iter().map(|(row, _)| (row.key, row)).collect::<BTreeMap<_, _>>();
    assert!(by_key(removed) == by_key(first), "the rows are equal");
    let written = read(directory.path("docs.jsonl"));
    let again = TempDir::new();
    let read_back = run_docs(&again, move |docs| {
        for line in written.lines().take(3 * COLUMNS.len()) {
            docs.next_json(line)?;
        }
        docs.advance(1)?;
        Ok(())
    });
    assert_eq!(read_back.len(), 3 * COLUMNS.len());
}

// FAULTS 1, 2
#[test]
fn json_that_is_nested_too_deep_is_a_bad_row_that_names_column_and_limit() {
    let pipeline = pipeline();
    let docs = pipeline.read(source(|docs: Subject<Doc>| {
        for levels in [LEVELS + 1, 126, 127, 128, 200, 100_000] {
            for column in COLUMNS {
                let row = text(1, column, &format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
                let error = docs.next_json(&row).unwrap_err();
                assert_eq!(error.column(), Some(column), "{levels}: {error}");
                assert_eq!(error.reason(), "the JSON is nested more than 100 levels deep", "{column}");
                let place = &row[error.position().unwrap()..];
                assert!(place.starts_with('['), "{column}: {error}");
            }
        }
        for column in COLUMNS {
            // 125 levels, since the parser of the test stops at 127.
            let row: Value = serde_json::from_str(&text(1, column, &nested(125 - 1).to_string()))?;
            let error = docs.next_value(row).unwrap_err();
            assert_eq!((error.column(), error.position()), (Some(column), None));
            assert_eq!(error.reason(), "the JSON is nested more than 100 levels deep");
        }
        assert!(RawJson::new(nested(LEVELS + 1).to_string()).is_err());
        Ok(())
    }));
    let seen = commits(&docs);
    run(pipeline).unwrap();
    assert!(updates(&seen).is_empty());
}

/// Pushes good rows around one bad row, and returns the error of the run.
fn refused(push: impl Fn(&Subject<Doc, u64>) -> Result<(), pathway_io::Closed> + Send + 'static) -> (String, Vec<i64>) {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let docs = pipeline.read_with(
        source(move |docs: Subject<Doc, u64>| {
            docs.next_at(1, doc(1, "", &Value::Null))?;
            docs.commit()?;
            push(&docs)?;
            Ok(())
        }),
        options("docs"),
    );
    let seen = commits(&docs);
    jsonlines::write(&docs, directory.path("docs.jsonl"));
    let error = run(pipeline).unwrap_err().to_string();
    let keys = updates(&seen).into_iter().map(|(row, _)| row.key).collect();
    // The state is not affected.
    assert_eq!(run_docs(&directory, |docs| Ok(docs.next_at(2, doc(1, "", &Value::Null))?)), []);
    (error, keys)
}

// FAULTS 1, 2
#[test]
fn a_typed_push_of_such_json_panics_with_column_and_limit() {
    for column in COLUMNS.into_iter().filter(|column| *column != "raw") {
        let at = refused(move |docs| docs.next_at(9, doc(9, column, &nested(LEVELS + 1))));
        let plain = refused(move |docs| docs.next(doc(9, column, &nested(127))));
        let by_next = refused(move |docs| {
            let Doc { key, body, maybe, list, pair, array, map, raw, json, maybe_json } =
                doc(9, column, &nested(LEVELS + 1));
            next!(docs, Doc { key, body, maybe, list, pair, array, map, raw, json, maybe_json })
        });
        let in_transaction = refused(move |docs| {
            let transaction = docs.transaction();
            transaction.next(doc(9, column, &nested(LEVELS + 1)))?;
            transaction.commit_at(3)
        });
        for (error, keys) in [at, plain, by_next, in_transaction] {
            assert!(error.contains("`docs` panicked in run: column `"), "{error}");
            assert!(error.contains(&format!("column `{column}`: ")), "{error}");
            assert!(error.contains("nested more than 100 levels deep"), "{error}");
            assert_eq!(keys, [1]);
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Reading {
    celsius: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Renamed {
    #[serde(rename(serialize = "out", deserialize = "in"))]
    n: i64,
}

#[derive(Schema, Debug, PartialEq)]
struct Typed {
    #[schema(json, default = Reading { celsius: 1.0 })]
    reading: Reading,
    #[schema(json)]
    renamed: Option<Renamed>,
}

// FAULTS 2: of the same kind
#[test]
fn a_json_type_that_does_not_read_back_is_refused_at_the_push() {
    let typed = |reading: f64, renamed: Option<Renamed>| {
        let pipeline = pipeline();
        let table = pipeline.read_with(
            source(move |rows: Subject<Typed>| {
                Ok(rows.next(Typed { reading: Reading { celsius: reading }, renamed: renamed.clone() })?)
            }),
            ReadOptions::new().name("rows"),
        );
        let seen = commits(&table);
        run(pipeline).map(|_| updates(&seen).len()).map_err(|error| error.to_string())
    };
    assert_eq!(typed(20.5, None), Ok(1));
    let error = typed(f64::NAN, None).unwrap_err();
    assert!(error.contains("column `reading`: a `") && error.contains("does not read back what it writes"), "{error}");
    let error = typed(1.0, Some(Renamed { n: 1 })).unwrap_err();
    assert!(error.contains("column `renamed`: a `") && error.contains("missing field `in`"), "{error}");

    let pipeline = pipeline();
    pipeline.read(source(|rows: Subject<Typed>| {
        let row = r#"{"renamed": {"in": 1}}"#;
        let error = rows.next_json(row).unwrap_err();
        assert_eq!((error.column(), error.position()), (Some("renamed"), Some(12)));
        assert!(error.reason().contains("does not read back what it writes"), "{error}");
        let row = r#"{"reading": {"celsius": "hot"}, "renamed": null}"#;
        let error = rows.next_json(row).unwrap_err();
        assert_eq!((error.column(), error.position()), (Some("reading"), Some(24)), "{error}");
        Ok(())
    }));
    run(pipeline).unwrap();
}

// FAULTS 5
#[test]
fn a_name_that_is_given_twice_is_refused_at_any_depth() {
    let pipeline = pipeline();
    pipeline.read(source(|docs: Subject<Doc>| {
        for column in COLUMNS.into_iter().filter(|column| *column != "raw") {
            for (json, at) in [(r#"{"a":1,"a":2}"#, 7), (r#"[ {"b":{"a":1,"\u0061":2}} ]"#, 14)] {
                let row = text(1, column, json);
                let error = docs.next_json(&row).unwrap_err();
                assert_eq!(error.column(), Some(column), "{error}");
                assert_eq!(error.reason(), "the name \"a\" is given twice in one object");
                assert_eq!(error.position(), Some(row.find(json).unwrap() + at), "{row}");
            }
        }
        // A column that is a map, and the text that a `RawJson` keeps.
        let twice = text(1, "", "").replace(r#""map":{"m":true}"#, r#""map":{"m":true,"n":1,"m":2}"#);
        let error = docs.next_json(&twice).unwrap_err();
        assert_eq!((error.column(), error.reason()), (Some("map"), "the name \"m\" is given twice in one object"));
        docs.next_json(text(1, "raw", r#"{"a":1,"a":2}"#))?;
        Ok(())
    }));
    run(pipeline).unwrap();
}

// FAULTS 3
#[test]
fn an_integer_that_a_value_cannot_hold_is_refused_and_raw_json_keeps_it() {
    let pipeline = pipeline();
    let docs = pipeline.read(source(|docs: Subject<Doc>| {
        for column in ["value", "maybe", "list", "pair", "array", "map"] {
            for number in ["12345678901234567890123", "-9223372036854775809", "18446744073709551616"] {
                let row = text(1, column, &format!(r#"{{"a":[1e30,{number}]}}"#));
                let error = docs.next_json(&row).unwrap_err();
                assert_eq!((error.column(), error.position()), (Some(column), row.find(number)), "{error}");
                assert!(error.reason().starts_with(&format!("the integer {number} has more than 64 bits")), "{error}");
                assert!(error.reason().contains("`RawJson`"));
            }
        }
        let kept = r#"{"n":12345678901234567890123,"a":0.10000000000000000555}"#;
        docs.next_json(text(1, "raw", kept))?;
        docs.next_json(text(2, "value", r#"[18446744073709551615,-9223372036854775808,1e30,0.1]"#))?;
        Ok(())
    }));
    let seen = commits(&docs);
    run(pipeline).unwrap();
    let rows = updates(&seen);
    assert_eq!(rows[0].0.raw.as_str(), r#"{"n":12345678901234567890123,"a":0.10000000000000000555}"#);
    assert_eq!(rows[1].0.body.value, serde_json::json!([u64::MAX, i64::MIN, 1e30, 0.1]));
}

// FAULTS 1
#[test]
fn the_quarantine_keeps_refused_rows() {
    let directory = TempDir::new();
    let pipeline = persistent(&directory);
    let rows = [101, 1000].map(|levels| text(1, "value", &format!("{}{}", "[".repeat(levels), "]".repeat(levels))));
    let pushed = rows.clone();
    pipeline.read_with(
        source(move |docs: Subject<Doc, u64>| {
            for (offset, row) in (0..).zip(&pushed) {
                docs.next_json_at(offset, row)?;
            }
            Ok(())
        }),
        options("docs").bad_rows(BadRows::Quarantine(directory.path("bad.jsonl"))),
    );
    assert_eq!(run(pipeline).unwrap().sources[0].bad_rows, 2);
    let kept = read(directory.path("bad.jsonl"));
    let kept: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept.iter().map(|line| line["raw"].as_str().unwrap()).collect::<Vec<_>>(), rows);
}

/// A row is one line of a log and of a JSON Lines file.
#[test]
fn line_breaks_between_the_parts_of_json_become_spaces() {
    use serde_json::value::RawValue;

    #[derive(Schema)]
    struct Note {
        #[schema(primary_key)]
        key: i64,
        #[schema(json)]
        json: Box<RawValue>,
        #[schema(json)]
        list: Vec<Box<RawValue>>,
    }

    let directory = TempDir::new();
    for run_number in 1..=2 {
        let pipeline = persistent(&directory);
        let push = |notes: Subject<Note, i64>| {
            let key = notes.resume().unwrap_or(0) + 1;
            let json = || RawValue::from_string("{\r\n  \"a\": \"b\\n\"\n}".to_owned());
            Ok(notes.next_at(key, Note { key, json: json()?, list: vec![json()?] })?)
        };
        let notes = pipeline.read_with(source(push), options("notes"));
        jsonlines::write(&notes, directory.path("notes.jsonl"));
        run(pipeline).unwrap();
        let written = read(directory.path("notes.jsonl"));
        assert_eq!(written.lines().count(), run_number);
        assert!(written.ends_with('\n') && written.contains(r#""json":{    "a": "b\n" }"#), "{written}");
    }
}

/// A value that its type writes and does not read back is refused at the push, where the error concerns one row.
#[test]
fn a_value_that_its_type_does_not_read_back_panics() {
    #[derive(Clone)]
    struct Even(i64);

    impl TryFrom<i64> for Even {
        type Error = &'static str;
        fn try_from(n: i64) -> Result<Self, &'static str> {
            if n % 2 == 0 { Ok(Even(n)) } else { Err("odd") }
        }
    }
    impl From<Even> for i64 {
        fn from(even: Even) -> i64 {
            even.0
        }
    }

    #[derive(Schema)]
    struct Row {
        #[schema(primary_key)]
        key: i64,
        #[schema(try_from = "i64", into = "i64")]
        even: Even,
        #[schema(try_from = "i64", into = "i64")]
        maybe: Option<Even>,
    }

    let directory = TempDir::new();
    for (even, maybe) in [(3, None), (2, Some(5)), (4, Some(6))] {
        let pipeline = persistent(&directory);
        let push = move |rows: Subject<Row, i64>| {
            let key = rows.resume().unwrap_or(0) + 1;
            rows.next_at(key, Row { key, even: Even(0), maybe: None })?;
            Ok(rows.next_at(key + 1, Row { key: key + 1, even: Even(even), maybe: maybe.map(Even) })?)
        };
        let rows = pipeline.read_with(source(push), options("rows"));
        jsonlines::write(&rows, directory.path("rows.jsonl"));
        match run(pipeline) {
            Ok(_) => assert_eq!(even, 4),
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains("does not read back from its column: expected an `Even`, found "), "{error}");
            }
        }
    }
    assert_eq!(read(directory.path("rows.jsonl")).lines().count(), 4);
}
