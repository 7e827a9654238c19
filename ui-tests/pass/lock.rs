//! Changes of a locked schema that can still read the old rows.

use pathway_io::{ColumnType, Schema};

#[derive(ColumnType, Clone)]
struct Id(i64);

type Tags = Vec<i64>;

mod same {
    #[derive(pathway_io::Schema)]
    #[schema(lock = "../schema/cat.schema.json")]
    struct Cat {
        #[schema(primary_key)]
        key: i64,
        #[schema(alias = "g")]
        genus: String,
        weight: Option<f64>,
        #[schema(default = 4)]
        legs: u8,
        tags: Vec<i32>,
    }
}

/// Another description.
#[derive(Schema)]
#[schema(lock = "../schema/cat.schema.json", append_only)]
struct Cat {
    #[schema(primary_key)]
    key: Id,
    nick: Option<String>,
    #[schema(rename = "genus", alias = "g", alias = "genre")]
    name: String,
    weight: Option<f64>,
    legs: Option<i64>,
    tags: Tags,
    #[schema(default = 7)]
    lives: u8,
}

#[derive(Schema)]
#[schema(lock = "place.schema.json")]
struct Place {
    town: String,
}

#[derive(Schema)]
#[schema(lock = "visit.schema.json")]
struct Visit {
    hour: u8,
    #[schema(flatten)]
    place: Place,
}

fn main() {}
