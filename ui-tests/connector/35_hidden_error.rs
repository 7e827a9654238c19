//! An `impl Trait` in the result of `run` is underlined if it is no error.

use pathway_io::{Closed, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> Result<(), impl std::fmt::Debug> {
        cats.next(Cat { key: 1 })?;
        Ok::<(), Closed>(())
    }
}

fn main() {}
