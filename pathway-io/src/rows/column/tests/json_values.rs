//! Columns of JSON values: nulls, hashes and the limit of depth.

use serde::de::DeserializeSeed;
use serde_json::Value;

use super::{json, read, text_of};
use crate::rows::column::{Buffer, ColumnType, ValueSeed};

#[test]
fn a_json_null_in_an_option_is_none() {
    type Nullable = Option<Value>;
    assert_eq!(read("null"), Ok(None::<Value>));
    assert_eq!(read("[null]"), Ok(Some(serde_json::json!([null]))));
    assert_eq!(read("[null,1]"), Ok(vec![None, Some(Value::from(1))]));

    let mut buffer = <Nullable as ColumnType>::Buffer::default();
    buffer.push(Some(Value::Null));
    buffer.push(None);
    buffer.push_placeholder();
    ValueSeed(&mut buffer).deserialize(Value::Null).unwrap();
    for row in 0..buffer.len() {
        assert_eq!(buffer.get(row), None);
        assert!(buffer.is_null(row) && buffer.equal(row, &buffer, 0));
        assert_eq!(json(&buffer, row), b"null");
    }
    assert_eq!(text_of(Some(Value::Null)), "");
    assert_eq!(text_of(Some(Value::from("null"))), r#""null""#);
}

#[test]
fn objects_of_json_are_told_apart_by_their_hashes() {
    let mut buffer = <Value as ColumnType>::Buffer::default();
    for n in 0..100 {
        buffer.push(serde_json::json!({"id": n, "name": "felis"}));
    }
    // A name hashes differently from a value, and a nested field differently from its siblings.
    buffer.push(serde_json::json!({"felis": "name", "id": 0}));
    buffer.push(serde_json::json!({"id": {"name": "felis"}}));
    let hash = |row| {
        let mut state = std::hash::DefaultHasher::new();
        buffer.hash(row, &mut state);
        std::hash::Hasher::finish(&state)
    };
    let hashes: std::collections::HashSet<u64> = (0..buffer.len()).map(hash).collect();
    assert_eq!(hashes.len(), buffer.len());
    // An equal object has the same hash, however its fields are stored.
    let mut again = <Value as ColumnType>::Buffer::default();
    again.push(serde_json::from_str(r#"{"name": "felis", "id": 0}"#).unwrap());
    assert!(again.equal(0, &buffer, 0));
    let mut state = std::hash::DefaultHasher::new();
    again.hash(0, &mut state);
    assert_eq!(std::hash::Hasher::finish(&state), hash(0));
}

#[test]
fn json_built_in_a_program_is_held_to_the_limit_of_depth() {
    let deep = |levels| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let mut buffer = <Value as ColumnType>::Buffer::default();
    buffer.push(deep(crate::rows::column::strict::DEPTH));
    assert_eq!(buffer.get(0), deep(crate::rows::column::strict::DEPTH));
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        buffer.push(deep(crate::rows::column::strict::DEPTH + 1))
    }));
    assert_eq!(*refused.unwrap_err().downcast::<String>().unwrap(), "the JSON is nested more than 100 levels deep");
    assert_eq!(buffer.len(), 1);
}
