//! A row type that is not in scope or not a schema is one error in `next!`, with `..` too.

use pathway_io::{Closed, Schema, Subject, next};

#[derive(Schema)]
struct Cat {
    key: i64,
    weight: Option<f64>,
}

fn push(cats: Subject<Cat>) -> Result<(), Closed> {
    next!(cats, Cats { key: 1, .. })?;
    next!(cats, Cats { key: 1, weight: None })?;
    next!(cats, self::cat { key: 1, .. })
}

fn main() {}
