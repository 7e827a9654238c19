use std::time::Instant;

use pathway_io::Schema;

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    key: i64,
    seen: Instant,
}

struct Tags;

#[derive(Schema)]
#[schema(dataflow)]
struct Tagged {
    key: i64,
    #[schema(json)]
    tags: Tags,
}

fn main() {
    let _ = |cat: Cat, tagged: Tagged| (cat.key, tagged.key);
}
