//! A token that cannot be the type of a field gives only rustc's error.

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
