//! The traits that `#[schema(dataflow)]` implements for a row, for every column type.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

use pathway_io::dataflow::timely::Bincode;
use pathway_io::dataflow::timely::bytes::arc::BytesMut;
use pathway_io::dataflow::timely::communication::Bytesable;
use pathway_io::{ColumnType, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(ColumnType)]
struct Id(u64);

#[derive(ColumnType)]
#[column(rename_all = "lowercase")]
enum Mood {
    Calm,
    Angry,
}

/// A type with only serde's traits.
#[derive(Serialize, Deserialize)]
struct Tags(Vec<String>);

#[derive(Schema)]
#[schema(dataflow)]
struct Inner {
    #[schema(primary_key)]
    a: u8,
    b: bool,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Row {
    #[schema(primary_key)]
    key: i64,
    r#type: String,
    small: (i8, i16, i32, u16, u32, u64),
    floats: (f32, f64),
    bytes: Vec<u8>,
    json: Value,
    option: Option<f64>,
    list: Vec<Option<String>>,
    array: [f64; 2],
    duration: Duration,
    id: Id,
    mood: Mood,
    #[schema(json)]
    tags: Tags,
    #[schema(json)]
    more: Option<Tags>,
    #[schema(flatten)]
    inner: Inner2,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Inner2 {
    c: u8,
}

fn row() -> Row {
    Row {
        key: i64::MIN,
        r#type: "felis".into(),
        small: (-1, -2, -3, 4, 5, u64::MAX),
        floats: (0.5, f64::NAN),
        bytes: vec![0, 255],
        json: json!({"a": [1, null, "x"]}),
        option: None,
        list: vec![None, Some(String::new())],
        array: [0.0, -0.0],
        duration: Duration::new(1, 2),
        id: Id(7),
        mood: Mood::Angry,
        tags: Tags(vec!["x".into()]),
        more: Some(Tags(vec![])),
        inner: Inner2 { c: 3 },
    }
}

/// Serializes a row as for another process, and returns the deserialized row.
fn sent<T: Serialize + DeserializeOwned + Send + 'static>(row: T) -> T {
    let row = Bincode::from(row);
    let mut bytes = Vec::new();
    row.into_bytes(&mut bytes);
    assert_eq!(bytes.len(), row.length_in_bytes());
    let length = bytes.len();
    let bytes = BytesMut::from(bytes).freeze();
    assert_eq!(bytes.len(), length);
    Bincode::<T>::from_bytes(bytes).payload
}

fn check<T: Clone + Debug + Ord + Hash + Serialize + DeserializeOwned + Send + 'static>(row: &T) {
    let state = RandomState::new();
    for same in [row.clone(), sent(row.clone())] {
        assert_eq!(same, *row);
        assert_eq!(same.cmp(row), Ordering::Equal);
        assert_eq!(state.hash_one(&same), state.hash_one(row));
    }
}

#[test]
fn a_row_is_unchanged_after_a_clone_and_after_serialization() {
    check(&row());
    check(&Row { option: Some(f64::INFINITY), more: None, ..row() });
    check(&Inner { a: 1, b: true });
}

#[test]
fn rows_differ_in_each_column_and_are_ordered_by_the_first_that_differs() {
    let later = [
        Row { key: 0, ..row() },
        Row { r#type: "lynx".into(), ..row() },
        Row { small: (-1, -2, -3, 4, 6, 0), ..row() },
        Row { floats: (1.0, f64::NAN), ..row() },
        Row { bytes: vec![1], ..row() },
        Row { json: json!({"b": 0}), ..row() },
        Row { option: Some(f64::NEG_INFINITY), ..row() },
        Row { list: vec![None, Some("a".into())], ..row() },
        Row { array: [0.0, 0.0], ..row() },
        Row { duration: Duration::new(1, 3), ..row() },
        Row { id: Id(8), ..row() },
        Row { tags: Tags(vec!["y".into()]), ..row() },
        Row { inner: Inner2 { c: 4 }, ..row() },
    ];
    let state = RandomState::new();
    for (i, later) in later.iter().enumerate() {
        assert!(*later > row() && *later != row(), "{i}");
        assert_ne!(state.hash_one(later), state.hash_one(row()), "{i}");
        check(later);
    }
    assert!(Row { mood: Mood::Calm, ..row() } < row());
    assert!(Row { more: None, ..row() } < row());
}

#[test]
fn floats_have_their_total_order() {
    let of = |float: f64| Row { option: Some(float), ..row() };
    let ordered = [f64::NEG_INFINITY, -1.0, -0.0, 0.0, 1.0, f64::INFINITY, f64::NAN];
    for pair in ordered.windows(2) {
        assert!(of(pair[0]) < of(pair[1]), "{pair:?}");
    }
    assert_eq!(of(f64::NAN), of(f64::NAN));
}

/// Values are distinguished as in columns, so that a computation retracts exactly what it has added.
#[test]
fn json_values_are_compared_as_in_columns_and_have_a_total_order() {
    #[derive(Schema)]
    #[schema(dataflow)]
    struct Json {
        value: Value,
        option: Option<Value>,
    }
    let sorted = [
        json!(null),
        json!(false),
        json!(true),
        json!(-1),
        json!(-0.0),
        json!(0),
        json!(0.0),
        json!(9),
        json!(10),
        json!(u64::MAX - 1),
        json!(u64::MAX),
        json!(""),
        json!("a"),
        json!([]),
        json!([-0.0, 0]),
        json!([1]),
        json!([1, 2]),
        json!({}),
        json!({"a": 1, "b": 2}),
        json!({"a": 2}),
        json!({"b": 1}),
    ];
    let row = |value: &Value| Json { value: value.clone(), option: Some(value.clone()) };
    let mut rows: Vec<Json> = sorted.iter().rev().map(row).collect();
    rows.sort();
    let values: Vec<String> = rows.iter().map(|row| row.value.to_string()).collect();
    assert_eq!(values, sorted.map(|value| value.to_string()));
    for pair in rows.windows(2) {
        assert!(pair[0] < pair[1], "{pair:?}");
    }
    rows.iter().for_each(check);
    // `Some(null)` and `None` are one null.
    let none = Json { value: Value::Null, option: None };
    assert_eq!(row(&Value::Null), none);
    let state = RandomState::new();
    assert_eq!(state.hash_one(row(&Value::Null)), state.hash_one(none));
}

#[test]
fn debug_prints_a_row_field_by_field() {
    assert_eq!(format!("{:?}", Inner { a: 1, b: true }), "Inner { a: 1, b: true }");
    let shown = format!("{:?}", row());
    for part in [
        "key: -9223372036854775808, type: \"felis\"",
        "floats: (0.5, NaN)",
        "list: [None, Some(\"\")]",
        "id: 7, mood: angry, tags: [\"x\"], more: []",
        "inner: Inner2 { c: 3 }",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
}
