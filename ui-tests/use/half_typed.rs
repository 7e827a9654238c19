//! A value, a subject or a base with a syntax error inside its brackets is one error.

use pathway_io::{Closed, Schema, Subject, next};

#[derive(Schema)]
struct Cat {
    key: i64,
    genus: String,
}

#[derive(Schema)]
struct Owner {
    #[schema(flatten)]
    cat: Cat,
}

fn key(number: i64, _by: i64) -> i64 {
    number
}

fn values(cats: Subject<Cat>, names: Vec<String>) -> Result<(), Closed> {
    next!(cats, Cat { key: key(1 2), genus: "felis" })?;
    next!(cats, Cat { key: { let number = ; number }, genus: "felis" })?;
    next!(cats, Cat { key: (1 2), genus: { let name = names.; name } })?;
    next!(cats, Cat { key: match names.len() { 0 = 1, _ => 2 }, genus: "felis" })?;
    next!(cats, Cat { key: [1 2][0], genus: String::from(names.) })
}

fn others(cats: Subject<Cat>, owners: Subject<Owner>) -> Result<(), Closed> {
    next!(cats.clone(1 2), Cat { key: 1, genus: "felis" })?;
    next!(cats, Cat { key: 1, ..cat(1 2) })?;
    next!(owners, Owner { cat: Cat { key: key(1 2), genus: "felis" } })
}

fn main() {}
