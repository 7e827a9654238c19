//! Deprecated items, constants with the names of common locals, and a `const fn on_stop` cause no message.

#![deny(deprecated, warnings)]
#![allow(dead_code, non_upper_case_globals)]
use pathway_io::{ColumnType, RunResult, Schema, Subject, connector};

#[derive(Schema)]
#[deprecated]
struct Old {
    key: i64,
    #[deprecated]
    legs: Option<i64>,
    #[deprecated]
    #[schema(default = 1)]
    tail: i64,
}

#[deprecated]
#[derive(ColumnType)]
enum Mood {
    #[deprecated]
    Calm,
    Angry,
}

const fields: i64 = 1;
const subjects: i64 = 1;
const subject_0: i64 = 1;
const value: i64 = 1;
static options: i64 = 1;

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>, dogs: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(dogs.next(Cat { key: 1 })?)
    }

    const fn on_stop(&mut self) {}
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    pipeline.read(Cats);
}
