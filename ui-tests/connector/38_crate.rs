//! A wrong path of the runtime is one error for each macro.

use pathway_io::{ColumnType, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

#[derive(Schema)]
#[schema(crate = cats)]
struct Dog {
    key: i64,
    #[schema(default)]
    name: Option<String>,
}

#[derive(ColumnType)]
#[column(crate = moods)]
enum Mood {
    Calm,
}

mod another {}

#[derive(Schema)]
#[schema(crate = crate::another)]
struct Lynx {
    key: i64,
}

struct Lone;

#[connector(crate = lone)]
impl Lone {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        Ok(cats.next(Cat { key: 1 })?)
    }
}

struct Both;

#[connector(crate = both)]
impl Both {
    fn run(&mut self, cats: Subject<Cat, u64>, more: Subject<Cat, u64>) -> RunResult {
        more.next(Cat { key: 1 })?;
        Ok(cats.next(Cat { key: 1 })?)
    }
}

struct Another;

#[connector(crate = another)]
impl Another {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        Ok(cats.next(Cat { key: 1 })?)
    }
}

fn main() {}
