//! A schema that flattens itself. Without a pointer in between, rustc reports its size.

use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    key: i64,
    #[schema(flatten)]
    mother: Box<Cat>,
}

#[derive(Schema)]
struct Dog {
    key: i64,
    #[schema(flatten)]
    mother: Option<Box<Self>>,
}

#[derive(Schema)]
struct Direct {
    key: i64,
    #[schema(flatten)]
    mother: Direct,
}

#[derive(Schema)]
struct Place {
    city: String,
}

#[derive(Schema)]
struct Owner {
    #[schema(flatten)]
    place: Box<Place>,
}

fn main() {}
