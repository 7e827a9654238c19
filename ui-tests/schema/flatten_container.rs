use std::collections::HashMap;

use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Place {
    #[schema(primary_key)]
    x: i64,
}

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    #[schema(flatten)]
    home: Option<Place>,
    #[schema(flatten)]
    others: HashMap<String, String>,
    #[schema(flatten, primary_key)]
    places: Vec<Place>,
}

fn push(cats: &Subject<Cat>) {
    let _ = cats.next_json("{}");
}

fn main() {}
