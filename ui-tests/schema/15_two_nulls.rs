use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    key: Option<Option<i64>>,
    tail: Option<serde_json::Value>,
}

fn main() {}
