use std::time::Instant;

use pathway_io::Schema;

#[derive(Schema)]
struct Place {
    city: String,
}

#[derive(Schema)]
struct Cat {
    key: i64,
    #[schema(skip)]
    seen: Instant,
    #[schema(skip, rename = "nick")]
    nick: String,
    #[schema(prefix = "home_")]
    home: String,
}

#[derive(Schema)]
struct Dog {
    home_city: String,
    #[schema(flatten, prefix = "home_")]
    home: Place,
}

#[derive(Schema)]
struct Nothing {
    #[schema(skip)]
    seen: u8,
}

/// It has no default.
struct Sound;

#[derive(Schema)]
struct Lynx {
    key: i64,
    #[schema(skip, default = Sound)]
    sound: Sound,
    #[schema(skip, flatten)]
    place: Place,
}

fn main() {}
