//! Two methods with one name are an error of rustc without any macro, and so is a call of one of them.

use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 2 })?;
        Ok(())
    }
}

fn main() {}
