//! A row or an offset that borrows is one error, whatever `run` does with the subject.

use std::borrow::Cow;

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Row;

#[connector]
impl Row {
    fn run(&mut self, cats: Subject<&Cat>) -> RunResult {
        cats.next(&Cat { key: 1 })?;
        Ok(())
    }
}

struct Offset;

#[connector]
impl Offset {
    fn run(&mut self, cats: Subject<Cat, &str>, dogs: Subject<Cat, (u64, Cow<'_, str>)>) -> RunResult {
        cats.next_at("1", Cat { key: 1 })?;
        Ok(())
    }
}

struct Static;

#[connector]
impl Static {
    fn run(&mut self, cats: Subject<Cat, &'static u64>) -> RunResult {
        cats.next_at(&1, Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    csv::write(&pipeline.read(Row), "cats.csv");
    let (_cats, _dogs) = pipeline.read(Offset);
    csv::write(&pipeline.read(Static), "cats.csv");
}
