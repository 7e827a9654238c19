//! A CSV that is separated by something else has no column.

use pathway_io::Schema;

#[derive(Schema)]
#[schema(sample = "semicolons.csv")]
struct Cat {
    key: u8,
    genus: String,
}

fn main() {}
