//! Samples that fit the schema. Their rows can be read.

use pathway_io::{ColumnType, Schema};

type Legs = Option<u16>;

#[derive(ColumnType, Clone)]
struct Id(i64);

#[derive(Schema)]
struct Place {
    home: [f64; 2],
    #[schema(default)]
    town: String,
}

#[derive(Schema)]
#[schema(sample = "../schema/cats.jsonl")]
struct Cat {
    #[schema(primary_key)]
    key: Id,
    #[schema(rename = "genus")]
    name: String,
    legs: Legs,
    weight: Option<f32>,
    tags: Vec<String>,
    #[schema(alias = "nick")]
    pet_name: Option<String>,
    #[schema(flatten)]
    place: Place,
    #[schema(json)]
    born: serde_json::Value,
    fleas: Option<u64>,
}

#[derive(Schema)]
#[schema(sample = "../schema/cats.csv", deny_unknown, rename_all = "lowercase")]
struct Record {
    #[schema(primary_key)]
    key: u64,
    genus: Option<String>,
    weight: Option<f64>,
    tame: String,
}

/// The path is relative to the package.
#[derive(Schema)]
#[schema(sample = "Cargo.toml", crate = ::pathway_io)]
struct Manifest {
    #[schema(rename = "[package]")]
    _line: String,
}

fn main() {}
