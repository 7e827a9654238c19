use pathway_io::Schema;

#[derive(Schema)]
#[schema(sample = "cat.jsonl")]
struct Cat {
    key: i64,
}

#[derive(Schema)]
#[schema(sample = "../schema")]
struct Directory {
    key: i64,
}

#[derive(Schema)]
#[schema(sample = "broken.jsonl")]
struct Broken {
    key: i64,
}

#[derive(Schema)]
#[schema(sample = "empty.jsonl")]
struct Empty {
    key: i64,
}

#[derive(Schema)]
#[schema(sample = "cat.schema.json")]
struct ManyLines {
    key: i64,
}

fn main() {}
