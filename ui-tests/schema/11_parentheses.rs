use pathway_io::{RunResult, Schema, Subject, next};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key())]
    key: i64,
    #[schema(default("felis"), rename(name), alias("species"))]
    genus: String,
    #[schema(rename(serialize = "legs", deserialize = "feet"))]
    legs: u8,
}

#[derive(Schema)]
#[schema(primary_key(x, y))]
struct Place {
    x: i64,
    y: i64,
}

fn push(cats: &Subject<Cat>) -> RunResult {
    next!(cats, Cat { key: 1, legs: 4, .. })?;
    cats.remove(1)?;
    Ok(())
}

fn main() {}
