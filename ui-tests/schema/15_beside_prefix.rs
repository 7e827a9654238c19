//! A wrong type beside a flattened field is the only error.

use std::time::Instant;

use pathway_io::Schema;

#[derive(Schema)]
struct Place {
    city: String,
}

#[derive(Schema)]
struct Trip {
    #[schema(flatten, prefix = "from_")]
    from: Place,
    #[schema(flatten, prefix = "to_")]
    to: Place,
    start: Instant,
}

#[derive(Schema)]
struct Visit {
    #[schema(flatten, prefix = "home_")]
    home: Place,
    #[schema(json)]
    start: Instant,
}

fn main() {
    Trip::schema();
}
