use std::time::SystemTime;

use pathway_io::Schema;

#[derive(Schema)]
#[schema(sample = "visits.jsonl")]
struct Visit {
    key: i64,
    at: SystemTime,
    others: Vec<SystemTime>,
    #[schema(path = "place.opened")]
    opened: Option<SystemTime>,
}

fn main() {}
