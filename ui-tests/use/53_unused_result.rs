#![deny(unused_must_use)]

use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    key: i64,
}

fn push(cats: &Subject<Cat>) {
    cats.next(Cat { key: 1 });
}

fn main() {
    let _ = push;
}
