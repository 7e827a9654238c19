//! `Option<Value>` is a column: the null of JSON is its `None`.

use pathway_io::Schema;

#[derive(Schema)]
struct Event {
    #[schema(primary_key)]
    id: u64,
    payload: Option<serde_json::Value>,
    tags: Vec<Option<serde_json::Value>>,
}

fn main() {
    assert!(Event::schema().columns[1].optional);
    assert_eq!(Event::schema().columns[2].data_type.to_string(), "Vec<Option<Value>>");
}
