//! A row without a size is one error: a trait, a `str` or a slice.

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Any;

#[connector]
impl Any {
    fn run(&mut self, rows: Subject<dyn Schema>) -> RunResult {
        rows.next_json("{}")?;
        Ok(())
    }
}

struct Slices;

#[connector]
impl Slices {
    fn run(&mut self, batches: Subject<[Cat]>, names: Subject<&str>, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        batches.commit()?;
        Ok(names.commit()?)
    }
}

struct Texts;

#[connector]
impl Texts {
    fn run(&mut self, texts: Subject<str>, bytes: Subject<[u8]>, cats: Subject<Cat>) -> RunResult {
        texts.next("a")?;
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    pipeline.read(Any);
    pipeline.read(Slices);
    pipeline.read(Texts);
}
