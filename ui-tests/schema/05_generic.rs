use pathway_io::{ColumnType, Schema};

#[derive(Schema)]
struct Cat<T> {
    key: i64,
    value: T,
}

#[derive(Schema)]
#[schema(sample = "cats.jsonl", lock = "cat.schema.json")]
struct Reading<T: ColumnType> {
    key: i64,
    value: T,
}

#[derive(Schema)]
struct Timestamped<T: Schema> {
    at: u64,
    #[schema(flatten, prefix = "of_")]
    row: T,
}

fn main() {}
