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
    next!(cats, 1, "felis")?;
    next!(cats, key: 1, genus: "felis")?;
    next!(cats, Cat { 1, "felis" })?;
    next!(cats, Cat { key = 1, genus: "felis" weight: 4.5, legs: , .. })?;
    next!(cats; Cat { key: 1, .. })?;
    next!(cats, Cat { "key": 1, .. })?;
    next!(cats, { key: 1, genus: "felis" })?;
    next!(cats)?;
    next!()
}

fn keyword(cats: Subject<Cat>) -> Result<(), Closed> {
    next!(cats, Cat { type: 1, key: 1, .. })
}

#[derive(Schema)]
struct Owner {
    #[schema(flatten, primary_key)]
    cat: Cat,
    note: serde_json::Value,
}

fn nested(owners: Subject<Owner>) -> Result<(), Closed> {
    next!(owners, Owner { cat: { key: 1, genus: "felis" }, note: { "age": 3 } })
}

fn whole(cats: Subject<Cat>, cat: Cat) -> Result<(), Closed> {
    next!(cats, cat)
}

fn main() {}
