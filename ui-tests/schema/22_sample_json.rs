use std::collections::BTreeMap;

use pathway_io::{RawJson, Schema};
use serde_json::Value;

#[derive(Schema)]
#[schema(sample = "bodies.jsonl")]
struct Event {
    key: i64,
    // The text is kept, so no digit is lost.
    text: RawJson,
    body: Value,
    parts: Vec<Value>,
    tags: BTreeMap<String, i64>,
}

fn main() {}
