use pathway_io::{Closed, Schema, Subject, next};

#[derive(Schema)]
struct Cat {
    key: i64,
    #[schema(json)]
    place: (i64, String),
    #[schema(default = 4)]
    legs: u8,
}

fn push(cats: Subject<Cat>) -> Result<(), Closed> {
    next!(cats, Cat { key: 1, place: (1, "x".to_owned()), .. })
}

fn main() {}
