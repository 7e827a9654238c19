use std::time::Instant;

use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    seen: Option<Instant>,
    naps: Vec<Instant>,
    born: (i64, Instant),
}

fn main() {}
