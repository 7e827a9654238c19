//! rustc's error about a `_` in the signature is the only one.

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Rows;

#[connector]
impl Rows {
    fn run(&mut self, rows: Subject<_>) -> RunResult {
        rows.next_json("{}")?;
        Ok(())
    }
}

struct Offsets;

#[connector]
impl Offsets {
    fn run(&mut self, cats: Subject<Cat, Vec<_>>, dogs: Subject<Cat, Vec<u8>>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        dogs.next_at(vec![1], Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    pipeline.read(Rows);
    let (_cats, _dogs) = pipeline.read(Offsets);
}
