//! `Subjects` is the name of a trait.

use pathway_io::{Pipeline, RunResult, Schema, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

mod by_path {
    pub struct Cats;

    #[pathway_io::connector]
    impl Cats {
        fn run(&mut self, cats: pathway_io::Subjects<crate::Cat>) -> pathway_io::RunResult {
            cats.next(crate::Cat { key: 1 })?;
            Ok(())
        }
    }
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subjects<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

struct Borrowed;

#[connector]
impl Borrowed {
    fn run(&mut self, cats: &mut Subjects<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    pipeline.read(by_path::Cats);
    pipeline.read(Cats);
    pipeline.read(Borrowed);
}
