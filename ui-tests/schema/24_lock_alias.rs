use pathway_io::{ColumnType, Schema};

#[derive(ColumnType, Clone)]
struct Id(u64);

type Weight = f64;

#[derive(Schema)]
struct Place {
    tags: Vec<Vec<u8>>,
    town: String,
}

#[derive(Schema)]
#[schema(lock = "cat.schema.json")]
struct Cat {
    #[schema(primary_key)]
    key: Id,
    #[schema(alias = "g")]
    genus: String,
    weight: Weight,
    #[schema(default)]
    legs: u8,
    #[schema(flatten)]
    place: Place,
}

fn main() {}
