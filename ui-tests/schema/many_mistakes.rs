use std::time::Instant;

use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(primry_key)]
    key: i64,
    genus: &'static str,
    born: Instant,
    diff: f64,
    #[schema(default = 1, default = 2)]
    legs: u8,
}

fn main() {}
