//! The subject after the row is one error.

use pathway_io::{Closed, Schema, Subject, next};

#[derive(Schema)]
struct Cat {
    key: i64,
    genus: String,
}

fn push(cats: &Subject<Cat>) -> Result<(), Closed> {
    next!(Cat { key: 1, genus: "felis", .. }, cats)?;
    next!(Cat { key: 1, genus: "felis" }; cats)?;
    cats.commit()
}

fn main() {}
