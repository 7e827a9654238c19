//! A prefix can make a reserved name.

use pathway_io::Schema;

#[derive(Schema)]
struct Place {
    me: i64,
    mes: i64,
}

#[derive(Schema)]
struct Cat {
    key: i64,
    #[schema(flatten, prefix = "ti")]
    place: Place,
    #[schema(flatten, prefix = "some")]
    other: Place,
}

fn main() {}
