use std::rc::Rc;

use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    key: Rc<i64>,
}

fn push(cats: &Subject<Cat>) {
    cats.next(Cat { key: Rc::new(1) }).unwrap();
}

fn main() {
    let _ = push;
}
