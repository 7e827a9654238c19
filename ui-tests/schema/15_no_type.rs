//! rustc's error about what is no type of a field is the only one.

use std::borrow::Cow;

use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: _,
    names: Vec<_>,
    weights: [f64; _],
    #[schema(json)]
    owner: _,
    #[schema(flatten)]
    place: _,
}

#[derive(Schema)]
struct Dog {
    name: Cow<'_, str>,
    owner: impl Into<String>,
    places: Vec<impl Clone>,
}

fn main() {
    Cat::schema();
    Dog::schema();
}
