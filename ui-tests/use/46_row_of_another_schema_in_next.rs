use pathway_io::{Closed, Schema, Subject, next};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    weight: Option<f64>,
    #[schema(default = 4)]
    legs: u8,
}

#[derive(Schema)]
struct Dog {
    name: String,
}

fn push(cats: Subject<Cat>) -> Result<(), Closed> {
    next!(cats, Dog { name: "rex" })
}

fn main() {}
