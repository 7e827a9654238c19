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

fn push(cats: Subject<Cat>) -> Result<(), Closed> {
    next!(cats, Cat { key: 1, genus: "felis", weigth: 4.5, legs: 4 })?;
    next!(cats, Cat { key: 1, genuss: "felis", .. })
}

fn main() {}
