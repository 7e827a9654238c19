//! A row with a lifetime is the mistake of its struct. The connectors add only what they do wrong themselves.

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat<'a> {
    key: i64,
    name: &'a str,
}

#[derive(Schema)]
struct Dog {
    key: i64,
}

struct OfBlock;

#[connector]
impl<'a> OfBlock {
    fn run(&mut self, cats: Subject<Cat<'a>>, dogs: Subject<Dog>) -> RunResult {
        cats.next(Cat { key: 1, name: "tom" })?;
        dogs.next(Dog { key: 1 })?;
        Ok(())
    }
}

struct OfRun;

#[connector]
impl OfRun {
    fn run<'a>(&mut self, cats: Subject<Cat<'a>>, dogs: Subject<Dog>) -> RunResult {
        cats.next(Cat { key: 1, name: "tom" })?;
        dogs.next(Dog { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    pipeline.read(OfBlock);
    pipeline.read(OfRun);
}
