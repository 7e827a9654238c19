//! rustc reports an error without a `Box`, once.

use std::error::Error;

use pathway_io::{Pipeline, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> Result<(), dyn Error> {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let _cats = Pipeline::new().read(Cats);
}
