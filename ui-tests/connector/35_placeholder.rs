//! rustc suggests the type for a `_` in the result of `run`.

use pathway_io::{Closed, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> Result<(), _> {
        cats.next(Cat { key: 1 })?;
        Ok::<(), Closed>(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
