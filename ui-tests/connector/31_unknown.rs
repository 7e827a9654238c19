//! A name that is not in scope is one error, wherever the macro copies it.

use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Lone;

#[connector]
impl Lone {
    fn run(&mut self, dogs: Subject<Dog>) -> RunResult {
        Ok(dogs.next_json("{}")?)
    }
}

struct Both;

#[connector]
impl Both {
    fn run(&mut self, cats: Subject<Cat>, birds: Subject<Bird>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(birds.next_json("{}")?)
    }
}

struct Resumed;

#[connector]
impl Resumed {
    fn run(&mut self, cats: Subject<Cat, Position>) -> RunResult {
        Ok(cats.next(Cat { key: 1 })?)
    }
}

struct Failing;

#[connector]
impl Failing {
    fn run(&mut self, cats: Subject<Cat>) -> Result<(), ReadError> {
        let _ = cats.next(Cat { key: 1 });
        Ok(())
    }
}

struct Generic<T>(T);

#[connector]
impl<T: Send + 'static> Generic<T> {
    fn run(&mut self, mice: Subject<Mouse>) -> RunResult {
        Ok(mice.next_json("{}")?)
    }
}

fn main() {}
