use pathway_io::{Schema, Subject, next};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    weight: Option<f64>,
    #[schema(default = 4)]
    legs: u8,
}

#[deny(unused_must_use)]
fn push(cats: Subject<Cat>) {
    next!(cats, Cat { key: 1, genus: "felis", .. });
}

fn main() {}
