//! rustc parses parentheses after the name of a type, and `syn` does not.

use pathway_io::{Schema, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: pathway_io::Subject(Cat)) {
        let _ = cats.next(Cat { key: 1 });
    }
}

struct Dogs;

#[connector]
impl Dogs {
    fn run(&mut self, dogs: pathway_io::Subject<Cat>) -> pathway_io::Result(()) {
        dogs.next(Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    pipeline.read(Cats);
    pipeline.read(Dogs);
}
