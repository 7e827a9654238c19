//! rustc reports two subjects with one name, once.

use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

#[derive(Schema)]
struct Dog {
    key: i64,
}

struct Pets;

#[connector]
impl Pets {
    fn run(&mut self, pets: Subject<Cat>, pets: Subject<Dog>) -> RunResult {
        pets.next(Dog { key: 1 })?;
        Ok(())
    }
}

fn main() {}
